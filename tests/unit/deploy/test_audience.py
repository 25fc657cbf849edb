"""What verification expects of whole conferences: who sees what, how it reads, and who has a mailbox at all."""

import json
from typing import Final

import pytest

from deploy.verification.audience import shares
from deploy.verification.model import expect, text_hash
from deploy.verification.saying import said
from schemas import meetings as mt
from schemas.catalogue import MODELS, EventType
from schemas.envelope import canonical
from schemas.events import Audience, ConferenceTopic, EventData, Participant, Role
from schemas.limits import RECORD_BYTES_MAX
from schemas.meetings import Origin
from tests import builders as b

HOST: Final = b.person("host", role=Role.PRESENTER)
GUEST: Final = Participant(sip="sip:guest@fabrikam.example", name="Guest")


def sequences(*steps: EventData) -> dict[str, list[int]]:
    """Return what each mailbox has, by the first part of its address; the records come last first."""
    found = expect(reversed(b.history(b.activated(), *steps)), b.TOPIC_STREAMS, RECORD_BYTES_MAX)
    assert not found.quarantined
    return {
        person.split(":")[1].split("@")[0]: sorted(share.lines)
        for person, share in shares(found.histories["m1"]).items()
    }


def test_presenters_alone_see_what_is_theirs() -> None:
    """By the role at the moment: of a join, of a promotion from itself on, and of a join again after it."""
    found = sequences(
        b.came(HOST),
        b.came(b.ALICE),
        b.asked(),
        b.appointed(b.ALICE, Role.PRESENTER),
        b.asked(),
        b.appointed(b.ALICE, Role.ATTENDEE),
        b.asked(),
        b.asked(audience=Audience.EVERYONE),
    )
    assert found == {"host": [2, 3, 4, 5, 6, 7, 8, 9], "alice": [3, 5, 6, 7, 9]}
    again = sequences(b.came(b.ALICE), b.appointed(b.ALICE, Role.PRESENTER), b.came(b.ALICE), b.asked())
    assert again == {"alice": [2, 3, 4]}


def test_a_role_may_be_given_before_its_owner_comes() -> None:
    """The join says another; somebody who never comes has a role and no mailbox."""
    assert sequences(b.appointed(b.ALICE, Role.PRESENTER), b.came(b.ALICE), b.asked()) == {"alice": [3]}
    assert sequences(b.appointed(b.BOB, Role.PRESENTER), b.came(b.ALICE)) == {"alice": [3]}


@pytest.mark.parametrize("origin", [Origin.FEDERATED, Origin.ANONYMOUS, Origin.PSTN])
def test_people_of_no_mailbox_have_none(origin: Origin) -> None:
    """What they do is in others' mailboxes; who was ever said to be of the organisation has one."""
    assert sequences(b.came(b.ALICE), b.came(GUEST, origin), b.said(GUEST)) == {"alice": [2, 3, 4]}
    both = sequences(b.came(GUEST, origin), b.departed(GUEST), b.came(GUEST))
    assert both == {"guest": [2, 3, 4]}


def test_who_waits_in_the_lobby_is_not_there() -> None:
    """Presenters see them wait; who is not let in has no mailbox."""
    lobby = (
        mt.ConferenceLobbyEntered(conversation="m1", participant=b.BOB),
        mt.ConferenceLobbyDenied(conversation="m1", sip=b.BOB.sip, by=HOST.sip),
        mt.ConferenceLobbyEntered(conversation="m1", participant=b.CAROL),
        mt.ConferenceLobbyAdmitted(conversation="m1", sip=b.CAROL.sip, by=HOST.sip),
    )
    assert sequences(b.came(HOST), b.came(b.ALICE), *lobby) == {"host": [2, 3, 4, 5, 6, 7], "alice": [3]}


def test_who_is_ejected_sees_it_and_nothing_after() -> None:
    """As a leave."""
    sent = mt.ConferenceEjected(conversation="m1", sip=b.ALICE.sip, by=HOST.sip)
    assert sequences(b.came(HOST), b.came(b.ALICE), sent, b.said(HOST)) == {"host": [2, 3, 4, 5], "alice": [3, 4]}


def test_what_was_not_delivered_is_not_seen() -> None:
    """The writer alone is told; a failure may come before its message, and name what is no message or never was."""
    said = b.said(b.ALICE)
    found = sequences(b.came(b.ALICE), b.came(b.BOB), b.came(b.CAROL), said, b.failed(5, b.BOB))
    assert found == {"alice": [2, 3, 4, 5, 6], "bob": [3, 4], "carol": [4, 5]}
    before = sequences(
        b.came(b.ALICE), b.came(b.BOB), b.failed(5, b.BOB), said, b.failed(2, b.BOB), b.failed(99, b.BOB)
    )
    assert before == {"alice": [2, 3, 4, 5, 6, 7], "bob": [3]}
    topic = ConferenceTopic(conversation="m1", sip=b.ALICE.sip, text="hello")
    assert sequences(b.came(b.ALICE), b.came(b.BOB), topic, b.failed(4, b.BOB))["bob"] == [3, 4]


READS: Final[list[tuple[EventData, tuple[str, str, str]]]] = [
    (b.appointed(b.BOB, Role.PRESENTER), ("role", "bob", "presenter")),
    (mt.ConferenceLobbyEntered(conversation="m1", participant=b.BOB), ("lobby", "bob", "entered")),
    (mt.ConferenceLobbyAdmitted(conversation="m1", sip=b.BOB.sip, by=HOST.sip), ("lobby", "bob", "admitted")),
    (mt.ConferenceLobbyDenied(conversation="m1", sip=b.BOB.sip, by=HOST.sip), ("lobby", "bob", "denied")),
    (mt.ConferenceEjected(conversation="m1", sip=b.BOB.sip, by=HOST.sip), ("eject", "bob", "")),
    (mt.ConferenceLocked(conversation="m1", sip=HOST.sip, locked=True), ("lock", "host", "locked")),
    (mt.ConferenceLocked(conversation="m1", sip=HOST.sip, locked=False), ("lock", "host", "unlocked")),
    (
        mt.ConferenceModalityJoined(conversation="m1", sip=b.BOB.sip, modality=mt.ConferenceModality.AUDIO),
        ("modality", "bob", "joined audio"),
    ),
    (
        mt.ConferenceModalityLeft(conversation="m1", sip=b.BOB.sip, modality=mt.ConferenceModality.DATA),
        ("modality", "bob", "left data"),
    ),
    (
        mt.ConferenceContentVisibility(
            conversation="m1", sip=HOST.sip, content=b.reference(name="Plan"), audience=Audience.EVERYONE
        ),
        ("content", "host", "Plan"),
    ),
    (
        mt.ConferenceContentRemoved(conversation="m1", sip=HOST.sip, id="c", name="Plan"),
        ("content-removed", "host", "Plan"),
    ),
    (
        mt.ConferencePollOpened(conversation="m1", sip=HOST.sip, poll="p", question="Lunch?", choices=("yes", "no")),
        ("poll", "host", "Lunch?\n1. yes\n2. no"),
    ),
    (mt.ConferencePollTallied(conversation="m1", poll="p", tally=(2, 0)), ("poll-result", "", "2, 0")),
    (
        mt.ConferencePollVisibility(
            conversation="m1", poll="p", tally=(2, 0), sip=HOST.sip, audience=Audience.EVERYONE
        ),
        ("poll-result", "host", "2, 0"),
    ),
    (mt.ConferencePollClosed(conversation="m1", sip=HOST.sip, poll="p"), ("poll-closed", "host", "")),
    (b.asked(), ("question", "alice", "why?")),
    (mt.ConferenceQuestionAnswered(conversation="m1", sip=HOST.sip, question="q", text="so"), ("answer", "host", "so")),
    (
        mt.ConferenceNotesLinked(conversation="m1", sip=HOST.sip, title="Minutes", link="x:y"),
        ("notes", "host", "Minutes\nx:y"),
    ),
    (
        mt.ConferenceSharingStarted(conversation="m1", sip=b.BOB.sip, sharing=mt.Sharing.DESKTOP),
        ("sharing", "bob", "started desktop"),
    ),
    (
        mt.ConferenceSharingStopped(conversation="m1", sip=b.BOB.sip, sharing=mt.Sharing.VIDEO),
        ("sharing", "bob", "stopped video"),
    ),
    (b.failed(9, b.BOB, b.CAROL, who=HOST), ("delivery-failed", "host", f"{b.BOB.sip}, {b.CAROL.sip}")),
    (b.came(GUEST, Origin.PSTN), ("join", "guest", "")),
]


@pytest.mark.parametrize(("data", "read"), READS)
def test_how_each_reads(data: EventData, read: tuple[str, str, str]) -> None:
    """Its kind, whom it is of, and its text, in the mailbox of a presenter."""
    found = expect(b.history(b.activated(), b.came(HOST), data), b.TOPIC_STREAMS, RECORD_BYTES_MAX)
    line = shares(found.histories["m1"])[HOST.sip].lines[3]
    kind, sip, text = read
    assert (line.kind, line.sip.partition("@")[0].removeprefix("sip:")) == (kind, sip)
    assert (line.text, line.characters) == (text_hash(text), len(text))


def test_every_type_reads_somehow() -> None:
    """But for the beginnings of conversations and conferences, and their ends."""
    silent = {name for name, model in MODELS.items() if said(name, json.loads(canonical(b.example(model)))) is None}
    assert silent == {
        EventType.CONVERSATION_STARTED,
        EventType.CONVERSATION_ENDED,
        EventType.CONFERENCE_ACTIVATED,
        EventType.CONFERENCE_ENDED,
    }
