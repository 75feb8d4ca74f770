"""The process that reads large mails: frames of raw mail on standard input, answers on standard output.

Started by :class:`mailbot.mime.isolation.IsolatedReader` with its limits as arguments: bytes of address space
and seconds of processor time per mail. It imports ``mime`` and the domain, opens nothing, and ends when its
input does, so that it does not outlive the process that started it.
"""

from __future__ import annotations

import resource
import sys
from typing import IO

from mailbot.domain.errors import UnreadableMail
from mailbot.mime.frames import Outcome, read_frame, write_failure, write_mail
from mailbot.mime.parse import parse_mail


def main(arguments: list[str]) -> int:
    """Answer every mail on standard input until it ends. Arguments: memory limit in bytes, processor time
    per mail in seconds."""
    memory_limit_bytes, cpu_seconds = (int(argument) for argument in arguments)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
    while _answer_next(sys.stdin.buffer, sys.stdout.buffer, memory_limit_bytes, cpu_seconds):
        pass
    return 0


def _answer_next(source: IO[bytes], target: IO[bytes], memory_limit_bytes: int, cpu_seconds: int) -> bool:
    """Read one mail and answer it; ``False`` at the end of the input, or of the memory."""
    try:
        raw = read_frame(source, memory_limit_bytes)
        if raw is None:
            return False
        _limit_processor_time(cpu_seconds)
        write_mail(target, parse_mail(raw))
        is_fit = True
    except MemoryError:
        is_fit = False
    except UnreadableMail as error:
        is_fit = not isinstance(error.__cause__, MemoryError)
        if is_fit:
            write_failure(target, Outcome.UNREADABLE, str(error))
    if not is_fit:
        write_failure(target, Outcome.OUT_OF_MEMORY, "MemoryError")
    target.flush()
    return is_fit


def _limit_processor_time(seconds: int) -> None:
    """Let this process run for ``seconds`` more; the kernel ends it then, whatever the parent does."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
