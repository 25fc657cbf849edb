"""Streams of documents, each in order of the conversation that they are of, as one stream of conversations."""

from collections.abc import AsyncIterator, Callable, Sequence

from consumers.mongo.layout import Document

Key = Callable[[Document], object]


class Grouped:
    """A stream of documents in order of a key, read key by key. Those whose key is no text are put aside in `odd`."""

    def __init__(self, documents: AsyncIterator[Document], key: Key) -> None:
        self._documents = documents
        self._key = key
        self._next: Document | None = None
        self.odd: list[Document] = []
        self.at: str | None = None

    async def advance(self) -> None:
        """Go to the next document whose key is a text; `at` is that key, None at the end."""
        async for document in self._documents:
            key = self._key(document)
            if isinstance(key, str):
                self._next, self.at = document, key
                return
            self.odd.append(document)
        self._next, self.at = None, None

    async def each(self, key: str) -> AsyncIterator[Document]:
        """Stream the documents of this key, which is where the stream is, one at a time."""
        while self.at == key and self._next is not None:
            yield self._next
            await self.advance()

    async def take(self, key: str) -> list[Document]:
        """Return all documents of this key, which is where the stream is, or nothing."""
        return [document async for document in self.each(key)]


async def merged(streams: Sequence[Grouped]) -> AsyncIterator[tuple[str, list[list[Document]]]]:
    """Yield each key with its documents of every stream, in the order in which MongoDB sorts text."""
    for stream in streams:
        await stream.advance()
    while keys := [stream.at for stream in streams if stream.at is not None]:
        least = min(keys, key=str.encode)
        yield least, [await stream.take(least) for stream in streams]
