"""What the Lync side issues and publishes, the Exchange side accepts: the two halves meet in documents and tokens."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.partner import PartnerApplication, TrustLevel
from consumers.tokens.published_keys import published_keys
from consumers.tokens.rules import Rule, TokenRefused
from consumers.tokens.verifier import AcceptedToken, verify
from producers.tokens.documents import metadata
from producers.tokens.issuing import LIFE_S, TokenIssuer
from producers.tokens.keyring import LEAD_S, Keyring
from schemas.metadata import parse_metadata
from tests.support.clock import ManualClock
from tests.support.signing import AUDIENCE, REALM

URL: Final = "https://lync.contoso.example/metadata/json/1"
CONFIG: Final = AuthConfig(realm=REALM, hosts=frozenset({"exchange.contoso.example"}))
ROLES: Final = frozenset({"ArchiveApplication", "UserApplication"})


class Halves:
    """An issuer, and a partner application that knows of it what its metadata document says."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.issuer = TokenIssuer(Keyring(folder, REALM, self.clock), REALM, self.clock)
        self.partner = PartnerApplication("lync", self.issuer.principal, URL, TrustLevel.FULL, ROLES)
        self.refresh()

    def refresh(self) -> None:
        """Read the document as it is published now."""
        content = metadata(self.issuer.principal, "Lync", URL, self.issuer.keyring.keys()).model_dump_json().encode()
        keys = published_keys(parse_metadata(content), self.partner, self.clock.now())
        self.partner = replace(self.partner, keys=keys)

    def accept(self, token: str) -> AcceptedToken:
        return verify(
            token,
            config=CONFIG,
            partners=[self.partner],
            user_roles=lambda _: frozenset({"UserApplication"}),
            now=self.clock.now(),
        )


@pytest.fixture(name="halves")
def _halves(tmp_path: Path) -> Halves:
    return Halves(tmp_path)


def test_an_app_token_opens_the_applications_roles(halves: Halves) -> None:
    """Until it ends, and the clocks' difference after that."""
    token = halves.issuer.app_token(AUDIENCE).text
    accepted = halves.accept(token)
    assert (accepted.principal, accepted.roles, accepted.user) == (halves.issuer.principal, ROLES, None)
    halves.clock.advance(LIFE_S + CONFIG.skew_s)
    with pytest.raises(TokenRefused) as refused:
        halves.accept(token)
    assert refused.value.rule is Rule.EXPIRED


def test_a_user_token_opens_one_users_mailbox(halves: Halves) -> None:
    """By that user's roles, and no other's."""
    token = halves.issuer.user_token(AUDIENCE, "Ada@contoso.example", "urn:office:idp:activedirectory").text
    accepted = halves.accept(token)
    assert (accepted.user, accepted.roles) == ("ada@contoso.example", frozenset({"UserApplication"}))
    assert accepted.mailboxes == frozenset({"sip:ada@contoso.example"})


def test_a_token_for_kafka_opens_no_mailbox(halves: Halves) -> None:
    """Nor does one for another server of the organisation."""
    other = AUDIENCE.replace("exchange", "other")
    for text in (halves.issuer.access_token("kafka", "lync-archiver").text, halves.issuer.app_token(other).text):
        with pytest.raises(TokenRefused):
            halves.accept(text)


def test_a_key_is_known_before_it_signs(halves: Halves) -> None:
    """Who read the document just after the roll needs no other reading when the key takes over, a day later."""
    halves.issuer.keyring.roll(halves.clock.now() + timedelta(seconds=LEAD_S))
    halves.refresh()
    halves.clock.advance(LEAD_S)
    assert halves.accept(halves.issuer.app_token(AUDIENCE).text).x5t == halves.issuer.keyring.keys().current.x5t


def test_no_living_token_is_refused_however_fast_keys_roll(halves: Halves) -> None:
    """Three roll-overs within a token's life: all tokens that live are accepted, by the document of the moment."""
    tokens = []
    for _ in range(4):
        tokens.append(halves.issuer.app_token(AUDIENCE).text)
        halves.issuer.keyring.roll(halves.clock.now() + timedelta(seconds=10), lead_s=0)
        halves.clock.advance(10)
        halves.refresh()
        for token in tokens:
            halves.accept(token)
    assert len({halves.accept(token).x5t for token in tokens}) == 4
