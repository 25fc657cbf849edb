"""Tamper evidence: a signed journal of everything that was written, and the check of an archive against it."""
