"""The settings, read once at start: what the caller says, else the environment, else `lync-archiver.toml`.

The only module that reads the environment. Addresses that are not set are those of the running local stack.
"""

# ruff: noqa: TID251  the one module that reads the environment

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from consumers.quarantine_rate import DEFAULT_RATE
from consumers.tokens.auth_config import LIFE_S_MAX, SKEW_S_MAX
from deploy.errors import InvalidSettings
from deploy.stack.state import read_status
from producers.tokens.issuing import LIFE_S
from producers.tokens.issuing import LIFE_S_MAX as LIFE_S_ISSUED_MAX
from schemas.content_limits import EWS_BYTES_MAX, ITEM_BYTES_MAX, UPLOAD_BYTES_MAX
from schemas.health import HEALTH_TOPIC
from schemas.limits import RECORD_BYTES_MAX
from schemas.support import Deployment, Feature, Installation, Product, Version, check_supported

PREFIX: Final = "LYNC_ARCHIVER_"
_DELIMITER: Final = "__"
REALM: Final = "contoso.example"
"""The simulated organisation's SIP domain, which on premises is the realm (domain reference, section 5.1)."""

GROUP: Final = "lync-archiver"
"""The archivers' consumer group."""

_FILE: Final = "lync-archiver.toml"
_FILE_VARIABLE: Final = f"{PREFIX}CONFIG"
_OTHERS: Final = frozenset({"CONFIG", "RECORDED"})
_TESTS: Final = "TEST_"
"""What the environment may hold beside settings: where the file is, and what the tests read."""

_MIB: Final = 1024 * 1024

CONTENT_SUFFIX: Final = "_content"
"""What the name of the files' database has beyond the archive's, as `consumers.mongo.layout` has it."""

DATABASE_CHARS_MAX: Final = 63
"""What MongoDB takes."""

_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:,\[\]]+)(:(?P<port>[0-9]{1,5}))?")
_PORTS: Final = range(1, 65_536)


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Group):
    """Where the events are; `bootstrap` unset is the local stack. `tls_ca` (PEM) is trusted beside the system's own."""

    bootstrap: str | None = None
    tls: bool = False
    tls_ca: Path | None = None
    group: str = Field(default=GROUP, min_length=1)
    session_timeout_s: float = Field(default=10, ge=6, le=300)  # brokers refuse less than 6 by default
    conversations_topic: str = Field(default="lync.conversations", min_length=1)
    conferences_topic: str = Field(default="lync.conferences", min_length=1)
    contacts_topic: str = Field(default="lync.contacts", min_length=1)
    health_topic: str = Field(default=HEALTH_TOPIC, min_length=1)

    @field_validator("bootstrap")
    @classmethod
    def _addresses(cls, bootstrap: str | None) -> str | None:
        for address in bootstrap.split(",") if bootstrap else ():
            found = _ADDRESS.fullmatch(address.strip())
            if found is None or int(found["port"] or 1) not in _PORTS:
                raise ValueError("servers are written HOST:PORT, several with commas between")
        return bootstrap


class MongoSettings(_Group):
    """Where the mailboxes are; `uri` unset is the local stack. It may hold a password, hence a secret."""

    uri: SecretStr | None = None
    database: str = Field(default="lync_archive", max_length=63, pattern=r"^[0-9A-Za-z_-]+$")


class ArchiveSettings(_Group):
    """The limits of one lane: records and bytes of a batch, and how long each step may take.

    Where more than `quarantine_rate_max` of its last `quarantine_window` records cannot be archived, it stops; 1.0 is
    no limit. Below `retention_warning_ratio` of Kafka's retention left for what waits to be archived, it warns.
    With `purging` it sweeps and purges beside.
    """

    batch: int = Field(default=4000, ge=1, le=10_000)
    batch_bytes: int = Field(default=8 * _MIB, ge=1, le=8 * _MIB)  # a segment must stay below 16 MiB
    record_bytes_max: int = Field(default=RECORD_BYTES_MAX, ge=1, le=8 * _MIB)
    flush_timeout_s: float = Field(default=20, gt=0)
    quarantine_rate_max: float = Field(default=DEFAULT_RATE.ratio, ge=0, le=1)
    retention_warning_ratio: float = Field(default=0.2, ge=0, le=1)
    quarantine_window: int = Field(default=DEFAULT_RATE.window, ge=100, le=10_000)
    purging: bool = False


class ContentSettings(_Group):
    """Files: their database, by default named after the archive's; the largest that an item takes, and that is taken at
    all; and for how long one that was put waits for its event before it may be swept."""

    database: str | None = Field(default=None, max_length=63, pattern=r"^[0-9A-Za-z_-]+$")
    item_bytes_max: int = Field(default=ITEM_BYTES_MAX, ge=1, le=EWS_BYTES_MAX)
    upload_bytes_max: int = Field(default=UPLOAD_BYTES_MAX, ge=1)
    grace_h: float = Field(default=15 * 24, ge=1)  # Lync's own ContentGracePeriod


class IssuerSettings(_Group):
    """The Lync side's token issuer; `url` and `folder`, with the clients' secrets, unset are the local stack's."""

    url: str | None = None
    folder: Path | None = None
    realm: str = Field(default=REALM, max_length=253, pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]*$")
    life_s: int = Field(default=LIFE_S, ge=5, le=LIFE_S_ISSUED_MAX)


class ExchangeSettings(_Group):
    """Who this server is to those who present tokens, and how strictly it takes their times.

    `user_roles` gives users, by address in lower case, the roles that a token on their behalf acts by.
    """

    realm: str = Field(default=REALM, max_length=253, pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]*$")
    hosts: frozenset[str] = frozenset({f"exchange.{REALM}"})
    skew_s: float = Field(default=60, ge=0, le=SKEW_S_MAX)
    life_s_max: float = Field(default=LIFE_S_MAX, gt=0, le=LIFE_S_MAX)
    user_roles: dict[str, frozenset[str]] = {}

    @field_validator("hosts")
    @classmethod
    def _lower(cls, hosts: frozenset[str]) -> frozenset[str]:
        if not hosts or any(host != host.lower() for host in hosts):
            raise ValueError("hosts are one or more names in lower case")
        return hosts


class TopologySettings(_Group):
    """What stands where. `cross_premises` takes the later guidance that one side may be on premises, the other not."""

    lync: Deployment = Deployment.ON_PREMISES
    exchange: Deployment = Deployment.ON_PREMISES
    exchange_version: Version = Version.V2013
    cross_premises: bool = False

    @property
    def installation(self) -> Installation:
        return Installation(Product.EXCHANGE, self.exchange, self.exchange_version)


class PolicySettings(_Group):
    """Readings where Microsoft's pages disagree. `exchange_heeds_policy`: archiving to Exchange, too, is held to
    ArchiveInternal and ArchiveExternal. A change of it decides everything archived from then on.
    `purge_exported_or_expired`: PurgeExportedArchivesOnly purges what is exported or expired, not only what is both.
    """

    exchange_heeds_policy: bool = False
    purge_exported_or_expired: bool = False


class AuditSettings(_Group):
    """The journal's keys (Ed25519, PEM): the private one that signs, unset the local stack's, and the public ones that
    a check takes, unset that of `key`.
    """

    key: Path | None = None
    public_keys: tuple[Path, ...] = ()


class HttpSettings(_Group):
    """Where health and metrics are served; port 0 is a free one, and of several workers each has the next."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=0, ge=0, le=65_535)


class StackSettings(_Group):
    """The local stack's folder and ports; port 0 is a free one, chosen once.

    With `kafka_keystore`, PEM with a private key and its certificates, Kafka's clients speak TLS: set `kafka.tls` too.
    """

    data: Path = Path("data")
    kafka_port: int = Field(default=0, ge=0, le=65_535)
    mongodb_port: int = Field(default=0, ge=0, le=65_535)
    issuer_port: int = Field(default=0, ge=0, le=65_535)
    kafka_keystore: Path | None = None


class Settings(BaseSettings):
    """Everything that can be set. `debug` writes the traceback of an internal error to a log."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=_DELIMITER,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    mongodb: MongoSettings = MongoSettings()
    archive: ArchiveSettings = ArchiveSettings()
    content: ContentSettings = ContentSettings()
    issuer: IssuerSettings = IssuerSettings()
    exchange: ExchangeSettings = ExchangeSettings()
    topology: TopologySettings = TopologySettings()
    policy: PolicySettings = PolicySettings()
    audit: AuditSettings = AuditSettings()
    http: HttpSettings = HttpSettings()
    stack: StackSettings = StackSettings()
    debug: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=_settings_file())


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` win, as in `load_settings(stack={"data": "elsewhere"})`.

    Raises:
        InvalidSettings: a setting is unknown or out of its bounds, or the file cannot be read.
        UnsupportedTopology: the installations that are set are not supported together.
    """
    try:
        _refuse_unknown_variables()
        settings = Settings(**overrides)
    except ValidationError as exc:
        raise InvalidSettings(f"wrong settings: {'; '.join(_problems(exc))}") from exc
    except SettingsError as exc:
        raise InvalidSettings(f"wrong settings: a variable's list or table is not JSON: {exc}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidSettings(f"{_settings_file()} is not valid TOML: {exc}") from exc
    except OSError as exc:
        raise InvalidSettings(f"{_settings_file()} cannot be read: {exc.strerror}") from exc
    topology = settings.topology
    check_supported(topology.lync, topology.installation, Feature.ARCHIVING, cross_premises=topology.cross_premises)
    return settings


def database_named(name: str) -> str:
    """Return a database's name. Raises InvalidSettings for one that no setting could have."""
    load_settings()  # what else is wrong is said in its own words
    try:
        return load_settings(mongodb={"database": name}).mongodb.database
    except InvalidSettings as error:
        raise InvalidSettings(f"{name!r} is no database's name: 1 to 63 letters, digits, - and _ of ASCII") from error


def kafka_bootstrap(settings: Settings) -> str:
    """Return where Kafka is: what is set, else the running local stack. Raises InvalidSettings where neither is."""
    found = settings.kafka.bootstrap or read_status(settings.stack.data).kafka
    return found or _missing("Kafka", "KAFKA__BOOTSTRAP", settings.stack.data)


def mongodb_uri(settings: Settings) -> str:
    """Return where MongoDB is, as above. It may hold a password: never log it."""
    uri = settings.mongodb.uri
    found = read_status(settings.stack.data).mongodb if uri is None else uri.get_secret_value()
    return found or _missing("MongoDB", "MONGODB__URI", settings.stack.data)


def content_name(settings: Settings) -> str:
    """Return the name of the files' database. Raises InvalidSettings where it would be longer than MongoDB takes."""
    name = settings.content.database or f"{settings.mongodb.database}{CONTENT_SUFFIX}"
    if len(name) > DATABASE_CHARS_MAX:
        raise InvalidSettings(f"the name {name} is too long for a database: set {PREFIX}CONTENT__DATABASE")
    return name


def issuer_url(settings: Settings) -> str:
    """Return where the token issuer is, as above."""
    found = settings.issuer.url or read_status(settings.stack.data).issuer
    return found or _missing("token issuer", "ISSUER__URL", settings.stack.data)


def issuer_folder(settings: Settings) -> Path:
    """Return the folder with the secrets of the issuer's clients."""
    return settings.issuer.folder or settings.stack.data / "issuer"


def java_home() -> Path | None:
    """Return the Java that the user chose for this machine, if any."""
    home = os.environ.get("JAVA_HOME")
    return Path(home) if home else None


def cache_folder() -> Path:
    """Return the user's folder for files that can be had again."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "lync-archiver"


def _settings_file() -> Path:
    return Path(os.environ.get(_FILE_VARIABLE) or _FILE)


def _problems(invalid: ValidationError) -> Iterator[str]:
    for error in invalid.errors():
        message = "there is no such setting" if error["type"] == "extra_forbidden" else error["msg"]
        yield f"{'.'.join(map(str, error['loc']))}: {message}"


def _missing(server: str, variable: str, data: Path) -> NoReturn:
    raise InvalidSettings(
        f"no {server}: the local stack in {data} is not running; "
        f"start it with `lync-archiver stack up`, or set {PREFIX}{variable}"
    )


def _refuse_unknown_variables() -> None:
    """Refuse misspelt groups, which pydantic-settings passes over; it refuses misspelt names within a group."""
    chosen = os.environ.get(_FILE_VARIABLE)
    if chosen and not Path(chosen).is_file():
        raise InvalidSettings(f"{_FILE_VARIABLE} names {chosen}, which is not a file")
    for variable in os.environ:
        name = variable.upper().removeprefix(PREFIX)
        group, delimiter, _ = name.partition(_DELIMITER)
        if not variable.upper().startswith(PREFIX) or group.lower() in Settings.model_fields:
            continue
        if delimiter:
            raise InvalidSettings(f"{variable} is not a setting: there is no group {group}")
        if name not in _OTHERS and not name.startswith(_TESTS):
            raise InvalidSettings(f"{variable} is not a setting; between group and name are two underscores")
