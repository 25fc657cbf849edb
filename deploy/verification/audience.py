"""Who must have what of a conversation, by walking its facts with the set of people who are present."""

from dataclasses import dataclass, field

from deploy.verification.model import History, Line


@dataclass(slots=True)
class Share:
    """One mailbox's part of a conversation: its status and its lines by sequence."""

    status: str = "archived"
    lines: dict[int, Line] = field(default_factory=dict)


def shares(history: History) -> dict[str, Share]:
    """Return each mailbox's share, by SIP address."""
    found: dict[str, Share] = {}
    present: set[str] = set()
    for sequence in sorted(history.facts):
        fact = history.facts[sequence]
        came, went = _moves(fact.type, fact.data)
        present |= came
        for person in came:
            found.setdefault(person, Share())
        if fact.line is not None:
            for person in present:
                found[person].lines[sequence] = fact.line
        present -= went
    _missed(history, found)
    return found


def _moves(name: str, data: dict[str, object]) -> tuple[set[str], set[str]]:
    match name.split(".")[1:3]:
        case ["conversation" | "call", "started"]:
            return {person["sip"] for person in data["participants"]}, set()  # type: ignore[attr-defined]
        case [_, "participant-joined" | "joined"]:
            return {data["participant"]["sip"]}, set()  # type: ignore[index]
        case [_, "participant-left" | "left"]:
            return set(), {str(data["sip"])}
        case _:
            return set(), set()


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
