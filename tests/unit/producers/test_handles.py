"""Addresses of chat log handles are reversible and never collide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from producers.handles import handle_of, sip_of
from schemas.identifiers import SipAddress

HANDLES = st.text(max_size=40) | st.text(alphabet="ab_-_61Aé", max_size=8)


@given(handle=HANDLES)
def test_an_address_gives_back_the_handle(handle: str) -> None:
    """Every handle has a legal address that leads back to it (planted bug: leaving `_` as it is)."""
    sip = TypeAdapter(SipAddress).validate_python(sip_of(handle))
    assert handle_of(sip) == handle


@given(first=HANDLES, second=HANDLES)
def test_two_handles_never_share_an_address(first: str, second: str) -> None:
    """Different handles are different people (planted bug: lower-casing the handle)."""
    assert (sip_of(first) == sip_of(second)) is (first == second)


@pytest.mark.parametrize(
    ("handle", "sip"),
    [
        ("", "sip:_@chat.example"),
        ("anna-2", "sip:anna-2@chat.example"),
        ("Anna_", "sip:_41nna_5f@chat.example"),
        ("é", "sip:_c3_a9@chat.example"),
    ],
)
def test_addresses_are_those_of_the_contract(handle: str, sip: str) -> None:
    """Bytes outside of `[a-z0-9-]` become `_xx`, and no handle becomes `_`."""
    assert sip_of(handle) == sip


@pytest.mark.parametrize(
    "sip",
    [
        "sip:@chat.example",
        "sip:a@other.example",
        "sip:_61@chat.example",
        "sip:_C3@chat.example",
        "sip:_ff@chat.example",
    ],
)
def test_an_address_that_no_handle_has_is_refused(sip: str) -> None:
    """Only what `sip_of` returns leads back to a handle."""
    with pytest.raises(ValueError, match=r".+"):
        handle_of(sip)
