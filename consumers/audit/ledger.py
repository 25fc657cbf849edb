"""The ledger: what the journal says was written, gathered entry by entry. Pure.

It takes some hundred bytes of memory for each commit, and as much for each quarantined record and act.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from consumers.audit.journal import Act, Entry
from consumers.content import ContentState, Place
from schemas.times import parse_time

Facts = Mapping[str, Any]


@dataclass(slots=True)
class Written:
    """An entry that added segments: of which lane, who wrote it, by which policies, and which files were not there.

    `count` and `digest` are what the entry says of its segments; `seen` and `found` what there is of them.
    """

    chain: str
    number: int
    lane: str
    by: str
    token: str
    policies: int
    stubs: Mapping[Place, ContentState]
    count: int
    digest: str
    seen: int = 0
    found: Any = field(default_factory=hashlib.sha256)

    def add(self, line: bytes) -> None:
        """Count a segment that says it is of this entry; in order of conversation and sequence."""
        self.seen += 1
        self.found.update(line)

    @property
    def whole(self) -> bool:
        """Whether the segments that there are, are those that the entry says."""
        return self.seen == self.count and self.found.hexdigest() == self.digest


@dataclass(slots=True)
class LaneAccount:
    """What a lane's commits, and acts on it, come to: where it began and stands, counts, and the latest event times.

    `watermark` is that of its commits, `redriven` that of redrives.
    """

    start: int
    next: int
    topic_id: str | None = None
    log: int = 0
    watermark: str | None = None
    redriven: datetime | None = None
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])


@dataclass(slots=True)
class Ledger:
    """Everything that entries say, by what it is of. Digests are in hexadecimal, each of the latest state."""

    written: dict[tuple[str, int], Written] = field(default_factory=dict)
    lanes: dict[str, LaneAccount] = field(default_factory=dict)
    quarantine: dict[str, str] = field(default_factory=dict)
    """Digests of quarantined records as they came there."""
    handled: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """Of those that were handled: the digest as of now, and cause, detail and tries from before the first time."""
    healed: set[Place] = field(default_factory=set)
    healed_by: dict[str, int] = field(default_factory=dict)
    """The last act that healed a file of a conversation; it takes the marks of exports off the copies."""
    policies: dict[int, str] = field(default_factory=dict)
    partners: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    exported: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Of copies that were marked as exported: the last act that did so, and the mark's digest."""
    purged: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Whose copy of a conversation was purged."""
    purges: Counter[str] = field(default_factory=Counter)
    """How often something of a conversation was purged, each of which is a revision."""
    removed: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Digests of the names that mailboxes had of conversations that were removed."""
    origin: str | None = None
    _skips: dict[str, list[Facts]] = field(default_factory=lambda: defaultdict(list))
    _redriven: dict[str, datetime] = field(default_factory=dict)
    _moved: dict[str, list[list[int]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, entry: Entry) -> str | None:
        """Note what an entry says; return what is wrong with that, or None. Acts come before commits."""
        facts = entry.facts()
        if entry.act is Act.COMMIT:
            return self._commit(entry, facts)
        _TAKES[entry.act](self, entry, facts)
        return None

    def close(self) -> None:
        """Settle what no later entry can say: orders that moved a lane last, and counts that redrives moved."""
        for lane, account in self.lanes.items():
            self._skip(account, lane)
            account.redriven = self._redriven.get(lane)
            for moved in self._moved[lane]:
                account.counts = [count + more for count, more in zip(account.counts, moved, strict=True)]

    def _commit(self, entry: Entry, facts: Facts) -> str | None:
        lane = entry.chain
        account = self.lanes.setdefault(lane, LaneAccount(facts["start"], facts["start"]))
        self._skip(account, lane, (facts["log"], facts["start"]))
        begins = account.next
        account.next, account.topic_id, account.log = facts["end"], facts["topic_id"], facts["log"]
        account.watermark = facts["watermark"]
        account.counts = [count + more for count, more in zip(account.counts, facts["counts"], strict=True)]
        self.quarantine.update(facts["quarantine"])
        self._archived(entry, facts, lane)
        if facts["start"] != begins:
            return f"begins at {facts['start']}, and the lane stood at {begins}"
        return None

    def _skip(self, account: LaneAccount, lane: str, until: tuple[int, int] | None = None) -> None:
        """Follow orders that moved the lane from where it stands, up to a log and an offset or as far as they go.

        A lane never goes back: each order, as each commit, ends at a later log, or further on in the same one.
        """
        orders = self._skips[lane]
        while orders and account.next == orders[0]["start"]:
            if until is not None and (orders[0]["log"], orders[0]["to"]) > until:
                return
            order = orders.pop(0)
            account.next, account.topic_id, account.log = order["to"], order["topic_id"], order["log"]

    def _archived(self, entry: Entry, facts: Facts, lane: str) -> None:
        count, digest = facts["segments"]
        self.written[entry.chain, entry.number] = Written(
            chain=entry.chain,
            number=entry.number,
            lane=lane,
            by=facts["by"],
            token=facts["token"],
            policies=facts["policies"],
            stubs={(name, sequence): ContentState(state) for name, sequence, state in facts["stubs"]},
            count=count,
            digest=digest,
        )

    def _redrive(self, entry: Entry, facts: Facts) -> None:
        self._handle(entry, facts)
        self._moved[facts["lane"]].append(facts["moved"])
        if facts.get("reached") is not None:
            moment = parse_time(facts["reached"])[1]
            self._redriven[facts["lane"]] = max(moment, self._redriven.get(facts["lane"], moment))
        self.healed.update((name, sequence) for name, sequence in facts["healed"])
        self.healed_by.update((name, entry.number) for name, _ in facts["healed"])
        self._archived(entry, facts, facts["lane"])

    def _handle(self, _entry: Entry, facts: Facts) -> None:
        for name, cause, detail, tries, digest in facts["entries"]:
            first = self.handled.get(name, ("", (cause, detail, tries)))[1]
            self.handled[name] = (digest, first)

    def _policy(self, _entry: Entry, facts: Facts) -> None:
        self.policies.update((number, digest) for number, digest in facts["changes"])

    def _partner(self, _entry: Entry, facts: Facts) -> None:
        self.partners[facts["partner"]] = facts["digest"]

    def _delete(self, _entry: Entry, facts: Facts) -> None:
        self.deleted[facts["item"]] = facts["digest"]

    def _remove(self, _entry: Entry, facts: Facts) -> None:
        name = facts["conversation"]
        self.purged[name].update(facts.get("mailboxes", ()))
        self.purges[name] += 1
        if "removed" in facts:
            self.removed[name] = facts["removed"]
            self.named.update(facts["named"])

    def _export(self, entry: Entry, facts: Facts) -> None:
        self.exported.update((item, (entry.number, digest)) for item, digest in facts["copies"])

    def _order(self, _entry: Entry, facts: Facts) -> None:
        self.orders[facts["order"]] = facts["digest"]
        self._skips[facts["lane"]].append(facts)

    def _origin(self, _entry: Entry, facts: Facts) -> None:
        self.origin = facts["digest"]

    def _session(self, _entry: Entry, facts: Facts) -> None:
        self.sessions[facts["session"]] = facts["digest"]


_TAKES = {
    Act.REDRIVE: Ledger._redrive,
    Act.DISCARD: Ledger._handle,
    Act.POLICY: Ledger._policy,
    Act.PARTNER: Ledger._partner,
    Act.DELETE: Ledger._delete,
    Act.SWEEP: Ledger._remove,
    Act.PURGE: Ledger._remove,
    Act.EXPORT: Ledger._export,
    Act.SKIP: Ledger._order,
    Act.ORIGIN: Ledger._origin,
    Act.SESSION: Ledger._session,
}
