"""What the Lync side issues, the Exchange side accepts: both as they are, with nothing between but their documents."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from consumers.grant import Grant, GrantRefused
from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.check import TokenCheck
from consumers.tokens.memory_partners import MemoryPartners
from consumers.tokens.partner import PartnerApplication, PartnerKey
from consumers.tokens.published_keys import published_keys
from consumers.tokens.refresh import REFRESH_INTERVAL_S, Refresher
from consumers.tokens.rules import Rule, TokenRefused
from consumers.tokens.trust import check_trust
from consumers.tokens.verifier import AcceptedToken
from producers.tokens.documents import metadata
from producers.tokens.issuing import LIFE_S, TokenIssuer
from producers.tokens.keyring import LEAD_S, Keyring
from schemas.login import ARCHIVER, KAFKA_AUDIENCE
from schemas.metadata import parse_metadata
from tests.support.clock import ManualClock
from tests.support.signing import AUDIENCE, REALM
from tests.support.trust import PARTNER

USER: Final = "alice@contoso.example"
NAME_ISSUER: Final = "urn:office:idp:activedirectory"
ROLES: Final = frozenset({"ArchiveApplication"})


class Sides:
    """An issuer, and an archive that knows it as a partner by its metadata document alone."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.keyring = Keyring(folder, REALM, self.clock)
        self.issuer = TokenIssuer(self.keyring, REALM, self.clock)
        self.fetched = 0
        self.partners = MemoryPartners([replace(PARTNER, principal=self.issuer.principal, keys=())])
        self.check = TokenCheck(
            config=AuthConfig(realm=REALM, hosts=frozenset({"exchange.contoso.example"})),
            partners=self.partners,
            refresher=Refresher(self, self.partners, self.clock),
            user_roles=lambda user: ROLES if user == USER else frozenset(),
            clock=self.clock,
        )

    async def fetch(self, partner: PartnerApplication) -> tuple[PartnerKey, ...]:
        """Read the issuer's document as it is published at the moment; the `MetadataSource` of these tests."""
        self.fetched += 1
        document = metadata(self.issuer.principal, "Lync", partner.metadata_url, self.keyring.keys())
        return published_keys(parse_metadata(document.model_dump_json().encode()), partner, self.clock.now())

    async def app(self) -> AcceptedToken:
        return await self.check.accept(self.issuer.app_token(AUDIENCE).text)

    async def user(self) -> AcceptedToken:
        return await self.check.accept(self.issuer.user_token(AUDIENCE, USER, NAME_ISSUER).text)

    def stands(self, accepted: AcceptedToken) -> None:
        """Ask as a commit does whether a grant from that token stands. Raises GrantRefused."""
        grant = Grant(accepted.principal, accepted.roles, accepted.token_id, accepted.x5t, accepted.expires_at)
        grant.check(self.clock.now())
        check_trust(grant, self.partners.find(accepted.principal))


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    return Sides(tmp_path)


async def test_an_app_only_token_opens_the_applications_roles(sides: Sides) -> None:
    """It is accepted for as long as it lives, for the application itself."""
    accepted = await sides.app()
    assert (accepted.principal, accepted.user, accepted.roles) == (sides.issuer.principal, None, PARTNER.roles)
    assert accepted.expires_at >= sides.clock.now() + timedelta(seconds=LIFE_S)


async def test_a_user_token_opens_the_users_roles(sides: Sides) -> None:
    """The actor within is trusted for delegation, and the user's own mailbox is all that opens."""
    accepted = await sides.user()
    assert (accepted.user, accepted.roles) == (USER, ROLES)
    assert accepted.mailboxes == frozenset({f"sip:{USER}"})


async def test_a_token_for_kafka_opens_nothing_here(sides: Sides) -> None:
    """The issuer's tokens for another audience are refused, though its key signed them."""
    await sides.app()
    with pytest.raises(TokenRefused, match=Rule.BAD_TYPE):
        await sides.check.accept(sides.issuer.access_token(KAFKA_AUDIENCE, ARCHIVER).text)


async def test_a_token_ends_on_both_sides_at_once(sides: Sides) -> None:
    """Once its life and the clocks' difference are over, it is refused by name."""
    text = sides.issuer.app_token(AUDIENCE).text
    await sides.check.accept(text)
    sides.clock.advance(LIFE_S + AuthConfig(REALM, frozenset()).skew_s + 1)
    with pytest.raises(TokenRefused, match=Rule.EXPIRED):
        await sides.check.accept(text)


async def test_nobody_is_refused_while_keys_roll(sides: Sides) -> None:
    """Every ten minutes of four days with two roll-overs: new tokens and old ones are accepted and grants stand, though
    the archive asks for the metadata document only when it meets a key for the first time.
    """
    sides.keyring.keys()
    rolls = [LEAD_S // 2, 2 * LEAD_S]
    held: list[tuple[int, str, AcceptedToken]] = []
    seen: set[str] = set()
    for moment_s in range(0, 4 * LEAD_S, 600):
        if rolls and moment_s >= rolls[0]:
            rolls.pop(0)
            sides.keyring.roll(sides.clock.now() + timedelta(seconds=LEAD_S))
        text = sides.issuer.app_token(AUDIENCE).text
        held.append((moment_s + LIFE_S, text, await sides.check.accept(text)))
        held = [entry for entry in held if entry[0] > moment_s]
        for _, old, accepted in held:
            assert (await sides.check.accept(old)).token_id == accepted.token_id
            sides.stands(accepted)
        seen.add(held[-1][2].x5t)
        sides.clock.advance(600)
    assert len(seen) == 3
    assert sides.fetched == 3


async def test_nobody_is_refused_while_keys_roll_in_haste(sides: Sides) -> None:
    """With a lead of two refresh intervals, as who tries it out may set: the same, key upon key within one life."""
    lead_s = 2 * REFRESH_INTERVAL_S
    first = await sides.app()
    texts = [sides.issuer.app_token(AUDIENCE).text]
    for _ in range(4):
        sides.keyring.roll(sides.clock.now() + timedelta(seconds=lead_s), lead_s=lead_s)
        sides.clock.advance(lead_s)
        texts.append(sides.issuer.app_token(AUDIENCE).text)
        for text in texts:
            await sides.check.accept(text)
        sides.stands(first)
    assert len({(await sides.check.accept(text)).x5t for text in texts}) == 5


async def test_a_key_that_is_not_published_any_more_opens_nothing(sides: Sides, tmp_path: Path) -> None:
    """An issuer that starts afresh has another key: the old one's tokens are refused once the archive has asked."""
    accepted, text = await sides.app(), sides.issuer.app_token(AUDIENCE).text
    (old_key,) = (await sides.partners.partners())[0].keys
    sides.keyring = Keyring(tmp_path / "afresh", REALM, sides.clock)
    sides.issuer = TokenIssuer(sides.keyring, REALM, sides.clock)
    sides.clock.advance(REFRESH_INTERVAL_S)
    await sides.app()
    with pytest.raises(TokenRefused, match=Rule.UNKNOWN_KEY):
        await sides.check.accept(text)
    with pytest.raises(GrantRefused, match=old_key.x5t):
        sides.stands(accepted)


ASKS: Final[Sequence[Callable[[Sides], Awaitable[AcceptedToken]]]] = (Sides.app, Sides.user)


@pytest.mark.parametrize("ask", ASKS, ids=["app", "user"])
async def test_a_disabled_partner_gets_nothing(sides: Sides, ask: Callable[[Sides], Awaitable[AcceptedToken]]) -> None:
    """Neither shape opens anything while the partner is disabled, and both do again afterwards."""
    await ask(sides)
    await sides.partners.switch(sides.issuer.principal, enabled=False)
    with pytest.raises(TokenRefused, match=Rule.PARTNER_DISABLED):
        await ask(sides)
    await sides.partners.switch(sides.issuer.principal, enabled=True)
    await ask(sides)
