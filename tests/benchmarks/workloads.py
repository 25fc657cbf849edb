"""What the benchmarks archive: meetings of any size with the same messages, and the user model's recording."""

from collections.abc import Iterator
from itertools import islice

from producers.simulator.simulation import simulate
from producers.topics import Topics
from schemas import events as ev
from schemas.envelope import encode
from schemas.record import Record

AT = "2013-03-04T09:00:00Z"
TEXT = "the quarterly figures are in the shared notebook, please have a look before the meeting " * 2


def user_model(records: int) -> list[Record]:
    """Return the first records of a day of 2,000 users."""
    return list(islice(simulate(2000, 8, 1, Topics()), records))


def joins(meetings: int, people: int) -> Iterator[Record]:
    """Yield the opening of each meeting: a conference's, or for two people a conversation's."""
    for number in range(meetings):
        who = [ev.Participant(sip=f"sip:p{index}@contoso.example", name=f"P {index}") for index in range(people)]
        name = _name(number, people)
        if people == 2:
            started = ev.ConversationStarted(
                conversation=name, thread="0" * 32, initiator=who[0].sip, participants=tuple(who)
            )
            yield _record(started, 1, people)
            continue
        yield _record(ev.ConferenceActivated(conversation=name, thread="0" * 32), 1, people)
        for index, person in enumerate(who):
            yield _record(ev.ConferenceJoined(conversation=name, participant=person), index + 2, people)


def messages(meetings: int, people: int, each: int) -> Iterator[Record]:
    """Yield the messages of the meetings, in turn, as they are typed at the same time."""
    first = 2 if people == 2 else people + 2
    model = ev.ConversationMessage if people == 2 else ev.ConferenceMessage
    for index in range(each):
        for number in range(meetings):
            said = model(conversation=_name(number, people), sip="sip:p0@contoso.example", text=TEXT)
            yield _record(said, first + index, people)


def _name(number: int, people: int) -> str:
    return f"bench/{people}/{number}"


def _record(data: ev.EventData, sequence: int, people: int) -> Record:
    topic = "lync.conversations" if people == 2 else "lync.conferences"
    return encode(f"{data.conversation}/{sequence}", "/bench", AT, sequence, data, topic)
