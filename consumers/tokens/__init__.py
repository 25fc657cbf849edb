"""Tokens as the Exchange side checks them: which are accepted, by which rules, and what they open."""
