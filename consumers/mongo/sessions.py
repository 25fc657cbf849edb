"""Sessions in MongoDB: documents that are inserted and never touched again."""

from collections.abc import Sequence

from consumers.mongo.failures import reported
from consumers.mongo.layout import SESSIONS, Collection, Database
from consumers.tokens.session import Session


class MongoSessions:
    """The `SessionLog` on a replica set."""

    def __init__(self, database: Database) -> None:
        self._sessions: Collection = database[SESSIONS]

    async def record(self, session: Session) -> None:
        with reported("a session cannot be recorded"):
            await self._sessions.insert_one(session._asdict())

    async def latest(self, count: int) -> Sequence[Session]:
        """Return the newest sessions, newest first."""
        with reported("sessions cannot be read"):
            found = await self._sessions.find({}, {"_id": 0}).sort([("at", -1), ("_id", -1)]).limit(count).to_list(None)
        return [Session(**document) for document in found]
