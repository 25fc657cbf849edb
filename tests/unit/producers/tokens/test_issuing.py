"""Tokens have the samples' shape, to the byte, and no token lives longer than is allowed."""

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from producers.tokens.issuing import LIFE_S, LIFE_S_MAX, TokenIssuer
from producers.tokens.keyring import LEAD_S, Keyring
from schemas.login import ARCHIVER, KAFKA_AUDIENCE
from tests.support.clock import START, ManualClock
from tests.support.signing import AUDIENCE, REALM, claims_of, parts

LYNC_PRINCIPAL: Final = f"00000004-0000-0ff1-ce00-000000000000@{REALM}"
NOW: Final = 1_767_603_600
"""09:00 UTC of 2026-01-05, where the clock stands."""

EXCHANGE_CLAIMS: Final = (
    '{"aud":"00000002-0000-0ff1-ce00-000000000000/exchange.contoso.example@contoso.example",'
    '"iss":"00000004-0000-0ff1-ce00-000000000000@contoso.example",'
    '"nameid":"00000004-0000-0ff1-ce00-000000000000@contoso.example",'
    '"nbf":"1767603600","exp":"1767607200"'
)


@pytest.fixture(name="issuer")
def _issuer(tmp_path: Path) -> TokenIssuer:
    clock = ManualClock()
    return TokenIssuer(Keyring(tmp_path, REALM, clock), REALM, clock)


def signature_holds(issuer: TokenIssuer, token: str) -> bool:
    signed, _, _ = token.rpartition(".")
    public = issuer.keyring.keys().current.private.public_key()
    public.verify(parts(token)[2], signed.encode(), padding.PKCS1v15(), hashes.SHA256())  # raises where it does not
    return True


def test_the_clock_stands_where_the_samples_say() -> None:
    """The times below are those of the tests' clock."""
    assert START.timestamp() == NOW


def test_an_app_token_is_as_in_the_sample(issuer: TokenIssuer) -> None:
    """Members and claims in the sample's order, times as text, nothing about delegation, nothing more."""
    issued = issuer.app_token(AUDIENCE)
    header, claims, _ = parts(issued.text)
    assert header == f'{{"typ":"JWT","alg":"RS256","x5t":"{issuer.keyring.keys().current.x5t}"}}'
    assert claims == EXCHANGE_CLAIMS + "}"
    assert signature_holds(issuer, issued.text)
    assert issued.life_s == LIFE_S == 3600


def test_a_user_token_is_as_in_the_sample(issuer: TokenIssuer) -> None:
    """An unsigned token around a signed actor token that may act for users; the issuer is the actor's name."""
    text = issuer.user_token(AUDIENCE, "ada@contoso.example", "urn:office:idp:activedirectory").text
    header, claims, signature = parts(text)
    actor = json.loads(claims)["actortoken"]
    assert header == '{"typ":"JWT","alg":"none"}'
    assert claims == (
        '{"aud":"00000002-0000-0ff1-ce00-000000000000/exchange.contoso.example@contoso.example",'
        '"iss":"00000004-0000-0ff1-ce00-000000000000@contoso.example",'
        '"nbf":"1767603600","exp":"1767607200",'
        '"nameid":"ada@contoso.example","nii":"urn:office:idp:activedirectory",'
        f'"actortoken":"{actor}"}}'
    )
    assert (signature, text[-1]) == (b"", ".")
    inner_header, inner_claims, _ = parts(actor)
    assert inner_header == f'{{"typ":"JWT","alg":"RS256","x5t":"{issuer.keyring.keys().current.x5t}"}}'
    assert inner_claims == EXCHANGE_CLAIMS + ',"trustedfordelegation":"true"}'
    assert signature_holds(issuer, actor)


def test_an_access_token_has_all_that_rfc_9068_asks_for(issuer: TokenIssuer) -> None:
    """Type and key in the header; times as numbers; the client as subject, as Kafka's principal, and as client."""
    issued = issuer.access_token(KAFKA_AUDIENCE, ARCHIVER)
    header, text, _ = parts(issued.text)
    x5t = issuer.keyring.keys().current.x5t
    assert json.loads(header) == {"typ": "at+jwt", "alg": "RS256", "x5t": x5t, "kid": x5t}
    claims = json.loads(text)
    assert len(claims.pop("jti")) == 22
    assert claims == {
        "iss": LYNC_PRINCIPAL,
        "aud": KAFKA_AUDIENCE,
        "sub": ARCHIVER,
        "nameid": ARCHIVER,
        "client_id": ARCHIVER,
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 3600,
    }
    assert signature_holds(issuer, issued.text)


def test_no_two_access_tokens_have_one_id(issuer: TokenIssuer) -> None:
    """Even those of one client and one second."""
    tokens = [issuer.access_token(KAFKA_AUDIENCE, ARCHIVER).text for _ in range(20)]
    assert len({claims_of(token)["jti"] for token in tokens}) == 20


def test_every_part_is_in_the_one_spelling_of_base64url(issuer: TokenIssuer) -> None:
    """No padding, no line breaks, no other alphabet (RFC 7515, section 2)."""
    for token in (issuer.app_token(AUDIENCE).text, issuer.user_token(AUDIENCE, "ö@contoso.example", "urn:x").text):
        spelled = [urlsafe_b64encode(part if isinstance(part, bytes) else part.encode()) for part in parts(token)]
        assert b".".join(one.rstrip(b"=") for one in spelled).decode() == token


def test_the_current_key_signs(tmp_path: Path) -> None:
    """From the moment of the roll-over on it is the new one, also in an issuer that runs."""
    clock = ManualClock()
    issuer = TokenIssuer(Keyring(tmp_path, REALM, clock), REALM, clock)
    rolled = issuer.keyring.roll(clock.now() + timedelta(seconds=LEAD_S))
    clock.advance(LEAD_S - 1)
    before, _, _ = parts(issuer.app_token(AUDIENCE).text)
    clock.advance(1)
    after, _, _ = parts(issuer.app_token(AUDIENCE).text)
    assert rolled.following is not None
    assert json.loads(before)["x5t"] == rolled.current.x5t
    assert json.loads(after)["x5t"] == rolled.following.x5t


@pytest.mark.parametrize("life_s", [0, -1, LIFE_S_MAX + 1])
def test_no_token_lives_longer_than_is_allowed(tmp_path: Path, life_s: int) -> None:
    """An issuer that would make such tokens is not made."""
    clock = ManualClock()
    with pytest.raises(AssertionError):
        TokenIssuer(Keyring(tmp_path, REALM, clock), REALM, clock, life_s)
