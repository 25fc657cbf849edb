"""Whether a key signed, when it may, and that certificates are read once."""

from datetime import timedelta
from typing import Final

import pytest

from consumers.tokens import signature
from consumers.tokens.rules import Rule, TokenRefused
from consumers.tokens.signature import check_signature
from tests.support.tokens import NOW, app, certificate

SECOND: Final = timedelta(seconds=1)


def _refused(der: bytes, at: timedelta) -> Rule:
    with pytest.raises(TokenRefused) as caught:
        check_signature(app(), der, NOW + at)
    return caught.value.rule


def test_a_key_is_good_from_its_certificates_beginning_to_before_its_end() -> None:
    """The end is returned, for whoever must not act on the key's word after it."""
    der = certificate("lync", begins_h=0, ends_h=1)
    hour = timedelta(hours=1)
    assert _refused(der, -SECOND) is Rule.UNUSABLE_KEY
    assert check_signature(app(), der, NOW) == NOW + hour
    assert check_signature(app(), der, NOW + hour - SECOND) == NOW + hour
    assert _refused(der, hour) is Rule.UNUSABLE_KEY


def test_a_certificate_that_was_good_is_judged_by_the_time_of_each_token() -> None:
    """What is kept of a certificate is what it says, not that it was good once."""
    der = certificate("lync", ends_h=2)
    check_signature(app(), der, NOW)
    assert _refused(der, timedelta(hours=2)) is Rule.UNUSABLE_KEY


def test_a_certificate_is_read_once() -> None:
    """Reading one costs more than checking with it; a bad one is not kept, so that it is refused each time."""
    der = certificate("lync", ends_h=3)
    check_signature(app(), der, NOW)
    before = signature._certified.cache_info()
    check_signature(app(), der, NOW)
    assert signature._certified.cache_info().hits == before.hits + 1
    for _ in range(2):
        assert _refused(b"bad", timedelta()) is Rule.UNUSABLE_KEY
    assert signature._certified.cache_info().currsize == before.currsize


def test_another_certificate_of_the_key_is_told_apart() -> None:
    """The same key under a certificate of other dates is good within those dates alone."""
    early, late = certificate("lync", ends_h=4), certificate("lync", begins_h=4, ends_h=8)
    check_signature(app(), early, NOW)
    assert _refused(late, timedelta()) is Rule.UNUSABLE_KEY
    assert _refused(early, timedelta(hours=4)) is Rule.UNUSABLE_KEY
    check_signature(app(), late, NOW + timedelta(hours=4))
