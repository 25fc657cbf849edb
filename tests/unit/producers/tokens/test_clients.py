"""Clients have one secret each, of which the issuer keeps a hash, and may ask for what their work needs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from producers.tokens.clients import CLIENTS, Client, ClientRegister, secret_file
from schemas.errors import Misconfigured
from schemas.login import ADMIN, ARCHIVER, KAFKA_AUDIENCE, PRODUCER
from tests.support.signing import AUDIENCE


def opened(folder: Path) -> ClientRegister:
    register = ClientRegister(folder)
    register.open()
    return register


def secret(folder: Path, client: str) -> str:
    return secret_file(folder, client).read_text()


def test_every_client_has_a_secret_of_its_own(tmp_path: Path) -> None:
    """256 random bits, in a file for its owner alone; only the hash is where the issuer looks."""
    register = opened(tmp_path)
    secrets = {client.id: secret(tmp_path, client.id) for client in CLIENTS}
    assert len(set(secrets.values())) == len(CLIENTS) == 3
    hashes = (tmp_path / "clients" / "clients.json").read_text()
    for client, text in secrets.items():
        assert len(text) == 43
        assert text not in hashes
        assert secret_file(tmp_path, client).stat().st_mode & 0o777 == 0o600
        found = register.authenticate(client, text)
        assert found is not None
        assert found.id == client
    assert (tmp_path / "clients" / "clients.json").stat().st_mode & 0o777 == 0o600


def test_a_wrong_secret_is_nobody(tmp_path: Path) -> None:
    """Another client's, a hash, an empty one, one that is no text; and a client that nobody knows."""
    register = opened(tmp_path)
    producer = secret(tmp_path, PRODUCER)
    hashed = json.loads((tmp_path / "clients" / "clients.json").read_text())[PRODUCER]
    wrong = ("", producer[:-1], producer.lower(), f"{producer} ", secret(tmp_path, ADMIN), hashed, "\ud800", "0" * 64)
    assert [register.authenticate(PRODUCER, text) for text in wrong] == [None] * len(wrong)
    assert register.authenticate("lync-stranger", producer) is None
    assert register.authenticate("", "") is None


def test_secrets_stay_and_new_clients_get_theirs(tmp_path: Path) -> None:
    """Opening again changes nothing; a client that is new is added; one that is no more is nobody."""
    opened(tmp_path)
    before = secret(tmp_path, PRODUCER)
    more = ClientRegister(tmp_path, [Client(PRODUCER), Client("lync-new")])
    more.open()
    assert secret(tmp_path, PRODUCER) == before
    assert more.authenticate("lync-new", secret(tmp_path, "lync-new")) == Client("lync-new")
    assert more.authenticate(ADMIN, secret(tmp_path, ADMIN)) is None


OPENING: Final = """
import sys
from pathlib import Path
from producers.tokens.clients import CLIENTS, ClientRegister, secret_file

folder = Path(sys.argv[1])
register = ClientRegister(folder)
print("ready", flush=True)
sys.stdin.readline()
register.open()
print("open", flush=True)
sys.stdin.readline()
print(all(register.authenticate(client.id, secret_file(folder, client.id).read_text()) for client in CLIENTS))
"""


def test_issuers_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    """Each secret that is on disk afterwards is the one that every issuer takes."""
    command = [sys.executable, "-c", OPENING, str(tmp_path)]
    pipe = subprocess.PIPE
    issuers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(6)]
    for expected in ("ready", "open"):
        for one in issuers:
            assert one.stdout is not None
            assert one.stdout.readline().strip() == expected
        for one in issuers:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
    assert [one.communicate(timeout=60)[0].strip() for one in issuers] == ["True"] * len(issuers)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": "é"}', '{"a": "00"}', "null"])
def test_a_damaged_register_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    """No client gets a new secret because the file with the old ones' hashes is damaged."""
    opened(tmp_path)
    before = secret(tmp_path, PRODUCER)
    (tmp_path / "clients" / "clients.json").write_text(text)
    with pytest.raises(Misconfigured, match=r"clients\.json does not hold"):
        opened(tmp_path)
    assert secret(tmp_path, PRODUCER) == before


def test_a_register_that_others_may_use_is_refused(tmp_path: Path) -> None:
    """Whoever may write the hashes could be any client."""
    opened(tmp_path)
    (tmp_path / "clients" / "clients.json").chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        opened(tmp_path)
    (tmp_path / "clients").chmod(0o755)
    with pytest.raises(Misconfigured, match="chmod 700"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("client", "audience", "for_user", "allowed"),
    [
        (PRODUCER, KAFKA_AUDIENCE, False, True),
        (PRODUCER, AUDIENCE, False, False),
        (PRODUCER, AUDIENCE, True, False),
        (ARCHIVER, KAFKA_AUDIENCE, False, True),
        (ARCHIVER, AUDIENCE, False, True),
        (ARCHIVER, AUDIENCE, True, False),
        (ADMIN, AUDIENCE, True, True),
        (ADMIN, KAFKA_AUDIENCE, True, False),
    ],
)
def test_clients_may_ask_for_what_they_need(client: str, audience: str, for_user: bool, allowed: bool) -> None:
    """Who produces has no business at Exchange, and nobody acts for a user at Kafka."""
    (found,) = (one for one in CLIENTS if one.id == client)
    assert found.may_ask(audience, for_user=for_user) is allowed
