"""A mailbox's folders: Exchange's distinguished ids, their display names, and the tree they form."""

from enum import StrEnum
from typing import Final, NamedTuple

from schemas.errors import LyncArchiverError


class NoSuchFolder(LyncArchiverError):
    """A mailbox has no folder of that name."""


class FolderId(StrEnum):
    """A folder by its distinguished id, which no language changes (EWS `DistinguishedFolderId`).

    `recoverableitemspurges` is hidden: it is in no mailbox's tree, and no reading command knows it.
    `webconferencinghistory` is ours: Lync keeps meetings in Exchange user folders, but EWS has no id for that folder.
    """

    ROOT = "msgfolderroot"
    CONVERSATION_HISTORY = "conversationhistory"
    WEB_CONFERENCING_HISTORY = "webconferencinghistory"
    PURGES = "recoverableitemspurges"


class Folder(NamedTuple):
    """A folder and where it hangs; the root has no parent."""

    id: FolderId
    name: str
    parent: FolderId | None


TREE: Final = (
    Folder(FolderId.ROOT, "Top of Information Store", None),
    Folder(FolderId.CONVERSATION_HISTORY, "Conversation History", FolderId.ROOT),
    Folder(FolderId.WEB_CONFERENCING_HISTORY, "Web Conferencing History", FolderId.CONVERSATION_HISTORY),
)
"""The folders that every mailbox gets on first use."""


def folder_id(name: str) -> FolderId:
    """Return the folder with this id or display name, in any case. Raises NoSuchFolder."""
    for folder in TREE:
        if name.lower() in {folder.id.value, folder.name.lower()}:
            return folder.id
    raise NoSuchFolder(f"there is no folder {name}; there are {', '.join(folder.id for folder in TREE)}")
