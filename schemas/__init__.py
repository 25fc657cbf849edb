"""Contracts shared by both sides: identifiers, events, the envelope and their limits. Imports nothing of ours."""
