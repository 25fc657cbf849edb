"""What somebody's mailbox must show of a conference, in words: an entry for each event that they may see."""

from typing import Any, NamedTuple

from tests.checker.audience import Reports, named, readers
from tests.checker.reading import Fact


class Entry(NamedTuple):
    """An entry as an export has it; `file` is the digest of what is attached, if something is."""

    sequence: int
    at: str
    kind: str
    sip: str
    text: str
    file: str | None = None


def views(reports: Reports) -> dict[str, list[Entry]]:
    """Return what each mailbox shows of a conference, in order."""
    return {
        sip: [_entry(reports[sequence][0]) for sequence in sorted(seen) if not reports[sequence][0].ends]
        for sip, (_, seen) in readers(reports).items()
    }


def shown(entry: dict[str, Any]) -> Entry:
    """Return an export's entry; it must say that its file is stored, if it has one."""
    files = entry.get("attachments", [])
    assert [file["state"] for file in files] in ([], ["stored"])
    digest = files[0]["sha256"] if files else None
    return Entry(entry["sequence"], entry["at"], entry["kind"], entry["sip"], entry["text"], digest)


def _entry(fact: Fact) -> Entry:
    kind, text = _read(named(fact), fact.data)
    sip = fact.data["participant"]["sip"] if "participant" in fact.data else fact.data.get("sip", "")
    file = None if fact.file is None else str(fact.file["sha256"])
    return Entry(fact.sequence, fact.at, kind, sip, text, file)


def _read(name: str, data: dict[str, Any]) -> tuple[str, str]:
    """Return kind and text."""
    first, _, rest = name.partition("-")
    match first:
        case "content" | "whiteboard" if "content" in data:
            return first, data["content"]["name"]
        case "lobby" | "modality" | "sharing":
            means = data.get("sharing") or data.get("modality", "audio")
            return first, rest if first == "lobby" else f"{rest} {means}"
        case "poll":
            return _poll(rest, data)
        case _:
            return OTHERS[name][0], OTHERS[name][1].format(**data, **_joined(data))


OTHERS = {
    "joined": ("join", ""),
    "left": ("leave", ""),
    "ejected": ("eject", ""),
    "message": ("message", "{text}"),
    "topic": ("topic", "{text}"),
    "role-changed": ("role", "{role}"),
    "locked": ("lock", "{lock}"),
    "content-removed": ("content-removed", "{name}"),
    "question-asked": ("question", "{text}"),
    "question-answered": ("answer", "{text}"),
    "notes-linked": ("notes", "{title}\n{link}"),
    "delivery-failed": ("delivery-failed", "{all_recipients}"),
}
"""Kind, and text by the data's own words."""


def _joined(data: dict[str, Any]) -> dict[str, str]:
    return {
        "lock": "locked" if data.get("locked") else "unlocked",
        "all_recipients": ", ".join(data.get("recipients", [])),
    }


def _poll(what: str, data: dict[str, Any]) -> tuple[str, str]:
    if what == "opened":
        choices = [f"{number}. {choice}" for number, choice in enumerate(data["choices"], start=1)]
        return "poll", "\n".join([data["question"], *choices])
    return ("poll-closed", "") if what == "closed" else ("poll-result", ", ".join(map(str, data["tally"])))
