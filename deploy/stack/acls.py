"""Who may do what in Kafka, by least privilege; what is not granted here nobody but the administrator may do.

Write and Read each bring Describe with them, and Write on any topic brings what an idempotent producer needs
(KIP-679), so neither client has any right on the cluster.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest

from deploy.errors import StackFailed
from deploy.stack.topics import connect_admin
from schemas.login import ARCHIVER, PRODUCER, KafkaLogin


class Pattern(IntEnum):
    """Whether a grant is for the one resource of a name or for all whose names begin so; Kafka's own numbers."""

    LITERAL = 3
    PREFIXED = 4


class _Resource(IntEnum):
    TOPIC = 2
    GROUP = 3


class _Operation(IntEnum):
    READ = 3
    WRITE = 4
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10


class _Grant(NamedTuple):
    client: str
    operation: _Operation
    resource: _Resource
    name: str
    pattern: Pattern


REBUILD_MARK: Final = "-rebuild-"
"""What stands between the archivers' group and a database in the name of the group that rebuilds into it."""

_ANY_HOST: Final = "*"
_ALLOW: Final = 3


async def ensure_acls(
    bootstrap: str, admin: KafkaLogin, topics: Sequence[str], group: str, pattern: Pattern = Pattern.LITERAL
) -> None:
    """Let the producer write the topics, and the archiver read them and use its groups; what is granted stays granted.

    The archiver may see the topics' settings too. With `Pattern.PREFIXED` topics and group are beginnings of names.

    Raises:
        StackFailed: Kafka did not take a grant.
    """
    try:
        client = await connect_admin(bootstrap, admin)
        try:
            for grant in _grants(topics, group, pattern):
                answer: Any = await client._send_to_controller(_request(grant))
                for code, _message in answer.creation_responses:
                    if code:
                        raise for_code(code)(f"{grant.operation.name} on {grant.name}")
        finally:
            await client.close()
    except (KafkaError, TimeoutError) as error:
        raise StackFailed(f"Kafka did not take the access rules: {error!r}") from error


def _grants(topics: Sequence[str], group: str, pattern: Pattern) -> Iterator[_Grant]:
    for topic in topics:
        yield _Grant(PRODUCER, _Operation.WRITE, _Resource.TOPIC, topic, pattern)
        yield _Grant(PRODUCER, _Operation.DESCRIBE, _Resource.TOPIC, topic, pattern)
        yield _Grant(ARCHIVER, _Operation.READ, _Resource.TOPIC, topic, pattern)
        yield _Grant(ARCHIVER, _Operation.DESCRIBE, _Resource.TOPIC, topic, pattern)
        # how long it keeps records
        yield _Grant(ARCHIVER, _Operation.DESCRIBE_CONFIGS, _Resource.TOPIC, topic, pattern)
    yield _Grant(ARCHIVER, _Operation.READ, _Resource.GROUP, group, pattern)
    yield _Grant(ARCHIVER, _Operation.READ, _Resource.GROUP, f"{group}{REBUILD_MARK}", Pattern.PREFIXED)


def _request(grant: _Grant) -> CreateAclsRequest:
    who = f"User:{grant.client}"
    return CreateAclsRequest(grant.resource, grant.name, grant.pattern, who, _ANY_HOST, grant.operation, _ALLOW)
