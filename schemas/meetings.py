"""What meetings leave behind beside messages and files: roles, the lobby, modalities, polls, questions, failures.

Version 1 of each, and version 2 of a join. The rules of `schemas.events` hold here too. Nothing here carries audio,
video or a screen: of these only that they took place (domain reference, section 1.1).
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.events import Audience, ContentReference, EventData, Participant, Role, Subject, Text
from schemas.identifiers import ContentId, FileName, LinkUri, PollId, QuestionId, SipAddress
from schemas.limits import CHOICE_CHARS_MAX, CHOICES_MAX, PARTICIPANTS_MAX, SEQUENCE_MAX

Choice = Annotated[str, StringConstraints(min_length=1, max_length=CHOICE_CHARS_MAX)]
Choices = Annotated[tuple[Choice, ...], Field(min_length=2, max_length=CHOICES_MAX)]
Tally = Annotated[
    tuple[Annotated[int, Field(ge=0, le=PARTICIPANTS_MAX)], ...], Field(min_length=2, max_length=CHOICES_MAX)
]
"""How many chose each choice, in the order of the choices. Who chose what is nowhere."""


class Origin(StrEnum):
    """Where a participant comes from. Only those of the organisation itself have a mailbox here."""

    INTERNAL = "internal"
    FEDERATED = "federated"
    ANONYMOUS = "anonymous"
    PSTN = "pstn"


class ConferenceJoinedV2(EventData):
    """Somebody is present from here on, and where they come from; a repetition changes nothing.

    Version 1 says nothing of that, and is of somebody of the organisation.
    """

    participant: Participant
    origin: Origin


class ConferenceRoleChanged(EventData):
    """Somebody was promoted or demoted: from here on they have this role. `by` is who did it, where known."""

    sip: SipAddress
    role: Role
    by: SipAddress | None = None


class ConferenceLobbyEntered(EventData):
    """Somebody waits in the lobby: they are not present, and presenters alone see that they wait."""

    participant: Participant
    origin: Origin = Origin.INTERNAL


class ConferenceLobbyAdmitted(EventData):
    """Somebody may come in; that they did is a join of its own. Presenters see it."""

    sip: SipAddress
    by: SipAddress


class ConferenceLobbyDenied(EventData):
    """Somebody may not come in. Presenters see it."""

    sip: SipAddress
    by: SipAddress


class ConferenceEjected(EventData):
    """Somebody was sent away: what follows is not theirs to see, as after a leave."""

    sip: SipAddress
    by: SipAddress


class ConferenceLocked(EventData):
    """The conference was locked, or opened again where `locked` is false."""

    sip: SipAddress
    locked: bool


class ConferenceModality(StrEnum):
    """What somebody takes part by (entity types of a conference; domain reference, section 7.1)."""

    IM = "im"
    AUDIO = "audio"
    VIDEO = "video"
    DATA = "data"
    APPLICATION_SHARING = "application-sharing"


class ConferenceModalityJoined(EventData):
    """Somebody who is present takes part by this too. It makes nobody present."""

    sip: SipAddress
    modality: ConferenceModality


class ConferenceModalityLeft(EventData):
    """Somebody does not take part by this any more. They may be present still."""

    sip: SipAddress
    modality: ConferenceModality


class ConferenceContentVisibility(EventData):
    """From here on these may see the file: whoever of them is present sees it now, if not before."""

    sip: SipAddress
    content: ContentReference
    audience: Audience


class ConferenceContentRemoved(EventData):
    """A file was taken out of the meeting; who saw it, saw it. Those of `audience` are told."""

    sip: SipAddress
    id: ContentId
    name: FileName
    audience: Audience = Audience.EVERYONE


class ConferencePollOpened(EventData):
    """A presenter asks, and everybody may choose; answers are anonymous and reported as counts alone."""

    sip: SipAddress
    poll: PollId
    question: Text
    choices: Choices


class ConferencePollTallied(EventData):
    """What was chosen so far, as counts. Those of `audience` see it: presenters alone while results are hidden."""

    poll: PollId
    tally: Tally
    audience: Audience = Audience.PRESENTERS


class ConferencePollVisibility(EventData):
    """Results are shown to `audience` from here on; `tally` is what they see as they are."""

    sip: SipAddress
    poll: PollId
    tally: Tally
    audience: Audience


class ConferencePollClosed(EventData):
    """Nobody may choose any more."""

    sip: SipAddress
    poll: PollId


class ConferenceQuestionAsked(EventData):
    """Somebody put a question to the presenters, whom alone it is shown to unless `audience` says otherwise."""

    sip: SipAddress
    question: QuestionId
    text: Text
    audience: Audience = Audience.PRESENTERS


class ConferenceQuestionAnswered(EventData):
    """A presenter answered a question."""

    sip: SipAddress
    question: QuestionId
    text: Text
    audience: Audience = Audience.EVERYONE


class ConferenceNotesLinked(EventData):
    """Somebody linked shared notes. The link is kept, the notes are not ours."""

    sip: SipAddress
    title: Subject
    link: LinkUri


class Sharing(StrEnum):
    """What is shared live. Never its content."""

    DESKTOP = "desktop"
    APPLICATION = "application"
    VIDEO = "video"


class ConferenceSharingStarted(EventData):
    """Somebody began to share a screen, an application or a video; nothing of what it showed is archived."""

    sip: SipAddress
    sharing: Sharing


class ConferenceSharingStopped(EventData):
    """Somebody stopped sharing."""

    sip: SipAddress
    sharing: Sharing


class ConferenceDeliveryFailed(EventData):
    """The message with the sequence `message` did not reach these recipients, whom it is not shown to therefore.

    `sip` is whoever wrote the message, who alone is told (UCWA `failedDeliveryParticipant`).
    """

    sip: SipAddress
    message: Annotated[int, Field(ge=1, le=SEQUENCE_MAX)]
    recipients: Annotated[tuple[SipAddress, ...], Field(min_length=1, max_length=PARTICIPANTS_MAX)]
