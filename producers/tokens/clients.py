"""Who may ask the issuer for tokens: clients, each with a secret of its own and what it may ask for.

The issuer keeps a secret's hash; the secret itself is in a file that goes to the client.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from producers.tokens.secret_file import locked, read_secret, write_secret
from schemas.errors import Misconfigured
from schemas.login import ADMIN, ARCHIVER, KAFKA_AUDIENCE, PRODUCER

SECRET_BYTES: Final = 32
"""Random, so that a plain hash of it tells nothing, and nobody guesses it."""

FILE: Final = "clients.json"
_CLIENTS: Final = "clients"


@dataclass(frozen=True, slots=True)
class Client:
    """A client by its id, and which tokens it may have beside those for Kafka, which every client may.

    `servers` stands for tokens for partners' servers, such as Exchange's; `users` for acting for users there.
    """

    id: str
    servers: bool = False
    users: bool = False

    def may_ask(self, audience: str, *, for_user: bool) -> bool:
        """Return whether the client may have a token for this audience."""
        if audience == KAFKA_AUDIENCE:
            return not for_user
        return self.users if for_user else self.servers


CLIENTS: Final = (Client(PRODUCER), Client(ARCHIVER, servers=True), Client(ADMIN, servers=True, users=True))
"""Least privilege: who produces has no business at Exchange, and only the administrator acts for others."""


class ClientRegister:
    """The clients that an issuer knows, in its folder; in that, `clients` is for its owner alone."""

    def __init__(self, folder: Path, clients: Iterable[Client] = CLIENTS) -> None:
        self._folder = folder
        self._clients = {client.id: client for client in clients}
        self._hashes: dict[str, str] = {}

    def open(self) -> None:
        """Read the clients' hashes; a client that has none gets a secret.

        Raises Misconfigured where folder or file are not their owner's alone, or the file is damaged.
        """
        folder = self._folder / _CLIENTS
        file = folder / FILE
        with locked(folder):  # else two issuers that start at once would give a client two secrets
            self._hashes = _hashes_of(read_secret(file), file) if file.exists() else {}
            new = self._clients.keys() - self._hashes.keys()
            for client in sorted(new):
                secret = token_urlsafe(SECRET_BYTES)
                write_secret(secret_file(self._folder, client), secret.encode())
                self._hashes[client] = _hash(secret)
            if new:
                write_secret(file, json.dumps(self._hashes).encode())

    def authenticate(self, name: str, secret: str) -> Client | None:
        """Return the client whose secret this is, or None; both answers take the same time."""
        known = self._hashes.get(name, _NOBODY)
        matches = hmac.compare_digest(known, _hash(secret))
        return self._clients.get(name) if matches else None


def secret_file(folder: Path, client: str) -> Path:
    """Return the file of a client's secret in the issuer's folder."""
    return folder / _CLIENTS / f"{client}.secret"


def _hashes_of(text: bytes, file: Path) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Misconfigured(f"{file} does not hold an issuer's clients") from error
    hashes = found.values() if isinstance(found, dict) else [None]
    if not all(isinstance(one, str) and _HASH.fullmatch(one) for one in hashes):
        raise Misconfigured(f"{file} does not hold an issuer's clients")
    return dict(found)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


_NOBODY: Final = "0" * 64
_HASH: Final = re.compile(r"[0-9a-f]{64}")
