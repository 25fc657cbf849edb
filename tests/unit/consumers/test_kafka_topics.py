"""What Kafka may say of a topic's id."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from consumers.kafka_topics import KafkaTopics
from schemas.errors import Misconfigured
from tests.builders import CONVERSATIONS

KNOWN = UUID(int=7)


class Answering:
    """An administration client whose broker, which leads every partition, knows the topic by this id."""

    def __init__(self, topic_id: UUID) -> None:
        self._topic_id = topic_id

    async def _send_request(self, request: object, node: int | None) -> Any:
        partition: tuple[Any, ...] = (0, CONVERSATIONS.partition, 1, 0, [1], [1], [], {})
        return SimpleNamespace(topics=[(0, CONVERSATIONS.topic, self._topic_id, False, [partition], 0, {})])


async def test_an_id_is_kept() -> None:
    """As text."""
    admin: Any = Answering(KNOWN)
    assert await KafkaTopics(admin).topic_id(CONVERSATIONS) == str(KNOWN)


async def test_no_id_is_no_id() -> None:
    """Brokers that speak an older protocol among themselves answer zero for every topic, until they are upgraded."""
    admin: Any = Answering(UUID(int=0))
    with pytest.raises(Misconfigured, match="no ids"):
        await KafkaTopics(admin).topic_id(CONVERSATIONS)
