"""What a log lacks, said and ordered: never more than what is really gone."""

import pytest

from consumers.batch import Checkpoint, Log
from consumers.missing import Loss, Missing, NotMissing, missing, skip_order
from tests.builders import CONVERSATIONS
from tests.support.source import TOPIC_ID

OTHER = "another"


def checkpoint(topic_id: str | None = TOPIC_ID) -> Checkpoint:
    return Checkpoint(CONVERSATIONS, 10, log=Log(topic_id, 3))


@pytest.mark.parametrize(
    ("stored", "topic_id", "bounds", "loss"),
    [
        (TOPIC_ID, TOPIC_ID, (0, 10), None),
        (TOPIC_ID, TOPIC_ID, (10, 99), None),
        (None, TOPIC_ID, (10, 10), None),
        (TOPIC_ID, TOPIC_ID, (11, 99), Loss.EXPIRED),
        (None, TOPIC_ID, (0, 9), Loss.CUT),
        (TOPIC_ID, OTHER, (0, 99), Loss.MADE_AGAIN),
        (TOPIC_ID, OTHER, (50, 99), Loss.MADE_AGAIN),
    ],
)
def test_what_is_missing(stored: str | None, topic_id: str, bounds: tuple[int, int], loss: Loss | None) -> None:
    """A log goes on at a checkpoint where it is of that topic and holds that offset, or ends there."""
    found = missing(checkpoint(stored), topic_id, *bounds)
    assert (found and found.loss) == loss


def found(topic_id: str, first: int) -> Missing:
    gap = missing(checkpoint(), topic_id, first, 99)
    assert gap is not None
    return gap


def test_an_order_gives_up_what_is_gone_and_no_more() -> None:
    """It goes to the oldest offset there is; only where offsets begin anew does the log get another number."""
    order = skip_order(found(TOPIC_ID, 15), 15, "why")
    assert (order.start, order.to, order.given_up, order.after) == (10, 15, 5, Log(TOPIC_ID, 3))
    anew = skip_order(found(OTHER, 0), None, "why")
    assert (anew.to, anew.given_up, anew.after) == (0, None, Log(OTHER, 4))


@pytest.mark.parametrize("to", [10, 14, 16, 99])
def test_no_order_skips_records_that_are_there(to: int) -> None:
    """Any other offset than the oldest is refused, and so is every order where nothing is missing."""
    with pytest.raises(NotMissing, match="can go on at 15, the oldest offset there is, and not at"):
        skip_order(found(TOPIC_ID, 15), to, "why")
    with pytest.raises(NotMissing, match="all records after the checkpoint are there"):
        skip_order(None, to, "why")


def test_the_refusal_says_what_is_missing_and_what_goes_on() -> None:
    """Lane, checkpoint, what Kafka holds, how much is gone, and the command."""
    said = str(found(TOPIC_ID, 15))
    for part in ("lync.conversations/0", "up to offset 10", "Kafka holds 15 to 99", "the 5 offsets in between"):
        assert part in said
    assert "`lync-archiver lane skip lync.conversations 0 --to 15 --reason TEXT`" in said
    assert "the topic was made again" in str(found(OTHER, 0))
