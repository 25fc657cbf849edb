"""Tokens as the Lync side issues them: its certificates, its token service, its metadata document."""
