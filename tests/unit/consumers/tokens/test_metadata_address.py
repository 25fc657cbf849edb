"""Which metadata addresses may be pinned."""

import pytest

from consumers.tokens.metadata_address import ADDRESS_CHARS_MAX, check_address
from consumers.tokens.metadata_rules import AddressRefused, MetadataRule
from schemas.errors import Misconfigured

TAKEN = (
    "https://lync.contoso.example/metadata/json/1",
    "https://lync.contoso.example:4443/metadata/json/1?realm=contoso.example",
    "HTTPS://LYNC.CONTOSO.EXAMPLE/metadata/json/1",
    "https://10.0.0.7/metadata/json/1",
    "https://[2001:db8::7]/metadata/json/1",
    "http://127.0.0.1:8080/metadata/json/1",
    "http://127.8.8.8/metadata/json/1",
    "http://[::1]:8080/metadata/json/1",
    "http://localhost/metadata/json/1",
)

REFUSED = {
    "http elsewhere": "http://lync.contoso.example/metadata/json/1",
    "http on every interface": "http://0.0.0.0/metadata/json/1",
    "http on a private address": "http://10.0.0.7/metadata/json/1",
    "looks like loopback": "http://127.0.0.1.contoso.example/metadata/json/1",
    "looks like localhost": "http://localhost.contoso.example/metadata/json/1",
    "short loopback": "http://127.1/metadata/json/1",
    "octal loopback": "http://0177.0.0.1/metadata/json/1",
    "number for a host": "http://2130706433/metadata/json/1",
    "mapped loopback": "http://[::ffff:127.0.0.1]/metadata/json/1",
    "loopback as user": "http://127.0.0.1@contoso.example/metadata/json/1",
    "password": "https://user:word@contoso.example/metadata/json/1",
    "backslash": "http://127.0.0.1\\@contoso.example/metadata/json/1",
    "escaped host": "https://contoso%2eexample/metadata/json/1",
    "zone": "https://[fe80::1%25eth0]/metadata/json/1",
    "fragment": "https://contoso.example/metadata/json/1#keys",
    "no host": "https:///metadata/json/1",
    "no scheme": "//contoso.example/metadata/json/1",
    "relative": "/metadata/json/1",
    "file": "file:///etc/hostname",
    "other scheme": "ftp://contoso.example/metadata/json/1",
    "empty": "",
    "bad port": "https://contoso.example:port/metadata/json/1",
    "large port": "https://contoso.example:65536/metadata/json/1",
    "no port 0": "https://contoso.example:0/metadata/json/1",
    "bad literal": "https://[::1/metadata/json/1",
    "space": "https://contoso.example/meta data",
    "line end": "https://contoso.example/\r\nHost: other.example",
    "look-alike": "https://cоntoso.example/metadata/json/1",
    "empty label": "https://contoso..example/metadata/json/1",
    "long label": f"https://{'a' * 64}.example/metadata/json/1",
    "long host": f"https://{'a.' * 127}example/metadata/json/1",
    "long": "https://contoso.example/".ljust(ADDRESS_CHARS_MAX + 1, "a"),
}


@pytest.mark.parametrize("address", TAKEN)
def test_https_and_this_machine_are_taken(address: str) -> None:
    """Https to any host, and http to a loopback address or `localhost`."""
    check_address(address)


@pytest.mark.parametrize("case", REFUSED)
def test_other_addresses_are_refused(case: str) -> None:
    """Whatever else, the operator is told without the address being repeated."""
    with pytest.raises(AddressRefused) as refusal:
        check_address(REFUSED[case])
    assert isinstance(refusal.value, Misconfigured)
    assert refusal.value.rule is MetadataRule.ADDRESS
    assert str(refusal.value).startswith("metadata-address: ")
    assert not REFUSED[case] or REFUSED[case] not in str(refusal.value)
