"""`policy`, as an administrator uses it: every case read through `policy explain`, on real processes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from consumers.policy.decision import SessionKind
from consumers.policy.subject import SubjectKind
from deploy.__main__ import build_app
from tests.support.policies import DAWN, NOON, USER, Entry
from tests.support.program import Program
from tests.unit.consumers.policy.cases import CASES, CONFIGURATIONS, POLICIES, Precedence

Run = Callable[..., Any]


@pytest.fixture
def policy(program: Program, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs `policy` with these arguments in this process, and returns what its --json printed."""
    for name, value in program.environment().items():
        monkeypatch.setenv(name, value)
    runner, app = CliRunner(), build_app()

    def run(*arguments: str) -> Any:
        done = runner.invoke(app, ["policy", *arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


def load(policy: Run, file: Path, entries: list[Entry], year: int) -> None:
    """Load policies, a line each, in force from that year on."""
    lines = [
        {"kind": kind, "identity": identity, "value": value and value.model_dump(mode="json")}
        for kind, identity, value in entries
    ]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    policy("load", str(file), "--from", DAWN.replace(year=year).isoformat())


def test_every_case_is_explained(program: Program, policy: Run) -> None:
    """Each of the 48 cases, set at a day of its own, is explained with its target and the rules that lead there."""
    for number, case in enumerate(CASES):
        load(policy, program.folder / "policies.jsonl", case.entries(), 2000 + number)
    for number, case in enumerate(CASES):
        for kind in SessionKind:
            at = NOON.replace(year=2000 + number).isoformat()
            found = policy("explain", USER, "--at", at, "--kind", str(kind))
            assert found["target"] == case.target(kind), (case, found)
            assert found["path"][0]["rule"] == "EnableArchiving"
    assert len(policy("show", "--history")) == 4 * 48


@pytest.mark.parametrize("examples", [CONFIGURATIONS, POLICIES], ids=["configurations", "policies"])
def test_every_example_of_precedence_is_explained(program: Program, policy: Run, examples: list[Precedence]) -> None:
    """Pool, site and global, and user, site and global: with the target, and the scope that gave it."""
    for number, example in enumerate(examples):
        load(policy, program.folder / "policies.jsonl", example.entries, 2000 + number)
    for number, example in enumerate(examples):
        session = ["--kind", str(example.kind), "--external" if example.external else "--no-external"]
        found = policy("explain", USER, "--at", NOON.replace(year=2000 + number).isoformat(), *session)
        assert found["target"] == example.target, (example, found)
        said = {step["rule"]: step["said"] for step in found["path"]}
        assert said["EnableArchiving"].endswith(f"({scope(example, SubjectKind.CONFIGURATION)})")
        rule = "ArchiveExternal" if example.external else "ArchiveInternal"
        assert rule not in said or said[rule].endswith(f"({scope(example, SubjectKind.POLICY)})")


def scope(example: Precedence, kind: SubjectKind) -> str:
    """Return the narrowest scope of this kind that has a value: examples name the widest first."""
    return [identity for found, identity, value in example.entries if found is kind and value is not None][-1]


def test_an_administrator_sets_and_shows(program: Program) -> None:
    """Fields are set one by one, a removal counts from its moment on, and what is wrong is said in a sentence."""
    program.run(
        "policy", "set", "configuration", "global", "enable_archiving=im-only", "--from", "2013-01-01T00:00:00Z"
    )
    program.run("policy", "set", "configuration", "Global", "purge_hour_of_day=4", "--from", "2013-02-01T00:00:00Z")
    program.run("policy", "set", "configuration", "global", "--remove", "--from", "2013-03-01T00:00:00Z")
    hours = {}
    for month in (1, 2, 3):
        shown = program.json("policy", "show", "configuration", "--at", f"2013-0{month}-02T00:00:00Z")
        hours[month] = [(row["value"]["enable_archiving"], row["value"]["purge_hour_of_day"]) for row in shown]
    assert hours == {1: [("im-only", 2)], 2: [("im-only", 4)], 3: []}
    for arguments, expected in (
        (("set", "configuration", "global", "purge_hour_of_day=24"), 1),
        (("set", "configuration", "elsewhere", "purge_hour_of_day=3"), 1),
        (("set", "user", USER), 2),
        (("set", "user", USER, "pool"), 2),
        (("explain", USER, "--at", "yesterday"), 2),
    ):
        output, error = program.outputs("policy", *arguments, expect=expected)
        assert (output, len(error.splitlines())) == ("", 1), arguments
    for arguments, said in (
        (("hold", "alice", "held=true"), "'alice' is no identity of a hold, which is a SIP address like"),
        (("pool", "pool1", "sites=redmond"), "pool pool1: there is no field sites; its fields are site"),
    ):
        assert program.outputs("policy", "set", *arguments, expect=1)[1].startswith(said)
    output, error = program.outputs("policy", "set", "person", USER, "pool=pool1", expect=2)
    assert error.startswith("Invalid value for 'kind': 'person' is not one of 'configuration', 'policy'")
    program.run("policy", "set", "hold", USER, "held=true", "--from", "2013-01-01T00:00:00Z")
    removed = program.run("policy", "set", "hold", USER, "--remove", "--from", "2013-02-01T00:00:00Z")
    assert removed == f"hold {USER} from 2013-02-01T00:00:00Z: removed\n"
