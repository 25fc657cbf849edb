"""What auditors see of tokens: every session, newest first."""

from tests.fault.episodes import simulated
from tests.support.program import Program


def test_sessions_are_listed(program: Program) -> None:
    """An archiver's session is listed by its application and its token's id, and refused ones by their rule."""
    simulated(program, users=10, hours=0.1)
    program.archive()
    program.run("partner", "disable", "lync")
    program.run("archive", "--until-caught-up", expect=1)
    refused, accepted = program.json("partner", "sessions")
    assert (refused["rule"], refused["accepted"], refused["application"]) == ("partner-disabled", False, None)
    assert (accepted["rule"], accepted["accepted"]) == (None, True)
    assert accepted["at"] < refused["at"]
    assert len(program.run("partner", "sessions", "--max", "1", "--jsonl").splitlines()) == 1
