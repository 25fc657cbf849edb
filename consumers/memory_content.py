"""Content in memory: the reference `ContentStore`, which tests run on and other adapters are compared with."""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from consumers.content import Claim, ContentState
from consumers.ports import ContentAltered, IdleContent
from consumers.reading import NotFound
from schemas.clock import Clock
from schemas.content_limits import ITEM_BYTES_MAX


@dataclass(slots=True)
class _File:
    data: bytes
    put_at: datetime
    verified: bool = False


class MemoryContent:
    """The `ContentStore` in a dictionary. `refers` says whether an archive refers to a digest."""

    def __init__(self, clock: Clock, item_bytes_max: int = ITEM_BYTES_MAX) -> None:
        self.item_bytes_max = item_bytes_max
        self.refers: Callable[[str], bool] = lambda _: False
        self._clock = clock
        self._files: dict[str, _File] = {}

    def put(self, data: bytes, sha256: str | None = None) -> None:
        """Take bytes, under their own digest or, to be wrong, under another one."""
        digest = sha256 or hashlib.sha256(data).hexdigest()
        held = self._files.get(digest)
        if held is not None and held.data == data:
            held.put_at = self._clock.now()
        else:
            self._files[digest] = _File(data, self._clock.now())

    def verified(self, claim: Claim) -> bool:
        """Return whether the file is there, and was found to be what the claim says."""
        held = self._files.get(claim.sha256)
        return held is not None and held.verified and len(held.data) == claim.size

    async def inspect(self, claims: Collection[Claim]) -> Mapping[Claim, ContentState]:
        return {claim: self._inspect(claim) for claim in claims}

    async def open(self, sha256: str) -> AsyncIterator[bytes]:
        held = self._files.get(sha256)
        if held is None:
            raise NotFound(f"the content store has no file {sha256}")
        yield held.data
        if hashlib.sha256(held.data).hexdigest() != sha256:
            raise ContentAltered(f"the bytes of file {sha256} are not those of its digest")

    async def idle(self, before: datetime) -> AsyncIterator[IdleContent]:
        for digest, held in sorted(self._files.items()):
            if held.put_at < before and not self.refers(digest):
                yield IdleContent(digest, len(held.data), held.put_at)

    async def drop(self, sha256: str, before: datetime) -> bool:
        held = self._files.get(sha256)
        if held is None or held.put_at >= before or self.refers(sha256):
            return False
        del self._files[sha256]
        return True

    def _inspect(self, claim: Claim) -> ContentState:
        if claim.size > self.item_bytes_max:
            return ContentState.OVERSIZED
        held = self._files.get(claim.sha256)
        if held is None:
            return ContentState.MISSING
        if len(held.data) != claim.size or hashlib.sha256(held.data).hexdigest() != claim.sha256:
            return ContentState.WRONG
        held.verified = True
        return ContentState.STORED
