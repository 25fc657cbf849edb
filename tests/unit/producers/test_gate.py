"""Critical mode: what is accepted while the archive cannot keep it, and that what is accepted is whole."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from random import Random

import pytest

from producers.gate import EVERYBODY, MATTERS, CriticalMode, Matter, Refusal, refusal
from producers.gated import gated
from producers.health_view import HealthView, Outage
from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas import events as ev
from schemas import meetings as mt
from schemas.catalogue import ENDERS, EventType
from schemas.envelope import Event, decode, encode
from schemas.events import EventData
from schemas.health import SILENCE_S, Condition, StoreHealth
from schemas.record import Record
from tests import builders as b
from tests.builders import ALICE, BOB, CAROL, THREAD, ended, joined, left, message, started
from tests.support.clock import START

WELL, STORE, FILES = Outage(), Outage(store=True), Outage(files=True)
ALICE_IS = CriticalMode(frozenset({ALICE.sip}))

BLOCKED: dict[tuple[Matter, Outage], Refusal] = {
    (Matter.IM_BEGINS, STORE): Refusal.IM_BLOCKED,
    (Matter.IM, STORE): Refusal.IM_BLOCKED,
    (Matter.CONFERENCE_BEGINS, STORE): Refusal.NOT_ACTIVATED,
    (Matter.CONFERENCE_IM, STORE): Refusal.RESTRICTED,
    (Matter.CONFERENCE_CONTENT, STORE): Refusal.RESTRICTED,
    (Matter.CONFERENCE_BEGINS, FILES): Refusal.NOT_ACTIVATED,
    (Matter.CONFERENCE_CONTENT, FILES): Refusal.RESTRICTED,
}


def test_every_type_matters() -> None:
    """A type that the gate does not know would be let in, or kept out, by nobody's decision."""
    assert set(MATTERS) == set(EventType)


@pytest.mark.parametrize("outage", [WELL, STORE, FILES])
@pytest.mark.parametrize("matter", Matter)
def test_the_finer_split(matter: Matter, outage: Outage) -> None:
    """The store blocks instant messages and conferences, files alone conferences; without the setting, nothing does."""
    assert refusal(matter, {ALICE.sip}, outage, ALICE_IS) is BLOCKED.get((matter, outage))
    assert refusal(matter, {ALICE.sip}, outage, CriticalMode(EVERYBODY, block=False)) is None


@pytest.mark.parametrize("matter", [Matter.IM_BEGINS, Matter.IM])
def test_only_people_who_are_archived_are_blocked(matter: Matter) -> None:
    """Both ways, since what is written to them is theirs too; others write on."""
    assert refusal(matter, {BOB.sip, CAROL.sip}, STORE, ALICE_IS) is None
    assert refusal(matter, {BOB.sip, ALICE.sip}, STORE, ALICE_IS) is Refusal.IM_BLOCKED


def test_conferences_are_restricted_for_all() -> None:
    """Whoever is in it: a conference is archived for whoever comes."""
    assert refusal(Matter.CONFERENCE_IM, {BOB.sip}, STORE, ALICE_IS) is Refusal.RESTRICTED


def report(archiver: str, store: Condition = Condition.OK, files: Condition = Condition.OK) -> StoreHealth:
    return StoreHealth(archiver=archiver, store=store, files=files, since=START, at=START)


def test_nobody_heard_is_an_outage() -> None:
    """Before the first report, after the last one grew old, and once the last archiver left."""
    view, silent = HealthView(), Outage(store=True, files=True, silent=True)
    assert view.outage(0.0) == silent
    view.hear(report("a1"), 0.0)
    assert view.outage(SILENCE_S - 0.1) == WELL
    assert view.outage(SILENCE_S) == silent
    view.hear(report("a1"), 20.0)
    view.withdraw("a1")
    assert view.outage(20.0) == silent
    view.hear(report("a1"), 30.0, age_s=SILENCE_S)
    assert view.outage(30.0) == silent


def test_one_failing_archiver_is_enough_and_a_dead_one_is_made_up_for() -> None:
    """Of several, the living decide; a report from before counts no more once a newer one came."""
    view = HealthView()
    view.hear(report("a1"), 0.0)
    view.hear(report("a2", files=Condition.FAILING), 0.0)
    assert view.outage(1.0) == FILES
    view.hear(report("a1", store=Condition.FAILING), 9.0)
    assert view.outage(9.5) == Outage(store=True, files=True)
    assert view.outage(10.5) == STORE
    view.hear(report("a1"), 11.0)
    assert view.outage(11.0) == WELL


class Scripted:
    """A `HealthSource` with one outage after the other, and a `GateObserver`."""

    def __init__(self, outages: Iterable[Outage]) -> None:
        self._outages = iter(outages)
        self.changes: list[Outage] = []
        self.refusals: list[tuple[int, Refusal]] = []

    def outage(self) -> Outage:
        return next(self._outages)

    def changed(self, outage: Outage) -> None:
        self.changes.append(outage)

    def refused(self, event: Event, why: Refusal) -> None:
        self.refusals.append((event.sequence, why))


def records(data: Sequence[EventData]) -> list[Record]:
    return [
        encode(f"e{number}", "pool/focus", "2026-01-05T09:00:00Z", number, event, "t")
        for number, event in enumerate(data, 1)
    ]


async def let_through(given: Iterable[Record], mode: CriticalMode, scripted: Scripted) -> list[Record]:
    async def coming() -> AsyncIterator[Record]:
        for record in given:
            yield record

    return [record async for record in gated(coming(), mode, scripted, scripted)]


async def test_what_is_refused_takes_no_sequence() -> None:
    """Messages of the outage are missing, those after follow on without a hole, and the end says how many there are."""
    given = records([started(), message(), message(BOB), left(BOB), message(), joined(BOB), message(BOB), ended(8)])
    scripted = Scripted([WELL, WELL, STORE, STORE, STORE, STORE, WELL, WELL])
    found = [decode(record, None) for record in await let_through(given, ALICE_IS, scripted)]
    assert [(event.id, event.sequence) for event in found] == [
        *(("e1", 1), ("e2", 2), ("e4", 3), ("e6", 4), ("e7", 5), ("e8", 6)),
    ]
    assert isinstance(found[-1].data, ev.ConversationEnded)
    assert found[-1].data.last_sequence == 6
    assert scripted.refusals == [(3, Refusal.IM_BLOCKED), (5, Refusal.IM_BLOCKED)]
    assert scripted.changes == [STORE, WELL]


async def test_a_repetition_shares_the_fate_of_the_first() -> None:
    """Reported by a second device once the store is well, a refused message stays so; an accepted one passes twice."""
    one, two, three = records([started(), message(), message(BOB)])
    scripted = Scripted([WELL, STORE, WELL, WELL, STORE])
    found = [
        decode(record, None).sequence for record in await let_through([one, two, two, three, three], ALICE_IS, scripted)
    ]
    assert found == [1, 2, 2]
    assert [sequence for sequence, _ in scripted.refusals] == [2, 2]


async def test_what_never_began_stays_out() -> None:
    """Nothing of a conversation or conference that was refused at its beginning is accepted later."""
    conference = ev.ConferenceActivated(conversation="c2", thread=THREAD)
    given = [
        *records([started(), message(), ended(3)]),
        *records([conference, ev.ConferenceEnded(conversation="c2", last_sequence=2)]),
    ]
    scripted = Scripted([STORE, WELL, WELL, FILES, WELL])
    assert await let_through(given, ALICE_IS, scripted) == []
    assert [why for _, why in scripted.refusals] == [
        *(Refusal.IM_BLOCKED, Refusal.NEVER_BEGAN, Refusal.NEVER_BEGAN),
        *(Refusal.NOT_ACTIVATED, Refusal.NEVER_BEGAN),
    ]


CONFERENCE: list[tuple[EventData, Outage]] = [
    (b.activated(), WELL),
    (b.came(ALICE), WELL),
    (b.came(BOB), WELL),
    (b.said(ALICE), WELL),
    (b.said(ALICE), STORE),  # 5: refused
    (b.uploaded(), STORE),  # 6: refused
    (b.said(BOB), WELL),  # 7, the fifth that is accepted
]


async def after_refusals(*more: EventData) -> tuple[list[Event], Scripted]:
    """Let a conference through of which a message and a file were refused, and what follows on a store that is well."""
    steps = [*CONFERENCE, *((data, WELL) for data in more)]
    scripted = Scripted(outage for _, outage in steps)
    found = await let_through(records([data for data, _ in steps]), CriticalMode(EVERYBODY), scripted)
    return [decode(record, None) for record in found], scripted


@pytest.mark.parametrize(("named", "accepted"), [(4, 4), (7, 5)])
async def test_a_failure_names_its_message_by_the_new_number(named: int, accepted: int) -> None:
    """The report that a message did not arrive is of the same message after others were refused."""
    found, _ = await after_refusals(b.failed(named, BOB))
    report = found[-1].data
    assert isinstance(report, mt.ConferenceDeliveryFailed)
    assert (found[-1].sequence, report.message) == (6, accepted)
    assert found[accepted - 1].id == f"e{named}"


@pytest.mark.parametrize(
    "data",
    [
        b.failed(5, BOB),
        b.failed(6, BOB),
        b.revealed(),
        mt.ConferenceContentRemoved(conversation="m1", sip=ALICE.sip, id=b.reference().id, name="plan.txt"),
    ],
    ids=["message", "no message", "visibility", "removal"],
)
async def test_what_refers_to_the_refused_is_refused(data: EventData) -> None:
    """Of what is not there nothing is told: it takes no sequence, told once or twice, and what follows has no hole."""
    found, scripted = await after_refusals(data, b.departed(BOB))
    assert [(event.id, event.sequence) for event in found[-2:]] == [("e7", 5), ("e9", 6)]
    assert scripted.refusals[-1] == (8, Refusal.DANGLING)


async def test_polls_and_questions_that_were_refused_have_no_sequel() -> None:
    """Counts without a question, and answers to none, say nothing."""
    poll = b.example(mt.ConferencePollOpened, "m1")
    sequels: list[type[EventData]] = [mt.ConferencePollTallied, mt.ConferencePollVisibility, mt.ConferencePollClosed]
    answer = b.example(mt.ConferenceQuestionAnswered, "m1").model_copy(update={"question": "q1"})
    given = records([b.activated(), poll, b.asked(), *(b.example(model, "m1") for model in sequels), answer])
    scripted = Scripted([WELL, FILES, FILES, WELL, WELL, WELL, WELL])
    assert await let_through(given, CriticalMode(EVERYBODY), scripted) == given[:1]
    assert [why for _, why in scripted.refusals] == [Refusal.RESTRICTED] * 2 + [Refusal.DANGLING] * 4


async def test_a_file_that_comes_again_is_there() -> None:
    """Refused at first and accepted under its id later, a file can be removed."""
    removed = mt.ConferenceContentRemoved(conversation="m1", sip=ALICE.sip, id=b.reference().id, name="plan.txt")
    found, _ = await after_refusals(b.uploaded(), removed)
    assert [(event.id, event.sequence) for event in found[-2:]] == [("e8", 6), ("e9", 7)]


def _drawn(rng: Random) -> Iterator[Outage]:
    while True:
        outage = rng.choice([WELL, WELL, STORE, FILES])
        yield from [outage] * rng.randrange(1, 100)


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_accepted_is_whole(seed: int) -> None:
    """Through drawn outages, every conversation has its sequences from 1 on without a hole, and its end says so."""
    given = list(simulate(100, 2.0, seed, Topics()))
    scripted = Scripted(_drawn(Random(seed)))
    found = await let_through(given, CriticalMode(EVERYBODY), scripted)
    assert scripted.refusals
    assert len(found) + len(scripted.refusals) == len(given)
    reached: dict[str, int] = {}
    for record in found:
        event = decode(record, None)
        name = event.data.conversation
        assert event.sequence in {reached.get(name, 0), reached.get(name, 0) + 1}
        reached[name] = event.sequence
        if event.type in ENDERS:
            assert event.data.last_sequence == event.sequence  # type: ignore[attr-defined]


async def test_without_an_outage_every_byte_passes() -> None:
    """Critical mode alone changes nothing; nor does an outage where the setting is off."""
    given = list(simulate(20, 0.5, 3, Topics()))
    assert await let_through(given, CriticalMode(EVERYBODY), Scripted(WELL for _ in given)) == given
    assert await let_through(given, CriticalMode(EVERYBODY, block=False), Scripted(STORE for _ in given)) == given
