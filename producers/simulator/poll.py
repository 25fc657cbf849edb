"""Polls of a simulated meeting. Who chose what is known in this module alone, and leaves it as counts.

Nothing that is reported depends on a voter: reports are made of slips, which say when and what, and each covers so many
that none can be told from the others.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Final, NamedTuple

from producers.simulator.attendance import Attendance
from producers.simulator.floor import Act, Floor
from producers.simulator.phrases import PHRASES, say
from producers.simulator.population import Person
from producers.simulator.step import MINUTE_MS, SECOND_MS, identifier
from schemas.events import Audience
from schemas.meetings import ConferencePollClosed, ConferencePollOpened, ConferencePollTallied, ConferencePollVisibility

FEW: Final = 5
"""No report is about fewer votes than these, and none leaves fewer for the next: else a difference could be a vote."""

CHOICES: Final = (2, 3, 4)
OPEN_MS: Final = (4 * MINUTE_MS, 8 * MINUTE_MS)
REPORT_MS: Final = 2 * MINUTE_MS
"""How often counts are reported while a poll is open, at most."""

TURNOUT: Final = 0.8
"""Those who vote; since some do not, not even a unanimous poll says what somebody chose."""

SHOWN_SHARE: Final = 0.6
SHOWN_EARLY_SHARE: Final = 0.3
HIDDEN_SHARE: Final = 0.2


class Vote(NamedTuple):
    """What somebody chose, and when. None of it is ever reported but in counts."""

    at_ms: int
    voter: str
    choice: int


Voting = Callable[[Random, Iterable[Attendance], range, int], list[Vote]]
"""Returns the votes on so many choices of those who are there, within this time."""


def vote(rng: Random, people: Iterable[Attendance], open_ms: range, choices: int) -> list[Vote]:
    """Let most of those who are there vote, once each, with a taste that the poll's people share."""
    weights = [1 + rng.randrange(9) for _ in range(choices)]
    votes = []
    for found in people:
        at_ms = rng.choice(open_ms)
        (choice,) = rng.choices(range(choices), weights=weights)
        if rng.random() < TURNOUT and found.present(at_ms):
            votes.append(Vote(at_ms, found.person.sip, choice))
    return votes


def tallies(votes: Iterable[Vote], choices: int, report_ms: range) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield when counts are reported, and which: while the poll is open, and as it closes, at the range's end.

    Each report is about `FEW` votes more than the one before, at least, and so is the last; fewer votes are never
    reported.
    """
    slips = sorted((found.at_ms, found.choice) for found in votes)
    reported = 0
    for at_ms in report_ms:
        count = bisect_left(slips, (at_ms,)) - FEW
        if count - reported >= FEW:
            yield at_ms, _counts(slips[:count], choices)
            reported = count
    if len(slips) >= FEW:
        yield report_ms.stop, _counts(slips, choices)


def poll(floor: Floor, voting: Voting) -> Iterator[Act]:
    """Play a poll from its question to its result."""
    rng, conversation = floor.rng, floor.conversation
    opened_ms = floor.moment()
    closed_ms = min(opened_ms + rng.randrange(*OPEN_MS), floor.close_ms - 2 * SECOND_MS)
    asker, closer = floor.presenter(opened_ms), floor.presenter(closed_ms + 1)
    if asker is None or closer is None or closed_ms <= opened_ms:
        return
    name, count = identifier(rng), rng.choice(CHOICES)
    choices = tuple(rng.sample(PHRASES[asker.language], count))
    question = say(rng, asker.language)
    yield Act(
        opened_ms,
        ConferencePollOpened(conversation=conversation, sip=asker.sip, poll=name, question=question, choices=choices),
    )
    votes = voting(Random(f"{name}/votes"), floor.people, range(opened_ms + 1, closed_ms), count)
    last: tuple[int, ...] = ()
    for at_ms, tally in tallies(votes, count, range(opened_ms + REPORT_MS, closed_ms, REPORT_MS)):
        yield Act(at_ms, ConferencePollTallied(conversation=conversation, poll=name, tally=tally))
        if not last and floor.happens(SHOWN_EARLY_SHARE):
            yield from _shown(floor, name, tally, at_ms + SECOND_MS)
        last = tally
    yield Act(closed_ms + 1, ConferencePollClosed(conversation=conversation, sip=closer.sip, poll=name))
    if last and floor.happens(SHOWN_SHARE):
        yield from _shown(floor, name, last, closed_ms + SECOND_MS)


def _shown(floor: Floor, name: str, tally: tuple[int, ...], at_ms: int) -> Iterator[Act]:
    """Show the counts to everybody, and perhaps to presenters alone again."""
    yield from _visible(floor, floor.presenter(at_ms), name, tally, at_ms, Audience.EVERYONE)
    if floor.happens(HIDDEN_SHARE):
        later_ms = floor.between(at_ms + 1, at_ms + MINUTE_MS)
        yield from _visible(floor, floor.presenter(later_ms), name, tally, later_ms, Audience.PRESENTERS)


def _visible(
    floor: Floor, person: Person | None, name: str, tally: tuple[int, ...], at_ms: int, audience: Audience
) -> Iterator[Act]:
    if person is not None and at_ms < floor.close_ms:
        yield Act(
            at_ms,
            ConferencePollVisibility(
                conversation=floor.conversation, sip=person.sip, poll=name, tally=tally, audience=audience
            ),
        )


def _counts(slips: list[tuple[int, int]], choices: int) -> tuple[int, ...]:
    chosen = [choice for _, choice in slips]
    return tuple(chosen.count(choice) for choice in range(choices))
