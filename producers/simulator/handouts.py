"""Files and whiteboards of a whole meeting: for presenters at first, shown to everybody later, taken out again."""

from collections.abc import Iterator
from typing import Final

from producers.simulator.files import shared_file, shared_whiteboard
from producers.simulator.floor import Act, Floor
from producers.simulator.step import MINUTE_MS
from schemas.events import Audience, ConferenceContentUploaded, ConferenceWhiteboardSnapshot
from schemas.meetings import ConferenceContentRemoved, ConferenceContentVisibility

PREPARED_SHARE: Final = 0.6
"""Files that only presenters see at first."""

AGAIN_SHARE: Final = 0.2
"""Files that somebody else shares too: the same bytes under the same id."""

SHOWN_SHARE: Final = 0.7
REMOVED_SHARE: Final = 0.4


def file(floor: Floor) -> Iterator[Act]:
    """Play a file from its upload to its removal."""
    at_ms = floor.moment()
    owner = floor.presenter(at_ms)
    if owner is None:
        return
    content = shared_file(floor.rng)
    audience = Audience.PRESENTERS if floor.happens(PREPARED_SHARE) else Audience.EVERYONE
    uploads = [(at_ms, owner)]
    again_ms = floor.between(at_ms + 1, at_ms + MINUTE_MS)
    other = floor.presenter(again_ms, owner)
    if other is not None and floor.happens(AGAIN_SHARE):
        uploads.append((again_ms, other))
    for upload_ms, person in uploads:
        yield Act(
            upload_ms,
            ConferenceContentUploaded(
                conversation=floor.conversation, sip=person.sip, content=content, audience=audience
            ),
        )
    shown_ms = floor.between(at_ms + MINUTE_MS, at_ms + 5 * MINUTE_MS)
    host = floor.presenter(shown_ms)
    if audience is Audience.PRESENTERS and host is not None and floor.happens(SHOWN_SHARE):
        audience = Audience.EVERYONE
        yield Act(
            shown_ms,
            ConferenceContentVisibility(
                conversation=floor.conversation, sip=host.sip, content=content, audience=audience
            ),
        )
    removed_ms = floor.between(shown_ms + 1, floor.close_ms)
    host = floor.presenter(removed_ms)
    if host is not None and floor.happens(REMOVED_SHARE):
        removed = ConferenceContentRemoved(
            conversation=floor.conversation, sip=host.sip, id=content.id, name=content.name, audience=audience
        )
        yield Act(removed_ms, removed)


def whiteboard(floor: Floor) -> Iterator[Act]:
    """Play a picture of a whiteboard, of everybody's or of the presenters' own."""
    at_ms = floor.moment()
    person = floor.presenter(at_ms)
    if person is not None:
        picture = shared_whiteboard(floor.rng)
        audience = Audience.PRESENTERS if floor.happens(PREPARED_SHARE / 2) else Audience.EVERYONE
        yield Act(
            at_ms,
            ConferenceWhiteboardSnapshot(
                conversation=floor.conversation, sip=person.sip, content=picture, audience=audience
            ),
        )
