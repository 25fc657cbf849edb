"""The rules that a token can be refused by, and the refusal that names one.

They are checked in this order, claims one after another, and in a user token the outer's form first. Up to
`BAD_SIGNATURE` nothing depends on anything but the token itself and on what partners publish to everybody; whether a
partner is disabled, how far it is trusted and which hosts are ours is told only to somebody who has signed.
"""

from enum import StrEnum

from consumers.grant import GrantRefused


class Rule(StrEnum):
    """Why a token is not accepted. Shown, stored and documented, so a member is never renamed."""

    # Form: what RFC 7515 and RFC 8725 ask of any token.
    TOO_LARGE = "too-large"
    NOT_COMPACT = "not-compact"
    BAD_ENCODING = "bad-encoding"
    BAD_JSON = "bad-json"
    DUPLICATE_MEMBER = "duplicate-member"
    HEADER_MEMBER = "header-member"
    BAD_TYPE = "bad-type"
    ALGORITHM = "algorithm"
    UNSIGNED = "unsigned"
    NESTED = "nested"
    MISSING_CLAIM = "missing-claim"
    BAD_CLAIM = "bad-claim"
    BAD_TIME = "bad-time"
    # Who signed it.
    UNKNOWN_ISSUER = "unknown-issuer"
    KEY_MISMATCH = "key-mismatch"
    UNKNOWN_KEY = "unknown-key"
    UNUSABLE_KEY = "unusable-key"
    BAD_SIGNATURE = "bad-signature"
    # What the signer may do, here and now.
    PARTNER_DISABLED = "partner-disabled"
    TOPOLOGY = "topology"
    AUDIENCE = "audience"
    ACTOR = "actor"
    LIFE_TOO_LONG = "life-too-long"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    DELEGATION = "delegation"
    TRUST_LEVEL = "trust-level"
    LETTER_CASE = "letter-case"
    USER = "user"


class TokenRefused(GrantRefused):
    """A token is not accepted; `rule` says why. The message repeats nothing that the token says."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
