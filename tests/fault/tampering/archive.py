"""One small archive on a real mongod, written by the adapters that the program writes with."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random
from typing import Final

from bson import Binary

from consumers.audit.ed25519 import Ed25519Signer, new_key, read_signer
from consumers.batch import Checkpoint, LaneId, Log
from consumers.content import Claim, claims
from consumers.fold import fold, recalls
from consumers.grant_keeper import GrantKeeper
from consumers.lane import LaneLimits
from consumers.missing import missing, skip_order
from consumers.mongo.content_store import MongoContent
from consumers.mongo.first_uses import MongoFirstUses
from consumers.mongo.lanes import MongoLanes
from consumers.mongo.layout import CHECKPOINTS, CHUNKS, FILES, ITEMS, QUARANTINE, Database, content_database, prepare
from consumers.mongo.mailboxes import MongoMailboxes
from consumers.mongo.origin import MongoOrigin
from consumers.mongo.partners import MongoPartners
from consumers.mongo.policies import MongoPolicies
from consumers.mongo.quarantine import MongoQuarantine
from consumers.mongo.sessions import MongoSessions
from consumers.mongo.store import MAJORITY, connect
from consumers.mongo.transaction import JOURNALED
from consumers.policy.decision import Switches
from consumers.policy.governance import AS_READ
from consumers.policy.governing import Governing
from consumers.policy.subject import Subject
from consumers.quarantine import entry_id
from consumers.redriving import Redriver, Selection
from producers.gridfs_content import CHUNK_BYTES, GridFsContent
from schemas.envelope import Event
from schemas.policies import PolicyValue
from schemas.record import Record
from tests import builders as b
from tests.fault.tampering.arrivals import ITEM_BYTES_MAX, Arrival
from tests.support.clock import START, ManualClock
from tests.support.trust import GRANT, ReadyAuthority

LIMITS: Final = LaneLimits()
KEYS: Final = 3


@dataclass(slots=True)
class Archive:
    """An archive and everything that writes to it, one key after another; `keys` are those that may have signed."""

    uri: str
    database: Database
    contents: Database
    switches: Switches = AS_READ
    clock: ManualClock = field(default_factory=ManualClock)
    signers: list[Ed25519Signer] = field(default_factory=lambda: [read_signer(new_key()) for _ in range(KEYS)])
    mended: dict[str, Record] = field(default_factory=dict)
    signer: Ed25519Signer = field(init=False)
    store: MongoQuarantine = field(init=False)

    def __post_init__(self) -> None:
        self.change_key()

    @property
    def keys(self) -> list[bytes]:
        """The public halves of the keys that sign for it, sooner or later."""
        return [signer.public for signer in self.signers]

    def change_key(self) -> None:
        """Sign with the next key from here on, as processes do that are started anew with another."""
        place = self.signers.index(self.signer) + 1 if hasattr(self, "signer") else 0
        self.signer = self.signers[min(place, KEYS - 1)]
        self.store = MongoQuarantine(self.database, self.clock, self.signer)

    async def archive(self, lane: LaneId, arrivals: Iterable[Arrival], skipped: int = 0, *, killed: bool) -> None:
        """Commit a batch of a lane, be it after somebody was killed amid it; `skipped` offsets hold no record."""
        checkpoint = await self.store.checkpoint(lane) or Checkpoint(lane, 0, log=Log("topic 0"))
        records = []
        for offset, one in enumerate(arrivals, start=checkpoint.next + skipped):
            records.append(one.record._replace(offset=offset))
            if one.whole is not None:
                self.mended[entry_id(records[-1], checkpoint.log.number)] = one.whole
        run = b.decoded(records, records[0].offset)
        known = await self.store.load({one.event.data.conversation for one in run if isinstance(one.event, Event)})
        governing = Governing(self.store, self.switches)
        await governing.refresh()
        recalled = await self.store.recall(recalls(run, known))
        contents = await self.content().inspect(claims(run))
        batch = fold(checkpoint, run, known, recalled, contents, governing.current)
        if killed:
            await MongoFirstUses(self.database).make(batch.mailboxes)
        await self.store.commit(GRANT, batch)

    def content(self) -> MongoContent:
        """The files, as the archiver has them."""
        return MongoContent(self.database, self.contents, ITEM_BYTES_MAX)

    async def put(self, files: Collection[bytes]) -> None:
        """Put files as a producer does."""
        async with GridFsContent(self.uri, self.contents.name, self.clock) as sink:
            for data in files:
                await sink.put(BytesIO(data), "a file", "text/plain")

    async def put_wrong(self, data: bytes) -> None:
        """Leave other bytes under the digest of these, as a producer that is not ours may, and let that be noted."""
        name, other = hashlib.sha256(data).hexdigest(), b"x" * len(data)
        now = self.clock.now()
        metadata = {"state": "present", "put_at": now, "written": "somebody", "media_type": "text/plain"}
        facts = {"length": len(other), "chunkSize": CHUNK_BYTES, "uploadDate": now, "filename": "other"}
        facts["metadata"] = metadata
        await self.contents[FILES].replace_one({"_id": name}, facts, upsert=True)
        await self.contents[CHUNKS].delete_many({"files_id": name})
        await self.contents[CHUNKS].insert_one({"files_id": name, "n": 0, "data": Binary(other)})
        await self.content().inspect([Claim(name, len(data))])

    async def redrive(self, ids: tuple[str, ...] = (), replacements: Mapping[str, Record] | None = None) -> None:
        """Try quarantined records again."""
        grants = GrantKeeper(ReadyAuthority(), self.clock)
        streams = b.TOPIC_STREAMS
        redriver = Redriver(self.store, self.content(), grants, self.clock, streams, LIMITS, self.switches)
        await redriver.run(Selection(ids), replacements)

    async def quarantined(self) -> list[str]:
        """Return the ids of what is in quarantine still."""
        found = (
            await self.database[QUARANTINE].find({"state": "quarantined"}, {"_id": 1}, sort=[("_id", 1)]).to_list(None)
        )
        return [one["_id"] for one in found]

    async def discard(self, ids: Collection[str]) -> None:
        """Discard entries."""
        await self.store.discard(GRANT, ids, "a test's own")

    async def change_policies(self, values: Mapping[Subject, PolicyValue | None]) -> None:
        """Change policies from a moment after all that is archived."""
        latest = await self.database[CHECKPOINTS].find_one(sort=[("watermark", -1)])
        reached = latest["watermark"] if latest else None
        moment = (reached or START - timedelta(days=1)).replace(tzinfo=UTC, microsecond=0) + timedelta(seconds=2)
        await MongoPolicies(self.database, self.clock, self.signer).change(GRANT, values, moment)

    async def skip(self, lane: LaneId, given_up: int, *, anew: bool) -> None:
        """Go on without records that are gone: those before the log's first, or those of another log."""
        checkpoint = await self.store.checkpoint(lane)
        assert checkpoint is not None
        first = 0 if anew else checkpoint.next + given_up
        lost = missing(checkpoint, f"topic {checkpoint.log.number + anew}", first, first + 9)
        await MongoLanes(self.database, self.clock, self.signer).skip(GRANT, skip_order(lost, None, "records expired"))

    async def delete(self, dice: Random) -> None:
        """Delete an item for its user, if there is one."""
        found = await self.database[ITEMS].find({"deleted": None}, {"mailbox": 1}, sort=[("_id", 1)]).to_list(None)
        if found:
            one = dice.choice(found)
            mailboxes = MongoMailboxes(self.database, self.clock, self.signer)
            await mailboxes.delete(GRANT, one["mailbox"], one["_id"])

    def partners(self) -> MongoPartners:
        """Those who are trusted."""
        return MongoPartners(self.database, self.clock, self.signer)

    def sessions(self) -> MongoSessions:
        """What tokens opened."""
        return MongoSessions(self.database, self.clock, self.signer)

    def origin(self) -> MongoOrigin:
        """What it was rebuilt from."""
        return MongoOrigin(self.database, self.clock, self.signer)

    def now(self) -> datetime:
        """What time it is there."""
        return self.clock.now()

    async def drop(self) -> None:
        """Drop both databases."""
        for database in (self.database, self.contents):
            await database.client.drop_database(database.name)


async def empty_archive(uri: str, opened: Database, name: str, switches: Switches = AS_READ) -> Archive:
    """Return a new archive of that name; `opened` is any database of the same servers."""
    database: Database = opened.client.get_database(name, read_concern=MAJORITY, write_concern=JOURNALED)
    await prepare(database)
    return Archive(uri, database, content_database(database), switches)


def opened_at(uri: str) -> Database:
    """Return a handle to the servers."""
    return connect(uri, "unused")
