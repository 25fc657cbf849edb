"""The conversations that a lane has at hand: the most recently used ones, and never more than a limit."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from consumers.conversation import Conversation


class WorkingSet(Mapping[str, Conversation]):
    """Conversations by id, as after the newest batch. Forgetting one costs a read, never correctness."""

    def __init__(self, conversations_max: int) -> None:
        self._max = conversations_max
        self._kept: OrderedDict[str, Conversation] = OrderedDict()

    def __getitem__(self, name: str) -> Conversation:
        return self._kept[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self._kept.get(name, default)  # Mapping's own costs an exception for every miss

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return those that are not at hand, and keep the others from being forgotten next."""
        absent = []
        for name in names:
            if name in self._kept:
                self._kept.move_to_end(name)
            else:
                absent.append(name)
        return absent

    def add(self, conversations: Iterable[Conversation]) -> None:
        """Keep these, newest last, and forget the least recently used beyond the limit."""
        for conversation in conversations:
            self._kept[conversation.id] = conversation
            self._kept.move_to_end(conversation.id)
        while len(self._kept) > self._max:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
