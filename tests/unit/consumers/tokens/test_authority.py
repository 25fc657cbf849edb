"""The authority: what a verified token opens, and what is recorded of every token that was judged."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from consumers.grant import ARCHIVE_ROLE, Grant
from consumers.tokens.authority import TokenAuthority
from consumers.tokens.compact import token_id
from consumers.tokens.rules import Rule, TokenRefused
from consumers.tokens.session import Session
from schemas.errors import DependencyUnavailable, Misconfigured
from schemas.principals import EXCHANGE, LYNC, Audience
from tests.support.checking import Checking
from tests.support.hostile import REPEATED_CHARS, pieces
from tests.support.tokens import (
    ALICE,
    AUDIENCE,
    HOST,
    NOW,
    REALM,
    ROLES,
    SECONDS,
    app,
    certificate,
    partner_key,
    thumbprint,
    user,
)
from tests.support.trust import GivenTokens, MemorySessions

LYNC_KEY: Final = thumbprint(certificate("lync"))
NEW_KEY: Final = partner_key(certificate("new"))
ENDS: Final = NOW + timedelta(seconds=3600 + 60)
"""The token's end, and the clock skew that is allowed."""


class World(Checking):
    """A check, and the authority that opens grants by these tokens."""

    def __init__(self, *tokens: str) -> None:
        super().__init__(NEW_KEY)
        self.tokens = GivenTokens(*tokens)
        self.sessions = MemorySessions()
        self.authority = TokenAuthority(
            tokens=self.tokens,
            audience=Audience(EXCHANGE, HOST, REALM),
            check=self.check,
            sessions=self.sessions,
            clock=self.clock,
        )


async def test_an_accepted_token_opens_a_grant_and_records_a_session() -> None:
    """The grant is the application's, for every mailbox, until the token ends; the session says what was opened."""
    token = app()
    world = World(token)
    grant = await world.authority.open()
    assert grant == Grant(world.lync.principal, ROLES, token_id(token), LYNC_KEY, ENDS)
    assert world.sessions.recorded == [Session(NOW, None, token_id(token), LYNC, REALM, None, LYNC_KEY, ENDS)]
    assert world.sessions.recorded[0].accepted
    assert world.tokens.audiences == [AUDIENCE]
    assert world.tokens.discarded == []


async def test_a_user_token_opens_a_grant_for_that_users_mailbox() -> None:
    """Who acts for a user has the user's roles in the user's mailbox, and the session names the user."""
    token = user()
    world = World(token)
    grant = await world.authority.open()
    roles, mailboxes = frozenset({ARCHIVE_ROLE}), frozenset({f"sip:{ALICE}"})
    assert grant == Grant(world.lync.principal, roles, token_id(token), LYNC_KEY, ENDS, ALICE, mailboxes)
    assert world.sessions.recorded == [Session(NOW, None, token_id(token), LYNC, REALM, ALICE, LYNC_KEY, ENDS)]


REFUSED: dict[str, tuple[Rule, Callable[[], str]]] = {
    "expired": (Rule.EXPIRED, lambda: app({"nbf": str(SECONDS - 7200), "exp": str(SECONDS - 3600)})),
    "for somebody else": (Rule.AUDIENCE, lambda: app({"aud": f"{EXCHANGE}/other.example@{REALM}"})),
    "forged": (Rule.BAD_SIGNATURE, lambda: app()[:-8] + "AAAAAAAA"),
    "by a key that nobody publishes": (Rule.UNKNOWN_KEY, lambda: app(signer="unknown")),
    "of a stranger": (Rule.UNKNOWN_ISSUER, lambda: app({"iss": f"{LYNC}@attacker.example"})),
    "for nobody": (Rule.USER, lambda: user({"nameid": "nobody"})),
    "no token": (Rule.NOT_COMPACT, lambda: "no token"),
    "no text": (Rule.NOT_COMPACT, lambda: "\ud800"),
}
"""The rule that must refuse it, and the token, made when it is tried, since keys cost time."""


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refused_token_is_recorded_by_its_rule_and_discarded(case: str) -> None:
    """No grant is opened, the token is not given out again, and nothing that it claims is recorded as a fact."""
    rule, make = REFUSED[case]
    world = World(make())
    with pytest.raises(TokenRefused) as refusal:
        await world.authority.open()
    assert refusal.value.rule is rule
    assert world.sessions.recorded == [Session(NOW, str(rule), token_id(make()))]
    assert not world.sessions.recorded[0].accepted
    assert world.tokens.discarded == [AUDIENCE]


async def test_the_next_token_is_tried_after_a_refusal() -> None:
    """A token that went bad does not stop archiving for longer than it takes to get another."""
    world = World(app({"nbf": str(SECONDS - 7200), "exp": str(SECONDS - 3600)}), app())
    with pytest.raises(TokenRefused):
        await world.authority.open()
    assert (await world.authority.open()).token_id == token_id(app())
    assert [session.rule for session in world.sessions.recorded] == [str(Rule.EXPIRED), None]


async def test_an_unknown_key_causes_one_refresh_and_then_a_grant() -> None:
    """A key that the partner has just begun to use costs one fetch and no refusal; one session is recorded."""
    world = World(app(signer="new"))
    grant = await world.authority.open()
    assert grant.x5t == NEW_KEY.x5t
    assert await world.authority.open() == grant
    assert world.source.asked == ["lync"]
    assert [session.x5t for session in world.sessions.recorded] == [NEW_KEY.x5t] * 2
    assert world.tokens.discarded == []


async def test_a_token_that_cannot_be_judged_is_kept() -> None:
    """Where a partner's keys cannot be had, the token is neither accepted nor refused, and nothing is recorded."""
    world = World(app(signer="new"))
    world.source.answer = DependencyUnavailable("down")
    with pytest.raises(DependencyUnavailable, match="down"):
        await world.authority.open()
    assert world.sessions.recorded == []
    assert world.tokens.discarded == []


@pytest.mark.parametrize("token", [app, lambda: "no token"], ids=["accepted", "refused"])
async def test_nothing_is_opened_that_is_not_recorded(token: Callable[[], str]) -> None:
    """A session that cannot be kept opens no grant: auditors see every one there was."""
    world = World(token())
    world.sessions.error = DependencyUnavailable("no room")
    with pytest.raises(DependencyUnavailable, match="no room"):
        await world.authority.open()


@pytest.mark.parametrize("error", [DependencyUnavailable("the issuer is away"), Misconfigured("we are unknown")])
async def test_without_a_token_there_is_nothing_to_record(error: DependencyUnavailable | Misconfigured) -> None:
    """What the token service has to say is passed on."""
    world = World(app())
    world.tokens.error = error
    with pytest.raises(type(error)):
        await world.authority.open()
    assert world.sessions.recorded == []


@pytest.mark.parametrize("make", [app, user], ids=["app", "user"])
async def test_an_accepted_session_holds_no_part_of_the_tokens_text(make: Callable[[], str]) -> None:
    """Nobody can make a token, or a part of one, of what is recorded for ever."""
    token = make()
    world = World(token)
    await world.authority.open()
    recorded = repr(world.sessions.recorded)
    runs = (token[at : at + REPEATED_CHARS] for at in range(len(token) - REPEATED_CHARS + 1))
    assert not [run for run in runs if run in recorded]


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refused_session_holds_nothing_that_the_token_says(case: str) -> None:
    """What nobody has vouched for is not recorded, neither as text nor decoded."""
    token = REFUSED[case][1]()
    world = World(token)
    with pytest.raises(TokenRefused):
        await world.authority.open()
    recorded = repr(world.sessions.recorded)
    assert not [piece for piece in pieces(token) if piece in recorded]
