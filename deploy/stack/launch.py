"""Starts one server: `python -m deploy.stack.launch LIFETIME PID_FILE STOP_LIMIT_S COMMAND...`.

A *detached* server outlives whoever asked for it: the launcher records its pid and ends. An *attached* one dies
with its starter: the launcher stays, reads its standard input, and ends the server when that closes. The kernel
closes the pipe however the starter ends, SIGKILL included, which no signal handler or exit hook could promise.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from deploy.stack.pids import write_pid


def _end_with(server: subprocess.Popen[bytes]) -> None:
    # os._exit: the main thread sits in a read that nothing else can end.
    os._exit(server.wait() & 0xFF)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit


def _terminate(server: subprocess.Popen[bytes], limit_s: float) -> None:
    if server.poll() is not None:
        return
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def launch(lifetime: str, pid_file: Path, stop_limit_s: float, command: list[str]) -> None:
    """Start `command` in a process group of its own and record its pid; see the module for the lifetimes."""
    signal.signal(signal.SIGTERM, _leave)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    write_pid(pid_file, server.pid)
    if lifetime == "detached":
        os._exit(0)
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    try:
        while os.read(0, 4096):
            pass
    finally:
        _terminate(server, stop_limit_s)


if __name__ == "__main__":
    launch(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
