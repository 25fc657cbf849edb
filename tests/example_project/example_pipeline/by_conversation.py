"""Orders records by conversation, as a pipeline might that collects each of them before it publishes."""

from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def by_conversation(records: Iterable[Item], lose: int | None = None) -> list[Item]:
    """Return the records, one conversation after another, each in its order; all but the one to lose."""
    kept = [record for number, record in enumerate(records) if number != lose]
    return sorted(kept, key=lambda record: record.key or b"")  # type: ignore[attr-defined]
