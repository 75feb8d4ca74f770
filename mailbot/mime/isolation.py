"""Reads mails, large and crooked ones in a process of their own: ``bytes → InboundMail``.

A small mail is read where it is needed. One that could take long or much memory goes to one kept child,
spawned and never forked, with limits of address space and time; when it breaks, it is replaced, and only the
one mail suffers (THREATS 25).
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import mailbot
from mailbot.domain.errors import MailTooLarge, UnreadableMail
from mailbot.domain.mail import InboundMail
from mailbot.mime.frames import BrokenFrame, Outcome, read_answer, write_frame
from mailbot.mime.parse import parse_mail

# Reading goes line by line, and every level of nesting looks at each line: so much of it is quick enough.
_MAX_IN_PROCESS_LINE_LOOKS = 600_000
_MAX_LEVELS = 50
# A child that has read so much keeps memory that it needs no more: the next mail gets a new one.
_KEEP_CHILD_BYTES = 4_000_000
_END_SECONDS = 5.0


class IsolatedReader:
    """Reads mails within limits; may be used by several threads.

    ``max_in_process_bytes`` and ``max_in_process_parts`` say what is small. ``memory_limit_bytes`` is the
    child's address space, ``time_limit_seconds`` the wall-clock time that it is given for one mail.
    """

    def __init__(
        self,
        max_in_process_bytes: int = 1_000_000,
        max_in_process_parts: int = 100,
        memory_limit_bytes: int = 1 << 30,
        time_limit_seconds: float = 30,
    ) -> None:
        self._max_in_process_bytes = max_in_process_bytes
        self._max_in_process_parts = max_in_process_parts
        self._memory_limit_bytes = memory_limit_bytes
        self._time_limit_seconds = time_limit_seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def read(self, raw: bytes) -> InboundMail:
        """Read a mail.

        Raises :class:`UnreadableMail` if it cannot be read, takes too long or ends the child, and
        :class:`MailTooLarge` if it needs more memory than a mail is given.
        """
        if self._is_small(raw):
            return parse_mail(raw)
        with self._lock:
            try:
                return self._read_in_child(raw)
            finally:
                if len(raw) > _KEEP_CHILD_BYTES:
                    self._end_child()
                    release_memory()

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._end_child()

    def _is_small(self, raw: bytes) -> bool:
        if len(raw) > self._max_in_process_bytes:
            return False
        boundary_lines = raw.count(b"\n--") + raw.count(b"\r--")
        if boundary_lines > self._max_in_process_parts:
            return False
        lines = raw.count(b"\n") + raw.count(b"\r")
        return lines * (1 + min(boundary_lines, _MAX_LEVELS)) <= _MAX_IN_PROCESS_LINE_LOOKS

    def _read_in_child(self, raw: bytes) -> InboundMail:
        child, source, target = self._running_child()
        is_late = threading.Event()

        def end_late_child() -> None:
            is_late.set()
            child.kill()

        timer = threading.Timer(self._time_limit_seconds, end_late_child)
        timer.start()
        try:
            _send(target, raw)
            answer = read_answer(source, max_content_bytes=self._memory_limit_bytes)
        except (OSError, BrokenFrame) as error:
            self._end_child()
            reason = "took too long" if is_late.is_set() else f"ended it ({child.returncode})"
            raise UnreadableMail(f"the mail {reason} in the process that reads mails") from error
        finally:
            timer.cancel()
        if is_late.is_set():
            # The answer came at the last moment, and the child is gone.
            self._end_child()
        return self._accepted(answer)

    def _accepted(self, answer: InboundMail | tuple[Outcome, str]) -> InboundMail:
        if isinstance(answer, InboundMail):
            return answer
        outcome, reason = answer
        self._end_child()
        if outcome is Outcome.OUT_OF_MEMORY:
            raise MailTooLarge(f"the mail needs more than {self._memory_limit_bytes} bytes to be read")
        raise UnreadableMail(reason)

    def _running_child(self) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
        child = self._child
        if child is None or child.poll() is not None:
            self._end_child()
            child = self._child = self._start_child()
        if child.stdin is None or child.stdout is None:
            raise UnreadableMail("the process that reads mails has no pipes")
        return child, child.stdout, child.stdin

    def _start_child(self) -> subprocess.Popen[bytes]:
        cpu_seconds = max(1, round(self._time_limit_seconds))
        limits = [str(self._memory_limit_bytes), str(cpu_seconds)]
        # "-P": the current directory is no place to import from.
        command = [sys.executable, "-P", "-m", "mailbot.mime.child", *limits]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait(_END_SECONDS)
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                _close(pipe)


def _send(target: IO[bytes], raw: bytes) -> None:
    """Hand a mail over. A child that ran out of memory stops reading, and says so in its answer."""
    try:
        write_frame(target, raw)
        target.flush()
    except BrokenPipeError:
        return


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        # The rest of a mail that the child did not live to read.
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


def release_memory() -> None:
    """Give freed memory back to the system, where the C library can (glibc's ``malloc_trim``).

    To be called when the last reference to a large mail is gone; takes a few milliseconds.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
