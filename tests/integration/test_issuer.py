"""The token issuer as its own process: by its command, over HTTP and HTTPS, and stopped by a signal."""
# ruff: noqa: TID251  hands its environment on

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from deploy.token_client import IssuerClient, read_client_secret
from producers.tokens.certificate import to_pem
from producers.tokens.clients import secret_file
from schemas.clock import SystemClock
from schemas.errors import Misconfigured
from schemas.login import ADMIN, ARCHIVER, KAFKA_AUDIENCE, PRODUCER
from schemas.metadata import parse_metadata
from tests.support.signing import AUDIENCE, claims_of, parts, signing_key
from tests.support.waiting import await_until

EXIT_MISCONFIGURED: Final = 78
LIMIT_S: Final = 30
FORM: Final = {"grant_type": "client_credentials", "resource": KAFKA_AUDIENCE}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@dataclass
class Machine:
    """A folder with an issuer's keys and clients, where to find the issuer, and the program."""

    folder: Path
    port: int
    started: "list[subprocess.Popen[str]]"

    @property
    def issuer(self) -> Path:
        return self.folder / "issuer"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "issuer.log"

    def run(self, *arguments: object, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._command(*arguments),
            **self._place(),
            input=stdin,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )

    def serve(self, *options: object) -> "subprocess.Popen[str]":
        with self.log.open("a") as log:
            command = self._command("issuer", "serve", "--folder", self.issuer, "--port", self.port, *options)
            process = subprocess.Popen(command, **self._place(), stdout=log, stderr=log)
        self.started.append(process)
        return process

    async def up(self, *options: object, client: httpx.AsyncClient | None = None) -> "subprocess.Popen[str]":
        process = self.serve(*options)
        async with client or httpx.AsyncClient(base_url=self.url, trust_env=False) as http:

            async def healthy() -> bool:
                assert process.poll() is None, self.log.read_text()
                try:
                    return (await http.get("/healthz")).status_code == 200
                except httpx.TransportError:
                    return False

            await await_until(healthy, LIMIT_S)
        return process

    def client(self, name: str) -> IssuerClient:
        secret = read_client_secret(secret_file(self.issuer, name))
        return IssuerClient(self.url, name, secret, SystemClock())

    def _command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "deploy", *map(str, arguments)]

    def _place(self) -> dict[str, Any]:
        prefix = "LYNC_ARCHIVER_"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
        own = {f"{prefix}ISSUER__URL": self.url, f"{prefix}ISSUER__FOLDER": str(self.issuer)}
        return {"cwd": self.folder, "env": kept | own, "text": True}


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, free_port(), [])
    yield machine
    for process in machine.started:
        process.kill()
        process.wait()


def sentence(ended: "subprocess.CompletedProcess[str]", code: int) -> str:
    """Return what a command that failed said: one sentence, and nothing on stdout."""
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


async def test_an_issuer_serves_and_stops_when_told(machine: Machine) -> None:
    """From an empty folder to documents and tokens, and to an end with nothing gone wrong; keys outlast it."""
    process = await machine.up()
    async with httpx.AsyncClient(base_url=machine.url, trust_env=False) as http:
        document = parse_metadata((await http.get("/metadata/json/1")).content)
        keys = (await http.get("/jwks")).json()["keys"]
    assert document.endpoints[0].location == f"{machine.url}/metadata/json/1"
    client = machine.client(PRODUCER)
    token = await client.token(KAFKA_AUDIENCE)
    await client.close()
    assert json.loads(parts(token)[0])["kid"] == keys[0]["kid"] == document.keys[0].keyinfo.x5t
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT_S) == 0
    await machine.up()
    async with httpx.AsyncClient(base_url=machine.url, trust_env=False) as http:
        assert (await http.get("/jwks")).json()["keys"] == keys


async def test_nothing_secret_is_said(machine: Machine) -> None:
    """Neither secrets nor keys nor tokens, given or presented, are in what the issuer writes."""
    process = await machine.up()
    tokens = []
    for name, audience in ((PRODUCER, KAFKA_AUDIENCE), (ARCHIVER, AUDIENCE)):
        client = machine.client(name)
        tokens.append(await client.token(audience))
        await client.close()
    async with httpx.AsyncClient(base_url=machine.url, trust_env=False) as http:
        assert (await http.post("/token", data=FORM, auth=(PRODUCER, "canary-wrong"))).status_code == 401
        assert (await http.get("/token", params={"secret": "canary-query"})).status_code == 405
    stranger = IssuerClient(machine.url, PRODUCER, "canary-client", SystemClock())
    with pytest.raises(Misconfigured):
        await stranger.token(KAFKA_AUDIENCE)
    await stranger.close()
    process.send_signal(signal.SIGTERM)
    process.wait(LIMIT_S)
    said = machine.log.read_text()
    assert "issuer-started" in said
    secrets = [secret_file(machine.issuer, name).read_text() for name in (PRODUCER, ARCHIVER, ADMIN)]
    pieces = [piece for token in tokens for piece in token.split(".")]
    assert not [one for one in (*secrets, *pieces, "PRIVATE KEY", "canary") if one in said]


async def test_a_roll_over_reaches_the_issuer_that_runs(machine: Machine) -> None:
    """The new key is published at once, and signs at its time; the old one stays published."""
    await machine.up()
    refused = machine.run("issuer", "roll", "--folder", machine.issuer, "--lead-s", "-1")
    assert refused.returncode == 2
    rolled = machine.run("issuer", "roll", "--folder", machine.issuer, "--json")
    document = json.loads(rolled.stdout)
    async with httpx.AsyncClient(base_url=machine.url, trust_env=False) as http:
        published = [key["kid"] for key in (await http.get("/jwks")).json()["keys"]]
        assert published == [document["current"], document["next"]]
        soon = json.loads(machine.run("issuer", "roll", "--folder", machine.issuer, "--lead-s", "0", "--json").stdout)
        published = [key["kid"] for key in (await http.get("/jwks")).json()["keys"]]
    assert soon["previous"] == document["current"]
    assert published == [soon["current"], soon["previous"]]
    client = machine.client(PRODUCER)
    assert json.loads(parts(await client.token(KAFKA_AUDIENCE))[0])["kid"] == soon["current"]
    await client.close()


async def test_off_loopback_there_is_tls(machine: Machine) -> None:
    """Without a certificate an issuer on a network does not start; with one it serves HTTPS alone."""
    serve = ("issuer", "serve", "--folder", machine.issuer, "--port", machine.port, "--host", "0.0.0.0")  # noqa: S104
    assert "needs TLS" in sentence(machine.run(*serve), EXIT_MISCONFIGURED)
    pem = machine.folder / "tls.pem"
    pem.touch(mode=0o600)
    pem.write_bytes(to_pem(signing_key(0)))
    assert "both" in sentence(machine.run(*serve, "--tls-certificate", pem), EXIT_MISCONFIGURED)
    context = ssl.create_default_context(cadata=pem.read_text().partition("-----END PRIVATE KEY-----\n")[2])
    context.check_hostname = False
    http = httpx.AsyncClient(base_url=f"https://127.0.0.1:{machine.port}", verify=context, trust_env=False)
    await machine.up("--host", "0.0.0.0", "--tls-certificate", pem, "--tls-key", pem, client=http)  # noqa: S104
    async with httpx.AsyncClient(base_url=machine.url, trust_env=False) as plain:
        with pytest.raises(httpx.TransportError):
            await plain.get("/healthz")


def test_tls_files_that_cannot_be_used_are_refused(machine: Machine) -> None:
    """A key that others may read, one that is not there, and one that is none."""
    serve = ("issuer", "serve", "--folder", machine.issuer, "--port", machine.port)
    key = machine.folder / "tls.key"
    files = ("--tls-certificate", key, "--tls-key", key)
    assert "cannot be read" in sentence(machine.run(*serve, *files), EXIT_MISCONFIGURED)
    key.write_text("canary")
    key.chmod(0o644)
    assert "chmod 600" in sentence(machine.run(*serve, *files), EXIT_MISCONFIGURED)
    key.chmod(0o600)
    said = sentence(machine.run(*serve, *files), EXIT_MISCONFIGURED)
    assert "cannot be used for TLS" in said
    assert "canary" not in said


async def test_what_cannot_be_served_is_a_sentence(machine: Machine) -> None:
    """A port that is taken, and keys that are open to others."""
    await machine.up()
    serve = ("issuer", "serve", "--folder", machine.issuer, "--port", machine.port)
    assert "cannot be listened on" in sentence(machine.run(*serve), EXIT_MISCONFIGURED)
    (machine.issuer / "keys" / "keys.json").chmod(0o644)
    assert "chmod 600" in sentence(machine.run(*serve), EXIT_MISCONFIGURED)
    async with httpx.AsyncClient(base_url=machine.url, trust_env=False) as http:
        assert (await http.get("/healthz")).status_code == 503


async def test_tokens_are_issued_and_inspected_by_command(machine: Machine) -> None:
    """The token alone on stdout; what it says, with nothing verified, and without what makes it good."""
    await machine.up()
    issued = machine.run("token", "issue", "--audience", KAFKA_AUDIENCE, "--client", PRODUCER)
    assert (issued.returncode, issued.stderr) == (0, "")
    (text,) = issued.stdout.splitlines()
    assert claims_of(text)["sub"] == PRODUCER
    shown = json.loads(machine.run("token", "inspect", text, "--json").stdout)
    assert (shown["verified"], shown["actor"]) == (False, None)
    assert shown["claims"] == claims_of(text)
    asked = ("token", "issue", "--audience", AUDIENCE, "--user", "ada@contoso.example", "--json")
    document = json.loads(machine.run(*asked).stdout)
    user = document["token"]
    inspected = machine.run("token", "inspect", "-", "--json", stdin=f"{user}\n")
    shown = json.loads(inspected.stdout)
    assert (shown["header"]["alg"], shown["actor"]["header"]["alg"]) == ("none", "RS256")
    assert shown["actor"]["claims"]["trustedfordelegation"] == "true"
    assert claims_of(user)["actortoken"] not in inspected.stdout
    assert "nothing here is verified" in machine.run("token", "inspect", user).stdout


async def test_a_refused_command_says_why(machine: Machine) -> None:
    """The issuer's reason, an issuer that is not there, a client that nobody has made, text that is no token."""
    issue = ("token", "issue", "--audience", AUDIENCE)
    assert "cannot be read" in sentence(machine.run(*issue), EXIT_MISCONFIGURED)
    process = await machine.up()
    assert "unauthorized_client" in sentence(machine.run(*issue, "--client", PRODUCER), EXIT_MISCONFIGURED)
    assert "lync-nobody" in sentence(machine.run(*issue, "--client", "lync-nobody"), EXIT_MISCONFIGURED)
    process.kill()
    process.wait()
    assert "does not answer" in sentence(machine.run(*issue), 1)
    commands = [("token", "inspect", text) for text in ("canary", "canary.canary.canary", "e30.e30", "e30.e30.!")]
    with ThreadPoolExecutor(2) as pool:
        for ended in pool.map(lambda command: machine.run(*command), commands):
            assert "canary" not in sentence(ended, 2)
