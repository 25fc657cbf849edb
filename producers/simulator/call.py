"""One person calls another: only that it took place is reported, or that it was missed."""

from collections.abc import Iterator
from typing import Final

from producers.simulator.scene import Scene
from producers.simulator.step import SECOND_MS, Numbering, Step, identifier, thread
from schemas.events import CallEnded, CallMissed, CallStarted, Modality

MISSED_SHARE: Final = 0.15
VIDEO_SHARE: Final = 0.10
RING_MS: Final = 30 * SECOND_MS
DURATION_MAX_S: Final = 600


def call(scene: Scene) -> Iterator[Step]:
    """Play a call between the scene's first two people."""
    rng = scene.rng
    caller, callee = scene.people[:2]
    conversation = identifier(rng)
    numbers = Numbering(rng)
    missed = rng.random() < MISSED_SHARE
    both = (caller.attendee, callee.attendee)
    yield numbers.step(
        scene.at_ms,
        caller.endpoints[0],
        CallStarted(
            conversation=conversation,
            thread=thread(rng),
            initiator=caller.sip,
            modality=Modality.VIDEO if rng.random() < VIDEO_SHARE else Modality.AUDIO,
            participants=both[:1] if missed else both,
            invited=both[1:] if missed else (),
        ),
    )
    if missed:
        at_ms, duration_s = scene.at_ms + RING_MS, 0
        data = CallMissed(conversation=conversation, participant=callee.attendee)
        yield numbers.step(at_ms, callee.endpoints[0], data)
    else:
        duration_s = 5 + rng.randrange(DURATION_MAX_S)
        at_ms = scene.at_ms + duration_s * SECOND_MS
    end = CallEnded(conversation=conversation, last_sequence=numbers.next, duration_s=duration_s)
    yield numbers.step(at_ms, caller.endpoints[0], end)
