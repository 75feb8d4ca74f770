"""Processes forked off one that was made before any thread began:
``ForkServer(prepare, work).begin() -> ForkedProcess``.

To start Python and to load the program takes a second of a processor, to fork a process that has done so
milliseconds. But a process with threads, connections and an open database must not be forked. So a program that
may want others to work beside it forks a fork server first of all. That gets ready (``prepare``) while the program
itself does, and from then on it forks off itself whatever is asked for (``work``). It has one thread, opens
nothing, leaves signals to the program, and ends with it.

The fork server of :mod:`multiprocessing` is a Python started anew, which loads the program from the disk as it is
by then; this one is the program itself, with its settings, catalogue and clock.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

from mailbot.isolation.memory import end_me_before_my_parent

Work = Callable[[IO[bytes], IO[bytes]], int]
"""What a process does: from its orders, which end when it is to go, and its reports, to its exit code."""

_PLEASE = b"."
_TOLD_SECONDS = 5.0
_OURS = (signal.SIGINT, signal.SIGTERM)


class ForkedProcess:
    """A process that was asked for, the program's end of it: ``orders`` are closed to have it go, ``reports`` end
    with it."""

    def __init__(self, *, orders: int, reports: int, state: int, end_server: Callable[[], object]) -> None:
        self.orders: IO[bytes] = os.fdopen(orders, "wb", buffering=0)
        self.reports: IO[bytes] = os.fdopen(reports, "rb")
        self._state: IO[bytes] = os.fdopen(state, "rb")
        self._end_server = end_server
        self.pid: int | None = None
        """Its process id, from :meth:`wait_for_begin` on; ``None`` if it did not begin."""
        self.exit_code: int | None = None
        """How it ended, from :meth:`wait` on: as ``subprocess`` has it; ``None`` if nobody knows."""

    def wait_for_begin(self) -> None:
        """Until it is forked off, for which the fork server has to be ready."""
        self.pid = self._said()

    def wait(self) -> None:
        """To be called when its reports have ended: until it has, and all that was its is closed."""
        if select.select([self._state], [], [], _TOLD_SECONDS)[0]:
            self.exit_code = self._said()
        else:
            # The fork server hangs.
            self._end_server()
        for pipe in (self.orders, self.reports, self._state):
            with suppress(OSError):
                pipe.close()

    def kill(self) -> None:
        """End it now; if it has not even begun, the fork server, which hangs."""
        if self.pid is None:
            self._end_server()
            return
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _said(self) -> int | None:
        line = self._state.readline()
        return int(line) if line.endswith(b"\n") else None


class ForkServer:
    """The program's end; to be made while it has one thread.

    ``prepare`` is called once, now, ``work`` in every process; both see what the program was when the fork server
    was made. An error of ``prepare`` is for itself to tell of; then it is called again when a process is asked
    for. ``name`` is what the system calls these processes (Linux: up to 15 bytes).
    """

    def __init__(self, *, name: str, prepare: Callable[[], object], work: Work) -> None:
        """Raises ``OSError`` where no process is to be had, or the program has threads already."""
        if not hasattr(os, "fork"):
            raise OSError("this system has no forks")
        if threading.active_count() != 1:
            raise OSError("a process with threads must not be forked")
        _hold_standard_streams()
        self._socket, theirs = socket.socketpair()
        self._pid: int | None = None
        try:
            self._pid = os.fork()
        except OSError:
            self._socket.close()
            theirs.close()
            raise
        if self._pid == 0:
            self._socket.close()
            _end_with(lambda: _ServerProcess(theirs, name, prepare, work).run())
        theirs.close()

    def begin(self) -> ForkedProcess:
        """Ask for a process; returns at once. Raises ``OSError`` where none is to be had."""
        pipes: list[tuple[int, int]] = []
        try:
            pipes.extend(os.pipe() for _ in range(3))
            (orders, our_orders), (our_reports, reports), (our_state, state) = pipes
            socket.send_fds(self._socket, [_PLEASE], [orders, reports, state])
        except OSError:
            for end in (end for pipe in pipes for end in pipe):
                os.close(end)
            raise
        for end in (orders, reports, state):
            os.close(end)
        return ForkedProcess(orders=our_orders, reports=our_reports, state=our_state, end_server=self.close)

    def close(self) -> None:
        """Nothing more will be asked for. What was begun goes on, and nobody will hear how it ends."""
        self._socket.close()
        pid, self._pid = self._pid, None
        if pid is not None:
            # Where nobody is told of a child's end (SIGCHLD ignored) it may be gone for good.
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


class _ServerProcess:
    """The fork server's own process: forks what is asked for, and says of each its process id and exit code."""

    def __init__(self, asked: socket.socket, name: str, prepare: Callable[[], object], work: Work) -> None:
        self._asked = asked
        self._name = name
        self._prepare = prepare
        self._work = work
        self._is_ready = False
        # Where to say how a process ended, by its id.
        self._states: dict[int, int] = {}
        self._woken, self._wake = os.pipe()

    def run(self) -> int:
        """Until the program is gone."""
        _be_called("mailbot-forks")
        for number in _OURS:
            # Whoever stops a program may signal its whole group: when its helpers go is for the program to say.
            signal.signal(number, signal.SIG_IGN)
        _leave_standard_streams()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._gets_ready()
        while True:
            readable, _, _ = select.select([self._asked.fileno(), self._woken], [], [])
            if self._woken in readable:
                self._note_ends()
            if self._asked.fileno() in readable and not self._serve():
                return 0

    def _serve(self) -> bool:
        """Whether the program is there still."""
        said, ends, _, _ = socket.recv_fds(self._asked, len(_PLEASE), 3)
        if not said:
            return False
        for end in ends:
            os.set_inheritable(end, False)
        # With no descriptor left, or no process or memory to be had, who asked hears nothing but the end.
        if len(ends) == 3 and self._gets_ready():
            with suppress(OSError):
                self._begin(*ends)
        for end in ends:
            os.close(end)
        return True

    def _gets_ready(self) -> bool:
        if not self._is_ready:
            # What is loaded now stays: to look through all of it for garbage while it comes takes a fifth of the
            # time, and to write into it later would be to copy it.
            gc.disable()
            with suppress(Exception, SystemExit):
                self._prepare()
                self._is_ready = True
            gc.freeze()
            gc.enable()
        return self._is_ready

    def _begin(self, orders: int, reports: int, state: int) -> None:
        kept = os.dup(state)
        try:
            pid = os.fork()
        except OSError:
            os.close(kept)
            raise
        if pid == 0:
            for end in (state, kept):
                os.close(end)
            self._leave_server()
            _be_called(self._name)
            end_me_before_my_parent()
            _end_with(
                lambda: self._work(os.fdopen(orders, "rb", buffering=0), os.fdopen(reports, "wb", buffering=0))
            )
        self._states[pid] = kept
        _say(kept, pid)

    def _leave_server(self) -> None:
        """In a process that was forked off: what is the fork server's is none of its."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._asked.close()
        for end in (self._woken, self._wake, *self._states.values()):
            os.close(end)

    def _note_ends(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._woken, 4096):
                pass
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                state = self._states.pop(pid)
                _say(state, os.waitstatus_to_exitcode(status))
                os.close(state)


def _be_called(name: str) -> None:
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="utf-8")


def _say(state: int, number: int) -> None:
    with suppress(OSError):
        os.write(state, b"%d\n" % number)


def _hold_standard_streams() -> None:
    """Where the program was started without one, nothing else is to be opened in its place."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(opened)


def _leave_standard_streams() -> None:
    """What in this process or a library of it writes to standard output goes to the log; nothing is read."""
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _end_with(work: Callable[[], int]) -> NoReturn:
    """The end of a forked process is its own: nothing that the program does at its end is done in it."""
    code = 1
    try:
        code = work()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        # Where, not what: the words of an error may be somebody's.
        sys.stderr.write(f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}")
    finally:
        if sys.stderr is not None:
            with suppress(OSError, ValueError):
                sys.stderr.flush()
        os._exit(code)
