"""Composition of the Exchange side's trust: settings in; whom it trusts, who it is, and what opens grants, out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from consumers.grant_keeper import GrantKeeper
from consumers.mongo.layout import Database, content_database, prepare
from consumers.mongo.partners import MongoPartners
from consumers.mongo.sessions import MongoSessions
from consumers.mongo.store import connect
from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.authority import TokenAuthority
from consumers.tokens.check import TokenCheck
from consumers.tokens.http_metadata import HttpMetadata
from consumers.tokens.partner import LYNC_ROLES, PartnerApplication, TrustLevel
from consumers.tokens.refresh import Refresher
from deploy.errors import NoSuchPartner
from deploy.settings import Settings, content_name, issuer_url, mongodb_uri
from deploy.signing import signer_of
from producers.tokens.service import METADATA_PATH
from schemas.clock import Clock, SystemClock
from schemas.login import TokenSource
from schemas.principals import EXCHANGE, LYNC, Audience, Principal


@dataclass(frozen=True, slots=True)
class Trust:
    """The partners of one archive, and how their tokens are checked."""

    partners: MongoPartners
    metadata: HttpMetadata
    refresher: Refresher
    check: TokenCheck
    sessions: MongoSessions

    async def partner(self, name: str) -> PartnerApplication:
        """Return the partner with this name or principal. Raises NoSuchPartner unless there is just one."""
        known = await self.partners.partners()
        found = [partner for partner in known if name in {partner.name, str(partner.principal)}]
        if len(found) == 1:
            return found[0]
        if found:
            principals = ", ".join(str(partner.principal) for partner in found)
            raise NoSuchPartner(f"several partner applications are called {name}; say which: {principals}")
        names = ", ".join(partner.name for partner in known) or "none"
        raise NoSuchPartner(f"there is no partner application {name}; there are: {names}")


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
    signer = signer_of(settings)
    partners = MongoPartners(database, clock, signer)
    metadata = HttpMetadata(clock)
    refresher = Refresher(metadata, partners, clock)
    roles = settings.exchange.user_roles
    check = TokenCheck(
        config=auth_config(settings),
        partners=partners,
        refresher=refresher,
        user_roles=lambda user: roles.get(user, frozenset()),
        clock=clock,
    )
    return Trust(partners, metadata, refresher, check, MongoSessions(database, clock, signer))


def authority_of(settings: Settings, trust: Trust, tokens: TokenSource, clock: Clock) -> TokenAuthority:
    """Return what opens grants for this process, with the tokens that it gets."""
    return TokenAuthority(
        tokens=tokens, audience=audience(settings), check=trust.check, sessions=trust.sessions, clock=clock
    )


def grants_of(settings: Settings, database: Database, tokens: TokenSource, clock: Clock) -> GrantKeeper:
    """Return what keeps a grant to write into this archive, opened with the tokens that a process gets."""
    return GrantKeeper(authority_of(settings, trust_of(settings, database, clock), tokens, clock), clock)


@asynccontextmanager
async def trusting(settings: Settings) -> AsyncIterator[Trust]:
    """Connect to the archive for as long as the block runs."""
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        await prepare(database, content_database(database, content_name(settings)))
        yield trust_of(settings, database, SystemClock())
    finally:
        database.client.close()


async def introduce(trust: Trust, partner: PartnerApplication) -> PartnerApplication:
    """Add a partner, with the keys that its metadata document publishes now, and return it; a disabled one stays so.

    Raises MetadataRefused, DependencyUnavailable where the document cannot be used or had: then nothing is changed.
    """
    keys = await trust.metadata.fetch(partner)
    await trust.partners.put(replace(partner, keys=keys))
    return await trust.partner(str(partner.principal))


async def introduce_issuer(settings: Settings) -> PartnerApplication:
    """Add the token issuer of the settings as the partner `lync`; where it is known, only its address is kept up."""
    url = f"{issuer_url(settings)}{METADATA_PATH}"
    principal = Principal(LYNC, settings.issuer.realm)
    wanted = PartnerApplication(
        name="lync",
        principal=principal,
        metadata_url=url,
        trust=TrustLevel.FULL,
        roles=LYNC_ROLES,
        deployment=settings.topology.lync,
    )
    async with trusting(settings) as trust:
        for known in await trust.partners.partners():
            if known.principal == principal:
                return known if known.metadata_url == url else await introduce(trust, replace(known, metadata_url=url))
        return await introduce(trust, wanted)
