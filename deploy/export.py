"""The export format of the contract: one item as a JSON document, one mailbox a line."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from consumers.content import Attachment
from consumers.conversation import Conversation
from consumers.entry import Entry
from consumers.reading import ArchiveReader, ListedItem, NotFound
from consumers.sequences import count
from consumers.transcript import Header, attendances, header, lines
from consumers.transitions import Kind
from schemas.errors import Misconfigured


async def item_document(reader: ArchiveReader, listed: ListedItem) -> dict[str, Any]:
    """Return an item whole, as its owner reads it. Its conversation must have been read with its members.

    What the owner may see is read after all else: a leave that is archived in between hides what follows it. Of a
    complete conversation nothing changes any more, but that all of it may be removed. Raises NotFound where the item is
    there no more.
    """
    events = [event async for event in reader.events(listed.conversation.id)]
    files = await files_of(reader, listed)
    conversation = listed.conversation
    if not conversation.complete or conversation.kind is Kind.CONFERENCE or len(events) < count(conversation.held):
        listed = await reader.item(listed.item.mailbox, listed.item.id)  # while it is there, so is what was read
    item, names = listed.item, names_of(listed.conversation)
    return {**head_document(listed), "entries": [entry_document(line, names, files) for line in lines(item, events)]}


async def listed_document(reader: ArchiveReader, listed: ListedItem) -> dict[str, Any]:
    """Return an item whole as it was listed, be it deleted by its user or not."""
    events = [event async for event in reader.events(listed.conversation.id)]
    names, files = names_of(listed.conversation), await files_of(reader, listed)
    entries = [entry_document(line, names, files) for line in lines(listed.item, events)]
    return {**head_document(listed), "entries": entries}


def head_document(listed: ListedItem) -> dict[str, Any]:
    """Return an item as its owner reads it, but for its entries."""
    item, conversation = listed.item, listed.conversation
    return {
        **header_document(header(item, conversation)),
        "participants": [
            {
                "sip": person.sip,
                "name": person.name,
                "role": str(person.role),
                "joined": [list(s) for s in person.joined],
            }
            for person in attendances(item, conversation)
        ],
    }


def names_of(conversation: Conversation) -> dict[str, str]:
    """Return what each person of the conversation is called, by SIP address."""
    return {sip: member.name for sip, member in conversation.members.items()}


async def files_of(reader: ArchiveReader, listed: ListedItem) -> Mapping[int, Attachment]:
    """Return what became of the files of an item's conversation, by sequence: only conferences share some."""
    return await reader.attachments(listed.conversation.id) if listed.item.kind is Kind.CONFERENCE else {}


def entry_document(line: Entry, names: Mapping[str, str], files: Mapping[int, Attachment]) -> dict[str, Any]:
    """Return one entry."""
    return {
        "sequence": line.sequence,
        "at": line.at,
        "kind": str(line.kind),
        "sip": line.sip,
        "name": names.get(line.sip, ""),
        "text": line.text,
        **_files(line, files),
    }


def _files(line: Entry, attachments: Mapping[int, Attachment]) -> dict[str, Any]:
    """Return what an entry says of its file, where it has one; `state` is `stored`, or why only a stub is there."""
    content = line.content
    if content is None:
        return {}
    state = str(attachments[line.sequence].state)
    return {"attachments": [content.model_dump(mode="json") | {"state": state}]}


def header_document(head: Header) -> dict[str, Any]:
    """Return what a list of items says of one."""
    item = head.item
    return {
        "id": item.id,
        "folder": str(item.folder),
        "item_class": str(item.item_class),
        "subject": item.subject,
        "conversation": item.conversation,
        "thread": item.thread,
        "kind": head.kind,
        "status": str(item.status),
        "started_at": item.started_at,
        "ended_at": head.ended_at,
        "complete": head.complete,
        "gaps": [list(gap) for gap in head.gaps],
    }


async def mailbox_documents(reader: ArchiveReader, user: str) -> AsyncIterator[dict[str, Any]]:
    """Stream a mailbox's items, by start then id; what its user deletes meanwhile may be left out."""
    async for listed in reader.all_items(user):
        try:
            document = await item_document(reader, listed)
        except NotFound:
            continue
        yield document


@contextmanager
def writing(out: Path) -> Iterator[Callable[[str], object]]:
    """Write UTF-8 to a file that takes its name only when it is whole. Raises Misconfigured where it cannot be made.

    A file that is there keeps its mode; a link, a pipe or a device is written into, and stays what it is.
    """
    direct = out.is_symlink() or (out.exists() and not out.is_file())
    part = out if direct else out.with_name(f"{out.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            if out.exists() and not direct:
                part.chmod(out.stat().st_mode & 0o777)
            yield file.write
        if not direct:
            part.replace(out)
    except OSError as error:
        raise Misconfigured(f"{out} cannot be written: {error.strerror}") from error
    finally:
        if not direct:
            part.unlink(missing_ok=True)
