"""Whether the entries of a chain are those that were written, all of them, in their order. Pure."""

from consumers.audit.journal import START, Checker, Entry, Head, canonical, digest_of


class Chain:
    """Follows one chain from its first entry on. `head` is where it stands."""

    def __init__(self, name: str, checker: Checker) -> None:
        self.name = name
        self.head = Head(0, START)
        self._checker = checker

    def follow(self, entry: Entry) -> str | None:
        """Return what is wrong with the next entry, or None.

        The chain goes on from the entry in any case, so that each fault is told once.
        """
        expected = self.head
        self.head = Head(entry.number, entry.hash)
        if entry.number != expected.number + 1:
            return f"follows entry {expected.number}: what lies between is missing"
        if entry.previous != expected.hash:
            return "does not go on from the entry before it"
        if entry.hash != digest_of(entry.chain, entry.number, entry.previous, entry.act, entry.body):
            return "has another hash than its content"
        if not self._checker.holds(entry.key, entry.hash, entry.signature):
            return f"is not signed by a key that is known here (it names {entry.key[:16]})"
        if entry.body != canonical(entry.facts()):
            return "is not in its one form"
        return None
