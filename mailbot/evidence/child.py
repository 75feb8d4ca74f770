"""The process that reads documents: files on standard input, readings on standard output.

Started for :class:`mailbot.evidence.isolation.IsolatedDocumentReader`. It imports ``evidence``, ``isolation``,
words of the catalogue and the domain, and the libraries that open files: what reads documents only once it is
asked to, since in a rush some of these processes do nothing but draw. A file that is too much for it ends it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import IO

from mailbot.evidence.drawing import draw_pages
from mailbot.evidence.frames import (
    Abilities,
    Asked,
    Question,
    read_question,
    write_abilities,
    write_content,
    write_drawn,
    write_reading,
)
from mailbot.isolation.memory import resident_bytes
from mailbot.isolation.serving import has_no_network, serve

# With all libraries, and a PDF's page as a picture, it holds 80 MB.
_MUCH_BYTES = 100_000_000


def answer_next(source: IO[bytes], target: IO[bytes], memory_limit_bytes: int) -> bool:
    """Answer one question; ``False`` at the end of the input."""
    question = read_question(source, memory_limit_bytes)
    if question is None:
        return False
    if question.asked is Asked.ABILITIES:
        write_abilities(target, abilities())
    elif question.asked is Asked.PICTURES:
        write_drawn(target, draw_pages(question.content, question.media_type))
    else:
        _read(target, question)
    del question
    _give_memory_back()
    return True


def _read(target: IO[bytes], question: Question) -> None:
    from mailbot.evidence.reading import read_thoroughly

    reading, held = read_thoroughly("", question.content, question.media_type, question.filename)
    write_reading(target, reading)
    if question.asked is Asked.CONTENT:
        write_content(target, held)


def abilities() -> Abilities:
    """What this process can do on this machine."""
    from mailbot.evidence.ocr import MissingOcr, tesseract

    ocr = tesseract()
    missing = ocr.what if isinstance(ocr, MissingOcr) else ""
    version = "" if isinstance(ocr, MissingOcr) else ocr.version
    return Abilities(ocr_version=version, ocr_missing=missing, has_no_network=has_no_network())


def _give_memory_back() -> None:
    """A large picture leaves memory free that glibc would keep; elsewhere there is nothing to be done. Not after
    each small file: the next one asks for the same memory again."""
    held_bytes = resident_bytes(os.getpid())
    if held_bytes is not None and held_bytes < _MUCH_BYTES:
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


if __name__ == "__main__":
    sys.exit(serve(answer_next, sys.argv[1:]))
