"""Who signs the journals of tests' archives."""

from typing import Final

from consumers.audit.ed25519 import Ed25519Signer, new_key, read_signer

SIGNER: Final[Ed25519Signer] = read_signer(new_key())
"""A key of this run alone."""
