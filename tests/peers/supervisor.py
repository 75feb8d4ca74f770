"""Run one server and take it down, with everything it started, when its owner lets go or dies.

Arguments: the folder to remove if the owner dies, then the server's command. Standard input is a pipe whose
other end only the owner holds. The byte "s" means "stop politely", "k" means "kill"; the end of the pipe
without a byte means that the owner is gone, and then the folder goes too. Run as a script, without the project
on its path.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36
_GRACE_SECONDS = 30.0
_POLL_SECONDS = 0.005


def main(folder: str, command: list[str]) -> int:
    """Run the command until it ends or the owner lets go; return its exit status."""
    # Servers detach children; with this their orphans come to us instead of to PID 1, and can be ended.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    # Handlers that do nothing, since a server would inherit "ignore" and could not be ended politely.
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    order = b"s"
    while server.poll() is None:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
        if 0 in readable:
            order = os.read(0, 1)
            break
    _end_all(server, grace_seconds=_GRACE_SECONDS if order == b"s" else 0)
    if not order:
        shutil.rmtree(folder, ignore_errors=True)
    return server.returncode or 0


def _end_all(server: subprocess.Popen[bytes], *, grace_seconds: float) -> None:
    """End the server politely, then whatever is left by force; return when no descendant is left."""
    limit = time.monotonic() + grace_seconds
    if grace_seconds and server.poll() is None:
        server.terminate()
    while _reap(server) and time.monotonic() < limit:
        if server.returncode is not None:
            # What it left behind came to us.
            _signal(_children(), signal.SIGTERM)
        time.sleep(_POLL_SECONDS)
    while children := _reap(server):
        _signal(children, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def _children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listing:  # noqa: PTH123
        return [int(pid) for pid in listing.read().split()]


def _reap(server: subprocess.Popen[bytes]) -> list[int]:
    """Collect the children that have ended; return those that are left."""
    server.poll()
    for pid in _children():
        if pid != server.pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
    return _children()


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
