"""A recording of hours, moved to now: Kafka takes no time more than an hour ahead, and needs none."""

from tests.support.program import Program


def test_a_recording_of_three_hours_is_replayed_as_of_now(program: Program) -> None:
    """At full speed, which is what nobody says otherwise: all of it comes, and is archived."""
    program.run("simulate", "--users", 5, "--hours", 3, "--seed", 4, "--out", "hours.jsonl")
    records = (program.folder / "hours.jsonl").read_bytes().count(b"\n")
    assert program.json("replay", "hours.jsonl", "--shift-time") == {"records": records}
    assert program.archive() == {"in": records, "archived": records, "duplicate": 0, "quarantined": 0}
    program.run("record", "now.jsonl", "--until-caught-up")
    assert program.verify(program.folder / "now.jsonl")["quarantined"] == 0
