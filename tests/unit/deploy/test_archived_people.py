"""Whose instant messages are archived: what critical mode on the Lync side is given."""

from pathlib import Path

import pytest

from consumers.policy.decision import Switches
from consumers.policy.subject import GLOBAL, SubjectKind
from deploy.critical import archived_users
from deploy.errors import InvalidPolicy
from deploy.policies import archived_people
from schemas.policies import ArchivedSessions, ArchivingConfiguration, ArchivingPolicy, DirectoryUser, ExchangeArchiving
from tests.support.policies import DAWN, NOON, book

BLOCKING, PLAIN = (
    ArchivingConfiguration(enable_archiving=ArchivedSessions.IM_ONLY, block_on_archive_failure=blocks)
    for blocks in (True, False)
)
BOOK = book(
    (SubjectKind.CONFIGURATION, GLOBAL, PLAIN),
    (SubjectKind.CONFIGURATION, "service:registrar:strict.contoso.example", BLOCKING),
    (SubjectKind.POLICY, GLOBAL, ArchivingPolicy(archive_external=True)),
    (SubjectKind.USER, "sip:a@contoso.example", DirectoryUser(pool="strict.contoso.example")),
    (SubjectKind.USER, "sip:b@contoso.example", DirectoryUser()),
    (SubjectKind.USER, "sip:c@contoso.example", DirectoryUser(exchange_archiving=ExchangeArchiving.NO_ARCHIVING)),
    (SubjectKind.USER, "sip:d@contoso.example", None),
)


def test_people_who_are_archived() -> None:
    """In whatever company; with `critical`, in pools with BlockOnArchiveFailure alone; as of the moment."""
    everybody = archived_people(BOOK, NOON, Switches(), critical=False)
    assert everybody == ["sip:a@contoso.example", "sip:b@contoso.example"]
    assert archived_people(BOOK, NOON, Switches(), critical=True) == ["sip:a@contoso.example"]
    assert archived_people(BOOK, DAWN.replace(year=2012), Switches(), critical=False) == []


def test_a_list_of_them_is_read(tmp_path: Path) -> None:
    """An address a line; anything else is refused rather than passed over, for then somebody would not be blocked."""
    file = tmp_path / "archived.txt"
    file.write_text("sip:a@contoso.example\n\nsip:b@contoso.example\n")
    assert archived_users(file) == {"sip:a@contoso.example", "sip:b@contoso.example"}
    for text in ("sip:A@contoso.example", "a@contoso.example", "sip:a@contoso.example, sip:b@contoso.example"):
        file.write_text(f"sip:c@contoso.example\n\n{text}\n")
        with pytest.raises(InvalidPolicy, match=r"^line 3 of .* is no SIP address"):
            archived_users(file)
    with pytest.raises(InvalidPolicy, match="cannot be read"):
        archived_users(tmp_path / "absent")
