"""`lync-archiver lane`: where each lane is, and orders to go on where records are gone for good."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy.cli.printing import JsonLinesOption, JsonOption, print_json, print_line, print_rows, print_table

if TYPE_CHECKING:
    from consumers.missing import KeptOrder, SkipOrder
    from deploy.lanes import LaneState

OLDEST: Final = "oldest"
"""What stands for the oldest offset that Kafka holds."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    lane = typer.Typer(help="Lanes: one for each partition.", no_args_is_help=True)
    lane.command("list")(list_lanes)
    lane.command("skip")(skip)
    lane.command("orders")(orders)
    app.add_typer(lane, name="lane")


def list_lanes(as_json: JsonOption = False, as_lines: JsonLinesOption = False) -> None:
    """List every lane: its checkpoint, what Kafka holds, and whether it can go on."""
    from deploy.lanes import lane_states  # noqa: PLC0415  start-up time
    from deploy.settings import load_settings  # noqa: PLC0415

    rows = [_state(state) for state in asyncio.run(lane_states(load_settings()))]
    if not print_rows(rows, as_json=as_json, as_lines=as_lines):
        columns = ("topic", "partition", "checkpoint", "first", "end", "lag", "state", "topic_id")
        print_table(
            [column.upper() for column in columns], [[_cell(row[column]) for column in columns] for row in rows]
        )


def skip(
    topic: Annotated[str, typer.Argument(help="The lane's topic.")],
    partition: Annotated[int, typer.Argument(min=0, help="The lane's partition.")],
    to: Annotated[str, typer.Option("--to", metavar="OFFSET|oldest", help="The oldest offset that Kafka holds.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for ever.")],
    as_json: JsonOption = False,
) -> None:
    """Let a lane go on where records after its checkpoint are gone for good; records that are there are never skipped.

    The order is kept with who gave it: see `lane orders`. Then start the archiver again.
    """
    from consumers.batch import LaneId  # noqa: PLC0415  start-up time
    from consumers.missing import REASON_CHARS_MAX  # noqa: PLC0415
    from deploy.lanes import skip as run  # noqa: PLC0415
    from deploy.settings import load_settings  # noqa: PLC0415

    if not 0 < len(reason.strip()) <= REASON_CHARS_MAX:
        raise typer.BadParameter(f"--reason takes 1 to {REASON_CHARS_MAX} characters")
    if to != OLDEST and not (to.isascii() and to.isdigit()):
        raise typer.BadParameter(f"--to takes an offset, or {OLDEST}")
    order = asyncio.run(run(load_settings(), LaneId(topic, partition), None if to == OLDEST else int(to), reason))
    if as_json:
        print_json(_order(order))
    else:
        print_line(f"{order.lane} goes on at {order.to}, instead of {order.start}; {_given_up(order)}")


def orders(as_json: JsonOption = False, as_lines: JsonLinesOption = False) -> None:
    """List every order to go on without records that there ever was, the oldest first."""
    from deploy.lanes import kept_orders  # noqa: PLC0415  start-up time
    from deploy.settings import load_settings  # noqa: PLC0415

    rows = [_kept(order) for order in asyncio.run(kept_orders(load_settings()))]
    if not print_rows(rows, as_json=as_json, as_lines=as_lines):
        columns = ("at", "topic", "partition", "from", "to", "given_up", "loss", "application", "reason")
        print_table(
            [column.upper() for column in columns], [[_cell(row[column]) for column in columns] for row in rows]
        )


def _cell(value: object) -> object:
    return "-" if value is None else value


def _given_up(order: "SkipOrder") -> str:
    if order.given_up is None:
        return "how many records are given up is not known"
    return f"{order.given_up} offsets are given up"


def _state(state: "LaneState") -> dict[str, Any]:
    checkpoint = state.checkpoint
    return {
        "topic": state.lane.topic,
        "partition": state.lane.partition,
        "checkpoint": checkpoint and checkpoint.next,
        "first": state.first,
        "end": state.end,
        "lag": state.lag,
        "state": "ready" if state.missing is None else str(state.missing.loss),
        "topic_id": state.topic_id,
        "archived_topic_id": checkpoint and checkpoint.log.topic_id,
        "given_up": state.missing and state.missing.given_up,
        "detail": state.missing and str(state.missing),
    }


def _order(order: "SkipOrder") -> dict[str, Any]:
    return {
        "topic": order.lane.topic,
        "partition": order.lane.partition,
        "from": order.start,
        "to": order.to,
        "given_up": order.given_up,
        "loss": str(order.loss),
        "topic_id_before": order.before.topic_id,
        "topic_id": order.after.topic_id,
        "log": order.after.number,
        "first": order.first,
        "end": order.end,
        "reason": order.reason,
    }


def _kept(kept: "KeptOrder") -> dict[str, Any]:
    from schemas.times import format_time  # noqa: PLC0415  start-up time

    who = {"application": kept.principal.application, "realm": kept.principal.realm, "token": kept.token_id}
    return {"at": format_time(kept.at), **who, **_order(kept.order)}
