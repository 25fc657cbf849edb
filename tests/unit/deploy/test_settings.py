"""What the settings refuse at start, by name."""

from pathlib import Path

import pytest

from deploy.cli.config import check
from deploy.errors import InvalidSettings
from deploy.settings import database_named, issuer_folder, load_settings
from schemas.support import Reason, UnsupportedTopology


def test_the_defaults_are_an_on_premises_pair() -> None:
    """With nothing set, the issuer's realm is the one that the Exchange side is in, and its secrets are the stack's."""
    settings = load_settings(stack={"data": "elsewhere"})
    assert settings.issuer.realm == settings.exchange.realm
    assert issuer_folder(settings) == Path("elsewhere/issuer")


@pytest.mark.parametrize(
    ("topology", "reason"),
    [
        ({"exchange": "online", "exchange_version": "online"}, Reason.CROSS_PREMISES),
        ({"lync": "online"}, Reason.CROSS_PREMISES),
        ({"exchange_version": "2010"}, Reason.OLDER_VERSION),
        ({"exchange_version": "online"}, Reason.VERSION_MISMATCH),
        ({"lync": "online", "cross_premises": True}, Reason.NOT_OFFERED),
    ],
)
def test_a_pair_that_is_not_supported_is_refused_by_name(topology: dict[str, object], reason: Reason) -> None:
    """The support matrix is asked before anything is connected to."""
    with pytest.raises(UnsupportedTopology) as refused:
        load_settings(topology=topology)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    "topology",
    [
        {"lync": "online", "exchange": "online", "exchange_version": "online"},
        {"exchange_version": "2016"},
        {"exchange": "online", "exchange_version": "online", "cross_premises": True},
    ],
)
def test_supported_pairs_are_taken(topology: dict[str, object]) -> None:
    """Both online, a later Exchange, and across premises where the switch says so."""
    load_settings(topology=topology)


@pytest.mark.parametrize(
    "exchange",
    [{"hosts": []}, {"hosts": ["Exchange.contoso.example"]}, {"skew_s": 301}, {"life_s_max": 0}, {"realm": ""}],
)
def test_a_server_that_would_take_too_much_is_refused(exchange: dict[str, object]) -> None:
    """Hosts are named and in lower case, the skew is bounded, and lives are too."""
    with pytest.raises(InvalidSettings):
        load_settings(exchange=exchange)


@pytest.mark.parametrize("name", ["KAFKA_BOOTSTRAP", "BOGUS", "BOGUS__NAME", "KAFKA__BOGUS"])
def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Nobody archives from the wrong servers for want of an underscore."""
    monkeypatch.setenv(f"LYNC_ARCHIVER_{name}", "x:1")
    with pytest.raises(InvalidSettings):
        load_settings()


@pytest.mark.parametrize("servers", ["kafka:99999", "kafka:0", "kafka:x", ":9092", "[::1]:99999", "a:1,,b:2", "a b:1"])
def test_servers_that_are_no_addresses_are_refused(servers: str) -> None:
    """As wrong settings, before a client stumbles over them."""
    with pytest.raises(InvalidSettings, match=r"kafka\.bootstrap: .*HOST:PORT"):
        load_settings(kafka={"bootstrap": servers})


@pytest.mark.parametrize("servers", ["kafka", "127.0.0.1:9092", "a:1, b.contoso.example:65535", "[::1]:9092"])
def test_servers_are_one_or_several(servers: str) -> None:
    """A port that is left out is Kafka's own."""
    assert load_settings(kafka={"bootstrap": servers}).kafka.bootstrap == servers


def test_a_list_that_is_no_json_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what a list is written as, and names the group."""
    monkeypatch.setenv("LYNC_ARCHIVER_AUDIT__PUBLIC_KEYS", "key.pem")
    with pytest.raises(InvalidSettings, match=r'list or table is not JSON: .*"audit"'):
        load_settings()


@pytest.mark.parametrize("name", ["a/b", "a b.c", "", "x" * 64])
def test_a_name_that_no_database_has_is_refused_in_words(name: str) -> None:
    """Where a command takes a database, the sentence is about its name and not about a setting."""
    with pytest.raises(InvalidSettings, match="is no database's name"):
        database_named(name)


def test_a_file_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TOML is UTF-8."""
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff")
    monkeypatch.setenv("LYNC_ARCHIVER_CONFIG", str(file))
    with pytest.raises(InvalidSettings, match="not valid TOML"):
        load_settings()


def test_every_setting_is_listed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """By `config check`, also where its value is an empty table, and in the manual under its variable's name."""
    manual = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    check()
    printed = dict(line.split(" = ") for line in capsysbinary.readouterr().out.decode().splitlines())
    assert printed["exchange.user_roles"] == "{}"
    for name in printed:
        assert f"| `LYNC_ARCHIVER_{name.upper().replace('.', '__')}` |" in manual
