"""How a file and its reading travel between two processes: ``bytes → child``, ``DocumentReading → parent``.

A question is one frame of JSON (what is wanted, media type, file name), then one of the file. An answer is one
frame of JSON: a reading without digest and version, which the parent knows better, or one of that and one of what
stands in the file, or what the child can do here. Pages as pictures are one frame about them, and two each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import IO

from mailbot.domain.evidence import (
    DocumentKind,
    DocumentPart,
    DocumentReading,
    Fact,
    KindCandidate,
    Readability,
)
from mailbot.evidence.content import Code, FileContent, PageContent, TextSource
from mailbot.evidence.drawing import (
    MOST_DRAWN_PAGES,
    MOST_FILE_BYTES,
    MOST_PAGE_BYTES,
    MOST_THUMBNAIL_BYTES,
    DrawnFile,
    DrawnPagePictures,
    Jpeg,
)
from mailbot.evidence.reader_version import READER_VERSION
from mailbot.isolation.frames import (
    BrokenFrame,
    as_items,
    as_mapping,
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
# Text of 200,000 characters may take six bytes each in JSON, and codes come on top.
_MOST_CONTENT_BYTES = 1 << 23


class Asked(StrEnum):
    """What the parent wants to know."""

    READING = "reading"
    CONTENT = "content"
    PICTURES = "pictures"
    ABILITIES = "abilities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A file, and what is asked about it; of ``ABILITIES`` the file is empty."""

    asked: Asked
    content: bytes = b""
    media_type: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What the reader can do on this machine: ``ocr_version``, or what is missing for OCR."""

    ocr_version: str
    ocr_missing: str
    has_no_network: bool


def write_question(stream: IO[bytes], question: Question) -> None:
    """Send a file to be read."""
    about = {"asked": question.asked, "media_type": question.media_type, "filename": question.filename}
    write_json(stream, about)
    write_frame(stream, question.content)


def read_question(stream: IO[bytes], max_content_bytes: int) -> Question | None:
    """Receive a question; ``None`` at the end. Raises :class:`BrokenFrame`."""
    frame = read_frame(stream, _MOST_QUESTION_BYTES)
    if frame is None:
        return None
    about = parse_mapping(frame)
    content = expect_frame(stream, max_content_bytes)
    return Question(
        asked=Asked(as_text(about.get("asked"))),
        content=content,
        media_type=as_text(about.get("media_type")),
        filename=as_text(about.get("filename")),
    )


def write_abilities(stream: IO[bytes], abilities: Abilities) -> None:
    """Send what the child can do."""
    write_json(stream, asdict(abilities))


def read_abilities(stream: IO[bytes]) -> Abilities:
    """Receive what the child can do. Raises :class:`BrokenFrame`."""
    answer = parse_mapping(expect_frame(stream, _MOST_ANSWER_BYTES))
    return Abilities(
        ocr_version=as_text(answer.get("ocr_version")),
        ocr_missing=as_text(answer.get("ocr_missing")),
        has_no_network=as_type(answer.get("has_no_network"), bool),
    )


def write_content(stream: IO[bytes], held: FileContent | None) -> None:
    """Send what stands in a file; ``None`` of one that is not opened."""
    write_json(stream, {"held": None if held is None else asdict(held)})


def read_content(stream: IO[bytes]) -> FileContent | None:
    """Receive what stands in a file. Raises :class:`BrokenFrame`."""
    answer = parse_mapping(expect_frame(stream, _MOST_CONTENT_BYTES)).get("held")
    if answer is None:
        return None
    held = as_mapping(answer)
    try:
        return FileContent(
            pages=tuple(_page(as_mapping(one)) for one in as_items(held.get("pages"))),
            page_count=_count(held.get("page_count")),
            readability=Readability(as_text(held.get("readability"))),
            reasons=as_texts(held.get("reasons")),
        )
    except ValueError as error:
        raise BrokenFrame("the reader's answer is malformed") from error


def write_drawn(stream: IO[bytes], drawn: DrawnFile) -> None:
    """Send a file's pages as pictures."""
    about = [
        {"number": page.number, "sizes": [[one.width, one.height] for one in (page.page, page.thumbnail)]}
        for page in drawn.pages
    ]
    write_json(stream, {"page_count": drawn.page_count, "pages": about})
    for page in drawn.pages:
        write_frame(stream, page.page.content)
        write_frame(stream, page.thumbnail.content)


def read_drawn(stream: IO[bytes]) -> DrawnFile:
    """Receive a file's pages as pictures. Raises :class:`BrokenFrame`."""
    answer = parse_mapping(expect_frame(stream, _MOST_ANSWER_BYTES))
    about = [as_mapping(one) for one in as_items(answer.get("pages"))]
    if len(about) > MOST_DRAWN_PAGES:
        raise BrokenFrame("more pages than are drawn")
    pages = tuple(_drawn_page(stream, one) for one in about)
    if sum(len(one.page.content) for one in pages) > MOST_FILE_BYTES:
        raise BrokenFrame("pages larger than allowed")
    return DrawnFile(page_count=_count(answer.get("page_count")), pages=pages)


def _drawn_page(stream: IO[bytes], about: Mapping[str, object]) -> DrawnPagePictures:
    sizes = as_items(about.get("sizes"))
    if len(sizes) != len(_PICTURE_LIMITS):
        raise BrokenFrame("a page is sent large and small")
    page, thumbnail = (
        _jpeg(stream, size, most_bytes) for size, most_bytes in zip(sizes, _PICTURE_LIMITS, strict=True)
    )
    return DrawnPagePictures(number=_count(about.get("number")), page=page, thumbnail=thumbnail)


def _jpeg(stream: IO[bytes], size: object, most_bytes: int) -> Jpeg:
    content = expect_frame(stream, most_bytes)
    if not content.startswith(_JPEG_MAGIC):
        raise BrokenFrame("a picture that is none")
    sides = as_items(size)
    if len(sides) != 2:
        raise BrokenFrame("a picture has two sides")
    width, height = (_count(side) for side in sides)
    return Jpeg(content=content, width=width, height=height)


_PICTURE_LIMITS = (MOST_PAGE_BYTES, MOST_THUMBNAIL_BYTES)
_JPEG_MAGIC = b"\xff\xd8\xff"


def _page(page: Mapping[str, object]) -> PageContent:
    codes = (as_mapping(one) for one in as_items(page.get("codes")))
    return PageContent(
        number=_count(page.get("number")),
        text=as_text(page.get("text")),
        source=TextSource(as_text(page.get("source"))),
        codes=tuple(Code(format=as_text(one.get("format")), text=as_text(one.get("text"))) for one in codes),
        confidence=_share(page.get("confidence")),
        again=as_text(page.get("again")),
        has_unread_mark=as_type(page.get("has_unread_mark"), bool),
    )


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
            "facts": _pairs(reading.facts),
            "reasons": reading.reasons,
            "guesses": _pairs(reading.guesses),
            "parts": [_sent_part(part) for part in reading.parts],
            "candidates": [
                {"kind": one.kind, "score": one.score, "reasons": one.reasons} for one in reading.candidates
            ],
        },
    )


def _pairs(facts: tuple[Fact, ...]) -> list[list[str]]:
    return [[fact.name, fact.value] for fact in facts]


def _sent_part(part: DocumentPart) -> dict[str, object]:
    return {
        "kind": part.kind,
        "confidence": part.confidence,
        "page": part.page,
        "facts": _pairs(part.facts),
        "guesses": _pairs(part.guesses),
        "reasons": part.reasons,
    }


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
            facts=_facts(answer.get("facts")),
            reasons=as_texts(answer.get("reasons")),
            guesses=_facts(answer.get("guesses")),
            parts=tuple(_received_part(as_mapping(one)) for one in as_items(answer.get("parts"))),
            candidates=tuple(_candidate(as_mapping(one)) for one in as_items(answer.get("candidates"))),
        )
    except ValueError as error:
        raise BrokenFrame("the reader's answer is malformed") from error


def _received_part(part: Mapping[str, object]) -> DocumentPart:
    return DocumentPart(
        kind=DocumentKind(as_text(part.get("kind"))),
        confidence=_share(part.get("confidence")),
        page=_count(part.get("page")),
        facts=_facts(part.get("facts")),
        guesses=_facts(part.get("guesses")),
        reasons=as_texts(part.get("reasons")),
    )


def _candidate(one: Mapping[str, object]) -> KindCandidate:
    return KindCandidate(
        kind=DocumentKind(as_text(one.get("kind"))),
        score=_share(one.get("score")),
        reasons=as_texts(one.get("reasons")),
    )


def _facts(value: object) -> tuple[Fact, ...]:
    return tuple(_fact(one) for one in as_items(value))


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
