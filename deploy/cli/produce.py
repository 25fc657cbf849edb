"""`lync-archiver simulate`, `convert`, `record` and `replay`: the Lync side, and recordings of it."""

import asyncio
import math
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy.cli.printing import JsonOption, counted, print_json
from deploy.cli.selecting import ConversationOption, SinceOption, UntilOption, UserOption, selection

if TYPE_CHECKING:
    from deploy.critical import Accepted
    from deploy.settings import Settings
    from producers.gate import CriticalMode
    from producers.topics import Topics
    from schemas.record import Record

MAX_SPEED: Final = "max"
ALL: Final = "all"
_BAR_STEP: Final = 500

SpeedOption = Annotated[
    str, typer.Option("--speed", metavar="X or max", help="So many times as fast as the records' times say.")
]
WholeOption = Annotated[
    bool, typer.Option("--whole-meetings", help="Meetings have guests, a lobby, roles, polls and all else.")
]
InputArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file; .gz and .zst are unpacked.")]
OutputArgument = Annotated[Path, typer.Argument(dir_okay=False, help="A recording; packed where it is .gz or .zst.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("simulate")(simulate)
    app.command("convert")(convert)
    app.command("record")(record)
    app.command("replay")(replay)


def simulate(
    users: Annotated[int, typer.Option(min=2, help="People of the organisation.")] = 100,
    hours: Annotated[float, typer.Option(min=0.01, help="Virtual time, from 8 o'clock on a Monday.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    speed: SpeedOption = MAX_SPEED,
    out: Annotated[Path | None, typer.Option("--out", dir_okay=False, help="A recording, instead of Kafka.")] = None,
    critical: Annotated[
        bool, typer.Option("--critical", help="Accept nothing for the archive that it cannot keep now.")
    ] = False,
    archived: Annotated[
        str, typer.Option("--archiving-enabled", metavar="FILE or all", help="Whose messages that is, one a line.")
    ] = ALL,
    files: Annotated[
        bool, typer.Option("--files", help="Meetings share small files, which are put into the content store.")
    ] = False,
    whole_meetings: WholeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate an organisation that follows Microsoft's user model, into Kafka or into a recording."""
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from producers.recording import Recording  # noqa: PLC0415
    from producers.simulator.simulation import simulate as run  # noqa: PLC0415

    factor = _speed(speed)
    _refuse_together(out, factor, critical, archived)
    settings = load_settings()
    simulated = partial(run, users, hours, seed, _topics(settings), files=files, whole_meetings=whole_meetings)
    records = simulated()
    if files and (critical or out is not None):
        asyncio.run(_put_files(settings, simulated()))
    if critical:
        _report_accepted(asyncio.run(_publish_critically(settings, records, factor, _mode(archived))), as_json)
        return
    if out is None:
        count = asyncio.run(_publish(settings, records, factor, "simulating", files=files))
    else:
        with _bar("simulating") as seen:
            count = Recording(out).write(_watched(records, seen))
    _report({"records": count, "out": None if out is None else str(out)}, as_json, counted(count, "record"))


def _refuse_together(out: Path | None, factor: float | None, critical: bool, archived: str) -> None:
    """Refuse options that have no effect beside each other."""
    if out is not None and factor is not None:
        raise typer.BadParameter("a recording is written at once", param_hint="--speed")
    if out is not None and critical:
        raise typer.BadParameter("a recording is for no archive yet", param_hint="--critical")
    if archived != ALL and not critical:
        raise typer.BadParameter("it takes effect with --critical alone", param_hint="--archiving-enabled")


def _mode(archived: str) -> "CriticalMode":
    from deploy.critical import archived_users  # noqa: PLC0415  start-up time
    from producers.gate import EVERYBODY, CriticalMode  # noqa: PLC0415

    return CriticalMode(EVERYBODY if archived == ALL else archived_users(Path(archived)))


def convert(chatlog: InputArgument, out: OutputArgument, as_json: JsonOption = False) -> None:
    """Convert a neutral chat log to a recording."""
    from dataclasses import asdict  # noqa: PLC0415  start-up time

    from deploy.settings import load_settings  # noqa: PLC0415
    from producers.chatlog import Tally  # noqa: PLC0415
    from producers.chatlog import convert as run  # noqa: PLC0415
    from producers.lines import read_lines  # noqa: PLC0415
    from producers.recording import Recording  # noqa: PLC0415

    _refuse_same_file(chatlog, out)
    tally = Tally()
    with _bar("converting") as seen:
        Recording(out).write(_watched(run(read_lines(chatlog), _topics(load_settings()), tally), seen))
    said = (
        f"{counted(tally.records, 'record')}: {counted(tally.messages, 'message')} of "
        f"{counted(tally.conversations, 'conversation')} and {counted(tally.conferences, 'conference')}, "
        f"{counted(tally.ignored_leaves, 'leave')} ignored"
    )
    _report(asdict(tally), as_json, said)


def record(
    out: OutputArgument,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="End at the end offsets seen at the start.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Record the topics from their beginning, until stopped by SIGTERM or SIGINT."""
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time

    count = asyncio.run(_record(load_settings(), out, until_caught_up))
    _report({"records": count}, as_json, counted(count, "record"))


def replay(
    file: InputArgument,
    speed: SpeedOption = MAX_SPEED,
    shift_time: Annotated[
        bool, typer.Option("--shift-time", help="Move all times to now; none comes before its time.")
    ] = False,
    since: SinceOption = None,
    until: UntilOption = None,
    conversation: ConversationOption = None,
    user: UserOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a recording, or what of it the options choose, into the topics that it names, byte for byte."""
    from deploy.settings import load_settings  # noqa: PLC0415  start-up time
    from producers.pacing import behind, shifted  # noqa: PLC0415
    from producers.recording import Recording  # noqa: PLC0415
    from producers.recording_index import chosen_lines  # noqa: PLC0415
    from schemas.clock import SystemClock  # noqa: PLC0415

    factor = _speed(speed)
    chosen = selection(since, until, conversation, user)

    def read() -> "Iterator[Record]":
        return (found.record for found in chosen_lines(Recording(file), chosen))

    records = read()
    if shift_time:
        before = behind(read(), factor)
        records = shifted(records, SystemClock().now() - before)
    count = asyncio.run(_publish(load_settings(), records, factor, "replaying"))
    _report({"records": count}, as_json, counted(count, "record"))


async def _put_files(settings: "Settings", records: "Iterable[Record]") -> None:
    """Put the files that simulated records refer to."""
    from deploy.content import content_sink  # noqa: PLC0415  start-up time
    from producers.simulator.files import put_file  # noqa: PLC0415

    async with content_sink(settings) as sink:
        for found in records:
            await put_file(found, sink)


async def _with_files(settings: "Settings", records: "AsyncIterator[Record]") -> "AsyncIterator[Record]":
    """Put each simulated record's file before the record goes on."""
    from deploy.content import content_sink  # noqa: PLC0415  start-up time
    from producers.simulator.files import put_file  # noqa: PLC0415

    async with content_sink(settings) as sink:
        async for found in records:
            await put_file(found, sink)
            yield found


async def _publish(
    settings: "Settings", records: "Iterable[Record]", speed: float | None, text: str, *, files: bool = False
) -> int:
    from deploy.kafka_login import kafka_login  # noqa: PLC0415  start-up time
    from deploy.settings import kafka_bootstrap  # noqa: PLC0415
    from producers.kafka_publisher import KafkaPublisher  # noqa: PLC0415
    from producers.pacing import paced  # noqa: PLC0415
    from schemas.clock import SystemClock  # noqa: PLC0415
    from schemas.login import PRODUCER  # noqa: PLC0415

    bootstrap = kafka_bootstrap(settings)
    async with kafka_login(settings, PRODUCER) as login, KafkaPublisher(bootstrap, login) as publisher:
        with _bar(text) as seen:
            outgoing = paced(_watched(records, seen), speed, SystemClock())
            return await publisher.publish(_with_files(settings, outgoing) if files else outgoing)


async def _publish_critically(
    settings: "Settings", records: "Iterable[Record]", speed: float | None, mode: "CriticalMode"
) -> "Accepted":
    from deploy.critical import publish_critically  # noqa: PLC0415  start-up time
    from deploy.logs import configure_logs  # noqa: PLC0415
    from producers.pacing import paced  # noqa: PLC0415
    from schemas.clock import SystemClock  # noqa: PLC0415

    configure_logs()
    with _bar("simulating") as seen:
        return await publish_critically(settings, paced(_watched(records, seen), speed, SystemClock()), mode)


async def _record(settings: "Settings", out: Path, until_caught_up: bool) -> int:
    from deploy.archiving import stopped_by_signals  # noqa: PLC0415  start-up time
    from deploy.kafka_login import kafka_login  # noqa: PLC0415
    from deploy.settings import kafka_bootstrap  # noqa: PLC0415
    from producers.kafka_recorder import KafkaRecorder  # noqa: PLC0415
    from producers.recording import Recording, RecordingWriter  # noqa: PLC0415
    from schemas.clock import SystemClock  # noqa: PLC0415
    from schemas.login import ARCHIVER  # noqa: PLC0415

    async def copy(records: "AsyncIterator[Record]", writer: RecordingWriter, seen: Callable[[int], None]) -> None:
        async for found in records:
            writer.write(found)
            seen(writer.records)

    bootstrap = kafka_bootstrap(settings)
    topics = (settings.kafka.conversations_topic, settings.kafka.conferences_topic)
    async with (
        kafka_login(settings, ARCHIVER) as login,
        KafkaRecorder(bootstrap, topics, SystemClock(), login) as recorder,
    ):
        with _bar("recording") as seen, Recording(out).writer() as writer:
            if until_caught_up:
                await copy(recorder.history(), writer, seen)
            else:
                stop = asyncio.Event()
                with stopped_by_signals(stop):
                    await _until(stop, asyncio.ensure_future(copy(recorder.follow(), writer, seen)))
            return writer.records


async def _until(stop: asyncio.Event, work: "asyncio.Future[None]") -> None:
    """Run `work` until it fails or `stop` is set."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        work.cancel()
        await asyncio.wait((work, stopped))
    if not work.cancelled():
        work.result()


def _topics(settings: "Settings") -> "Topics":
    from producers.topics import Topics  # noqa: PLC0415  start-up time

    kafka = settings.kafka
    return Topics(kafka.conversations_topic, kafka.conferences_topic, kafka.contacts_topic)


def _speed(text: str) -> float | None:
    if text == MAX_SPEED:
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 0 < factor < math.inf:
        raise typer.BadParameter(f"it is neither a number above 0 nor {MAX_SPEED}", param_hint="--speed")
    return factor


def _refuse_same_file(chatlog: Path, out: Path) -> None:
    if out.exists() and out.samefile(chatlog):
        raise typer.BadParameter("it is the chat log itself", param_hint="OUT")


def _report_accepted(found: "Accepted", as_json: bool) -> None:
    said = ", ".join(f"{count} {reason}" for reason, count in sorted(found.refused.items())) or "nothing refused"
    document = {"records": found.records, "out": None, "refused": found.refused}
    _report(document, as_json, f"{counted(found.records, 'record')} accepted; {said}")


def _watched(records: "Iterable[Record]", seen: Callable[[int], None]) -> "Iterator[Record]":
    for number, found in enumerate(records, start=1):
        yield found
        seen(number)


@contextmanager
def _bar(text: str) -> Iterator[Callable[[int], None]]:
    """Show how many records were seen, on a terminal only; standard output stays clean."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console  # noqa: PLC0415  start-up time
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn(text), BarColumn(), TextColumn("{task.completed:,.0f} records"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text, total=None)

        def seen(count: int) -> None:
            if count % _BAR_STEP == 0:
                progress.update(task, completed=count)

        yield seen


def _report(document: dict[str, Any], as_json: bool, sentence: str) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(sentence)
