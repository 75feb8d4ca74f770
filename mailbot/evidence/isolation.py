"""Reads documents, those that need a library in a child process: ``bytes → DocumentReading``.

One small PDF or picture can take all memory and all time there is (THREATS 26). Whatever it does to the child, the
file is then *not checked*: a person looks at it, and nobody says that it is missing.
"""

from __future__ import annotations

from mailbot.domain.evidence import DocumentReading
from mailbot.evidence.frames import read_reading, write_file
from mailbot.evidence.reading import is_opened, not_read, read_document
from mailbot.isolation.asking import Child, ChildFailed

CHILD_MODULE = "mailbot.evidence.child"
MEMORY_LIMIT_BYTES = 1 << 30
TIME_LIMIT_SECONDS = 30.0
"""Wall-clock time for one file. After 20 s the reader itself begins no further page."""


class IsolatedDocumentReader:
    """Reads documents within limits; ``child`` runs ``CHILD_MODULE``."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def read(self, digest: str, content: bytes, media_type: str, filename: str) -> DocumentReading:
        """As :func:`mailbot.evidence.reading.read_document`, which see; never raises for whatever bytes."""
        if not is_opened(content, media_type):
            return read_document(digest, content, media_type, filename)
        try:
            return self._child.ask(
                lambda target: write_file(target, content, media_type, filename),
                lambda source: read_reading(source, digest),
            )
        except ChildFailed:
            return not_read(digest)

    def close(self) -> None:
        """End the child, if there is one."""
        self._child.close()
