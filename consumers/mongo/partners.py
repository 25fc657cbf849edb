"""Partner applications in MongoDB, and the fence that makes a change of trust hold against commits under way."""

from collections.abc import Sequence
from typing import Final

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ReturnDocument

from consumers.audit.journal import Act, Signer
from consumers.mongo.digests import document_digest
from consumers.mongo.failures import reported
from consumers.mongo.journal import MongoJournal
from consumers.mongo.layout import CHECKPOINTS, FENCES, PARTNERS, Collection, Database, Document
from consumers.mongo.transaction import transacted
from consumers.tokens.partner import PartnerApplication, PartnerKey, TrustLevel
from schemas.clock import Clock
from schemas.principals import Principal
from schemas.support import Deployment
from schemas.times import format_time

PARTNERS_MAX: Final = 100
"""Partner applications of one organisation; there are a handful."""


class MongoPartners:
    """The `PartnerStore` on a replica set.

    A commit reads its partner and moves its lane's checkpoint in one transaction. A change first changes the partner,
    which every transaction that begins later sees, and then touches every checkpoint outside of any transaction: that
    waits for each commit that has moved its checkpoint, and makes each that has not conflict, so that it begins anew.
    A lane's first commit has no checkpoint to move yet, and touches its document in `fences` for that.
    """

    def __init__(self, database: Database, clock: Clock, signer: Signer) -> None:
        self._database = database
        self._clock = clock
        self._journal = MongoJournal(database, signer)
        self._partners: Collection = database[PARTNERS]

    async def partners(self) -> Sequence[PartnerApplication]:
        with reported("partner applications cannot be read"):
            found = await self._partners.find().sort("_id", 1).limit(PARTNERS_MAX).to_list(None)
        return [partner_of(document) for document in found]

    async def put(self, partner: PartnerApplication) -> None:
        fields = partner_document(partner)
        new = {"enabled": fields.pop("enabled")} if partner.enabled else {}
        await self._change(partner.principal, {}, fields, new)

    async def publish(
        self, principal: Principal, keys: tuple[PartnerKey, ...], known: PartnerApplication | None = None
    ) -> None:
        which = {} if known is None else {"metadata_url": known.metadata_url, "keys": _keys_document(known.keys)}
        await self._change(principal, which, {"keys": _keys_document(keys)})

    async def switch(self, principal: Principal, *, enabled: bool) -> None:
        await self._change(principal, {}, {"enabled": enabled})

    async def _change(
        self, principal: Principal, which: Document, fields: Document, new: Document | None = None
    ) -> None:
        """Set fields of the partner; without `new`, which only one that is added gets, none is added."""
        acts: list[int] = []

        async def write(session: AsyncIOMotorClientSession) -> None:
            acts.clear()
            changed = await self._partners.find_one_and_update(
                {"_id": str(principal), **which},
                {"$set": fields, "$setOnInsert": new or {}},
                upsert=new is not None,
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            if changed is not None:
                facts = {"at": format_time(self._clock.now()), "digest": document_digest(changed)}
                acts.append(await self._journal.act(Act.PARTNER, {**facts, "partner": str(principal)}, session))

        with reported(f"partner application {principal} cannot be changed"):
            await transacted(self._database.client, self._clock, write)
            for act in acts:
                for held in (CHECKPOINTS, FENCES):
                    await self._database[held].update_many({}, {"$set": {"act": act}})


def _keys_document(keys: tuple[PartnerKey, ...]) -> list[Document]:
    return [{"x5t": key.x5t, "certificate": key.certificate} for key in keys]


def partner_document(partner: PartnerApplication) -> Document:
    """Return all of the partner but its key."""
    return {
        "name": partner.name,
        "application": partner.principal.application,
        "realm": partner.principal.realm,
        "metadata_url": partner.metadata_url,
        "trust": str(partner.trust),
        "roles": sorted(partner.roles),
        "enabled": partner.enabled,
        "deployment": str(partner.deployment),
        "keys": _keys_document(partner.keys),
    }


def partner_of(document: Document) -> PartnerApplication:
    """Read a partner."""
    return PartnerApplication(
        name=document["name"],
        principal=Principal(document["application"], document["realm"]),
        metadata_url=document["metadata_url"],
        trust=TrustLevel(document["trust"]),
        roles=frozenset(document["roles"]),
        enabled=document["enabled"],
        deployment=Deployment(document["deployment"]),
        keys=tuple(PartnerKey(key["x5t"], bytes(key["certificate"])) for key in document["keys"]),
    )
