"""Forgeries of what governs an archive and says where it is: quarantine, checkpoints, policies, partners, sessions."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final

from bson import ObjectId

from consumers.mongo.documents import quarantined_of
from consumers.mongo.layout import (
    CHECKPOINTS,
    HEADS,
    LAYOUT,
    ORDERS,
    ORIGIN,
    PARTNERS,
    POLICIES,
    QUARANTINE,
    SESSIONS,
)
from schemas.fingerprint import fingerprint
from tests.fault.tampering.stored import Write
from tests.fault.tampering.view import Forgery, View, gone, inserted, one_of, replaced


def _settled(dice: Random, view: View) -> list[Write] | None:
    """A record is said to be handled as another was, or not to be handled any more."""
    was = one_of(dice, view.all(QUARANTINE))
    if was is None:
        return None
    if was["state"] != "quarantined":
        left: dict[str, Any] = dice.choice(({}, {"handled": None, "tries": 0}))
        return [replaced(QUARANTINE, was, state="quarantined", **left)]
    like = one_of(dice, (one for one in view.all(QUARANTINE) if one.get("handled")))
    handled = {} if like is None else {"handled": like["handled"]}
    return [replaced(QUARANTINE, was, state=dice.choice(("redriven", "discarded")), **handled)]


def _other_bytes(dice: Random, view: View) -> list[Write] | None:
    """A quarantined record has another value, and the fingerprint of that."""
    was = one_of(dice, (one for one in view.all(QUARANTINE) if one.get("value")))
    if was is None:
        return None
    record = quarantined_of(was).record._replace(value=b"nothing to see")
    return [replaced(QUARANTINE, was, value=record.value, fingerprint=fingerprint(record))]


def _never_came(dice: Random, view: View) -> list[Write] | None:
    """A quarantined record is gone, and the lane counts one less; or there is one more, and it counts one more."""
    was = one_of(dice, view.all(QUARANTINE))
    if was is None:
        return None
    lane = view.all(CHECKPOINTS, _id=f"{was['topic']}/{was['partition']}")
    more = dice.random() < 0.5
    counted = [
        replaced(CHECKPOINTS, one, quarantined=one["quarantined"] + (1 if more else -1))
        for one in lane
        if dice.random() < 0.5
    ]
    if not more:
        return [*gone(QUARANTINE, [was]), *counted]
    offset = was["offset"] + 1000
    return [inserted(QUARANTINE, {**was, "_id": f"{was['topic']}/{was['partition']}/{offset}", "offset": offset})]


def _elsewhere(dice: Random, view: View) -> list[Write] | None:
    """A lane is further than it came, or not so far, or counts other records, or knows of a later event."""
    was = one_of(dice, view.all(CHECKPOINTS))
    if was is None:
        return None
    later = {"watermark": was["watermark"] and was["watermark"] + timedelta(days=dice.choice((1, -1)))}
    moved = {"archived": was["archived"] + 1, "duplicate": was["duplicate"] - 1}
    facts = ({"next": was["next"] + 1}, {"next": was["next"] - 1}, moved, later, {"topic_id": "forged"}, {"log": 9})
    return [replaced(CHECKPOINTS, was, **dice.choice(facts))]


def _governed_otherwise(dice: Random, view: View) -> list[Write] | None:
    """A policy has another value or another moment; or there is one more, or the last is gone."""
    was = one_of(dice, view.all(POLICIES))
    if was is None:
        return None
    last = max(one["_id"] for one in view.all(POLICIES))
    earlier = {"effective_at": was["effective_at"] - timedelta(days=1)}
    return dice.choice(
        (
            [replaced(POLICIES, was, value=None if was["value"] else {"held": True})],
            [replaced(POLICIES, was, **earlier)],
            [replaced(POLICIES, was, by="somebody else")],
            [inserted(POLICIES, {**was, "_id": last + 1, **earlier})],
            gone(POLICIES, view.all(POLICIES, _id=last)),
        )
    )


def _trusted(dice: Random, view: View) -> list[Write] | None:
    """A partner is enabled or disabled, has more roles or another key; or there is one more."""
    was = one_of(dice, view.all(PARTNERS))
    if was is None:
        return None
    key = {"x5t": "m" * 27, "certificate": dice.randbytes(40)}
    return dice.choice(
        (
            [replaced(PARTNERS, was, enabled=not was["enabled"])],
            [replaced(PARTNERS, was, roles=[*was["roles"], "Mallory"])],
            [replaced(PARTNERS, was, keys=[*was["keys"], key])],
            [replaced(PARTNERS, was, trust="application" if was["trust"] == "full" else "full")],
            [inserted(PARTNERS, {**was, "_id": "mallory@contoso.example", "application": "mallory"})],
        )
    )


def _told(dice: Random, view: View) -> list[Write] | None:
    """A refused token is an accepted one, a session is gone, or there is one more."""
    was = one_of(dice, view.all(SESSIONS))
    if was is None:
        return None
    accepted = replaced(SESSIONS, was, rule="bad-signature" if was["rule"] is None else None)
    return dice.choice(([accepted], gone(SESSIONS, [was]), [inserted(SESSIONS, {**was, "_id": ObjectId()})]))


def _ordered(dice: Random, view: View) -> list[Write] | None:
    """An order to skip records gives up others, is gone, or is one more."""
    was = one_of(dice, view.all(ORDERS))
    if was is None:
        return None
    more = {**was, "_id": was["_id"].replace("T", "T0", 1), "reason": "forged"}
    return dice.choice(
        ([replaced(ORDERS, was, given_up=7, to=was["to"] + 1)], gone(ORDERS, [was]), [inserted(ORDERS, more)])
    )


def _rebuilt(dice: Random, view: View) -> list[Write] | None:
    """An archive that lanes wrote is said to be a rebuilt one, or the other way round, or of other records."""
    was = one_of(dice, view.all(ORIGIN))
    if was is None:
        facts = {"kind": "kafka", "topics": ["lync.conversations"], "sha256": None, "completed_at": None}
        return [inserted(ORIGIN, {"_id": "origin", **facts})]
    return dice.choice(
        (gone(ORIGIN, [was]), [replaced(ORIGIN, was, sha256="1" * 64)], [replaced(ORIGIN, was, completed_at=None)])
    )


def _bookkeeping(dice: Random, view: View) -> list[Write] | None:
    """There is no head of a chain, no checkpoint of a lane, or no layout."""
    kind = dice.choice((HEADS, CHECKPOINTS, LAYOUT))
    was = one_of(dice, view.all(kind))
    return None if was is None else gone(kind, [was])


RECORDS: Final[Mapping[str, Forgery]] = {
    "settled": _settled,
    "other bytes": _other_bytes,
    "never came": _never_came,
    "elsewhere": _elsewhere,
    "governed otherwise": _governed_otherwise,
    "trusted": _trusted,
    "told": _told,
    "ordered": _ordered,
    "rebuilt": _rebuilt,
    "bookkeeping": _bookkeeping,
}
