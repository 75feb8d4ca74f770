"""A child that does what the question says: ``echo``, ``spin``, ``eat``, ``hoard``, ``die``, ``babble``."""

from __future__ import annotations

import os
import sys
from typing import IO

from mailbot.isolation.frames import as_text, parse_mapping, read_frame, write_json
from mailbot.isolation.serving import serve

_HOARD: list[bytes] = []


def answer_next(source: IO[bytes], target: IO[bytes], memory_limit_bytes: int) -> bool:
    """Do what the next question says."""
    frame = read_frame(source, memory_limit_bytes)
    if frame is None:
        return False
    order = as_text(parse_mapping(frame)["do"])
    if order == "die":
        os.abort()
    if order == "babble":
        target.write(b"\xff" * 100)
        return True
    if order == "eat":
        bytearray(memory_limit_bytes)
    if order == "hoard":
        _HOARD.append(b"x" * 250_000_000)
    while order == "spin":
        pass
    write_json(target, {"echo": order, "process": os.getpid()})
    return True


if __name__ == "__main__":
    sys.exit(serve(answer_next, sys.argv[1:]))
