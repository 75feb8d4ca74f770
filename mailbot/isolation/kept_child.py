"""The parent's side: one child process, kept from question to question, replaced when it breaks or is late.

Spawned and never forked, with limits of address space and time, none of our descriptors, settings or secrets.
When it breaks, only the one question suffers (THREATS 25, 26).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

import mailbot
from mailbot.isolation.asking import ChildFailed
from mailbot.isolation.deadline import Deadline, wait_for_end
from mailbot.isolation.frames import BrokenFrame
from mailbot.isolation.memory import resident_bytes

# A child that still holds so much after an answer keeps memory that it needs no more: the next question gets a
# new one.
_MOST_KEPT_BYTES = 200_000_000

_Answer = TypeVar("_Answer")


class KeptChild:
    """Runs ``python -m module``, which calls ``serve``; may be used by several threads.

    ``memory_limit_bytes`` is the child's address space, ``time_limit_seconds`` the wall-clock time that it is
    given for one question.
    """

    def __init__(self, module: str, *, memory_limit_bytes: int, time_limit_seconds: float) -> None:
        self._module = module
        self._memory_limit_bytes = memory_limit_bytes
        self._time_limit_seconds = time_limit_seconds
        self._lock = threading.Lock()
        self._deadline = Deadline()
        self._child: subprocess.Popen[bytes] | None = None

    def ask(
        self,
        question: Callable[[IO[bytes]], None],
        answer: Callable[[IO[bytes]], _Answer],
        *,
        keep: bool = True,
    ) -> _Answer:
        """As :meth:`mailbot.isolation.asking.Child.ask` says."""
        with self._lock:
            is_to_be_kept = False
            try:
                answered = self._asked(question, answer)
                is_to_be_kept = keep and not self._is_bloated()
            finally:
                if not is_to_be_kept:
                    self._end()
        return answered

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._end()

    def _asked(self, question: Callable[[IO[bytes]], None], answer: Callable[[IO[bytes]], _Answer]) -> _Answer:
        child, source, target = self._running()
        with self._deadline.of(child, self._time_limit_seconds) as is_late:
            try:
                _send(target, question)
                return answer(source)
            except (OSError, BrokenFrame) as error:
                self._end()
                reason = "took too long" if is_late() else f"ended it ({child.returncode})"
                raise ChildFailed(reason) from error

    def _running(self) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
        child = self._child
        if child is None or child.poll() is not None:
            self._end()
            child = self._child = self._start()
        if child.stdin is None or child.stdout is None:
            raise ChildFailed("has no pipes")
        return child, child.stdout, child.stdin

    def _start(self) -> subprocess.Popen[bytes]:
        cpu_seconds = max(1, round(self._time_limit_seconds))
        limits = [str(self._memory_limit_bytes), str(cpu_seconds)]
        # "-P": the current directory is no place to import from.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", self._module, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )

    def _is_bloated(self) -> bool:
        return self._child is not None and (resident_bytes(self._child.pid) or 0) > _MOST_KEPT_BYTES

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        wait_for_end(child)
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                _close(pipe)


def _send(target: IO[bytes], question: Callable[[IO[bytes]], None]) -> None:
    """Hand a question over. A child that ran out of memory stops reading, and may say so in its answer."""
    try:
        question(target)
        target.flush()
    except BrokenPipeError:
        return


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        # The rest of a question that the child did not live to read.
        return


def _environment() -> dict[str, str]:
    """What the child needs: none of our settings and secrets, only where the program lies."""
    package = Path(mailbot.__file__ or __file__).resolve().parent.parent
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        # One arena: each further one reserves 64 MB of the address space.
        "MALLOC_ARENA_MAX": "1",
    }
