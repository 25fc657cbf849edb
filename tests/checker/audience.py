"""Who may read what of a conversation: a walk over its events with those who are present and what each is."""

from collections.abc import Container

from tests.checker.reading import Fact

Reports = dict[int, list[Fact]]
"""By sequence every report of an event, the likeliest first."""

LOBBY = ("lobby-entered", "lobby-admitted", "lobby-denied")


def readers(reports: Reports) -> dict[str, tuple[str, set[int]]]:
    """Return for each person who has an item its status, and the sequences of all events that they may see."""
    facts = [reports[sequence][0] for sequence in sorted(reports)]
    found = _seen(facts)
    for fact in facts:
        if named(fact) == "delivery-failed" and is_message(reports, fact.data["message"]):
            for recipient in set(fact.data["recipients"]) & found.keys():
                found[recipient].discard(fact.data["message"])
    ours = {person["sip"] for fact in facts for person in _coming(fact) if _internal(fact)}
    return {sip: ("archived", seen) for sip, seen in found.items() if sip in ours} | _missed(facts, found.keys())


def _seen(facts: list[Fact]) -> dict[str, set[int]]:
    """Return for each person who came what is meant for them of what happened while they were there."""
    found: dict[str, set[int]] = {}
    present: set[str] = set()
    roles: dict[str, str] = {}
    for fact in facts:
        for person in _coming(fact):
            present.add(person["sip"])
            roles[person["sip"]] = person["role"]
        if named(fact) == "role-changed":
            roles[fact.data["sip"]] = fact.data["role"]
        for sip in present:
            if is_for(fact, sip, presents=roles[sip] == "presenter"):
                found.setdefault(sip, set()).add(fact.sequence)
        if named(fact) in {"left", "participant-left", "ejected"}:
            present.discard(fact.data["sip"])
    return found


def _internal(fact: Fact) -> bool:
    return bool(fact.data.get("origin", "internal") == "internal")


def is_message(reports: Reports, sequence: int) -> bool:
    """Whether a conference's message has this sequence."""
    return sequence in reports and reports[sequence][0].type == "lync.conference.message.v1"


def is_for(fact: Fact, person: str, *, presents: bool) -> bool:
    """Whether somebody who is present is meant to see the event."""
    if named(fact) == "delivery-failed":
        return bool(fact.data["sip"] == person)
    return presents or not (named(fact) in LOBBY or fact.data.get("audience") == "presenters")


def named(fact: Fact) -> str:
    """Return what happened, without where."""
    return fact.type.split(".")[2]


def _coming(fact: Fact) -> list[dict[str, str]]:
    if named(fact) == "started":
        people: list[dict[str, str]] = fact.data["participants"]
        return people
    return [fact.data["participant"]] if named(fact) in {"joined", "participant-joined"} else []


def _missed(facts: list[Fact], came: Container[str]) -> dict[str, tuple[str, set[int]]]:
    """Who never came and is reported as having missed it has the first message of a conversation."""
    first = [fact.sequence for fact in facts if fact.type == "lync.conversation.message.v1"][:1]
    absent = {fact.data["participant"]["sip"] for fact in facts if named(fact) == "missed"}
    return {sip: ("missed", set(first)) for sip in absent if sip not in came}
