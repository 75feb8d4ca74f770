"""Reads documents, those that need a library in a child process: ``bytes → DocumentReading``.

One small PDF or picture can take all memory and all time there is (THREATS 26). Whatever it does to the child, the
file is then *not checked*: a person looks at it, and nobody says that it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TypeVar

from mailbot.domain.evidence import DocumentReading
from mailbot.evidence.content import FileContent
from mailbot.evidence.drawing import DrawnFile
from mailbot.evidence.frames import (
    Abilities,
    Asked,
    Question,
    read_abilities,
    read_content,
    read_drawn,
    read_reading,
    write_question,
)
from mailbot.evidence.opened_types import is_opened
from mailbot.evidence.reading import not_read, read_document
from mailbot.isolation.asking import Child, ChildFailed

_Answer = TypeVar("_Answer")

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
            return self._ask(
                Question(asked=Asked.READING, content=content, media_type=media_type, filename=filename),
                lambda source: read_reading(source, digest),
            )
        except ChildFailed:
            return not_read(digest)

    def read_thoroughly(
        self, digest: str, content: bytes, media_type: str, filename: str
    ) -> tuple[DocumentReading, FileContent | None]:
        """As :meth:`read`, with what stands in the file; ``None`` if it is not opened or could not be read."""
        if not is_opened(content, media_type):
            return read_document(digest, content, media_type, filename), None
        try:
            return self._ask(
                Question(asked=Asked.CONTENT, content=content, media_type=media_type, filename=filename),
                lambda source: (read_reading(source, digest), read_content(source)),
            )
        except ChildFailed:
            return not_read(digest), None

    def draw(self, content: bytes, media_type: str) -> DrawnFile | None:
        """The file's pages as pictures of ours (``drawing.py``); ``None`` if that took more than the limits allow,
        or the file is not opened."""
        if not is_opened(content, media_type):
            return None
        try:
            return self._ask(Question(asked=Asked.PICTURES, content=content, media_type=media_type), read_drawn)
        except ChildFailed:
            return None

    def abilities(self) -> Abilities:
        """What can be read on this machine. Raises :class:`ChildFailed`."""
        return self._ask(Question(asked=Asked.ABILITIES), read_abilities)

    def _ask(self, question: Question, answer: Callable[[IO[bytes]], _Answer]) -> _Answer:
        return self._child.ask(lambda target: write_question(target, question), answer)

    def close(self) -> None:
        """End the child, if there is one."""
        self._child.close()
