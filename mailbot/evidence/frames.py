"""How a file and its reading travel between two processes: ``bytes → child``, ``DocumentReading → parent``.

A question is one frame of JSON (media type, file name), then one of the file. An answer is one frame of JSON
without digest and version: those the parent knows better.
"""

from __future__ import annotations

from typing import IO

from mailbot.domain.evidence import DocumentKind, DocumentReading, Fact, Readability
from mailbot.evidence.reading import READER_VERSION
from mailbot.isolation.frames import (
    BrokenFrame,
    as_items,
    as_text,
    as_texts,
    as_type,
    expect_frame,
    parse_mapping,
    read_frame,
    write_frame,
    write_json,
)

_MOST_QUESTION_BYTES = 1 << 20
_MOST_ANSWER_BYTES = 1 << 20


def write_file(stream: IO[bytes], content: bytes, media_type: str, filename: str) -> None:
    """Send a file to be read."""
    write_json(stream, {"media_type": media_type, "filename": filename})
    write_frame(stream, content)


def read_file(stream: IO[bytes], max_content_bytes: int) -> tuple[bytes, str, str] | None:
    """Receive a file with its media type and name; ``None`` at the end. Raises :class:`BrokenFrame`."""
    frame = read_frame(stream, _MOST_QUESTION_BYTES)
    if frame is None:
        return None
    about = parse_mapping(frame)
    content = expect_frame(stream, max_content_bytes)
    return content, as_text(about.get("media_type")), as_text(about.get("filename"))


def write_reading(stream: IO[bytes], reading: DocumentReading) -> None:
    """Send what was read."""
    write_json(
        stream,
        {
            "kind": reading.kind,
            "confidence": reading.confidence,
            "readability": reading.readability,
            "page": reading.page,
            "pages": reading.pages,
            "facts": [[fact.name, fact.value] for fact in reading.facts],
            "reasons": reading.reasons,
        },
    )


def read_reading(stream: IO[bytes], digest: str) -> DocumentReading:
    """Receive what was read in the file ``digest``. Raises :class:`BrokenFrame`."""
    answer = parse_mapping(expect_frame(stream, _MOST_ANSWER_BYTES))
    page = answer.get("page")
    try:
        return DocumentReading(
            digest=digest,
            reader_version=READER_VERSION,
            kind=DocumentKind(as_text(answer.get("kind"))),
            confidence=_share(answer.get("confidence")),
            readability=Readability(as_text(answer.get("readability"))),
            page=None if page is None else _count(page),
            pages=_count(answer.get("pages")),
            facts=tuple(_fact(one) for one in as_items(answer.get("facts"))),
            reasons=as_texts(answer.get("reasons")),
        )
    except ValueError as error:
        raise BrokenFrame("the reader's answer is malformed") from error


def _fact(value: object) -> Fact:
    name, text = as_texts(value)
    return Fact(name=name, value=text)


def _count(value: object) -> int:
    number = as_type(value, int)
    if number < 0:
        raise BrokenFrame("a negative number of pages")
    return number


def _share(value: object) -> float:
    share = as_type(value, float)
    if not 0 <= share <= 1:
        raise BrokenFrame("a share that is none")
    return share
