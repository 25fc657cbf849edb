"""What somebody tests of their own pipeline, with recordings and the archiver's plugin."""

from example_pipeline.by_conversation import by_conversation


def test_the_archiver_archives_the_recording(recording, assert_archived):
    """The recording as it is: published, archived, compared."""
    archive = assert_archived(recording)
    assert archive.quarantine() == []


def test_the_pipeline_loses_nothing(request, recording, lync_archive, assert_archived):
    """The same through the pipeline, into an archive that the test fills itself."""
    records = by_conversation(lync_archive.records(recording), request.config.getoption("--lose"))
    assert lync_archive.publish(records) == len(records)
    counts = lync_archive.archive("--batch", "50")
    assert counts["in"] == counts["archived"] + counts["duplicate"] + counts["quarantined"]
    assert_archived(recording, lync_archive)


def test_people_read_what_they_saw(recording, lync_archived):
    """Mailboxes are at hand as `mailbox export` writes them."""
    archive = lync_archived(recording)
    user = archive.mailboxes()[0]
    items = archive.items(user)
    assert items == sorted(items, key=lambda item: (item["started_at"], item["id"]))
    assert all(entry["sequence"] > 0 for item in items for entry in item["entries"])


def test_recordings_of_ones_own(lync_recording, assert_archived):
    """Once for each file that `--lync-recording` names."""
    assert_archived(lync_recording)
