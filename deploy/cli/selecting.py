"""The options that choose records of a recording."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from producers.selection import Selection

SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only records from this time on (RFC 3339).")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only records before this time (RFC 3339).")
]
ConversationOption = Annotated[
    list[str] | None, typer.Option("--conversation", metavar="ID", help="Only this conversation; may be repeated.")
]
UserOption = Annotated[
    list[str] | None, typer.Option("--user", metavar="SIP", help="Only events that name this user; may be repeated.")
]


def selection(
    since: str | None, until: str | None, conversations: list[str] | None, users: list[str] | None
) -> "Selection":
    """Return what the options choose. Raises typer.BadParameter for a time that is none."""
    from deploy.reading import sip_address  # noqa: PLC0415  start-up time
    from producers.selection import Selection  # noqa: PLC0415

    return Selection(
        _time_ms(since, "--since"),
        _time_ms(until, "--until"),
        frozenset(name.encode(errors="surrogateescape") for name in conversations or ()),
        frozenset(map(sip_address, users or ())),
    )


def _time_ms(text: str | None, option: str) -> int | None:
    from producers.selection import first_ms  # noqa: PLC0415  start-up time
    from schemas.errors import MalformedRecord  # noqa: PLC0415
    from schemas.times import parse_time  # noqa: PLC0415

    if text is None:
        return None
    try:
        return first_ms(parse_time(text)[1])
    except MalformedRecord as error:
        raise typer.BadParameter(error.detail, param_hint=option) from error
