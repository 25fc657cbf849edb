"""Which topic carries which stream."""

from dataclasses import dataclass

from schemas.catalogue import Stream


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics, by role."""

    conversations: str = "lync.conversations"
    conferences: str = "lync.conferences"
    contacts: str = "lync.contacts"

    @property
    def names(self) -> tuple[str, str, str]:
        """All three names."""
        return self.conversations, self.conferences, self.contacts

    def of(self, stream: Stream) -> str:
        """Return the name of the topic that carries `stream`."""
        return {
            Stream.CONVERSATIONS: self.conversations,
            Stream.CONFERENCES: self.conferences,
            Stream.CONTACTS: self.contacts,
        }[stream]
