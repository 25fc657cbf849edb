"""An archive of a seed: everything that may legally happen to one, in an order of the seed's own."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from random import Random
from typing import Final

from consumers.batch import LaneId
from consumers.mongo.changes import adopt_changes
from consumers.mongo.layout import CHECKPOINTS, FENCES, Database
from consumers.mongo.probe import MongoProbe
from consumers.origin import Origin, OriginKind
from consumers.policy.decision import Switches
from consumers.policy.subject import GLOBAL, Subject, SubjectKind
from consumers.tokens.partner import PartnerKey
from consumers.tokens.session import Session
from schemas.policies import (
    ArchivedSessions,
    ArchivingConfiguration,
    ArchivingPolicy,
    DirectoryUser,
    ExchangeArchiving,
    MailboxHold,
    PolicyValue,
    PoolPlace,
)
from schemas.principals import Principal
from tests.fault.tampering.archive import Archive, empty_archive
from tests.fault.tampering.arrivals import PEOPLE, Arrival, Told, told
from tests.fault.tampering.retaining import daily, forgotten, marked, purged, swept
from tests.fault.tampering.stored import Stored, read
from tests.support.trust import GRANT, PARTNER

Happening = Callable[[Archive, Random], Coroutine[None, None, None]]

Look = Callable[[Archive], Coroutine[None, None, None]]
"""Somebody looks at an archive, as an audit does."""

LOOKED_AT: Final = 0.2
"""How often somebody looks while something happens."""

EARLIER_MAX: Final = 6
"""Moments of an archive that are remembered, to go back to."""


class Built:
    """An archive, and what was stored at some moments of its life, the last of them now."""

    def __init__(self, archive: Archive, earlier: list[Stored]) -> None:
        self.archive = archive
        self.earlier = earlier


async def build(uri: str, opened: Database, name: str, seed: int, look: Look) -> Built:
    """Build the archive of that seed; now and then somebody looks at it while it is written."""
    dice = Random(f"archive {seed}")
    archive = await empty_archive(uri, opened, name, Switches(exchange_heeds_policy=dice.random() < 0.3))
    heard = told(dice)
    await archive.partners().put(PARTNER)
    await MongoProbe(archive.database).write()
    rebuilt = dice.random() < 0.25
    if rebuilt:
        await _rebuilt_from(archive, opened, dice)
    if dice.random() < 0.9:
        await govern(archive, dice)
    await archive.put(heard.early + heard.idle)
    for data in heard.wrong:
        await archive.put_wrong(data)
    earlier = await _live(archive, heard, dice, look)
    if rebuilt:
        await archive.origin().complete()
    return Built(archive, [*earlier, await read(archive.database, archive.contents)])


async def _live(archive: Archive, heard: Told, dice: Random, look: Look) -> list[Stored]:
    """Let everything arrive, with other things in between, each kind of them at least once."""
    lanes = {lane: list(arrivals) for lane, arrivals in heard.lanes.items()}
    happenings = [*HAPPENINGS, *dice.choices(HAPPENINGS, k=3)]
    dice.shuffle(happenings)
    earlier: list[Stored] = []
    late = list(heard.late + heard.wrong)
    while lanes or happenings:
        archive.clock.advance(dice.uniform(0.5, 90))
        arrives = lanes and (not happenings or dice.random() < 0.6)
        async with asyncio.TaskGroup() as group:
            if dice.random() < LOOKED_AT:
                group.create_task(look(archive))
            await (_arrive(archive, lanes, dice) if arrives else happenings.pop()(archive, dice))
        if late and not lanes:
            await archive.put([late.pop() for _ in range(dice.randint(1, len(late)))])
        if len(earlier) < EARLIER_MAX and dice.random() < 0.3:
            earlier.append(await read(archive.database, archive.contents))
    await archive.put(late)
    if dice.random() < 0.7:
        await archive.redrive()
    return earlier


async def _arrive(archive: Archive, lanes: dict[LaneId, list[Arrival]], dice: Random) -> None:
    lane = dice.choice(sorted(lanes))
    count = dice.randint(1, 9)
    await archive.archive(lane, lanes[lane][:count], dice.choice((0, 0, 0, 1)), killed=dice.random() < 0.1)
    del lanes[lane][:count]
    if not lanes[lane]:
        del lanes[lane]
    if dice.random() < 0.2:
        await archive.skip(dice.choice(list(await archive.store.lanes())), dice.randint(1, 5), anew=dice.random() < 0.5)


async def _rebuilt_from(archive: Archive, opened: Database, dice: Random) -> None:
    """Begin as a rebuild does, with the policies of another archive."""
    origin = archive.origin()
    if dice.random() < 0.5:
        await origin.begin(Origin(OriginKind.RECORDING, ("lync.conversations",), "0" * 64))
    else:
        await origin.begin(Origin(OriginKind.KAFKA, ("lync.conversations", "lync.conferences")))
    source = await empty_archive(archive.uri, opened, f"{archive.database.name}_source")
    try:
        await source.partners().put(PARTNER)
        await govern(source, dice)
        await adopt_changes(source.database, archive.database, archive.clock, archive.signer)
    finally:
        await source.drop()


async def govern(archive: Archive, dice: Random) -> None:
    """Change policies: those of the organisation, of some users, and a hold."""
    values: dict[Subject, PolicyValue | None] = {
        Subject(SubjectKind.CONFIGURATION, GLOBAL): ArchivingConfiguration(
            enable_archiving=dice.choice((*ArchivedSessions, *[ArchivedSessions.IM_AND_WEB_CONF] * 6)),
            enable_exchange_archiving=dice.random() < 0.7,
            enable_purging=dice.random() < 0.5,
            keep_archiving_data_for_days=dice.choice((1, 100, 100, 100)),
            purge_exported_archives_only=dice.random() < 0.3,
        ),
        Subject(SubjectKind.POLICY, GLOBAL): ArchivingPolicy(
            archive_internal=True, archive_external=dice.random() < 0.8
        ),
        Subject(SubjectKind.POOL, "pool1"): PoolPlace(site=dice.choice(("redmond", "east"))),
    }
    for who in dice.sample(PEOPLE[:-1], 3):
        values[Subject(SubjectKind.USER, who.sip)] = dice.choice((None, *[_user(dice)] * 5))
        if dice.random() < 0.2:
            values[Subject(SubjectKind.HOLD, who.sip)] = MailboxHold(held=dice.random() < 0.7)
    found = sorted(values.items())
    if await archive.store.policy_changes(0):
        found = dice.sample(found, dice.randint(2, len(found)))
    await archive.change_policies(dict(found))


def _user(dice: Random) -> DirectoryUser:
    return DirectoryUser(
        pool=dice.choice(("", "pool1")),
        exchange_archiving=dice.choice((*ExchangeArchiving, *[ExchangeArchiving.USE_LYNC] * 2)),
        mailbox=dice.choice((0, 2010, 2013, 2013)),
        conversation_history=dice.random() < 0.7,
    )


async def _partners(archive: Archive, dice: Random) -> None:
    """Another partner is added, has keys, and is disabled; ours is switched off and on again."""
    partners = archive.partners()
    other = replace(PARTNER, name="other", principal=Principal("other", "contoso.example"), enabled=dice.random() < 0.5)
    await partners.put(other)
    await partners.publish(other.principal, (PartnerKey("y" * 27, dice.randbytes(40)),))
    for enabled in (False, True):
        await partners.switch(PARTNER.principal, enabled=enabled)


async def _sessions(archive: Archive, dice: Random) -> None:
    """Tokens are accepted and refused."""
    sessions, token = archive.sessions(), f"t{dice.randint(1, 9)}"
    who, until = GRANT.principal, GRANT.expires_at
    await sessions.record(Session(archive.now(), None, token, who.application, who.realm, None, GRANT.x5t, until))
    await sessions.record(Session(archive.now(), dice.choice(("bad-signature", "too-large")), token))


async def _redriven(archive: Archive, dice: Random) -> None:
    """Everything in quarantine is tried again, or some of it with the bytes that it should have had."""
    names = await archive.quarantined()
    some = tuple(dice.sample(names, dice.randint(0, len(names))))
    mended = {name: archive.mended[name] for name in some if name in archive.mended}
    if some:
        await archive.redrive(some, mended)


async def _tried(archive: Archive, _: Random) -> None:
    """Everything in quarantine is tried again as it is."""
    await archive.redrive()


async def _discarded(archive: Archive, dice: Random) -> None:
    names = await archive.quarantined()
    if names:
        await archive.discard(dice.sample(names, dice.randint(1, min(2, len(names)))))


async def _deleted(archive: Archive, dice: Random) -> None:
    for _ in range(dice.randint(1, 2)):
        await archive.delete(dice)


async def _another_key(archive: Archive, dice: Random) -> None:
    if dice.random() < 0.5:
        archive.change_key()


async def _killed(archive: Archive, dice: Random) -> None:
    """Whoever changes policies or trust is killed before the end: the hold stays, or no lane's document is touched."""
    lanes = (CHECKPOINTS, FENCES)
    if dice.random() < 0.3:
        kept = {name: await archive.database[name].find({}, {"act": 1}).to_list(None) for name in lanes}
        await archive.partners().switch(PARTNER.principal, enabled=True)
        for name, documents in kept.items():
            for one in documents:
                change = {"$set": {"act": one["act"]}} if "act" in one else {"$unset": {"act": ""}}
                await archive.database[name].update_one({"_id": one["_id"]}, change)
    if dice.random() < 0.5:
        until = {"$set": {"held_until": archive.now()}}
        for name in lanes:
            await archive.database[name].update_many({}, until)


HAPPENINGS: Final[tuple[Happening, ...]] = (
    govern,
    _partners,
    _sessions,
    _redriven,
    _tried,
    _discarded,
    _deleted,
    _deleted,
    _another_key,
    _killed,
    marked,
    forgotten,
    purged,
    daily,
    swept,
    forgotten,
)
