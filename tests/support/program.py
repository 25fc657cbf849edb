"""The program as a user runs it: `lync-archiver` in processes of its own, on the session's servers."""
# ruff: noqa: TID251  hands its environment on

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from producers.topics import Topics

COMMAND_LIMIT_S: Final = 900
PREFIX: Final = "LYNC_ARCHIVER_"


@dataclass(frozen=True, slots=True)
class Program:
    """Runs commands against one archive: a database and a consumer group of its own."""

    bootstrap: str
    mongodb_uri: str
    issuer: str
    issuer_folder: Path
    topics: Topics
    folder: Path
    database: str = field(default_factory=lambda: f"test_{uuid4().hex[:12]}")
    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return what a process of this archive finds in its environment."""
        own = {
            "KAFKA__BOOTSTRAP": self.bootstrap,
            "KAFKA__GROUP": self.database,
            "KAFKA__SESSION_TIMEOUT_S": "6",
            "KAFKA__CONVERSATIONS_TOPIC": self.topics.conversations,
            "KAFKA__CONFERENCES_TOPIC": self.topics.conferences,
            "KAFKA__CONTACTS_TOPIC": self.topics.contacts,
            "MONGODB__URI": self.mongodb_uri,
            "MONGODB__DATABASE": self.database,
            "ISSUER__URL": self.issuer,
            "ISSUER__FOLDER": str(self.issuer_folder.absolute()),
        }
        own |= self.settings
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return kept | {PREFIX + name: value for name, value in own.items()}

    def run(self, *arguments: object, expect: int = 0) -> str:
        """Run a command to its end and return its standard output; fail unless it exits as expected."""
        return self.outputs(*arguments, expect=expect)[0]

    def outputs(self, *arguments: object, expect: int = 0, limit_s: float = COMMAND_LIMIT_S) -> tuple[str, str]:
        """Run a command to its end and return what it wrote to standard output and error."""
        done = subprocess.run(
            self._command(arguments),
            env=self.environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        assert done.returncode == expect, f"{arguments} exited {done.returncode}: {done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr
        return done.stdout, done.stderr

    def json(self, *arguments: object, expect: int = 0) -> Any:
        """Run a command with `--json` and return the one document that it prints."""
        return json.loads(self.run(*arguments, "--json", expect=expect))

    def start(self, *arguments: object, **variables: object) -> "subprocess.Popen[bytes]":
        """Start a command, with more variables if given, and leave it running; its logs go to a file in the folder."""
        with (self.folder / f"{self.database}.log").open("ab") as log:
            return subprocess.Popen(
                self._command(arguments),
                env=self.environment() | {name: str(value) for name, value in variables.items()},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def trust_issuer(self) -> None:
        """Add the issuer as the archive's partner application, by the name lync."""
        self.run("partner", "add", "lync", "--metadata-url", f"{self.issuer}/metadata/json/1")

    def log(self) -> str:
        """Return what commands left running have logged."""
        file = self.folder / f"{self.database}.log"
        return file.read_text() if file.exists() else ""

    def delays(self) -> list[str]:
        """Return why lanes were held up, in commands left running."""
        lines = (json.loads(line) for line in self.log().splitlines() if line.startswith("{"))
        return [line["reason"] for line in lines if line["action"] == "lane-delayed"]

    def archive(self, *arguments: object) -> dict[str, int]:
        """Archive until caught up and return the counts."""
        counts: dict[str, int] = self.json("archive", "--until-caught-up", *arguments)
        return counts

    def verify(self, recording: Path) -> dict[str, Any]:
        """Verify a recording, which must hold, and return the counts."""
        verdict: dict[str, Any] = self.json("verify", recording)
        assert verdict["archived"] == verdict["expected"]
        return verdict

    @staticmethod
    def _command(arguments: tuple[object, ...]) -> list[str]:
        return [sys.executable, "-m", "deploy", *map(str, arguments)]
