"""The conversations that a lane has at hand: the most recently used ones, and never more than a limit."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from consumers.conversation import Conversation
from consumers.sequences import count


class WorkingSet(Mapping[str, Conversation]):
    """Conversations by id, as after the newest batch. Forgetting one costs a read, never correctness.

    At most `conversations_max`, and no more than `parts_max` parts of them (`parts_of`): a large conference takes the
    memory of many conversations between two. What was added last always stays, however large: a batch that commits
    is not in the store yet, and the next one is made on top of it.
    """

    def __init__(self, conversations_max: int, parts_max: int) -> None:
        self._max = conversations_max
        self._parts_max = parts_max
        self._parts = 0
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
        """Keep these, newest last, and forget the least recently used beyond the limits."""
        last = 0
        for conversation in conversations:
            last += 1
            before = self._kept.get(conversation.id)
            self._parts += parts_of(conversation) - (0 if before is None else parts_of(before))
            self._kept[conversation.id] = conversation
            self._kept.move_to_end(conversation.id)
        while (len(self._kept) > self._max or self._parts > self._parts_max) and len(self._kept) > last:
            _, forgotten = self._kept.popitem(last=False)
            self._parts -= parts_of(forgotten)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._parts = 0


def parts_of(conversation: Conversation) -> int:
    """Return how many parts of some hundred bytes a conversation has: people, their moves, ranges, what failed."""
    events = count(conversation.held) - conversation.messages
    withheld = sum(map(len, conversation.undelivered.values()))
    return len(conversation.members) + len(conversation.held) + events + withheld
