"""The campaign: archives of seeds, each audited as it is, and after one mutation after another."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from pymongo.errors import BulkWriteError, PyMongoError

from consumers.audit.ed25519 import Ed25519Checker, new_key, read_signer
from consumers.audit.finding import Finding
from consumers.mongo.audit import MongoAuditor
from consumers.mongo.layout import CONVERSATIONS, Database
from tests.fault.tampering.archive import Archive, opened_at
from tests.fault.tampering.building import Built, build
from tests.fault.tampering.forged_content import CONTENT
from tests.fault.tampering.forged_journal import CHAINS
from tests.fault.tampering.forged_records import RECORDS
from tests.fault.tampering.forged_removals import REMOVALS
from tests.fault.tampering.mutation import BLIND, Mutation
from tests.fault.tampering.naming import EXCLUDED, attested, contradicted, conversation_of, named
from tests.fault.tampering.stored import Write, changes, differing, replaced_by, undo, write
from tests.fault.tampering.view import View

FORGERIES: Final = {**CONTENT, **CHAINS, **RECORDS, **REMOVALS}

BLIND_SHARE: Final = 0.6
"""How many of the mutations know nothing of what documents mean."""

CLEANED_EVERY: Final = 5
"""After so many mutations that were undone the archive is audited once more, and must be as it was."""


NAMED, CONTRADICTED, MISNAMED, MISSED, CRASHED = "named", "contradicted", "MISNAMED", "MISSED", "CRASH"
"""How an audit tells a mutation: by the document, by one that contradicts it, by another; not at all; or it fails."""


@dataclass(slots=True)
class Report:
    """What was tried and found, and what should not be."""

    archives: int = 0
    looks: int = 0
    mutations: Counter[str] = field(default_factory=Counter)
    collections: Counter[str] = field(default_factory=Counter)
    attested: set[str] = field(default_factory=set)
    """Every collection that there was a document of, but those that nothing vouches for."""
    told: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


async def campaign(
    uri: str, name: str, archives: int, mutations: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> Report:
    """Attack as many archives, the first of this seed, with as many mutations in all; `say` is told of each problem."""
    report = Report()
    opened = opened_at(uri)
    try:
        for number in range(archives):
            some = mutations * (number + 1) // archives - mutations * number // archives
            known = len(report.problems)
            await attack(uri, opened, seed + number, some, report, f"{name}_{number}")
            for problem in report.problems[known:]:
                say(f"PROBLEM: {problem}")
    finally:
        opened.client.close()
    return report


async def attack(uri: str, opened: Database, seed: int, mutations: int, report: Report, name: str) -> None:
    """Build the archive of a seed, and find nothing; mutate it so many times, and find each."""

    async def look(archive: Archive) -> None:
        await _unclean(archive, seed, "while it is written", report)

    built = await build(uri, opened, name, seed, look)
    try:
        report.archives += 1
        if await _unclean(built.archive, seed, "as it was written", report):
            return
        report.attested |= {one.collection for one, found in built.earlier[-1].items() if found} - EXCLUDED.keys()
        dice, view = Random(f"mutations {seed}"), View(built.earlier, read_signer(new_key()))
        for number in range(1, mutations + 1):
            await _mutated(built, dice, view, f"seed {seed}, mutation {number}", report)
            if number % CLEANED_EVERY == 0 and await _unclean(built.archive, seed, f"after mutation {number}", report):
                return
    finally:
        await built.archive.drop()


async def _unclean(archive: Archive, seed: int, when: str, report: Report) -> bool:
    found = await findings(archive)
    one = await archive.database[CONVERSATIONS].find_one({}, {"_id": 1})
    if one is not None:
        found += await findings(archive, one["_id"])
    report.looks += 1
    report.problems += [f"FALSE ALARM, seed {seed}, {when}: {finding}" for finding in found[:5]]
    return bool(found)


async def findings(archive: Archive, conversation: str | None = None) -> list[Finding]:
    """Audit the archive, as `audit verify` does."""
    auditor = MongoAuditor(archive.database, archive.contents, Ed25519Checker(archive.keys), archive.switches)
    return [finding async for finding in auditor.findings(conversation)]


async def _mutated(built: Built, dice: Random, view: View, place: str, report: Report) -> None:
    """Make one mutation that counts, audit, and undo it."""
    archive, stored = built.archive, view.now
    while True:
        mutation = draw(dice, view)
        writes = changes(stored, mutation.writes)
        if not attested(stored, writes):
            continue
        try:
            await write(archive.database, archive.contents, writes)
        except BulkWriteError:  # MongoDB itself does not take it
            await write(archive.database, archive.contents, undo(stored, writes))
            continue
        break
    try:
        await _judge(archive, view, mutation._replace(writes=attested(stored, writes)), place, report)
    finally:
        await write(archive.database, archive.contents, undo(stored, writes))


async def _judge(archive: Archive, view: View, mutation: Mutation, place: str, report: Report) -> None:
    """Audit the whole archive, and where one conversation was altered that one alone too."""
    report.mutations[mutation.kind] += 1
    report.collections.update({one.place.collection for one in mutation.writes})
    what = f"{place}, {mutation.kind}: {', '.join(_shown(view, one) for one in mutation.writes[:3])}"
    names = {conversation_of(one, replaced_by(view.now, one) or one.document) for one in mutation.writes}
    for conversation in (None, *(names if len(names) == 1 and None not in names else ())):
        told, found = await _told(archive, view, mutation, conversation)
        report.told[told if conversation is None else f"{told} of one conversation"] += 1
        if told not in {NAMED, CONTRADICTED}:
            report.problems.append(f"{told}, {what}, audit of {conversation or 'everything'}: {found}")


async def _told(archive: Archive, view: View, mutation: Mutation, conversation: str | None) -> tuple[str, str]:
    """Return how the audit tells what was done, and what it says first."""
    try:
        found = await findings(archive, conversation)
    except PyMongoError:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, it is no finding
        return CRASHED, repr(error)
    said = "; ".join(map(str, found[:3]))
    if any(named(one, write) for one in found for write in mutation.writes):
        return NAMED, said
    if any(contradicted(one, view.now, write) for one in found for write in mutation.writes):
        return CONTRADICTED, said
    return MISNAMED if found else MISSED, said


def draw(dice: Random, view: View) -> Mutation:
    """Return a mutation; each collection is as likely as any other, and each forgery."""
    while True:
        if dice.random() < BLIND_SHARE:
            place = dice.choice([place for place, documents in view.now.items() if documents])
            kind = dice.choice(list(BLIND))
            writes = BLIND[kind](dice, view.earlier, place)
        else:
            kind = dice.choice(list(FORGERIES))
            writes = FORGERIES[kind](dice, view)
        if writes:
            return Mutation(kind, writes)


def _shown(view: View, write: Write) -> str:
    was = replaced_by(view.now, write)
    names = sorted(differing(was or {}, write.document or {}))
    how = "removed" if write.document is None else "inserted" if was is None else f"changed in {', '.join(names)}"
    return f"{write.place.collection} {write.id} {how}"
