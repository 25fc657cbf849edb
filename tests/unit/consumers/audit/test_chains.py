"""A chain of signed entries: what was written is taken, and every other entry is told by what is wrong with it."""

from collections.abc import Callable

import pytest

from consumers.audit.chains import Chain
from consumers.audit.ed25519 import Ed25519Checker, new_key, read_public, read_signer
from consumers.audit.journal import Act, Entry, Head, digest_of, write_entry
from schemas.errors import Misconfigured
from tests.support.audit import SIGNER


def chain_of(count: int) -> list[Entry]:
    entries: list[Entry] = []
    head = Head()
    for number in range(count):
        entries.append(write_entry("acts", head, Act.DELETE, {"item": str(number)}, SIGNER))
        head = Head(entries[-1].number, entries[-1].hash)
    return entries


def problems(entries: list[Entry]) -> list[str]:
    chain = Chain("acts", Ed25519Checker([SIGNER.public]))
    return [problem for entry in entries if (problem := chain.follow(entry)) is not None]


def test_what_was_written_is_taken() -> None:
    assert problems(chain_of(5)) == []


def resealed(entry: Entry) -> Entry:
    """Return the entry with the hash of its content, as somebody without the key would make it."""
    return entry._replace(hash=digest_of(entry.chain, entry.number, entry.previous, entry.act, entry.body))


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (lambda chain: [*chain[:2], *chain[3:]], "what lies between is missing"),
        (lambda chain: chain[1:], "what lies between is missing"),
        (lambda chain: [chain[0], chain[2], chain[1], *chain[3:]], "what lies between is missing"),
        (lambda chain: [*chain[:2], chain[1], *chain[2:]], "what lies between is missing"),
        (lambda chain: [*chain[:2], chain[2]._replace(body='{"item":"9"}'), *chain[3:]], "another hash"),
        (lambda chain: [*chain[:2], chain[2]._replace(act=Act.EXPORT), *chain[3:]], "another hash"),
        (lambda chain: [*chain[:2], resealed(chain[2]._replace(body='{"item":"9"}')), *chain[3:]], "is not signed"),
        (lambda chain: [*chain[:2], chain[2]._replace(signature=bytes(64)), *chain[3:]], "is not signed"),
        (lambda chain: [*chain[:2], chain[2]._replace(key="0" * 64), *chain[3:]], "is not signed"),
        (lambda chain: [*chain[:2], chain[2]._replace(previous=bytes(32)), *chain[3:]], "does not go on"),
    ],
    ids=["removed", "beheaded", "swapped", "doubled", "body", "act", "resealed", "signature", "key", "unlinked"],
)
def test_every_other_entry_is_told(tamper: Callable[[list[Entry]], list[Entry]], problem: str) -> None:
    found = problems(tamper(chain_of(5)))
    assert found
    assert problem in found[0]


def test_a_key_is_read_back() -> None:
    pem = new_key()
    signer = read_signer(pem)
    assert read_public(signer.public_pem) == signer.public
    digest = bytes(range(32))
    assert Ed25519Checker([signer.public]).holds(signer.key, digest, signer.sign(digest))
    assert not Ed25519Checker([SIGNER.public]).holds(signer.key, digest, signer.sign(digest))


@pytest.mark.parametrize("pem", [b"", b"no key", SIGNER.public_pem])
def test_what_is_no_private_key_is_refused(pem: bytes) -> None:
    with pytest.raises(Misconfigured, match="audit key"):
        read_signer(pem)
