"""What a user would write by hand: read, decode the JSON, `insert_many`, commit the offsets, again. No promises."""

import json
import time
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from motor.motor_asyncio import AsyncIOMotorCollection

from consumers.kafka_login import TokenProvider, login_options
from consumers.mongo.layout import Document
from deploy.stack.local import RunningStack
from schemas.login import ARCHIVER
from tests.benchmarks.ground import PREFIX, Rate


async def hand_loop(
    stack: RunningStack, topics: list[str], collection: AsyncIOMotorCollection[Document], records: int, batch: int
) -> Rate:
    """Copy `records` records into the collection; one document a record, with its headers and its decoded value."""
    login = stack.login(ARCHIVER)
    provider = TokenProvider(stack.bootstrap, login)
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=stack.bootstrap,
        group_id=f"{PREFIX}hand-{uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 * 1024 * 1024,
        **login_options(login, provider),
    )
    await consumer.start()
    try:
        done, first = 0, 0.0
        while done < records:
            found = await consumer.getmany(timeout_ms=500, max_records=batch)
            if found and not first:
                first = time.perf_counter()
            documents = [
                {
                    "topic": record.topic,
                    "key": record.key,
                    "headers": dict(record.headers),
                    "value": json.loads(record.value or b"null"),
                }
                for partition in found.values()
                for record in partition
            ]
            if documents:
                await collection.insert_many(documents, ordered=False)
                await consumer.commit()
                done += len(documents)
        return Rate(done, time.perf_counter() - first)
    finally:
        await consumer.stop()
