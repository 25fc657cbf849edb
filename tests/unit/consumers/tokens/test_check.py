"""Checking tokens against partners as they are stored, and when that asks a partner for its keys."""

from typing import Final

import pytest

from consumers.tokens.metadata_rules import MetadataRefused, MetadataRule
from consumers.tokens.refresh import REFRESH_INTERVAL_S
from consumers.tokens.rules import Rule, TokenRefused
from schemas.errors import DependencyUnavailable
from schemas.principals import LYNC, Principal
from tests.support.checking import Checking
from tests.support.tokens import (
    ALICE,
    FABRIKAM_ID,
    actor,
    app,
    app_claims,
    app_header,
    certificate,
    partner,
    partner_key,
    signed,
    thumbprint,
    user,
)

NEW_KEY: Final = partner_key(certificate("new"))


def _unknown(number: int = 1) -> str:
    """A token whose key nobody publishes."""
    return app(signer=f"unknown {number}")


async def _refused(world: Checking, token: str) -> Rule:
    with pytest.raises(TokenRefused) as refusal:
        await world.check.accept(token)
    return refusal.value.rule


async def test_a_known_key_asks_nobody() -> None:
    """Who signs with a key that is known is accepted without a look at metadata."""
    world = Checking()
    accepted = await world.check.accept(app())
    assert accepted.principal == world.lync.principal
    assert (await world.check.accept(user())).user == ALICE
    assert world.source.asked == []


async def test_a_new_key_is_accepted_after_one_refresh() -> None:
    """A partner that rolls over its key is asked once, and then tokens by the new key and the old are accepted."""
    world = Checking(NEW_KEY, partner_key(certificate("lync")))
    for token in (app(signer="new"), app(signer="new"), app()):
        assert (await world.check.accept(token)).principal == world.lync.principal
    assert world.source.asked == ["lync"]


async def test_the_actor_of_a_user_token_is_whose_keys_are_asked_for() -> None:
    """An outer token is signed by nobody, so what it says of its issuer asks nobody."""
    world = Checking(NEW_KEY, others=(partner("fabrikam", Principal(LYNC, "fabrikam.example")),))
    outer = user({"iss": FABRIKAM_ID}, inner=actor(signer="new"))
    assert await _refused(world, outer) is Rule.ACTOR
    assert (await world.check.accept(user(inner=actor(signer="new")))).user == ALICE
    assert world.source.asked == ["lync"]


async def test_made_up_keys_ask_a_partner_once_an_interval() -> None:
    """Tokens with any number of keys that nobody has make us ask no more often than once in 60 s."""
    world = Checking(partner_key(certificate("lync")))
    for number in (1, 2, 1):
        assert await _refused(world, _unknown(number)) is Rule.UNKNOWN_KEY
    assert len(world.source.asked) == 1
    world.clock.advance(REFRESH_INTERVAL_S)
    assert await _refused(world, _unknown(2)) is Rule.UNKNOWN_KEY
    assert len(world.source.asked) == 2


async def test_what_is_refused_for_anything_else_asks_nobody() -> None:
    """Only a partner's token, well formed and by a key that is not known, is worth a question."""
    world = Checking(NEW_KEY)
    other_issuer = app({"iss": "00000004-0000-0ff1-ce00-000000000000@attacker.example"}, signer="new")
    mismatched = app(header={"kid": "z" * 27}, signer="new")
    forged = signed(app_header(), app_claims(), "new")
    assert await _refused(world, other_issuer) is Rule.UNKNOWN_ISSUER
    assert await _refused(world, mismatched) is Rule.KEY_MISMATCH
    assert await _refused(world, forged) is Rule.BAD_SIGNATURE
    assert await _refused(world, "nonsense") is Rule.NOT_COMPACT
    assert world.source.asked == []


@pytest.mark.parametrize(
    "failure",
    [DependencyUnavailable("down"), MetadataRefused(MetadataRule.FOREIGN, "another's")],
    ids=["down", "refused"],
)
async def test_without_metadata_a_token_by_an_unknown_key_is_not_judged(failure: DependencyUnavailable) -> None:
    """That is no refusal of the token: the same token is accepted once the partner answers."""
    world = Checking(NEW_KEY)
    world.source.answers = [failure]
    with pytest.raises(type(failure)):
        await world.check.accept(app(signer="new"))
    assert (await world.check.accept(app())).x5t == thumbprint(certificate("lync"))
    world.clock.advance(REFRESH_INTERVAL_S)
    assert (await world.check.accept(app(signer="new"))).x5t == NEW_KEY.x5t


async def test_a_partner_that_changes_is_judged_as_it_is_then() -> None:
    """Each token is checked against partners as they are stored when it comes."""
    world = Checking()
    await world.check.accept(app())
    await world.partners.switch(world.lync.principal, enabled=False)
    assert await _refused(world, app()) is Rule.PARTNER_DISABLED
    await world.partners.switch(world.lync.principal, enabled=True)
    await world.check.accept(app())


async def test_a_disabled_partners_new_key_opens_nothing() -> None:
    """Nobody is asked for a disabled partner's keys."""
    world = Checking(NEW_KEY)
    await world.partners.switch(world.lync.principal, enabled=False)
    assert await _refused(world, app(signer="new")) is Rule.UNKNOWN_KEY
    found = world.partners.find(world.lync.principal)
    assert found is not None
    assert not found.enabled
