"""Differences as lines that a person can read: which mailbox, which conversation, which entry, and what is wrong.

What people wrote is shown as its length and a short hash, unless it is asked for.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from deploy.verification.comparison import Difference, Verdict
from deploy.verification.model import Line, text_hash

KINDS: Final = ("missing", "duplicated", "misordered", "altered", "leaked")
HASH_CHARS: Final = 8
"""Enough to tell two texts of one conversation apart at a glance."""


def summary(verdict: Verdict) -> str:
    """Return the counts of what is wrong, and of what there should be."""
    wrong = ", ".join(f"{getattr(verdict, kind)} {kind}" for kind in KINDS)
    return f"{wrong}; {verdict.archived} of {verdict.expected} entries are as they should be"


def report(differences: Sequence[Difference], lines_max: int, *, show_text: bool = False) -> Iterator[str]:
    """Yield a heading for each mailbox and conversation, and a line for each of the first `lines_max` differences."""
    shown = differences[:lines_max]
    for (mailbox, conversation), few in groupby(shown, key=lambda found: (found.mailbox, found.conversation)):
        yield f"{mailbox or 'quarantine'}, {conversation}"
        for difference in few:
            yield f"    {_said(difference, show_text)}"
    if len(differences) > len(shown):
        yield f"and {len(differences) - len(shown)} more"


def _said(difference: Difference, show_text: bool) -> str:
    kind, sequence, pairs = difference.kind, difference.sequence, difference.pairs
    if sequence is None:
        what = (
            f"the item's {', '.join(difference.facts)}"
            if difference.facts
            else f"the whole item ({pairs} of its entries)"
        )
        return f"{kind:<11}{what if difference.mailbox else 'a record that cannot be archived'}"
    wanted, found = difference.wanted, difference.found
    said = [f"{kind:<11}{sequence:>5}"]
    if wanted is not None:
        said.append(_line(wanted))
    if found is not None:
        said.append(("but it is " if wanted is not None else "") + _entry(found, show_text))
    return "  ".join(said)


def _line(line: Line) -> str:
    return f"{line.at}  {line.kind} by {line.sip} {_hash(line.text)}"


def _entry(entry: dict[str, Any], show_text: bool) -> str:
    text = entry["text"]
    shown = repr(text) if show_text else f"{_hash(text_hash(text))} ({len(text)} characters)"
    return f"{entry['at']}  {entry['kind']} by {entry['sip']} {shown}"


def _hash(text: bytes) -> str:
    return f"#{text.hex()[:HASH_CHARS]}"
