"""The models that archives are judged by agree: verification's, and the independent checker's."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.verification import model
from deploy.verification.audience import shares
from schemas.limits import RECORD_BYTES_MAX
from tests.builders import TOPIC_STREAMS, laid
from tests.checker.audience import readers
from tests.checker.model import expect
from tests.property.histories import History, arrivals, conferences


@settings(max_examples=400, deadline=None)
@given(st.data(), st.tuples(conferences()), st.randoms(use_true_random=False))
def test_both_models_show_the_same(data: st.DataObject, found: tuple[History, ...], dice: Random) -> None:
    """The same people have an item of the same status, and are shown the same, whatever the order of arrival.

    Planted bugs: who is ejected sees on; roles never change; the farthest origin counts; failures are not heard of.
    """
    records = data.draw(arrivals(found))
    shuffled = dice.sample(records, len(records))
    verified = model.expect(shuffled, TOPIC_STREAMS, RECORD_BYTES_MAX).histories
    checked = expect(laid(records)).histories
    assert verified.keys() == checked.keys()
    for name, history in verified.items():
        silent = {number for number, fact in history.facts.items() if fact.line is None}
        wanted = {person: (status, seen - silent) for person, (status, seen) in readers(checked[name].reports).items()}
        assert {who: (share.status, set(share.lines)) for who, share in shares(history).items()} == wanted
