"""Differences as lines that a person can read: which mailbox, which conversation, which entry, and what is wrong.

What people wrote is shown as its length and a short hash, unless the texts are given.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from deploy.verification.comparison import Difference, Verdict, entry_line
from deploy.verification.model import Line

KINDS: Final = ("missing", "duplicated", "misordered", "altered", "leaked")
HASH_CHARS: Final = 8
"""Enough to tell two texts of one conversation apart at a glance."""


def summary(verdict: Verdict) -> str:
    """Return the counts of what is wrong, and of what there should be."""
    wrong = ", ".join(f"{getattr(verdict, kind)} {kind}" for kind in KINDS)
    return f"{wrong}; {verdict.archived} of {verdict.expected} entries are as they should be"


def report(differences: Sequence[Difference], lines_max: int, texts: Mapping[Line, str] | None = None) -> Iterator[str]:
    """Yield a heading for each mailbox and conversation, and a line for each of the first `lines_max` differences.

    `texts` are those of the entries that should be there; with them, those that are there are shown too.
    """
    shown = differences[:lines_max]
    for (mailbox, conversation), few in groupby(shown, key=lambda found: (found.mailbox, found.conversation)):
        yield f"{mailbox or 'quarantine'}, {conversation}"
        for difference in few:
            yield f"    {_said(difference, texts)}"
    if len(differences) > len(shown):
        yield f"and {len(differences) - len(shown)} more"


def _said(difference: Difference, texts: Mapping[Line, str] | None) -> str:
    wanted, found = difference.wanted, difference.found
    if difference.sequence is None:
        return f"{difference.kind:<11}{_whole(difference)}"
    said = [f"{difference.kind:<11}{difference.sequence:>5}"]
    if wanted is not None:
        said.append(_line(wanted, None if texts is None else texts.get(wanted)))
    if found is not None:
        shown = _line(entry_line(found), None if texts is None else found["text"])
        said.append(shown if wanted is None else f"but it is {shown}")
    return "  ".join(said)


def _whole(difference: Difference) -> str:
    match difference:
        case Difference(facts=facts) if facts:
            return f"the item's {', '.join(facts)}"
        case Difference(mailbox=""):
            known = difference.kind == "missing"
            return "a record that cannot be archived" if known else "a record that the recording does not have"
        case _:
            return f"the whole item ({difference.pairs} {'entry' if difference.pairs == 1 else 'entries'})"


def _line(line: Line, text: str | None) -> str:
    shown = f"#{line.text.hex()[:HASH_CHARS]} ({line.characters} characters)" if text is None else repr(text)
    return f"{line.at}  {line.kind} by {line.sip} {shown}"
