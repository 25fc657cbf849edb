"""One run of the fuzzer: so many inputs, what became of them, and those that no contract allows."""

import json
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, Final

from consumers.tokens.rules import TokenRefused
from schemas.metadata import MalformedMetadata, parse_metadata
from schemas.principals import EXCHANGE
from tests.fuzz.inputs import hostile_token, rightly, seeds
from tests.fuzz.mutations import change_bytes, change_document
from tests.support.tokens import REALM, certificate, thumbprint, world

METADATA_SHARE: Final = 0.3
CONTROL_SHARE: Final = 0.01
FAULTS_KEPT: Final = 10


@dataclass(slots=True)
class Report:
    """How often each outcome was seen, and the first inputs whose outcome is a fault, with what it was."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str]] = field(default_factory=list)

    def fault(self, what: str, given: object) -> None:
        """Count a fault, and keep the input where there are few."""
        self.outcomes[f"FAULT {what}"] += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append((what, repr(given)))


def run(inputs: int, seed: int) -> Report:
    """Try as many inputs; the seed decides all of them but the keys."""
    rng, report = Random(seed), Report()
    for _ in range(inputs):
        share = rng.random()
        if share < CONTROL_SHARE:
            _try_good(rng, report)
        elif share < METADATA_SHARE:
            _try_metadata(rng, report)
        else:
            _try_token(rng, report)
    return report


def _try_good(rng: Random, report: Report) -> None:
    """Show a good token or document now and then: what refuses everything proves nothing."""
    if rng.random() < 0.3:
        try:
            parse_metadata(good_metadata())
        except MalformedMetadata as malformed:
            report.fault(f"good metadata refused: {malformed}", good_metadata())
        else:
            report.outcomes["metadata, unchanged: a document"] += 1
        return
    text = rng.choice(seeds())
    try:
        world().judge(text)
    except TokenRefused as refused:
        report.fault(f"good token refused: {refused}", text)
    else:
        report.outcomes["token, unchanged: accepted"] += 1


def _try_token(rng: Random, report: Report) -> None:
    given = hostile_token(rng)
    try:
        opened = world().judge(given.text)
    except TokenRefused as refused:
        report.outcomes[f"token: {refused.rule}"] += 1
        return
    except Exception as error:  # noqa: BLE001 - whatever else comes out is what is looked for
        report.fault(f"token: {error!r}", given)
        return
    if not rightly(given, opened):
        report.fault("token: accepted", given)
    elif given.text in seeds():
        report.outcomes["token, unchanged: accepted"] += 1
    elif given.trusted:
        report.outcomes["token, changed and signed by a trusted key, still good: accepted"] += 1
    else:
        report.outcomes["token, unsigned outer part changed around a good actor: accepted"] += 1


def _try_metadata(rng: Random, report: Report) -> None:
    content = hostile_metadata(rng)
    try:
        parse_metadata(content)
    except MalformedMetadata:
        report.outcomes["metadata: malformed"] += 1
    except Exception as error:  # noqa: BLE001 - as above
        report.fault(f"metadata: {error!r}", content)
    else:
        report.outcomes["metadata, changed: a document"] += 1


def hostile_metadata(rng: Random) -> bytes:
    """Return a metadata document changed as bytes or within its JSON."""
    if rng.random() < 0.6:
        return change_bytes(rng, good_metadata(), [good_metadata()])
    return change_document(rng, json.loads(good_metadata()))


@cache
def good_metadata() -> bytes:
    """Return a document of two keys, by hand."""
    keys = [_key(certificate(name)) for name in ("lync", "previous")]
    issuer = f"{EXCHANGE}@{REALM}"
    endpoint = {"location": "https://mail.contoso.example/metadata/json/1", "protocol": "OAuth2", "usage": "metadata"}
    names = {"id": "_5d33e3f4-3c1c-4c6f-9d5e-2f1b2f2ed7a0", "version": "1.0", "name": "Exchange", "realm": REALM}
    trust = {"serviceName": EXCHANGE, "issuer": issuer, "allowedAudiences": [issuer], "keys": keys}
    return json.dumps({**names, **trust, "endpoints": [endpoint]}).encode()


def _key(der: bytes) -> dict[str, Any]:
    value = b64encode(der).decode()
    info = {"x5t": thumbprint(der)}
    return {"usage": "signing", "keyinfo": info, "keyvalue": {"type": "x509Certificate", "value": value}}
