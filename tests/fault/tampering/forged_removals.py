"""Forgeries of what was purged, swept and exported."""

from collections.abc import Mapping
from random import Random
from typing import Final

from consumers.mongo.layout import ATTACHMENTS, CONVERSATIONS, ITEMS, PURGES, SEGMENTS
from consumers.mongo.tombstones import tombstone_document
from tests.fault.tampering.stored import Write
from tests.fault.tampering.view import Forgery, View, gone, inserted, one_of, replaced


def _removed(dice: Random, view: View) -> list[Write] | None:
    """A conversation is removed as a purge would remove it, and no act says so."""
    was = one_of(dice, (one for one in view.all(CONVERSATIONS) if "removed" not in one))
    moments = [one["deleted"]["at"] for one in view.all(ITEMS) if one.get("deleted")]
    if was is None or not moments:
        return None
    segments, files = (
        [one for one in view.all(kind) if one["_id"]["conversation"] == was["_id"]] for kind in (SEGMENTS, ATTACHMENTS)
    )
    shown = [write for kind in (ITEMS, PURGES) for write in gone(kind, view.all(kind, conversation=was["_id"]))]
    tombstone = tombstone_document(was, segments, moments[0], dice.choice(("sweep", "purge")))
    return [inserted(CONVERSATIONS, tombstone), *gone(SEGMENTS, segments), *gone(ATTACHMENTS, files), *shown]


def _untold(dice: Random, view: View) -> list[Write] | None:
    """A tombstone proves something else, or is gone itself."""
    was = one_of(dice, (one for one in view.all(CONVERSATIONS) if "removed" in one))
    if was is None:
        return None
    removed = was["removed"]
    fewer = [*removed["segments"][:-1]]
    other = dice.choice(("sweep", "purge"))
    return dice.choice(
        (
            gone(CONVERSATIONS, [was]),
            [replaced(CONVERSATIONS, was, removed={**removed, "segments": fewer})],
            [replaced(CONVERSATIONS, was, removed={**removed, "reason": other})],
            [replaced(CONVERSATIONS, was, held=[[1, 1]])],
        )
    )


def _purged(dice: Random, view: View) -> list[Write] | None:
    """A copy is gone as if it had been purged, or somebody's is not said to be purged any more."""
    was = one_of(dice, (one for one in view.all(CONVERSATIONS) if "removed" not in one))
    if was is None:
        return None
    if was.get("purged"):
        return [replaced(CONVERSATIONS, was, purged=was["purged"][1:])]
    copy = one_of(dice, view.all(PURGES, conversation=was["_id"]))
    if copy is None:
        return None
    moved = replaced(CONVERSATIONS, was, purged=[copy["mailbox"]], revision=was["revision"] + 1)
    return [moved, *gone(PURGES, [copy])]


def _exported(dice: Random, view: View) -> list[Write] | None:
    """A copy is said to be exported that was not, or otherwise than it was."""
    was = one_of(dice, view.all(PURGES))
    like = one_of(dice, (one for one in view.all(PURGES) if "exported" in one))
    if was is None or like is None:
        return None
    if "exported" in was and dice.random() < 0.5:
        return [inserted(PURGES, {name: value for name, value in was.items() if name != "exported"})]
    return [replaced(PURGES, was, exported={**like["exported"], "segments": like["exported"]["segments"] + 1})]


REMOVALS: Final[Mapping[str, Forgery]] = {
    "removed by nobody": _removed,
    "untold": _untold,
    "purged by nobody": _purged,
    "exported by nobody": _exported,
}
