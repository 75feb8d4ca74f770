"""The process that reads documents: files on standard input, readings on standard output.

Started for :class:`mailbot.evidence.isolation.IsolatedDocumentReader`. It imports ``evidence``, ``isolation``,
words of the catalogue and the domain, and the libraries that open files. A file that is too much for it ends it.
"""

from __future__ import annotations

import sys
from typing import IO

from mailbot.evidence.frames import read_file, write_reading
from mailbot.evidence.reading import read_document
from mailbot.isolation.serving import serve


def answer_next(source: IO[bytes], target: IO[bytes], memory_limit_bytes: int) -> bool:
    """Read one file and answer it; ``False`` at the end of the input."""
    file = read_file(source, memory_limit_bytes)
    if file is None:
        return False
    content, media_type, filename = file
    write_reading(target, read_document("", content, media_type, filename))
    return True


if __name__ == "__main__":
    sys.exit(serve(answer_next, sys.argv[1:]))
