"""Planted bugs: one change each to the archiver's own code, for one run; every one of them must be found.

A bug is a piece of source that is replaced by another; where the piece is not there any more, planting fails.
"""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from textwrap import dedent
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Bug:
    """`old` becomes `new` in the function `where` (module:name or module:Class.name).

    `seed` is an episode that finds it, by a finding of the kind `finding`; with the right code it is clean.
    """

    name: str
    where: str
    old: str
    new: str
    seed: int
    finding: str


BUGS: Final = (
    Bug(
        "the checkpoint moves before the batch is known to be written",
        "consumers.memory_store:MemoryStore.commit",
        "self._refuse_stale(batch)\n"
        "    self._refuse_swept(batch.present())\n"
        "    self._checkpoints[batch.lane] = Checkpoint(batch.lane, batch.end, counts, batch.watermark, batch.log)",
        "self._checkpoints[batch.lane] = Checkpoint(batch.lane, batch.end, counts, batch.watermark, batch.log)\n"
        "    self._refuse_stale(batch)\n"
        "    self._refuse_swept(batch.present())",
        3,
        "lost",
    ),
    Bug(
        "a lane goes on where its commit failed",
        "consumers.lane:Lane._commit",
        "    except GrantRefused:",
        "    except DependencyUnavailable:\n        pass\n    except GrantRefused:",
        36,
        "stuck",
    ),
    Bug(
        "no fence",
        "consumers.memory_store:MemoryStore._fence",
        "stored is not None and not _goes_on(stored, batch)",
        "False",
        20,
        "fell",
    ),
    Bug(
        "the newest event is taken for a new one (>= for >)",
        "consumers.fold:_add",
        "event.sequence > draft.top",
        "event.sequence >= draft.top",
        2,
        "duplicated",
    ),
    Bug(
        "the last batch is dropped on revoke",
        "consumers.lane:Lane._archive",
        "commit = self._committing(batch, refusals)",
        "commit = self._committing(passing(ahead, batch.end) if self._stop.is_set() else batch, refusals)",
        7,
        "lost",
    ),
    Bug(
        "a lane that is told to stop looks for markers behind a fetch that it gave up",
        "consumers.lane:Lane._fetch",
        "return await unless_stopped(self._stop, fetch)",
        "return await unless_stopped(self._stop, fetch) or ()",
        3,
        "miscounted",
    ),
    Bug(
        "no seek to the checkpoint",
        "consumers.lane:Lane._resume",
        "self._parts.source.seek(self.id, checkpoint.next)",
        "pass",
        3,
        "lost",
    ),
    Bug(
        "the working set outlives a failure",
        "consumers.lane:Lane._resume",
        "self._known.clear()",
        "pass",
        3,
        "lost",
    ),
    Bug(
        "who leaves does not see their leave",
        "consumers.visibility:visible",
        "stay.left.sequence if stay.left",
        "stay.left.sequence - 1 if stay.left",
        1,
        "lost",
    ),
    Bug(
        "who joins sees what was said right before",
        "consumers.visibility:visible",
        "(stay.joined.sequence,",
        "(max(1, stay.joined.sequence - 1),",
        2,
        "leaked",
    ),
    Bug(
        "a leave is ignored",
        "consumers.roster:Roster.go",
        "Move(sequence, at, False)",
        "Move(sequence, at, True)",
        1,
        "leaked",
    ),
    Bug(
        "comings and goings stay in the order of their arrival",
        "consumers.roster:_with",
        "tuple(sorted((*moves, move)))",
        "(*moves, move)",
        3,
        "leaked",
    ),
    Bug(
        "a duplicate is told by its id alone",
        "consumers.fold:same",
        " and event.type is held.type and event.body == held.body",
        "",
        67,
        "lost",
    ),
    Bug(
        "a duplicate is told by its sequence alone",
        "consumers.fold:same",
        "event.id == held.id and event.type is held.type and event.body == held.body",
        "True",
        3,
        "lost",
    ),
    Bug(
        "revisions are not compared",
        "consumers.memory_store:MemoryStore._refuse_stale",
        "(stored.revision if stored else 0) != conversation.revision - 1",
        "False",
        3,
        "altered",
    ),
    Bug(
        "what cannot be archived is counted and not kept",
        "consumers.fold:_batch",
        "quarantine=tuple(quarantine)",
        "quarantine=()",
        1,
        "lost",
    ),
    Bug(
        "messages are in order of time",
        "consumers.segment:_runs",
        "sequences = sorted(fresh)",
        "sequences = sorted(fresh, key=lambda sequence: fresh[sequence].moment)",
        2,
        "misordered",
    ),
    Bug(
        "the partner behind a grant is not asked",
        "consumers.memory_store:MemoryStore.commit",
        "check_trust(grant, self._partners.find(grant.principal))",
        "pass",
        6,
        "ungranted",
    ),
    Bug(
        "a grant that is over is good still",
        "consumers.grant:Grant.check",
        "now >= self.expires_at",
        "False",
        42,
        "ungranted",
    ),
    Bug(
        "a demotion is ignored",
        "consumers.visibility:presented",
        "move.presenter is False and since is not None",
        "False",
        21,
        "leaked",
    ),
    Bug(
        "who comes keeps the role that they had",
        "consumers.roster:Roster.come",
        "person.role is Role.PRESENTER",
        "None",
        12,
        "lost",
    ),
    Bug(
        "a role makes present",
        "consumers.roster:Roster.appoint",
        "Move(sequence, at, None,",
        "Move(sequence, at, True,",
        2,
        "leaked",
    ),
    Bug(
        "a message that did not reach somebody is shown",
        "consumers.visibility:undelivered",
        "conversation.undelivered.get(member.sip, ())",
        "()",
        103,
        "leaked",
    ),
    Bug(
        "a failure that comes late writes no item",
        "consumers.roster:Roster.touch",
        "self.touched.update(",
        "set(",
        103,
        "leaked",
    ),
    Bug(
        "outsiders have mailboxes",
        "consumers.filing:file_item",
        " or not member.internal",
        "",
        2,
        "leaked",
    ),
    Bug(
        "the latest origin counts",
        "consumers.roster:Roster.come",
        "min(origin, member.origin, key=_NEAREST.index)",
        "origin",
        21,
        "lost",
    ),
)


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """Have the bug in the code for the length of the block, wherever its function is known."""
    module_name, _, path = bug.where.partition(":")
    module = import_module(module_name)
    owner_name, _, name = path.rpartition(".")
    owner: Any = getattr(module, owner_name) if owner_name else module
    right = getattr(owner, name)
    holders = [owner] if owner_name else [found for found in _ours() if getattr(found, name, None) is right]
    wrong = _changed(right, bug)
    for holder in holders:
        setattr(holder, name, wrong)
    try:
        yield
    finally:
        for holder in holders:
            setattr(holder, name, right)


def _ours() -> list[Any]:
    return [module for name, module in list(sys.modules.items()) if name.startswith("consumers.")]


def _changed(right: Any, bug: Bug) -> Any:
    source = dedent(inspect.getsource(right))
    if source.count(bug.old) != 1:
        raise ValueError(f"{bug.where} has no one place for the bug '{bug.name}'")
    names: dict[str, Any] = {}
    exec(source.replace(bug.old, bug.new), right.__globals__, names)  # noqa: S102  a mutation of our own source
    return names[right.__name__]
