"""The journal: chains of signed entries, each over the one before, that say what was written and by whom.

A lane has a chain of its name, with an entry for each commit; sessions have one; everything else that changes the
archive is in the chain `acts`. An entry says by digest what it wrote, and whoever has the public key can tell that
nobody else did: what is altered, removed, inserted or swapped afterwards is not what some entry says.
"""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol

ACTS: Final = "acts"
"""The chain of what is no lane's commit."""

SESSIONS: Final = "sessions"
"""The chain of what tokens opened, or were refused."""

START: Final = bytes(32)
"""What stands for the entry before the first one."""


class Act(StrEnum):
    """What an entry says was done. Stored, so a member is never renamed."""

    COMMIT = "commit"
    REDRIVE = "redrive"
    DISCARD = "discard"
    POLICY = "policy"
    PARTNER = "partner"
    DELETE = "delete"
    SWEEP = "sweep"
    PURGE = "purge"
    EXPORT = "export"
    SKIP = "skip"
    ORIGIN = "origin"
    SESSION = "session"


class Signer(Protocol):
    """Who signs. `key` names the key, by the SHA-256 of its public half."""

    key: str

    def sign(self, digest: bytes) -> bytes:
        """Return the signature of a digest (32 bytes)."""


class Checker(Protocol):
    """Who knows public keys."""

    def holds(self, key: str, digest: bytes, signature: bytes) -> bool:
        """Return whether the signature is that of the digest by the key; False where the key is not known."""


class Entry(NamedTuple):
    """One entry. `number` counts those of its chain from 1; `body` is JSON in its one canonical form."""

    chain: str
    number: int
    previous: bytes
    act: Act
    body: str
    hash: bytes
    key: str
    signature: bytes

    def facts(self) -> dict[str, Any]:
        """Return what the body says."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Head(NamedTuple):
    """The newest entry of a chain: its number, and its hash."""

    number: int = 0
    hash: bytes = START


def write_entry(chain: str, head: Head, act: Act, facts: Mapping[str, Any], signer: Signer) -> Entry:
    """Return the entry that goes on from the head of its chain."""
    body = canonical(facts)
    digest = digest_of(chain, head.number + 1, head.hash, act, body)
    return Entry(chain, head.number + 1, head.hash, act, body, digest, signer.key, signer.sign(digest))


def canonical(facts: Mapping[str, Any]) -> str:
    """Return the one text that these facts have."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(chain: str, number: int, previous: bytes, act: Act, body: str) -> bytes:
    """Return SHA-256 over all of an entry but key and signature, each part behind its length."""
    digest = hashlib.sha256()
    for part in (chain.encode(), str(number).encode(), previous, act.encode(), body.encode()):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()
