"""Metadata that a test says, and when."""

import asyncio

from consumers.tokens.partner import PartnerApplication, PartnerKey
from schemas.errors import DependencyUnavailable


class ScriptedMetadata:
    """A `MetadataSource` that gives `answers`, then `answer`, once it is let; and says whom it asked."""

    def __init__(self, answer: tuple[PartnerKey, ...] | DependencyUnavailable) -> None:
        self.answer = answer
        self.answers: list[tuple[PartnerKey, ...] | DependencyUnavailable] = []
        self.asked: list[str] = []
        self.begun = asyncio.Event()
        self.answering = asyncio.Event()
        self.answering.set()

    async def fetch(self, partner: PartnerApplication) -> tuple[PartnerKey, ...]:
        self.asked.append(partner.name)
        self.begun.set()
        await self.answering.wait()
        given = self.answers.pop(0) if self.answers else self.answer
        if isinstance(given, DependencyUnavailable):
            raise given
        return given
