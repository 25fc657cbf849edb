"""What of a record names a file, for the fold and for the sweep."""

import pytest

from consumers.content import Claim, claims, digests
from tests.builders import activated, broken, decoded, drawn, history, reference, said, uploaded

DIGEST = "0123456789abcdef" * 4


def test_claims_are_those_of_files() -> None:
    """Of a run, each file is named once, whoever refers to it; other events and broken records name none."""
    one, two = reference(b"one"), reference(b"two")
    run = decoded([*history(activated(), uploaded(one), drawn(two), said(), uploaded(one)), broken()])
    assert claims(run) == {Claim(one.sha256, 3), Claim(two.sha256, 3)}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, set()),
        (b"", set()),
        (f'{{"sha256":"{DIGEST}"'.encode(), {DIGEST}),
        (f"{DIGEST} {DIGEST[::-1]}".encode() + b"\xff\x00", {DIGEST, DIGEST[::-1]}),
        (f"{DIGEST}0".encode(), set()),
        (DIGEST[1:].encode(), set()),
        (DIGEST.upper().encode(), set()),
    ],
)
def test_whatever_may_be_a_digest_is_one(value: bytes | None, found: set[str]) -> None:
    """A record that cannot be read refers to all that looks like a digest: 64 lower-case digits, no more, no less."""
    assert digests(value) == found
