"""The process that reads large mails: frames of raw mail on standard input, answers on standard output.

Started by :class:`mailbot.mime.isolation.IsolatedReader`. It imports ``mime``, ``isolation`` and the domain.
"""

from __future__ import annotations

import sys
from typing import IO

from mailbot.domain.errors import UnreadableMail
from mailbot.isolation.frames import read_frame
from mailbot.isolation.serving import serve
from mailbot.mime.frames import Outcome, write_failure, write_mail
from mailbot.mime.parse import parse_mail


def answer_next(source: IO[bytes], target: IO[bytes], memory_limit_bytes: int) -> bool:
    """Read one mail and answer it; ``False`` at the end of the input, or of the memory."""
    try:
        raw = read_frame(source, memory_limit_bytes)
        if raw is None:
            return False
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
    return is_fit


if __name__ == "__main__":
    sys.exit(serve(answer_next, sys.argv[1:]))
