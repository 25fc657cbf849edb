"""Who must have what of a conversation: walk its facts with a set of those present and a dictionary of roles."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from deploy.verification.model import Fact, History, Line

_PRESENTERS_ALWAYS = (
    "lync.conference.lobby-entered.v1",
    "lync.conference.lobby-admitted.v1",
    "lync.conference.lobby-denied.v1",
)
_PRESENTERS_UNLESS_SAID = ("lync.conference.poll-tallied.v1", "lync.conference.question-asked.v1")
_ORIGINS = ("internal", "federated", "anonymous", "pstn")


@dataclass(slots=True)
class Share:
    """One mailbox's part of a conversation: its status and its lines by sequence."""

    status: str = "archived"
    lines: dict[int, Line] = field(default_factory=dict)


def shares(history: History) -> dict[str, Share]:
    """Return each mailbox's share, by SIP address. Only people of the organisation have a mailbox."""
    origins = _origins(history)
    found = {person: Share() for person, origin in origins.items() if origin == "internal"}
    undelivered = _undelivered(history)
    present: set[str] = set()
    roles: dict[str, str] = {}
    for sequence in sorted(history.facts):
        fact = history.facts[sequence]
        for person, role, _ in _came(fact):
            present.add(person)
            roles[person] = role
        if fact.type == "lync.conference.role-changed.v1":
            roles[fact.data["sip"]] = fact.data["role"]
        if fact.line is not None:
            for person in present & found.keys() - undelivered.get(sequence, set()):
                if _shown_to(fact, person, roles.get(person, "attendee")):
                    found[person].lines[sequence] = fact.line
        present -= _went(fact)
    _missed(history, found)
    return found


def _origins(history: History) -> dict[str, str]:
    """Return where everybody who ever came is from; of several, the nearest."""
    found: dict[str, str] = {}
    for fact in history.facts.values():
        for person, _, origin in _came(fact):
            found[person] = min(origin, found.get(person, origin), key=_ORIGINS.index)
    return found


def _undelivered(history: History) -> dict[int, set[str]]:
    """Return whom a conference's messages did not reach, by the message's sequence."""
    found: dict[int, set[str]] = {}
    for fact in history.facts.values():
        if fact.type == "lync.conference.delivery-failed.v1":
            named = history.facts.get(fact.data["message"])
            if named is not None and named.type == "lync.conference.message.v1":
                found.setdefault(fact.data["message"], set()).update(fact.data["recipients"])
    return found


def _shown_to(fact: Fact, person: str, role: str) -> bool:
    """Return whether somebody who is present, with this role, is shown the fact."""
    if fact.type == "lync.conference.delivery-failed.v1":
        return bool(fact.data["sip"] == person)
    audience = fact.data.get("audience", "presenters" if fact.type in _PRESENTERS_UNLESS_SAID else "everyone")
    if fact.type in _PRESENTERS_ALWAYS:
        audience = "presenters"
    return audience == "everyone" or role == "presenter"


def _came(fact: Fact) -> Iterator[tuple[str, str, str]]:
    """Yield who is present from here on: address, role and origin."""
    data = fact.data
    match fact.type.split(".")[1:3]:
        case ["conversation" | "call", "started"]:
            people = data["participants"]
        case [_, "participant-joined" | "joined"]:
            people = [data["participant"]]
        case _:
            people = []
    for person in people:
        yield person["sip"], person.get("role", "attendee"), data.get("origin", "internal")


def _went(fact: Fact) -> set[str]:
    match fact.type.split(".")[1:3]:
        case [_, "participant-left" | "left" | "ejected"]:
            return {str(fact.data["sip"])}
        case _:
            return set()


def _missed(history: History, found: dict[str, Share]) -> None:
    """Somebody who never came and is reported to have missed it has the first message, and nothing else."""
    ordered = sorted(history.facts.items())
    first = next(((number, fact.line) for number, fact in ordered if fact.line and fact.line.kind == "message"), None)
    for _, fact in ordered:
        if fact.type in {"lync.conversation.missed.v1", "lync.call.missed.v1"}:
            person = fact.data["participant"]["sip"]
            if person not in found:
                found[person] = Share("missed")
                if first is not None and first[1] is not None:
                    found[person].lines[first[0]] = first[1]
