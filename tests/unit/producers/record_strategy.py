"""Any record that Kafka can hold, for property tests."""

from typing import Final

from hypothesis import strategies as st

from schemas.record import Record, header_name

_BYTES: Final = st.none() | st.binary(max_size=40) | st.text(max_size=20).map(str.encode)
_HEADERS: Final = st.lists(
    st.tuples(
        st.sampled_from(("a", "ce_id", "", "ü\u2028")) | st.text(max_size=5) | st.binary(max_size=5).map(header_name),
        _BYTES,
    ),
    max_size=4,
)

RECORDS: Final = st.builds(
    Record,
    topic=st.from_regex(r"[a-zA-Z0-9._-]{1,20}", fullmatch=True),
    partition=st.integers(-1, 2**31 - 1),
    offset=st.integers(-1, 2**63 - 1),
    timestamp_ms=st.integers(-(2**63), 2**63 - 1),
    key=_BYTES,
    headers=_HEADERS.map(tuple),
    value=_BYTES,
)
"""Nulls, text, bytes that are no text, repeated headers, names that are no text, times before 1970."""
