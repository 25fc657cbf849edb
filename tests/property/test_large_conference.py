"""A conference of a thousand people, folded as it may come: each item shows what an independent walk says."""

from random import Random

from producers.simulator.files import generated
from schemas.envelope import decode
from tests.builders import CONFERENCES, laid
from tests.checker.audience import readers
from tests.checker.model import expect
from tests.property.test_invariants import shown, stored
from tests.support.meetings import conference, disordered, recorded

PEOPLE = 1_000
SAMPLE = 12
"""Every twelfth person's item is read whole: all would take as many times as long."""


async def test_a_thousand_people_in_one_conference() -> None:
    """Doubled and late records included; guests have no item, and no file is missed.

    Planted bug: guests have items.
    """
    told = disordered(recorded(conference(people=PEOPLE), CONFERENCES.topic), Random(3))
    records = laid(record._replace(partition=CONFERENCES.partition) for record in told)
    contents = [getattr(decode(record, None).data, "content", None) for record in records]
    files = {content.sha256: generated(content.id) for content in contents if content is not None}
    store = await stored(records, files=files.values())
    history = expect(records, {digest: len(data) for digest, data in files.items()}).histories
    (reports,) = [found.reports for found in history.values()]
    wanted = readers(reports)
    items = {item.mailbox: item for item in store.items()}
    assert items.keys() == wanted.keys() == store.mailboxes().keys()
    assert len(items) == PEOPLE
    assert list(store.quarantine()) == []
    assert len(reports) > 4 * PEOPLE
    for mailbox in sorted(items)[::SAMPLE]:
        assert set(shown(items[mailbox], store)) == wanted[mailbox][1]
