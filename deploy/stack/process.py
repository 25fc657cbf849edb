"""One server process: started apart from its starter, watched while it gets ready, and stopped for certain."""

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

from deploy.errors import StackFailed
from deploy.stack.pids import read_pid
from schemas.clock import Clock

LAUNCH_LIMIT_S: Final = 15.0
"""A Python start and a fork; this long only on a machine that swaps."""

STOP_LIMIT_S: Final = 20.0
"""From SIGTERM to SIGKILL. Kafka hands over and flushes in about two seconds, mongod takes a checkpoint."""

KILL_LIMIT_S: Final = 10.0
"""From SIGKILL to gone; longer means that the kernel itself waits, mostly for a disk."""

_POLL_S: Final = 0.05
_TAIL_LINES: Final = 4
_TAIL_BYTES: Final = 16 * 1024
_TAIL_LINE_CHARS: Final = 240


class Lifetime(StrEnum):
    """Whether servers outlive the process that started them, or die with it however it ends."""

    DETACHED = "detached"
    ATTACHED = "attached"


class Server:
    """A server that keeps its pid file and its log in `folder`, which is made its owner's alone.

    Nothing is remembered between commands but the pid file, so any process may ask for, or stop, any server.
    """

    def __init__(self, *, name: str, folder: Path, lifetime: Lifetime, clock: Clock) -> None:
        self.name = name
        self.folder = folder
        self._lifetime = lifetime
        self._clock = clock
        self._launcher: subprocess.Popen[bytes] | None = None

    @property
    def pid_file(self) -> Path:
        return self.folder / "pid"

    @property
    def log_file(self) -> Path:
        return self.folder / "log"

    @property
    def pid(self) -> int | None:
        """The server's pid while it runs."""
        return read_pid(self.pid_file)

    async def start(self, command: Sequence[str]) -> None:
        """Start the server in its own session; its log of before is kept as `log.1`.

        Raises:
            StackFailed: it could not be started at all. Readiness is `wait_until`'s question.
        """
        self._release_launcher()
        self._launch(command)
        limit = self._clock.monotonic() + LAUNCH_LIMIT_S
        while not self.pid_file.exists():
            launcher = self._launcher
            if launcher is None or launcher.poll() is not None or self._clock.monotonic() > limit:
                raise StackFailed(f"{self.name} could not be started{self._last_words()}")
            await self._clock.sleep(_POLL_S)
        if self._lifetime is Lifetime.DETACHED:
            self._release_launcher()

    def _launch(self, command: Sequence[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # its files hold what people wrote, or secrets, in whatever mode the server makes them
        self.pid_file.unlink(missing_ok=True)
        if self.log_file.exists():
            self.log_file.replace(self.log_file.with_suffix(".1"))
        launcher = [sys.executable, "-P", "-m", "deploy.stack.launch"]  # -P: nothing from the working folder
        with self.log_file.open("wb") as log:
            self._launcher = subprocess.Popen(
                [*launcher, self._lifetime, str(self.pid_file), str(STOP_LIMIT_S), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def wait_until(self, condition: Callable[[], Awaitable[bool]], *, state: str, limit_s: float) -> None:
        """Wait until `condition` holds; `state` names it in errors, as in "Kafka was not `state` after 60 s".

        Raises:
            StackFailed: the server ended, or `limit_s` seconds went by; with the telling lines of its log.
        """
        limit = self._clock.monotonic() + limit_s
        while not await condition():
            if self.pid is None:
                raise StackFailed(f"{self.name} ended before it was {state}{self._last_words()}")
            if self._clock.monotonic() > limit:
                raise StackFailed(f"{self.name} was not {state} after {limit_s:.0f} s{self._last_words()}")
            await self._clock.sleep(_POLL_S)

    async def stop(self) -> bool:
        """Stop the server and wait until it is gone: SIGTERM, then SIGKILL. Return whether it ran.

        Raises:
            StackFailed: it is still there `KILL_LIMIT_S` after SIGKILL.
        """
        pid = self.pid
        if pid is not None:
            self._signal(pid, signal.SIGTERM)
            if not await self._gone_within(STOP_LIMIT_S):
                self._signal(pid, signal.SIGKILL)
                if not await self._gone_within(KILL_LIMIT_S):
                    raise StackFailed(f"{self.name} (pid {pid}) did not end after SIGKILL")
        self._release_launcher()
        self.pid_file.unlink(missing_ok=True)
        return pid is not None

    def _signal(self, pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it ended by itself in between
            os.killpg(pid, number)

    async def _gone_within(self, limit_s: float) -> bool:
        limit = self._clock.monotonic() + limit_s
        while self.pid is not None:
            if self._clock.monotonic() > limit:
                return False
            await self._clock.sleep(_POLL_S)
        return True

    def _release_launcher(self) -> None:
        # Closing the pipe is what ends an attached launcher; it ends its server first if that still runs.
        if self._launcher is None:
            return
        if self._launcher.stdin is not None:
            self._launcher.stdin.close()
        self._launcher.wait()
        self._launcher = None

    def _last_words(self) -> str:
        lines = _telling_lines(self.log_file)
        return f"; the end of {self.log_file} says: {' | '.join(lines)}" if lines else f"; see {self.log_file}"


def _telling_lines(log: Path) -> list[str]:
    """The last errors of a log, or its last lines where no line looks like an error."""
    try:
        text = log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    except FileNotFoundError:
        return []
    lines = [line.strip()[:_TAIL_LINE_CHARS] for line in text.splitlines() if line.strip()]
    marks = ('"s":"E"', '"s":"F"', "ERROR", "FATAL", "Exception", "rror:")
    errors = [line for line in lines if any(mark in line for mark in marks)]
    return (errors or lines)[-_TAIL_LINES:]
