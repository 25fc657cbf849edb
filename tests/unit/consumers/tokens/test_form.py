"""Tokens that are not well formed. What can be signed is signed by a trusted key, so form alone refuses them."""

import json
from typing import Final

import pytest

from consumers.tokens.rules import Rule
from tests.support.hostile import Hostile, assert_refused
from tests.support.tokens import LYNC_ID, actor, app, app_claims, app_header, raw, sign, signed, user


def _parts() -> list[str]:
    return app().split(".")


def _claims(text: str) -> str:
    """Sign these very claims."""
    return signed(app_header(), text.encode())


def _header(text: str) -> str:
    """Sign under this very header."""
    return signed(text.encode(), app_claims())


def _with(members: str, claims: str | None = None) -> str:
    """Return claims as text with these members in front of the usual ones."""
    return "{" + members + "," + (claims or json.dumps(app_claims()))[1:]


def _swapped(at: int, part: str) -> str:
    parts = _parts()
    parts[at] = part
    return ".".join(parts)


def _trailing_bits() -> str:
    """Another spelling of the same bytes: the last character's unused bits are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    signature = _parts()[2]
    return _swapped(2, signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1])


def _standard_alphabet() -> str:
    """The same bytes in the other alphabet; a signature of 256 bytes nearly always has one of these characters."""
    for number in range(100):
        header, claims, signature = app({"n": number}).split(".")
        if "-" in signature or "_" in signature:
            return f"{header}.{claims}.{signature.replace('-', '+').replace('_', '/')}"
    raise AssertionError("no signature with a character of the second alphabet")


CASES: Final[dict[str, Hostile]] = {
    "form: too large by an unknown claim": Hostile(Rule.TOO_LARGE, lambda: app({"x": "a" * 16_384})),
    "form: too large by a header": Hostile(Rule.TOO_LARGE, lambda: app(header={"x": "a" * 16_384})),
    "form: too large by dots": Hostile(Rule.TOO_LARGE, lambda: "." * 1_000_000),
    "form: too large by nesting": Hostile(Rule.TOO_LARGE, lambda: _claims("[" * 20_000)),
    "form: too large actor token": Hostile(Rule.TOO_LARGE, lambda: user(inner=actor({"x": "a" * 12_300}))),
    "form: nothing": Hostile(Rule.NOT_COMPACT, lambda: ""),
    "form: one part": Hostile(Rule.NOT_COMPACT, lambda: _parts()[0]),
    "form: two parts, no dot for the signature": Hostile(Rule.NOT_COMPACT, lambda: ".".join(_parts()[:2])),
    "form: four parts": Hostile(Rule.NOT_COMPACT, lambda: f"{app()}.{_parts()[2]}"),
    "form: five parts, as encrypted tokens have": Hostile(Rule.NOT_COMPACT, lambda: f"{app()}.AAAA.AAAA"),
    "form: detached payload": Hostile(Rule.NOT_COMPACT, lambda: _swapped(1, "")),
    "form: no header": Hostile(Rule.NOT_COMPACT, lambda: _swapped(0, "")),
    "form: dots alone": Hostile(Rule.NOT_COMPACT, lambda: ".."),
    "form: JSON serialization": Hostile(
        Rule.NOT_COMPACT,
        lambda: json.dumps(dict(zip(("protected", "payload", "signature"), _parts(), strict=True))),
    ),
    "form: an empty actor token": Hostile(Rule.NOT_COMPACT, lambda: user(inner="")),
    "form: an actor token that is a word": Hostile(Rule.NOT_COMPACT, lambda: user(inner="actor")),
    "base64: padded": Hostile(Rule.BAD_ENCODING, lambda: f"{app()}=="),
    "base64: one = too few": Hostile(Rule.BAD_ENCODING, lambda: f"{app()}="),
    "base64: trailing bits": Hostile(Rule.BAD_ENCODING, _trailing_bits),
    "base64: standard alphabet": Hostile(Rule.BAD_ENCODING, _standard_alphabet),
    "base64: impossible length": Hostile(Rule.BAD_ENCODING, lambda: _swapped(2, "AAAAA")),
    "base64: space in front": Hostile(Rule.BAD_ENCODING, lambda: f" {app()}"),
    "base64: newline behind": Hostile(Rule.BAD_ENCODING, lambda: f"{app()}\n"),
    "base64: newline in the claims": Hostile(
        Rule.BAD_ENCODING, lambda: _swapped(1, f"{_parts()[1][:8]}\n{_parts()[1][8:]}")
    ),
    "base64: tab in the header": Hostile(Rule.BAD_ENCODING, lambda: f"{app()[:4]}\t{app()[4:]}"),
    "base64: NUL behind": Hostile(Rule.BAD_ENCODING, lambda: f"{app()}\0"),
    "base64: another sign in the signature": Hostile(Rule.BAD_ENCODING, lambda: _swapped(2, f"!{_parts()[2]}")),
    "base64: Cyrillic letter": Hostile(Rule.BAD_ENCODING, lambda: _swapped(0, f"е{_parts()[0][1:]}")),
    "base64: full-width letters": Hostile(Rule.BAD_ENCODING, lambda: _swapped(2, "ＡＡＡＡ")),
    "base64: lone surrogate": Hostile(Rule.BAD_ENCODING, lambda: f"{app()}\ud800"),
    "base64: percent-encoded": Hostile(Rule.BAD_ENCODING, lambda: f"%65{app()[1:]}"),
    "base64: scheme in front": Hostile(Rule.BAD_ENCODING, lambda: f"Bearer {app()}"),
    "base64: padded actor token": Hostile(Rule.BAD_ENCODING, lambda: user(inner=f"{actor()}==")),
    "base64: signed as sent, but padded": Hostile(Rule.BAD_ENCODING, lambda: sign(f"{_parts()[0]}==.{_parts()[1]}")),
    "JSON: claims are a list": Hostile(Rule.BAD_JSON, lambda: _claims("[]")),
    "JSON: claims are text": Hostile(Rule.BAD_JSON, lambda: _claims('"claims"')),
    "JSON: claims are null": Hostile(Rule.BAD_JSON, lambda: _claims("null")),
    "JSON: header is a list": Hostile(Rule.BAD_JSON, lambda: _header('["RS256"]')),
    "JSON: header is a number": Hostile(Rule.BAD_JSON, lambda: _header("256")),
    "JSON: claims are cut short": Hostile(Rule.BAD_JSON, lambda: _claims(json.dumps(app_claims())[:-1])),
    "JSON: something behind the claims": Hostile(Rule.BAD_JSON, lambda: _claims(json.dumps(app_claims()) + "{}")),
    "JSON: single quotes": Hostile(Rule.BAD_JSON, lambda: _claims(str(app_claims()))),
    "JSON: a comma too many": Hostile(Rule.BAD_JSON, lambda: _claims(json.dumps(app_claims())[:-1] + ",}")),
    "JSON: a comment": Hostile(Rule.BAD_JSON, lambda: _claims("/**/" + json.dumps(app_claims()))),
    "JSON: byte order mark": Hostile(Rule.BAD_JSON, lambda: _claims("\ufeff" + json.dumps(app_claims()))),
    "JSON: UTF-16": Hostile(Rule.BAD_JSON, lambda: signed(app_header(), json.dumps(app_claims()).encode("utf-16"))),
    "JSON: not UTF-8": Hostile(Rule.BAD_JSON, lambda: signed(app_header(), b'{"aud":"\xff\xfe"}')),
    "JSON: overlong UTF-8": Hostile(Rule.BAD_JSON, lambda: signed(app_header(), b'{"aud":"\xc0\xaf"}')),
    "JSON: NaN": Hostile(Rule.BAD_JSON, lambda: _claims(_with('"n":NaN'))),
    "JSON: NaN as time": Hostile(Rule.BAD_JSON, lambda: app({"exp": float("nan")})),
    "JSON: infinity as time": Hostile(Rule.BAD_JSON, lambda: app({"exp": float("inf")})),
    "JSON: minus infinity as time": Hostile(Rule.BAD_JSON, lambda: app({"nbf": float("-inf")})),
    "JSON: number of 5,000 digits": Hostile(Rule.BAD_JSON, lambda: _claims(_with(f'"n":{"9" * 5_000}'))),
    "JSON: nested 6,000 deep": Hostile(Rule.BAD_JSON, lambda: _claims(_with(f'"n":{"[" * 6_000}'))),
    "JSON: a control character in text": Hostile(Rule.BAD_JSON, lambda: _claims(_with('"n":"\n"'))),
    "JSON: no JSON at all": Hostile(Rule.BAD_JSON, lambda: raw(b"\0\1", b"\2\3", b"\4")),
    "JSON: an actor token without": Hostile(Rule.BAD_JSON, lambda: user(inner="AAAA.AAAA.AAAA")),
    "twice: iss": Hostile(Rule.DUPLICATE_MEMBER, lambda: _claims(_with(f'"iss":"{LYNC_ID}"'))),
    "twice: aud, first ours and then another": Hostile(
        Rule.DUPLICATE_MEMBER, lambda: _claims(json.dumps(app_claims())[:-1] + ',"aud":"kafka"}')
    ),
    "twice: exp, once escaped": Hostile(Rule.DUPLICATE_MEMBER, lambda: _claims(_with('"\\u0065xp":"9999999999"'))),
    "twice: trustedfordelegation": Hostile(
        Rule.DUPLICATE_MEMBER, lambda: _claims(_with('"trustedfordelegation":"false","trustedfordelegation":"true"'))
    ),
    "twice: within an unknown claim": Hostile(Rule.DUPLICATE_MEMBER, lambda: _claims(_with('"x":{"a":1,"a":2}'))),
    "twice: within a list within a claim": Hostile(
        Rule.DUPLICATE_MEMBER, lambda: _claims(_with('"x":[[{"a":1,"a":1}]]'))
    ),
    "twice: alg, none first": Hostile(
        Rule.DUPLICATE_MEMBER, lambda: _header(_with('"alg":"none"', json.dumps(app_header())))
    ),
    "twice: alg, none last": Hostile(
        Rule.DUPLICATE_MEMBER, lambda: _header(json.dumps(app_header())[:-1] + ',"alg":"none"}')
    ),
    "twice: x5t": Hostile(Rule.DUPLICATE_MEMBER, lambda: _header(_with('"x5t":"../x"', json.dumps(app_header())))),
    "twice: within a header member": Hostile(
        Rule.DUPLICATE_MEMBER, lambda: _header(_with('"jwk":{"n":"a","n":"b"}', json.dumps(app_header())))
    ),
    "twice: actortoken in the outer token": Hostile(
        Rule.DUPLICATE_MEMBER,
        lambda: raw({"alg": "none"}, json.dumps({"actortoken": actor()})[:-1].encode() + b',"actortoken":""}'),
    ),
    "twice: alg in the actor token": Hostile(
        Rule.DUPLICATE_MEMBER,
        lambda: user(inner=_header(_with('"alg":"none"', json.dumps(app_header())))),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str) -> None:
    assert_refused(CASES[name])
