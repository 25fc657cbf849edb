"""What administrators know from the Lync cmdlets is understood as they spell it (domain reference, 1.2 and 1.4)."""

from enum import StrEnum

import pytest
from pydantic import ValidationError

from schemas.policies import ArchivedSessions, ArchivingConfiguration, DirectoryUser, ExchangeArchiving


@pytest.mark.parametrize(
    ("spelt", "value"),
    [
        ("None", ArchivedSessions.NONE),
        ("ImOnly", ArchivedSessions.IM_ONLY),
        ("Im-Only", ArchivedSessions.IM_ONLY),
        ("ImAndWebConf", ArchivedSessions.IM_AND_WEB_CONF),
        ("Uninitialized", ExchangeArchiving.UNINITIALIZED),
        ("UseLyncArchivingPolicy", ExchangeArchiving.USE_LYNC),
        ("NoArchiving", ExchangeArchiving.NO_ARCHIVING),
        ("ArchivingToExchange", ExchangeArchiving.TO_EXCHANGE),
    ],
)
def test_values_may_be_spelt_as_the_cmdlets_do(spelt: str, value: StrEnum) -> None:
    """Case and hyphens do not matter, and what is kept is the one spelling of ours."""
    if isinstance(value, ArchivedSessions):
        found = ArchivingConfiguration.model_validate({"enable_archiving": spelt}).model_dump(mode="json")
        assert found["enable_archiving"] == value
    else:
        found = DirectoryUser.model_validate({"exchange_archiving": spelt}).model_dump(mode="json")
        assert found["exchange_archiving"] == value


def test_names_of_places_are_compared_without_case() -> None:
    """Whatever the case that a pool, or a policy's tag, is given in."""
    user = DirectoryUser(pool="Pool1.Contoso.example", policy="Legal")
    assert (user.pool, user.policy) == ("pool1.contoso.example", "legal")


@pytest.mark.parametrize("spelt", ["ImAndConf", "", 1, None])
def test_another_value_is_none(spelt: object) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValidationError):
        ArchivingConfiguration.model_validate({"enable_archiving": spelt})


def test_the_defaults_are_those_of_the_cmdlets() -> None:
    """Each setting of CsArchivingConfiguration, as its documentation has it."""
    assert ArchivingConfiguration().model_dump(mode="json") == {
        "enable_archiving": "none",
        "enable_exchange_archiving": False,
        "archive_duplicate_messages": True,
        "block_on_archive_failure": False,
        "cache_purging_interval_h": 24,
        "enable_purging": False,
        "keep_archiving_data_for_days": 14,
        "purge_exported_archives_only": False,
        "purge_hour_of_day": 2,
    }
