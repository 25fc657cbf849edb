"""The archived copy of one conversation for one mailbox: what lies in its Purges folder, which its owner never sees."""

from typing import NamedTuple

from consumers.item import Item
from consumers.policy.decision import Target


class Copy(NamedTuple):
    """An item as it is archived, and where: in the owner's Exchange mailbox, or in Lync's archive; or not at all.

    It has its own folder whatever the item's is, and the same content, which is stored once.
    """

    item: Item
    target: Target
