"""The child's side: questions on standard input, answers on standard output, within limits, until it ends.

It opens nothing, writes no file, has no network where the system allows that, and does not outlive the process
that started it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from mailbot.isolation.memory import end_me_before_my_parent

# From the kernel's linux/sched.h.
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_INTERFACES = Path("/proc/self/net/dev")
_HEADER_LINES = 2

AnswerNext = Callable[[IO[bytes], IO[bytes], int], bool]
"""Reads one question from the first stream and answers it on the second; the number is the address space in
bytes. ``False`` at the end of the input, or where this process can go on no more."""


def serve(answer_next: AnswerNext, arguments: list[str]) -> int:
    """Answer until the input ends; gives the exit status.

    Arguments: bytes of address space for this process, and seconds of processor time for one question.
    """
    memory_limit_bytes, cpu_seconds = (int(argument) for argument in arguments)
    # Before the first thread: afterwards the system allows it no more.
    _leave_the_network()
    _end_with_parent()
    end_me_before_my_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
    is_fit = True
    while is_fit:
        # To wait for a question takes no processor time.
        _limit_processor_time(cpu_seconds)
        is_fit = answer_next(sys.stdin.buffer, sys.stdout.buffer, memory_limit_bytes)
        sys.stdout.buffer.flush()
    return 0


def has_no_network() -> bool:
    """Whether this process sees no network interface but its own loopback."""
    try:
        lines = _INTERFACES.read_text("ascii").splitlines()[_HEADER_LINES:]
    except OSError:
        return False
    return all(line.partition(":")[0].strip() == "lo" for line in lines)


def _leave_the_network() -> None:
    """Go into a network namespace of our own, as root or in a user namespace; where neither is allowed, stay."""
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is not None and unshare(_CLONE_NEWNET) != 0:
        unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _end_with_parent() -> None:
    """End this process as soon as nobody holds the other end of its input any more, whatever it does then."""

    def watch() -> None:
        hang_up = select.poll()
        hang_up.register(sys.stdin.fileno(), 0)
        hang_up.poll()
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _limit_processor_time(seconds: int) -> None:
    """Let this process run for ``seconds`` more; the kernel ends it then, whatever the parent does."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))
