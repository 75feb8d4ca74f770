"""Run one server and take it down, with everything it started, when its owner lets go or dies.

Arguments: the folder to remove if the owner dies, then the server's command. Standard input is a pipe whose
other end only the owner holds: a byte followed by the end of the pipe means "stop, the folder stays", the end
alone means that the owner is gone. Run as a script, without the project on its path.
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
_GRACE_SECONDS = 3.0


def main(folder: str, command: list[str]) -> int:
    """Run the command until it ends or the owner lets go; return its exit status."""
    # Servers detach children; with this their orphans come to us instead of to PID 1, and can be ended.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    keep_folder = True
    while server.poll() is None:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
        if 0 in readable:
            keep_folder = bool(os.read(0, 1))
            break
    _end_all(server)
    if not keep_folder:
        shutil.rmtree(folder, ignore_errors=True)
    return server.returncode or 0


def _end_all(server: subprocess.Popen[bytes]) -> None:
    """End the server politely, then whatever is left by force; return when no descendant is left."""
    with contextlib.suppress(ProcessLookupError):
        if server.returncode is None:
            server.terminate()
    limit = time.monotonic() + _GRACE_SECONDS
    while _children() and time.monotonic() < limit:
        # Also reaps the orphans; a server that waited for would otherwise look alive for ever.
        server.poll()
        _reap_others(server.pid)
        if server.returncode is not None:
            _signal(_children(), signal.SIGTERM)
        time.sleep(0.005)
    while children := _children():
        _signal(children, signal.SIGKILL)
        server.poll()
        _reap_others(server.pid)
        time.sleep(0.002)


def _children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listing:  # noqa: PTH123
        return [int(pid) for pid in listing.read().split()]


def _reap_others(server_pid: int) -> None:
    for pid in _children():
        if pid != server_pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
