"""Sessions in MongoDB, on a real server."""

import asyncio
from typing import Any

from consumers.mongo.layout import JOURNAL, SESSIONS, Database, prepare
from consumers.mongo.sessions import MongoSessions
from consumers.mongo.store import connect
from consumers.tokens.session import Session
from tests.support.audit import SIGNER
from tests.support.clock import ManualClock

TOKENS = 20


async def test_many_tokens_at_once_keep_nobody_from_a_session(stack: Any, database: str) -> None:
    """However many tokens are presented to a process at once, none of their sessions meets another and has to wait."""
    own: Database = connect(stack.mongodb_uri, database)
    try:
        await prepare(own)
        clock = ManualClock()  # which would stand still for whoever waits
        sessions = MongoSessions(own, clock, SIGNER)
        async with asyncio.timeout(30):
            await asyncio.gather(
                *(sessions.record(Session(clock.now(), "expired", str(number))) for number in range(TOKENS))
            )
        assert len(await own[SESSIONS].distinct("token_id")) == TOKENS
        assert await own[JOURNAL].count_documents({"_id.chain": "sessions"}) == TOKENS
    finally:
        own.client.close()
