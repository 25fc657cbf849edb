"""A finding of an audit: what is not as the journal says."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A document of a collection, by its id or place, and what is wrong with it; nothing of its content."""

    collection: str
    document: str
    problem: str

    def __str__(self) -> str:
        return f"{self.collection} {self.document}: {self.problem}"
