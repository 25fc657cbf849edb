"""The command line: registers the commands and turns every error into one sentence and an exit code."""

import logging
import sys
import traceback
from importlib import metadata
from typing import Annotated, Final

import typer
from typer.exceptions import TyperException

from deploy.cli import (
    archive,
    audit,
    config,
    content,
    demo,
    diff,
    digest,
    discovery,
    issuer,
    lane,
    mailbox,
    partner,
    policy,
    produce,
    purge,
    quarantine,
    rebuild,
    recording,
    stack,
    token,
    verify,
)
from deploy.errors import InvalidSettings, WorkerFailed
from schemas.errors import LyncArchiverError, Misconfigured

COMMANDS: Final = (
    stack,
    demo,
    produce,
    recording,
    archive,
    verify,
    digest,
    diff,
    rebuild,
    mailbox,
    quarantine,
    content,
    lane,
    token,
    partner,
    policy,
    discovery,
    purge,
    audit,
    issuer,
    config,
)
"""Each module of `deploy.cli` that has commands, in the order of the help."""

EXIT_FAILED: Final = 1
EXIT_INTERNAL: Final = 70
EXIT_MISCONFIGURED: Final = 78
EXIT_INTERRUPTED: Final = 130

_DEBUG_LOG: Final = "internal-error.log"


def build_app() -> typer.Typer:
    """Return the program with all its commands."""
    app = typer.Typer(
        name="lync-archiver",
        help="Archives Lync conversations and meetings from Kafka into per-user folders in MongoDB.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    for module in COMMANDS:
        module.register(app)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"lync-archiver {metadata.version('lync-archiver')}\n")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Archives Lync conversations and meetings from Kafka into per-user folders in MongoDB."""


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run())


def run() -> int:
    """Run the command that the arguments name and return the exit code; errors are one sentence on stderr.

    1 a check that does not hold or a dependency that is not there, 2 wrong usage, 70 a bug of ours,
    78 wrong settings, 130 interrupted.
    """
    logging.lastResort = None  # drivers' warnings are for logs that a command sets up, not for stderr
    try:
        # Not standalone: `typer` would print usage errors over several lines.
        code = build_app()(standalone_mode=False)
    except TyperException as exc:
        return _say(_usage(exc), exc.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except WorkerFailed as exc:
        return _say(str(exc), exc.code)
    except LyncArchiverError as exc:
        return _say(str(exc), EXIT_MISCONFIGURED if isinstance(exc, Misconfigured) else EXIT_FAILED)
    except Exception as exc:  # noqa: BLE001  the one place where a bug becomes a sentence
        return _say(f"internal error: {type(exc).__name__}: {exc}{_debug_note()}", EXIT_INTERNAL)
    return code if isinstance(code, int) else 0


def _say(sentence: str, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code


def _usage(exc: TyperException) -> str:
    message = exc.format_message().replace(": Value error, ", ": ")  # the parser's word for its own errors
    context = getattr(exc, "ctx", None)
    if context is None or "\n" in message:  # several lines: the help that a command without arguments prints
        return message
    return f"{message.rstrip('.')} (see `{context.command_path} --help`)"


def _debug_note() -> str:
    """Keep the traceback of the error in hand where the settings ask for it, and say where."""
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time

    try:
        settings = load_settings()
        if not settings.debug:
            return " (set LYNC_ARCHIVER_DEBUG=1 to keep the traceback)"
        settings.stack.data.mkdir(parents=True, exist_ok=True)
        log = settings.stack.data / _DEBUG_LOG
        log.write_text(traceback.format_exc())
    except (InvalidSettings, OSError):
        return ""
    return f" (traceback in {log})"


if __name__ == "__main__":
    main()
