"""The servers that tests run on: a local stack of the session's own, or servers that run already."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.kafka_login import kafka_login
from deploy.settings import Settings, load_settings
from deploy.stack.acls import Pattern, ensure_acls
from deploy.stack.local import local_stack
from schemas.login import ADMIN

PREFIX: Final = "lync-test"
"""What the names of tests' topics, groups and databases begin with."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are, and the folder with the secrets of the issuer's clients."""

    bootstrap: str
    mongodb_uri: str
    issuer: str
    issuer_folder: Path

    def settings(self, **more: dict[str, str]) -> Settings:
        """Return settings on these servers."""
        groups: dict[str, dict[str, object]] = {
            "kafka": {"bootstrap": self.bootstrap},
            "mongodb": {"uri": self.mongodb_uri},
            "issuer": {"url": self.issuer, "folder": self.issuer_folder},
        }
        for name, values in more.items():
            groups[name] = groups.get(name, {}) | values
        return load_settings(**groups)


@asynccontextmanager
async def own_servers(data: Path) -> AsyncIterator[Servers]:
    """Run a stack in `data` for as long as the block runs."""
    async with local_stack(data) as stack:
        yield Servers(stack.bootstrap, stack.mongodb_uri, stack.issuer, stack.data / "issuer")


async def grant_tests(servers: Servers) -> None:
    """Let the producer write topics, and the archiver read them in groups, whose names begin as those of tests do."""
    async with kafka_login(servers.settings(), ADMIN) as admin:
        await ensure_acls(servers.bootstrap, admin, [PREFIX], PREFIX, Pattern.PREFIXED)
