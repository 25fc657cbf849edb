"""Composition of the policies: settings in; their store, and leave to change them, put together."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from consumers.mongo.layout import Database, check, prepare
from consumers.mongo.policies import MongoPolicies
from consumers.mongo.store import connect
from consumers.policy.book import Change, PolicyBook
from consumers.policy.decision import SessionKind, Switches, Target, decide
from consumers.policy.subject import MODELS, Subject, SubjectKind, subject_of
from deploy.errors import InvalidPolicy
from deploy.kafka_login import issuer_client
from deploy.settings import Settings, mongodb_uri
from deploy.signing import signer_of
from deploy.trust import grants_of
from schemas.clock import SystemClock
from schemas.login import ARCHIVER
from schemas.policies import PolicyValue


async def history(settings: Settings) -> Sequence[Change]:
    """Return every change that was ever made; none where there is no archive, and none is made."""
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        await check(database)
        return await MongoPolicies(database, SystemClock(), signer_of(settings)).history()
    finally:
        database.client.close()


async def change(
    settings: Settings, wanted: Mapping[Subject, Mapping[str, Any] | None], effective_at: datetime | None
) -> Sequence[Change]:
    """Change fields of subjects, from `effective_at` on, or from now on; None removes what the subject has.

    A field that is not named stays as it is at that time, or at its default. Raises InvalidPolicy, TooLate.
    """
    clock = SystemClock()
    async with _policies(settings) as (policies, database), issuer_client(settings, ARCHIVER) as tokens:
        moment = (effective_at or clock.now()).astimezone(UTC)
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        book = PolicyBook(await policies.history())
        values = {subject: _value(book, subject, fields, moment) for subject, fields in wanted.items()}
        grants = grants_of(settings, database, tokens, clock)
        return await policies.change(await grants.current(), values, moment)


def switches(settings: Settings) -> Switches:
    """Return the readings that the settings take."""
    return Switches(
        exchange_heeds_policy=settings.policy.exchange_heeds_policy,
        purge_exported_or_expired=settings.policy.purge_exported_or_expired,
    )


def archived_people(book: PolicyBook, moment: datetime, readings: Switches, *, critical: bool) -> list[str]:
    """Return the users whose instant messages are archived, within the organisation or with others, by address.

    With `critical` only those of pools whose configuration has BlockOnArchiveFailure.
    """
    found = []
    for sip in book.users():
        user = book.user(sip, moment)
        if user is None or (critical and not book.configuration(user.pool, moment)[0].block_on_archive_failure):
            continue
        decisions = [
            decide(book, sip, moment, SessionKind.IM, external=external, switches=readings)
            for external in (False, True)
        ]
        if any(decision.target is not Target.NONE for decision in decisions):
            found.append(sip)
    return found


def read_lines(lines: Iterable[str]) -> dict[Subject, Mapping[str, Any] | None]:
    """Return what lines of `{"kind", "identity", "value"}` say, the last one counting.

    Raises InvalidPolicy, also where there are none.
    """
    wanted: dict[Subject, Mapping[str, Any] | None] = {}
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            subject, value = subject_of(SubjectKind(entry["kind"]), entry["identity"]), entry["value"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidPolicy(f"line {number} is no policy: it needs kind, identity and value") from error
        if not isinstance(value, dict | None):
            raise InvalidPolicy(f"line {number} is no policy: its value is neither an object nor null")
        wanted[subject] = value
    if not wanted:
        raise InvalidPolicy("there are no lines, so nothing is changed")
    return wanted


def _value(
    book: PolicyBook, subject: Subject, fields: Mapping[str, Any] | None, moment: datetime
) -> PolicyValue | None:
    if fields is None:
        return None
    before, model = book.value(subject, moment), MODELS[subject.kind]
    if unknown := sorted(fields.keys() - model.model_fields.keys()):
        known = ", ".join(model.model_fields)
        raise InvalidPolicy(f"{subject}: there is no field {unknown[0]}; its fields are {known}")
    try:
        return model.model_validate((before.model_dump(mode="json") if before else {}) | dict(fields))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = first["loc"][0] if first["loc"] else subject.kind
        raise InvalidPolicy(f"{subject}: {place}: {first['msg']}") from None


@asynccontextmanager
async def _policies(settings: Settings) -> AsyncIterator[tuple[MongoPolicies, Database]]:
    database = connect(mongodb_uri(settings), settings.mongodb.database)
    try:
        await prepare(database)
        yield MongoPolicies(database, SystemClock(), signer_of(settings)), database
    finally:
        database.client.close()
