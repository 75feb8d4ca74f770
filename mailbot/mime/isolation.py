"""Reads mails, large and crooked ones in a process of their own: ``bytes → InboundMail``.

A small mail is read where it is needed. One that could take long or much memory goes to a kept child with
limits of address space and time (THREATS 25).
"""

from __future__ import annotations

import ctypes
from typing import IO

from mailbot.domain.errors import MailTooLarge, UnreadableMail
from mailbot.domain.mail import InboundMail
from mailbot.isolation.asking import ChildFailed
from mailbot.isolation.frames import write_frame
from mailbot.isolation.kept_child import KeptChild
from mailbot.mime.frames import Outcome, read_answer
from mailbot.mime.parse import parse_mail
from mailbot.mime.structure import skeleton_of

# Reading goes line by line, and every level of nesting looks at each line: so much of it is quick enough.
_MAX_IN_PROCESS_LINE_LOOKS = 600_000
_MAX_LEVELS = 50
# A child that has read so much keeps memory that it needs no more: the next mail gets a new one.
_KEEP_CHILD_BYTES = 4_000_000
# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BLOCK_BYTES, _FREE_TOP_BYTES = 1 << 20, 1 << 22


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
        self._child = KeptChild(
            "mailbot.mime.child",
            memory_limit_bytes=memory_limit_bytes,
            time_limit_seconds=time_limit_seconds,
        )

    def read(self, raw: bytes) -> InboundMail:
        """Read a mail.

        Raises :class:`UnreadableMail` if it cannot be read, takes too long or ends the child, and
        :class:`MailTooLarge` if it needs more memory than a mail is given.
        """
        skeleton = skeleton_of(raw) if len(raw) <= self._max_in_process_bytes else None
        if skeleton is not None and self._is_small(skeleton.octets):
            return parse_mail(skeleton)
        is_quite_large = len(raw) > _KEEP_CHILD_BYTES
        try:
            return self._child.ask(
                lambda target: write_frame(target, raw), self._received, keep=not is_quite_large
            )
        except ChildFailed as error:
            raise UnreadableMail(f"the mail {error} in the process that reads mails") from error
        finally:
            if is_quite_large:
                release_memory()

    def close(self) -> None:
        """End the child, if there is one."""
        self._child.close()

    def _is_small(self, octets: bytes) -> bool:
        """Whether what is read line by line of a mail is little."""
        lines = octets.count(b"\n") + octets.count(b"\r")
        boundary_lines = octets.count(b"\n--") + octets.count(b"\r--")
        looks = lines * (1 + min(boundary_lines, _MAX_LEVELS))
        return boundary_lines <= self._max_in_process_parts and looks <= _MAX_IN_PROCESS_LINE_LOOKS

    def _received(self, source: IO[bytes]) -> InboundMail:
        answer = read_answer(source, max_content_bytes=self._memory_limit_bytes)
        if isinstance(answer, InboundMail):
            return answer
        outcome, reason = answer
        if outcome is Outcome.OUT_OF_MEMORY:
            raise MailTooLarge(f"the mail needs more than {self._memory_limit_bytes} bytes to be read")
        raise UnreadableMail(reason)


def keep_large_memory_apart() -> None:
    """Have the C library hand memory that large mails took back to the system as soon as it is freed.

    By itself glibc raises its limits to the largest block that it has seen, and after one mail of 25 MB keeps
    twice as much in each thread, where :func:`release_memory` cannot reach it; until then it hands back what each
    file took, and the system clears the same pages anew for the next one. That remains so for blocks of a megabyte
    and more. To be called once, by a process that lives long or reads many.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
        set_option(_M_TRIM_THRESHOLD, _FREE_TOP_BYTES)


def release_memory() -> None:
    """Give freed memory back to the system, where the C library can (glibc's ``malloc_trim``).

    To be called when the last reference to a large mail is gone; takes a few milliseconds.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
