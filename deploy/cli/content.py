"""`lync-archiver content`: the files that meetings left behind."""

import asyncio
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.printing import JsonOption, counted, print_json, print_line

if TYPE_CHECKING:
    from consumers.ports import IdleContent
    from deploy.content import Swept

_DIGEST = re.compile(r"[0-9a-f]{64}")


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    content = typer.Typer(help="Files that meetings left behind.", no_args_is_help=True)
    content.command("get")(get)
    content.command("sweep")(sweep)
    app.add_typer(content, name="content")


def get(
    sha256: Annotated[str, typer.Argument(metavar="SHA256", help="The file's digest, as entries name it.")],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write its bytes.")],
    as_json: JsonOption = False,
) -> None:
    """Write a file's bytes, and fail where they are not those of its digest."""
    digest = sha256.lower()
    if not _DIGEST.fullmatch(digest):
        raise typer.BadParameter("it is not 64 hexadecimal digits", param_hint="SHA256")
    size = asyncio.run(_get(digest, out))
    if as_json:
        print_json({"sha256": digest, "bytes": size, "out": str(out)})
    else:
        typer.echo(counted(size, "byte"))


async def _get(digest: str, out: Path) -> int:
    from deploy.content import content_store  # noqa: PLC0415  start-up time
    from deploy.content import get as run  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415

    async with content_store(load_settings()) as store:
        return await run(store, digest, out)


def sweep(
    older_than: Annotated[
        float | None, typer.Option(min=1, metavar="H", help="Hours since a file was put; else content.grace_h.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete files that no archived event and no quarantined record refers to; archivers may run meanwhile."""
    found: list[dict[str, Any]] = []
    swept = asyncio.run(_sweep(older_than, dry_run, found))
    if as_json:
        print_json(asdict(swept) | {"dry_run": dry_run, "files": found})
        return
    for file in found:
        print_line(f"{file['sha256']}  {counted(file['bytes'], 'byte')}  put {file['put_at']}")
    verb = "would be deleted" if dry_run else f"deleted ({counted(swept.bytes, 'byte')}), {swept.kept} needed again"
    typer.echo(
        f"{counted(swept.idle, 'file')} that nothing refers to: {swept.idle if dry_run else swept.deleted} {verb}"
    )


async def _sweep(older_than: float | None, dry_run: bool, found: list[dict[str, Any]]) -> "Swept":
    from deploy.content import content_to_sweep  # noqa: PLC0415  start-up time
    from deploy.content import sweep as run  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415
    from schemas.clock import SystemClock  # noqa: PLC0415
    from schemas.times import format_time  # noqa: PLC0415

    def watch(file: "IdleContent") -> None:
        found.append({"sha256": file.sha256, "bytes": file.size, "put_at": format_time(file.put_at)})

    settings = load_settings()
    hours = settings.content.grace_h if older_than is None else older_than
    async with content_to_sweep(settings) as store:
        return await run(store, SystemClock().now(), hours, dry_run=dry_run, watch=watch)
