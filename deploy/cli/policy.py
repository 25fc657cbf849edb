"""`lync-archiver policy`: who is archived, where to, since when, and why."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consumers.policy.decision import SessionKind
from consumers.policy.subject import SubjectKind
from deploy.cli.printing import JsonLinesOption, JsonOption, print_json, print_line, print_rows, print_table

if TYPE_CHECKING:
    from consumers.policy.book import Change, PolicyBook

KindArgument = Annotated[SubjectKind, typer.Argument(help="What it is about.")]
IdentityArgument = Annotated[
    str, typer.Argument(help="global, site:NAME, service:registrar:HOST, tag:NAME, a pool's host or a SIP address.")
]
FromOption = Annotated[str | None, typer.Option("--from", help="From when on, RFC 3339; now unless given.")]
AtOption = Annotated[str | None, typer.Option("--at", help="A moment, RFC 3339; now unless given.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    policy = typer.Typer(help="Archiving configurations, policies, users, pools and holds.", no_args_is_help=True)
    policy.command("show")(show)
    policy.command("set")(set_policy)
    policy.command("load")(load)
    policy.command("explain")(explain)
    policy.command("archived")(archived)
    app.add_typer(policy, name="policy")


def show(
    kind: Annotated[SubjectKind | None, typer.Argument(help="Only what is about this.")] = None,
    identity: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    at: AtOption = None,
    history: Annotated[bool, typer.Option("--history", help="Every change there was, oldest first.")] = False,
    as_json: JsonOption = False,
    as_lines: JsonLinesOption = False,
) -> None:
    """Show what is in force at a moment, or how it came to be."""
    changes = [
        change
        for change in asyncio.run(_history())
        if kind in {None, change.subject.kind} and (identity is None or identity.lower() == change.subject.identity)
    ]
    moment = _moment(at) or _now()
    rows = [_document(change) for change in (changes if history else _in_force(changes, moment))]
    if not print_rows(rows, as_json=as_json, as_lines=as_lines):
        columns = ("kind", "identity", "effective_at", "value")
        cells = [[*(row[column] for column in columns[:-1]), json.dumps(row["value"])] for row in rows]
        print_table([column.upper() for column in columns], cells)


def set_policy(
    kind: KindArgument,
    identity: IdentityArgument,
    fields: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="What to change.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove what it has.")] = False,
    effective: FromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what something has, from a moment on; what is archived already stays decided as it was."""
    from consumers.policy.subject import subject_of  # noqa: PLC0415  start-up time

    if remove == bool(fields) and kind is not SubjectKind.HOLD:
        raise typer.BadParameter("say what to change, as NAME=VALUE, or --remove")
    subject = subject_of(kind, identity)
    _report(_change({subject: None if remove else _fields(fields or [])}, effective), as_json)


def load(
    file: Annotated[Path, typer.Argument(help='Lines of {"kind", "identity", "value"}; a value of null removes.')],
    effective: FromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change many at once, all or none: users and holds, as another system has them."""
    from deploy.errors import InvalidPolicy  # noqa: PLC0415  start-up time
    from deploy.policies import read_lines  # noqa: PLC0415

    try:
        with file.open(encoding="utf-8") as lines:
            wanted = read_lines(lines)
    except OSError as error:
        raise InvalidPolicy(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidPolicy(f"{file} cannot be read: it is not UTF-8") from error
    _report(_change(wanted, effective), as_json)


def explain(
    user: Annotated[str, typer.Argument(help="A SIP address.")],
    at: AtOption = None,
    kind: Annotated[SessionKind, typer.Option(help="What kind of session.")] = SessionKind.IM,
    external: Annotated[bool, typer.Option(help="Somebody without an account takes part.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say where a user's sessions are archived at a moment, and by which rules."""
    from consumers.policy.decision import decide  # noqa: PLC0415  start-up time
    from deploy.policies import switches  # noqa: PLC0415
    from deploy.reading import sip_address  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415
    from schemas.times import format_time  # noqa: PLC0415

    sip, moment = sip_address(user), _moment(at) or _now()
    book = _book(asyncio.run(_history()))
    found = decide(book, sip, moment, kind, external=external, switches=switches(load_settings()))
    if as_json:
        document = {"user": sip, "at": format_time(moment), "kind": str(kind), "external": external}
        print_json({**document, "target": str(found.target), "path": [step._asdict() for step in found.path]})
        return
    for step in found.path:
        print_line(f"{step.rule:24}{step.said}")
    print_line(f"{'target':24}{found.target}")


def archived(
    at: AtOption = None,
    critical: Annotated[bool, typer.Option("--critical", help="Only of pools with BlockOnArchiveFailure.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the users whose instant messages are archived at a moment, one a line."""
    from deploy.policies import archived_people, switches  # noqa: PLC0415  start-up time
    from deploy.settings import load_settings  # noqa: PLC0415

    readings = switches(load_settings())
    people = archived_people(_book(asyncio.run(_history())), _moment(at) or _now(), readings, critical=critical)
    if as_json:
        print_json(people)
        return
    for sip in people:
        print_line(sip)


def _book(changes: Iterable["Change"]) -> "PolicyBook":
    from consumers.policy.book import PolicyBook  # noqa: PLC0415  start-up time

    return PolicyBook(changes)


async def _history() -> Sequence["Change"]:
    from deploy.policies import history  # noqa: PLC0415  start-up time
    from deploy.settings import load_settings  # noqa: PLC0415

    return await history(load_settings())


def _change(wanted: Any, effective: str | None) -> Sequence["Change"]:
    from deploy.policies import change  # noqa: PLC0415  start-up time
    from deploy.settings import load_settings  # noqa: PLC0415

    return asyncio.run(change(load_settings(), wanted, _moment(effective)))


def _in_force(changes: Iterable["Change"], moment: datetime) -> list["Change"]:
    """Return the change that counts for each subject, by subject; none where it has nothing."""
    latest = {}
    for change in sorted(changes, key=lambda change: (change.effective_at, change.number)):
        if change.effective_at <= moment:
            latest[change.subject] = change
    return [latest[subject] for subject in sorted(latest) if latest[subject].value is not None]


def _fields(pairs: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE; a value that is JSON is taken as such, any other as text."""
    fields: dict[str, Any] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator:
            raise typer.BadParameter(f"{pair!r} is not NAME=VALUE")
        try:
            fields[name.replace("-", "_")] = json.loads(text)
        except ValueError:
            fields[name.replace("-", "_")] = text
    return fields


def _moment(text: str | None) -> datetime | None:
    from schemas.errors import MalformedRecord  # noqa: PLC0415  start-up time
    from schemas.times import parse_time  # noqa: PLC0415

    if text is None:
        return None
    try:
        return parse_time(text)[1]
    except MalformedRecord as error:
        raise typer.BadParameter(f"{text!r} is not RFC 3339, like 2013-03-01T09:00:00Z") from error


def _now() -> datetime:
    from schemas.clock import SystemClock  # noqa: PLC0415  start-up time

    return SystemClock().now()


def _report(changes: Sequence["Change"], as_json: bool) -> None:
    rows = [_document(change) for change in changes]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        said = "removed" if row["value"] is None else json.dumps(row["value"])
        print_line(f"{row['kind']} {row['identity']} from {row['effective_at']}: {said}")


def _document(change: "Change") -> dict[str, Any]:
    from schemas.times import format_time  # noqa: PLC0415  start-up time

    return {
        "number": change.number,
        "kind": str(change.subject.kind),
        "identity": change.subject.identity,
        "effective_at": format_time(change.effective_at),
        "recorded_at": format_time(change.recorded_at),
        "by": change.by,
        "value": change.value and change.value.model_dump(mode="json"),
    }
