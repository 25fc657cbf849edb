"""What a forger sees of an archive, and has: everything that is stored, and a key of their own."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

from consumers.audit.ed25519 import Ed25519Signer
from consumers.mongo.layout import Document
from tests.fault.tampering.mutation import Earlier
from tests.fault.tampering.stored import Place, Stored, Write


class View(NamedTuple):
    """All that is stored, and was; and a key that signs like the archive's and is not."""

    earlier: Earlier
    signer: Ed25519Signer

    @property
    def now(self) -> Stored:
        """What is stored."""
        return self.earlier[-1]

    def all(self, collection: str, *, of_files: bool = False, **facts: Any) -> list[Document]:
        """Return the documents of a collection that have these values."""
        found = self.now.get(Place(of_files, collection), {}).values()
        return [one for one in found if all(one.get(name) == value for name, value in facts.items())]


Forgery = Callable[[Random, View], list[Write] | None]
"""What somebody may do who knows what documents mean; None where there is nothing that it could be done to."""


def one_of(dice: Random, found: Iterable[Document]) -> Document | None:
    """Return one of these, if there is any."""
    documents = list(found)
    return dice.choice(documents) if documents else None


def replaced(collection: str, was: Document, *, of_files: bool = False, **facts: Any) -> Write:
    """Return the write that gives a document other values."""
    return Write(Place(of_files, collection), was["_id"], {**was, **facts})


def inserted(collection: str, document: Document, *, of_files: bool = False) -> Write:
    """Return the write that adds a document."""
    return Write(Place(of_files, collection), document["_id"], document)


def gone(collection: str, documents: Iterable[Document], *, of_files: bool = False) -> list[Write]:
    """Return the writes that remove documents."""
    return [Write(Place(of_files, collection), one["_id"], None) for one in documents]
