"""The archived copy of one conversation for one mailbox: what lies in its Purges folder, which its owner never sees."""

from typing import NamedTuple

from consumers.item import Item
from consumers.policy.decision import Target
from schemas.envelope import Event
from schemas.events import ConferenceMessage


class Copy(NamedTuple):
    """An item as it is archived, and where: in the owner's Exchange mailbox, or in Lync's archive; or not at all.

    It has its own folder whatever the item's is, and the same content, which is stored once. With `messages_only` it
    shows instant messages and nothing else: the pool that hosted the conference archives no conferences.
    """

    item: Item
    target: Target
    messages_only: bool = False


def archived(copy: Copy, event: Event) -> bool:
    """Return whether the copy has an event of its conversation, as far as it is its owner's to see."""
    return not copy.messages_only or type(event.data) is ConferenceMessage
