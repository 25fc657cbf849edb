"""Several archiver processes as members of one group, started, watched and stopped by one."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from consumers.batch import Counts
from deploy.errors import WorkerFailed


async def archive_in_workers(count: int, arguments: Sequence[str], stop: asyncio.Event) -> Counts:
    """Run `count` processes of `archive` with these arguments; return the sum of what they archived.

    They stop when `stop` is set, when this process ends for whatever reason, and when one of them fails. Raises
    WorkerFailed with the first failure's exit code.
    """
    command = [sys.executable, "-m", "deploy", "archive", "--json", *arguments, "--worker"]
    workers = [
        await asyncio.create_subprocess_exec(*command, str(number), stdin=PIPE, stdout=PIPE) for number in range(count)
    ]
    stopping = asyncio.create_task(_stop_all(workers, stop))
    try:
        outputs = await asyncio.gather(*(_output(worker, stop) for worker in workers))
    finally:
        stop.set()
        await stopping
        await asyncio.gather(*(worker.wait() for worker in workers))
    failed = [worker.returncode for worker in workers if worker.returncode]
    if failed:
        raise WorkerFailed(f"a worker ended with exit code {failed[0]}; its reason is above", failed[0] or 1)
    found = [json.loads(output) for output in outputs]
    return Counts(*(sum(document[name] for document in found) for name in Counts._fields))


async def _output(worker: Process, stop: asyncio.Event) -> bytes:
    assert worker.stdout is not None
    output = await worker.stdout.read()
    if await worker.wait():
        stop.set()
    return output


async def _stop_all(workers: Sequence[Process], stop: asyncio.Event) -> None:
    """A worker ends when its input does."""
    await stop.wait()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.close()
