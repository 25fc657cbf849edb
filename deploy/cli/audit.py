"""`lync-archiver audit`: whether the archive is as it was written."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.printing import JsonLinesOption, JsonOption, counted, print_json

DIFFERENT = 1
"""The exit code where something is not as it was written."""

_SHOWN_MAX = 20
"""Findings that a person reads; the first one says where it begins."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    audit = typer.Typer(help="Check the archive against its signed journal.", no_args_is_help=True)
    audit.command("verify")(verify)
    audit.command("key")(key)
    app.add_typer(audit, name="audit")


def verify(
    conversation: Annotated[str | None, typer.Option(help="Only this one, and the journal.")] = None,
    heads: Annotated[Path | None, typer.Option(help="What --json printed earlier: its heads must be there.")] = None,
    as_json: JsonOption = False,
    as_lines: JsonLinesOption = False,
) -> None:
    """Recompute all chains and signatures, and name what was altered, removed, inserted or put elsewhere.

    Reads MongoDB alone. Exits 1 where anything is not as it was written.
    """
    found: list[dict[str, str]] = []
    count, ends = asyncio.run(_verify(conversation, heads, None if as_lines or not as_json else found, as_lines))
    if as_json and not as_lines:
        print_json({"intact": not count, "findings": found, "heads": ends})
    elif not as_lines:
        typer.echo(
            f"{counted(count, 'finding')}; the first is where it begins" if count else "everything is as it was written"
        )
    if count:
        raise typer.Exit(DIFFERENT)


async def _verify(
    conversation: str | None, heads: Path | None, into: list[dict[str, str]] | None, as_lines: bool
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return how many findings there are, and where the chains end; keep, write or show each finding as it comes."""
    from deploy.audit import auditing, heads_document, read_heads  # noqa: PLC0415  start-up time
    from deploy.settings import load_settings  # noqa: PLC0415

    found = 0
    async with auditing(load_settings()) as auditor:
        async for finding in auditor.findings(conversation, read_heads(heads) if heads else {}):
            found += 1
            if into is not None:
                into.append(finding._asdict())
            elif as_lines:
                print_json(finding._asdict())
            elif found <= _SHOWN_MAX:
                typer.echo(str(finding))
            elif found == _SHOWN_MAX + 1:
                typer.echo("...")
        return found, heads_document(auditor.heads)


def key(as_json: JsonOption = False) -> None:
    """Print the public key that this archiver's journal entries are checked with: keep it away from the archive."""
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from deploy.signing import signer_of  # noqa: PLC0415

    signer = signer_of(load_settings())
    if as_json:
        print_json({"key": signer.key, "public": signer.public_pem.decode()})
    else:
        typer.echo(signer.public_pem.decode(), nl=False)
