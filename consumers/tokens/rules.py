"""The rules that a token can be refused by, and the refusal that names one."""

from enum import StrEnum

from consumers.grant import GrantRefused


class Rule(StrEnum):
    """Why a token is not accepted, in the order in which the rules are checked. Shown, stored and documented."""


class TokenRefused(GrantRefused):
    """A token is not accepted; `rule` says why. The message repeats nothing that the token says."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
