"""Composition of the Exchange side's trust: settings in; whom it trusts, who it is, and what opens grants, out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from consumers.tokens.http_metadata import HttpMetadata
from consumers.tokens.refresh import Refresher

from consumers.mongo.layout import Database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.sessions import MongoSessions
from consumers.mongo.store import connect
from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.authority import TokenAuthority
from consumers.tokens.check import TokenCheck
from consumers.tokens.partner import PartnerApplication
from deploy.errors import InvalidSettings
from deploy.settings import Settings, resolve_addresses
from schemas.clock import Clock, SystemClock
from schemas.login import TokenSource
from schemas.principals import EXCHANGE, Audience


@dataclass(frozen=True, slots=True)
class Trust:
    """The partners of one archive, and how their tokens are checked."""

    partners: MongoPartners
    refresher: Refresher
    check: TokenCheck
    sessions: MongoSessions

    async def partner(self, name: str) -> PartnerApplication:
        """Return the partner with this name. Raises InvalidSettings where there is none."""
        found = await self.partners.partners()
        for partner in found:
            if partner.name == name:
                return partner
        names = ", ".join(partner.name for partner in found) or "none"
        raise InvalidSettings(f"there is no partner application {name}; there are: {names}")


def auth_config(settings: Settings) -> AuthConfig:
    """Return who this server is."""
    exchange = settings.exchange
    return AuthConfig(
        realm=exchange.realm,
        hosts=exchange.hosts,
        skew_s=exchange.skew_s,
        life_s_max=exchange.life_s_max,
        installation=settings.topology.installation,
        cross_premises=settings.topology.cross_premises,
    )


def audience(settings: Settings) -> Audience:
    """Return what a token for this server is for."""
    return Audience(EXCHANGE, min(settings.exchange.hosts), settings.exchange.realm)


def trust_of(settings: Settings, database: Database, clock: Clock) -> Trust:
    """Return whom the archive in this database trusts."""
    partners = MongoPartners(database)
    refresher = Refresher(HttpMetadata(clock), partners, clock)
    roles = settings.exchange.user_roles
    check = TokenCheck(
        config=auth_config(settings),
        partners=partners,
        refresher=refresher,
        user_roles=lambda user: roles.get(user, frozenset()),
        clock=clock,
    )
    return Trust(partners, refresher, check, MongoSessions(database))


def authority_of(settings: Settings, trust: Trust, tokens: TokenSource, clock: Clock) -> TokenAuthority:
    """Return what opens grants for this process, with the tokens that it gets."""
    return TokenAuthority(
        tokens=tokens, audience=audience(settings), check=trust.check, sessions=trust.sessions, clock=clock
    )


@asynccontextmanager
async def trusting(settings: Settings) -> AsyncIterator[Trust]:
    """Connect to the archive for as long as the block runs."""
    database = connect(resolve_addresses(settings).mongodb_uri, settings.mongodb.database)
    try:
        await prepare(database)
        yield trust_of(settings, database, SystemClock())
    finally:
        database.client.close()


async def introduce(trust: Trust, partner: PartnerApplication) -> PartnerApplication:
    """Add a partner, with the keys that its metadata document publishes now, and return it.

    Raises MetadataRefused, DependencyUnavailable where the document cannot be used or had: then nothing is changed.
    """
    keys = await trust.refresher.source.fetch(partner)
    known = replace(partner, keys=keys)
    await trust.partners.put(known)
    return known
