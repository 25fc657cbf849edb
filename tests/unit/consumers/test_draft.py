"""Every type of event has a place and an effect."""

import pytest

from consumers import draft, entry
from consumers.conversation import Conversation
from consumers.draft import Draft
from consumers.transitions import KINDS, NEXT, TRANSITIONS, Kind, Phase
from schemas.catalogue import ENDERS, MODELS, OPENERS, TYPES, EventType
from schemas.errors import Cause, IllegalRecord
from tests.builders import event, example, openers


def test_every_type_has_an_effect_and_a_machine() -> None:
    """No event of the catalogue is without effect, kind and place in a table, and no table names anything else."""
    assert draft._EFFECTS.keys() | draft._MESSAGES == set(MODELS.values())
    assert KINDS.keys() == set(MODELS.values())
    assert {name for table in TRANSITIONS.values() for moves in table.values() for name in moves} == set(EventType)
    assert entry._KINDS.keys() <= set(MODELS.values())


def test_every_table_has_every_phase() -> None:
    """Each kind says of each phase what may come in it."""
    assert all(table.keys() == set(Phase) for table in TRANSITIONS.values())
    assert NEXT.keys() == {(kind, phase) for kind in Kind for phase in Phase}


@pytest.mark.parametrize("name", EventType)
def test_every_type_is_taken_by_a_new_conversation(name: EventType) -> None:
    """Whatever arrives first is kept: its sequence is held, and the phase says which ends are."""
    data = example(MODELS[name], last_sequence=9)
    sequence = 1 if name in OPENERS else 9
    empty = Conversation("x1", KINDS[MODELS[name]])
    folding = Draft(empty)
    folding.add(event(sequence, data))

    after = folding.finish(1, b"h" * 32)
    assert after.held == ((sequence, sequence),)
    assert (after.opening is not None, after.ending is not None) == (name in OPENERS, name in ENDERS)
    expected = {True: Phase.OPEN, False: Phase.CLOSING if name in ENDERS else Phase.AWAITED}
    assert after.phase is expected[name in OPENERS]
    assert empty == Conversation("x1", KINDS[MODELS[name]])


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", EventType)
def test_a_machine_takes_its_own_kind_only(kind: Kind, name: EventType) -> None:
    """An event of another kind, or a second opening, is refused in every phase and changes nothing."""
    folding = Draft(Conversation("x1", kind))
    folding.add(event(1, openers()[kind]))
    if KINDS[MODELS[name]] is kind and name not in OPENERS:
        folding.add(event(2, example(MODELS[name], last_sequence=2)))
        assert folding.holds(2)
        return
    number = 1 if name in OPENERS else 2
    with pytest.raises(IllegalRecord) as refused:
        folding.add(event(number, example(MODELS[name], last_sequence=2)))
    assert refused.value.cause is Cause.ILLEGAL_TRANSITION
    assert folding.fresh.keys() == {1}


@pytest.mark.parametrize("kind", Kind)
def test_both_ends_give_the_same_phase_in_either_order(kind: Kind) -> None:
    """The phase says which ends are held, not which came first."""
    opening = event(1, openers()[kind])
    end = next(example(MODELS[name], last_sequence=2) for name in ENDERS if KINDS[MODELS[name]] is kind)
    ending = event(2, end)
    phases = []
    for order in ((opening, ending), (ending, opening)):
        folding = Draft(Conversation("x1", kind))
        for one in order:
            folding.add(one)
        phases.append(folding.finish(1, b"").phase)
    assert phases == [Phase.ENDED, Phase.ENDED]
    assert TYPES[type(end)] in ENDERS
