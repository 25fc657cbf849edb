"""The archiver processes of an episode, and what a supervisor does for them: one that ended is started again."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.support.program import Program

WRONG_CLOCK: Final = Path(__file__).parents[2] / "support" / "wrong_clock"
STOPPED: Final = {0, 1, -signal.SIGKILL, -signal.SIGTERM, 78}
"""Ways to end that a supervisor knows: stopped, no server at the start, killed, stopped amid its start, refused."""


@dataclass(slots=True)
class Member:
    """One place in the group; `process` is the process that has it now, `exits` how those before ended."""

    number: int
    program: Program
    wanted: bool = True
    suspended: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    exits: list[int] = field(default_factory=list)

    @property
    def shift(self) -> Path:
        """The file that says how wrong its clock is."""
        return self.program.folder / "clock"

    def start(self) -> None:
        """Start its process; its clock is right until somebody says otherwise."""
        self.program.folder.mkdir(exist_ok=True)
        if not self.shift.exists():
            self.set_clock(0)
        variables = {"PYTHONPATH": WRONG_CLOCK, "LYNC_ARCHIVER_TEST_CLOCK": self.shift}
        self.process = self.program.start("archive", **variables)

    def set_clock(self, shift_s: float) -> None:
        """Let its clock be wrong by so many seconds."""
        part = self.shift.with_suffix(".part")
        part.write_text(str(shift_s))
        part.replace(self.shift)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its process, if there is one."""
        if self.process is not None and self.process.poll() is None:
            self.suspended = number == signal.SIGSTOP or (self.suspended and number != signal.SIGCONT)
            os.kill(self.process.pid, number)

    def look(self) -> int | None:
        """Return how its process ended, if it did since the last look; it has none then."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process = None
        self.suspended = False
        self.exits.append(code)
        return code

    @property
    def ready(self) -> bool:
        """Whether the process that has its place now, or had it last, came up."""
        return '"action": "started"' in self.program.log()

    @property
    def commits(self) -> int:
        """How many batches it has committed."""
        return self.program.log().count("batch-committed")

    def delays(self) -> int:
        """Return how often a lane of it was held up."""
        return len(self.program.delays())

    def halts(self) -> Iterator[str]:
        """Yield each lane that stopped for good, in the log's words."""
        for line in self.program.log().splitlines():
            if line.startswith("{") and (said := json.loads(line)).get("action") == "lane-halted":
                yield f"member {self.number}: lane halted: {said.get('lane')} {said.get('reason', said.get('error'))}"


def member(number: int, program: Program) -> Member:
    """Return a member whose log is in a folder of its own."""
    return Member(number, replace(program, folder=program.folder / f"member-{number}"))


@dataclass(slots=True)
class Group:
    """All members of an episode."""

    direct: Program
    linked: Program
    over_links: frozenset[int]
    members: list[Member] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def join(self) -> Member:
        """Start one member more."""
        number = len(self.members)
        found = member(number, self.linked if number in self.over_links else self.direct)
        self.members.append(found)
        found.start()
        return found

    @property
    def present(self) -> list[Member]:
        """Those that are to run."""
        return [found for found in self.members if found.wanted]

    def supervise(self) -> None:
        """Start again what ended, and keep what should never be: a bug, or a way to end that nobody knows."""
        for found in self.members:
            code = found.look()
            if code is not None and code not in STOPPED:
                self.problems.append(f"member {found.number} exited {code}")
            if found.process is None and found.wanted:
                found.start()

    def stop(self) -> None:
        """Ask all to stop, those first that are suspended."""
        for found in self.members:
            found.wanted = False
            found.set_clock(0)
            found.signal(signal.SIGCONT)
            found.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End whatever runs, and wait for it."""
        for found in self.members:
            found.signal(signal.SIGKILL)
            if found.process is not None:
                found.process.wait()
