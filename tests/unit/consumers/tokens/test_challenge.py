"""What a caller without an accepted token is told."""

from dataclasses import replace
from typing import Final

from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.challenge import challenge
from schemas.principals import SHAREPOINT
from tests.support.trust import PARTNER

CONFIG: Final = AuthConfig("contoso.example", frozenset({"mail.contoso.example"}))
ID: Final = "00000004-0000-0ff1-ce00-000000000000"


def test_exchange_spells_it_as_its_protocol_does() -> None:
    """[MS-XOAUTH] 4.6: client_id, then trusted_issuers, each quoted."""
    assert challenge(CONFIG, [PARTNER]) == (
        'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", '
        f'trusted_issuers="{ID}@contoso.example", realm="contoso.example"'
    )


def test_sharepoint_spells_it_as_its_protocol_does() -> None:
    """[MS-SPS2SAUTH] 3.1.5: realm, client_id and trustedissuers in one word."""
    assert challenge(replace(CONFIG, application=SHAREPOINT), [PARTNER]) == (
        'Bearer realm="contoso.example",client_id="00000003-0000-0ff1-ce00-000000000000",'
        f'trustedissuers="{ID}@contoso.example"'
    )


def test_only_enabled_partners_are_named() -> None:
    """Whom we trust no longer is not worth a token, and partners stand in their order, with a comma between."""
    other = replace(PARTNER, principal=PARTNER.principal._replace(realm="fabrikam.example"))
    gone = replace(PARTNER, principal=PARTNER.principal._replace(realm="tailspin.example"), enabled=False)
    said = challenge(CONFIG, [PARTNER, gone, other])
    assert f'trusted_issuers="{ID}@contoso.example,{ID}@fabrikam.example"' in said
    assert "tailspin" not in said


def test_without_partners_the_list_is_empty() -> None:
    """The challenge is complete even so."""
    assert 'trusted_issuers=""' in challenge(CONFIG, [])


def test_the_challenge_is_one_header_line() -> None:
    """Visible ASCII and spaces only, so that it can stand in a header."""
    assert challenge(CONFIG, [PARTNER]).isprintable()
