"""Mailboxes in MongoDB, made on their first use."""

from collections.abc import Iterable
from typing import Final

from pymongo import UpdateOne

from consumers.batch import FirstUse
from consumers.folder import TREE
from consumers.mongo.layout import MAILBOXES, Database

KNOWN_MAILBOXES_MAX: Final = 200_000
"""Mailboxes remembered as made; forgetting them costs an idempotent write."""


class MongoFirstUses:
    """Makes mailboxes, and remembers those that it made."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[str, str, str]] = {}

    async def make(self, mailboxes: Iterable[FirstUse]) -> None:
        """Make mailboxes outside of the transaction: one twice is the same, and lanes do not contend for them.

        The transaction holds the fence meanwhile, so that a change of trust waits for these writes too.
        """
        if len(self._known) > KNOWN_MAILBOXES_MAX:
            self._known.clear()
        new: dict[str, FirstUse] = {}
        for use in mailboxes:
            known = self._known.get(use.mailbox)
            if known is None or precedence(use) < known:
                earlier = new.get(use.mailbox)
                if earlier is None or precedence(use) < precedence(earlier):
                    new[use.mailbox] = use
        if new:
            await self._database[MAILBOXES].bulk_write([_first_use(use) for use in new.values()], ordered=False)
            self._known.update({name: precedence(use) for name, use in new.items()})


def precedence(use: FirstUse) -> tuple[str, str, str]:
    """As `$min` compares `named`, field by field."""
    return use.at, use.conversation, use.name


def _first_use(use: FirstUse) -> UpdateOne:
    """The name is the one of the earliest use, whichever is archived first."""
    named = {"at": use.at, "conversation": use.conversation, "name": use.name}
    folders = [folder._asdict() for folder in TREE]
    return UpdateOne(
        {"_id": use.mailbox}, {"$min": {"named": named}, "$setOnInsert": {"folders": folders}}, upsert=True
    )
