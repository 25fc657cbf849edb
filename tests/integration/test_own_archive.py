"""An archive of a test's own, filled by pipelines that do harm: what is found, and how it reads."""

from collections.abc import Iterator

import pytest

from deploy.errors import WorkerFailed
from deploy.testing.archive import Archive
from deploy.testing.background import Background
from deploy.testing.servers import Servers, grant_tests
from deploy.verification.report import report
from tests.builders import ALICE, BOB, broken, ended, history, message, started
from tests.conftest import StackAddresses

LIMIT_S = 60.0

TALK = history(started(), message(ALICE, "one"), message(BOB, "two"), message(ALICE, "three"), ended())
INVENTED = history(started(conversation="c9"), message(conversation="c9"), ended(conversation="c9"))


@pytest.fixture
def own_archive(stack: StackAddresses) -> Iterator[Archive]:
    servers = Servers(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.issuer_folder)
    with Background() as background:
        background.run(grant_tests(servers), LIMIT_S)
        archive = Archive(servers, background)
        yield archive
        archive.drop()


def test_each_harm_is_found_in_its_place(own_archive: Archive) -> None:
    """One message is lost, one is changed, one comes twice; a conversation and a record are invented."""
    changed = history(started(), message(), message(BOB, "2"), message(), ended())[2]
    assert own_archive.publish([TALK[0], changed, changed, *TALK[3:], *INVENTED, broken()]) == 9
    counts = own_archive.archive()
    assert counts["duplicate"] == counts["quarantined"] == 1
    verdict, differences = own_archive.verify(TALK)
    assert (verdict.missing, verdict.altered, verdict.leaked, verdict.duplicated) == (2, 4, 3, 0)
    assert own_archive.mailboxes() == [ALICE.sip, BOB.sip]
    shown = [line.split() for line in report(differences, 40)]
    places = [words[:2] for words in shown if words[0] not in {"altered", "missing", "leaked"}]
    assert [where for where, _ in places] == [f"{ALICE.sip},", f"{BOB.sip},"] * 2 + ["quarantine,"]
    assert [words[:2] for words in shown if words[0] == "missing"] == [["missing", "2"]] * 2
    assert [words[:2] for words in shown if words[0] == "altered"] == [["altered", "the"], ["altered", "3"]] * 2
    assert "one" not in str(shown)
    texts = own_archive.texts(TALK, differences)
    assert sorted(texts.values()) == ["one", "two"]
    assert any(line.endswith("'one'") for line in report(differences, 40, texts))


def test_one_that_is_whole_holds_and_a_failing_archiver_says_why(own_archive: Archive) -> None:
    """Records that come again make no difference; a wrong option is the archiver's own sentence."""
    own_archive.publish([*TALK, *TALK])
    own_archive.archive("--batch", "2")
    verdict, differences = own_archive.verify(TALK)
    assert verdict.holds
    assert differences == []
    assert [entry["text"] for item in own_archive.items(BOB.sip) for entry in item["entries"]] == [
        "one",
        "two",
        "three",
    ]
    with pytest.raises(WorkerFailed, match="exit code 2"):
        own_archive.archive("--batch", "0")
