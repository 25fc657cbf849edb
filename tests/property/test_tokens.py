"""No token but a good one is accepted, and nothing at all makes the parsers fail in a way that is not a refusal."""

import json
from base64 import urlsafe_b64decode
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consumers.tokens.rules import Rule, TokenRefused
from schemas.metadata import MalformedMetadata, parse_metadata
from tests.fuzz.campaign import good_metadata
from tests.support.tokens import (
    ALICE,
    LYNC_ID,
    SECONDS,
    actor,
    app,
    app_claims,
    app_header,
    encode,
    raw,
    signed,
    user,
    world,
)

SIGNS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

calmly: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no reason to fail."""

scalars: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values: Final = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
members: Final = (
    "alg",
    "typ",
    "x5t",
    "kid",
    "aud",
    "iss",
    "nameid",
    "nbf",
    "exp",
    "nii",
    "smtp",
    "actortoken",
    "trustedfordelegation",
)
names: Final = st.sampled_from(members)
objects: Final = st.dictionaries(names | st.text(max_size=8), values, max_size=8)
claimed: Final = st.fixed_dictionaries({}, optional=dict.fromkeys(members[4:], values))
algorithms: Final = st.sampled_from(["none", "RS256", "HS256"])
signs: Final = st.sampled_from(SIGNS) | st.characters()
seconds: Final = st.integers(-200_000, 200_000)
places: Final = st.integers(0, 10_000) | st.just(-1)


def _changed(text: str, place: int, sign: str) -> str:
    """Put the sign in place of another; the place counts around the text."""
    at = place % len(text)
    return text[:at] + sign + text[at + 1 :]


def _refused(text: str) -> Rule:
    with pytest.raises(TokenRefused) as caught:
        world().judge(text)
    return caught.value.rule


@calmly
@given(st.text() | st.text("AZaz09-_=.\n", max_size=60))
@example("..")
@example("\ud800.\ud800.")
@example(raw(b"[" * 6_000, b"{}"))
def test_no_text_is_a_token(text: str) -> None:
    """Arbitrary text is refused by a rule.

    Fails where a part is decoded without a look at its alphabet and length, and where deep nesting's RecursionError
    is let through.
    """
    _refused(text)


@calmly
@given(values)
def test_no_value_is_a_header_or_claims(value: Any) -> None:
    """Arbitrary JSON is refused by a rule. Fails where JSON that is no object is taken for one."""
    part = json.dumps(value).encode()
    _refused(raw(part, app_claims()))
    _refused(raw(app_header(), part))


@calmly
@given(objects, algorithms, objects, st.booleans())
def test_no_objects_are_a_token(header: dict[str, Any], algorithm: str, claims: dict[str, Any], whole: bool) -> None:
    """Arbitrary header and claims are refused by a rule. Fails where the type of a time is not looked at."""
    usual = app_header({"alg": algorithm}) if algorithm != "none" else {"alg": algorithm}
    claims = {**app_claims(), "nii": "x", **claims} if whole else claims
    _refused(raw({**header, "alg": algorithm} if not whole else usual, claims))
    _refused(raw({"alg": "none"}, {**claims, "actortoken": raw(usual, claims)}))


@calmly
@given(claimed)
def test_claims_of_a_trusted_key_are_refused_or_read(claims: dict[str, Any]) -> None:
    """Whatever a partner signs is accepted or refused by a rule. Fails where the type of a time is not looked at."""
    try:
        opened = world().judge(signed(app_header(), {**app_claims(), **claims}))
    except TokenRefused:
        return
    assert (opened.user, str(opened.principal)) == (None, LYNC_ID)


@calmly
@given(places, signs)
def test_an_app_token_with_one_sign_changed_is_refused(place: int, sign: str) -> None:
    """Fails where the signature is not checked, and where signs outside the alphabet are passed over."""
    text = app()
    changed = _changed(text, place, sign)
    if changed != text:
        _refused(changed)


@calmly
@given(places, signs)
def test_a_user_tokens_actor_with_one_sign_changed_is_refused(place: int, sign: str) -> None:
    """Fails where the actor's signature is not checked, and where signs outside the alphabet are passed over."""
    inner = actor()
    changed = _changed(inner, place, sign)
    if changed != inner:
        _refused(user(inner=changed))


@calmly
@given(places, signs, st.booleans())
def test_a_user_token_with_one_sign_changed_opens_nothing(place: int, sign: str, within: bool) -> None:
    """It is refused, or names another user, who is nobody, or says no more than it did.

    The outer token is unsigned by design, so more cannot be asked of it. The sign is changed in the token's text, or
    `within` the outer claims' own. Fails where the outer token's issuer is not compared with the actor's name.
    """
    text = user()
    header, claims, _ = text.split(".")
    if within:
        changed = f"{header}.{encode(_changed(_decoded(claims), place, sign).encode(errors='replace'))}."
    else:
        changed = _changed(text, place, sign)
    try:
        opened = world().judge(changed)
    except TokenRefused:
        return
    assert str(opened.principal) == LYNC_ID
    assert opened.user == ALICE or not opened.roles
    said = json.loads(_decoded(changed.split(".")[1]))
    assert (said["iss"], said["actortoken"]) == (LYNC_ID, actor())


@calmly
@given(names | st.text(min_size=1, max_size=8), values)
def test_a_claim_changed_and_signed_by_a_stranger_is_refused(name: str, value: Any) -> None:
    """Fails where the signature is not checked, and where the key is looked for among all partners'."""
    changed = {**app_claims(), name: value}
    _refused(signed(app_header({}, "fabrikam"), changed, "fabrikam"))
    _refused(signed(app_header(), changed, "stranger"))
    _refused(signed(app_header({}, "stranger"), changed, "stranger"))
    delegated = {**app_claims({"trustedfordelegation": "true"}), name: value}
    _refused(user(inner=signed(app_header(), delegated, "stranger")))


@calmly
@given(st.integers(-63, -57) | seconds, st.integers(-2, 2) | st.integers(86_398, 86_402) | seconds)
@example(3660, 3600)
@example(3661, 3600)
def test_a_token_is_accepted_exactly_within_its_life(ends_s: int, life_s: int) -> None:
    """From its beginning to its end, the skew on either side, and never longer than a day.

    Fails where the beginning, the end or the longest life counts for one second more or less.
    """
    begins_s = ends_s - life_s
    text = app({"nbf": str(SECONDS + begins_s), "exp": str(SECONDS + ends_s)})
    if 0 < life_s <= 86_400 and begins_s <= 60 and ends_s > -60:
        assert world().judge(text).expires_at.timestamp() == SECONDS + ends_s + 60
    else:
        assert _refused(text) in {Rule.BAD_TIME, Rule.LIFE_TOO_LONG, Rule.NOT_YET_VALID, Rule.EXPIRED}


@calmly
@given(st.binary() | st.text().map(str.encode) | values.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 50_000)
@example(b'{"id":' + b"[" * 1_500 + b"]" * 1_500 + b"}")
@example(b'{"id":' + b"[" * 2_500 + b"]" * 2_500 + b"}")
def test_no_bytes_make_reading_metadata_fail(content: bytes) -> None:
    """Arbitrary bytes are malformed. Fails where deep nesting's RecursionError is let through."""
    with pytest.raises(MalformedMetadata):
        parse_metadata(content)


@calmly
@given(places, st.binary(max_size=2))
def test_a_changed_document_is_malformed_or_a_document(place: int, octets: bytes) -> None:
    """Fails where pydantic's own error, which repeats its input, is let through."""
    content = good_metadata()
    at = place % len(content)
    try:
        parse_metadata(content[:at] + octets + content[at + 1 :])
    except MalformedMetadata as malformed:
        said = str(malformed)
    else:
        return
    assert not [piece for piece in ("contoso", "5d33e3f4", "0ff1", "MII", "https") if piece in said]


def _decoded(part: str) -> str:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
