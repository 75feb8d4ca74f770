"""PDFs are read by a child process: a bomb costs one reading, which then says nothing, and never the daemon."""

from __future__ import annotations

import io
import re
import resource
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.evidence import DocumentKind, DocumentPart, DocumentReading, Fact, KindCandidate, Readability
from mailbot.evidence.content import Code, FileContent, PageContent, TextSource
from mailbot.evidence.frames import read_content, read_reading, write_content, write_reading
from mailbot.evidence.isolation import (
    CHILD_MODULE,
    MEMORY_LIMIT_BYTES,
    TIME_LIMIT_SECONDS,
    IsolatedDocumentReader,
)
from mailbot.evidence.reading import is_to_be_kept, read_document, read_thoroughly
from mailbot.isolation.frames import BrokenFrame, write_frame, write_json
from mailbot.isolation.kept_child import KeptChild
from tests.evidence.test_picture_files import bomb_png
from tests.evidence.test_reading import BOLETO
from tests.papers import BOLETO as PAPER
from tests.papers import page, photograph, saved
from tests.pdfs import bomb_pdf, encrypted_pdf, scanned_pdf, sized_pdf, text_pdf

PDF = "application/pdf"


@pytest.fixture
def reader() -> Iterator[IsolatedDocumentReader]:
    """With the limits that files have."""
    made = reader_with()
    yield made
    made.close()


@pytest.fixture
def patient_reader() -> Iterator[IsolatedDocumentReader]:
    """For what is to be read to its end: no limit of time, however busy the machine is."""
    made = reader_with("tests.evidence.patient_child", time_limit_seconds=600)
    yield made
    made.close()


def reader_with(
    module: str = CHILD_MODULE,
    *,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> IsolatedDocumentReader:
    child = KeptChild(module, memory_limit_bytes=memory_limit_bytes, time_limit_seconds=time_limit_seconds)
    return IsolatedDocumentReader(child)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(
    "content",
    [text_pdf(BOLETO, ["Verso"]), scanned_pdf(3), encrypted_pdf(), b"%PDF-1.4 broken", b""],
    ids=["text", "scanned", "encrypted", "broken", "empty"],
)
def test_a_pdf_is_read_in_the_child_as_it_would_be_here(
    patient_reader: IsolatedDocumentReader, content: bytes
) -> None:
    name = "boleto \udcff.pdf"
    assert patient_reader.read("digest", content, PDF, name) == read_document("digest", content, PDF, name)


def test_a_pdf_with_another_media_type_goes_to_the_child_too(reader: IsolatedDocumentReader) -> None:
    assert reader.read("digest", text_pdf(BOLETO), "image/png", "x.png").kind is DocumentKind.BOLETO


def test_what_no_library_opens_needs_no_child() -> None:
    nobody = KeptChild("mailbot.no_such_module", memory_limit_bytes=MEMORY_LIMIT_BYTES, time_limit_seconds=5)
    reader = IsolatedDocumentReader(nobody)
    assert reader.read("digest", b"<svg/>", "image/svg+xml", "cnh.svg").reasons == ("not_text",)
    assert reader.read("digest", b"PK", "application/zip", "x.zip").readability is Readability.NOT_A_DOCUMENT


def test_a_bomb_of_memory_is_not_checked_and_the_next_file_is_read(reader: IsolatedDocumentReader) -> None:
    reader.read("first", text_pdf(BOLETO), PDF, "boleto.pdf")
    bomb, before = bomb_pdf(), resident_bytes()
    reading = reader.read("bomb", bomb, PDF, "boleto.pdf")
    assert len(bomb) < 5_000
    assert (reading.digest, reading.kind) == ("bomb", DocumentKind.UNKNOWN)
    assert reading.readability is Readability.NOT_CHECKED
    assert not is_to_be_kept(reading)
    assert resident_bytes() - before < 5_000_000
    assert reader.read("next", text_pdf(BOLETO), PDF, "boleto.pdf").kind is DocumentKind.BOLETO


def test_a_bomb_of_time_is_not_checked_and_the_next_file_is_read() -> None:
    reader = reader_with(memory_limit_bytes=8 << 30, time_limit_seconds=0.6)
    began = time.monotonic()
    reading = reader.read("bomb", bomb_pdf(), PDF, "boleto.pdf")
    assert time.monotonic() - began < 60
    assert (reading.readability, is_to_be_kept(reading)) == (Readability.NOT_CHECKED, False)
    reader.close()


def test_what_was_read_is_to_be_kept_whatever_it_was(patient_reader: IsolatedDocumentReader) -> None:
    for content in (text_pdf(BOLETO), scanned_pdf(), encrypted_pdf(), b"%PDF-1.4 broken"):
        assert is_to_be_kept(patient_reader.read("digest", content, PDF, "x.pdf"))


def test_what_stands_in_a_file_comes_with_its_reading(reader: IsolatedDocumentReader) -> None:
    content = text_pdf(BOLETO, ["Verso da folha"])
    reading, held = reader.read_thoroughly("digest", content, PDF, "x.pdf")
    assert (reading, held) == read_thoroughly("digest", content, PDF, "x.pdf")
    assert held is not None
    assert [page.text.splitlines()[0] for page in held.pages] == [BOLETO[0], "Verso da folha"]
    assert reader.read_thoroughly("digest", b"<svg/>", "image/svg+xml", "x.svg")[1] is None


@pytest.mark.tesseract
@pytest.mark.parametrize(("picture_format", "media_type"), [("JPEG", "image/jpeg"), ("HEIF", "image/heic")])
def test_a_photograph_is_read_in_the_child(
    patient_reader: IsolatedDocumentReader, picture_format: str, media_type: str
) -> None:
    content = saved(photograph(page(PAPER)), picture_format)
    assert patient_reader.read("digest", content, media_type, "x").kind is DocumentKind.BOLETO


@pytest.mark.tesseract
def test_the_child_tells_what_it_can_do(reader: IsolatedDocumentReader) -> None:
    able = reader.abilities()
    assert re.fullmatch(r"[45]\.[\d.]+", able.ocr_version)
    assert able.ocr_missing == ""


def test_the_child_has_no_network_where_the_system_allows_that(reader: IsolatedDocumentReader) -> None:
    allowed = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
    if not allowed:
        pytest.skip("needs network namespaces: this process may not make one")
    assert reader.abilities().has_no_network


@pytest.mark.parametrize(
    ("content", "media_type", "reason"),
    [
        (bomb_png(10_000), "image/png", "picture_too_large"),
        (b"MZ" + bytes(100) + b"%PDF-1.4", "application/x-msdownload", "not_a_document"),
        (saved(page(PAPER), "HEIF")[:3000] + b"\xff" * 500, "image/heic", "broken_picture"),
        (sized_pdf(141_732, 141_732), PDF, "not_text"),
        (text_pdf(["7" * 1000] * 1000), PDF, ""),
        (b"%PDF-1.4\n" + b"1 0 obj\n<< /Length 9 " * 50_000, PDF, "broken_pdf"),
    ],
    ids=["100 megapixels", "EXE", "broken HEIC", "50 m x 50 m", "a million digits", "nested"],
)
def test_a_hostile_file_gets_its_verdict_within_the_limits(
    reader: IsolatedDocumentReader, content: bytes, media_type: str, reason: str
) -> None:
    before = resident_bytes()
    reading = reader.read("digest", content, media_type, "boleto.pdf")
    assert reading.kind is DocumentKind.UNKNOWN
    assert not reason or reason in reading.reasons
    assert is_to_be_kept(reading)
    assert resident_bytes() - before < 20_000_000


# --- frames ----------------------------------------------------------------------------------------------

READING = replace(
    read_document("digest", text_pdf(BOLETO), PDF, "boleto.pdf"),
    page=1,
    facts=(Fact(name="amount", value="1.00"),),
    guesses=(Fact(name="payer_name", value="Maria"),),
    parts=(DocumentPart(kind=DocumentKind.DRIVER_LICENCE, confidence=0.9, page=2, reasons=("title",)),),
    candidates=(KindCandidate(kind=DocumentKind.BOLETO, score=0.7, reasons=("line",)),),
)


def sent(reading: DocumentReading) -> bytes:
    stream = io.BytesIO()
    write_reading(stream, reading)
    return stream.getvalue()


def test_a_reading_comes_through_unchanged() -> None:
    assert read_reading(io.BytesIO(sent(READING)), "digest") == READING


@given(st.integers(0, 300), st.binary(min_size=1, max_size=8))
def test_a_crooked_answer_is_a_broken_frame_or_a_reading(position: int, put: bytes) -> None:
    whole = sent(READING)
    crooked = whole[:position] + put + whole[position + len(put) :]
    try:
        reading = read_reading(io.BytesIO(crooked), "digest")
    except BrokenFrame:
        return
    assert reading.digest == "digest"
    assert 0 <= reading.confidence <= 1


HELD = FileContent(
    pages=(
        PageContent(
            number=1,
            text="Valor  R$ 1,00\n\udcff",
            source=TextSource.OCR,
            codes=(Code(format="ITF", text="1"),),
            confidence=0.5,
        ),
    ),
    page_count=3,
    readability=Readability.READABLE,
    reasons=("pages_not_read",),
)


def sent_content(held: FileContent | None) -> bytes:
    stream = io.BytesIO()
    write_content(stream, held)
    return stream.getvalue()


@pytest.mark.parametrize("held", [HELD, None], ids=["opened", "not opened"])
def test_what_stands_in_a_file_comes_through_unchanged(held: FileContent | None) -> None:
    assert read_content(io.BytesIO(sent_content(held))) == held


@given(st.integers(0, 300), st.binary(min_size=1, max_size=8))
def test_a_crooked_content_is_a_broken_frame_or_a_content(position: int, put: bytes) -> None:
    whole = sent_content(HELD)
    crooked = whole[:position] + put + whole[position + len(put) :]
    try:
        held = read_content(io.BytesIO(crooked))
    except BrokenFrame:
        return
    assert held is None or all(0 <= one.confidence <= 1 for one in held.pages)


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b"null", b"[" * 100_000, b"\xff"])
def test_no_answer_of_a_stranger_breaks_us(answer: bytes) -> None:
    stream = io.BytesIO()
    write_frame(stream, answer)
    stream.seek(0)
    with pytest.raises(BrokenFrame):
        read_reading(stream, "digest")


@pytest.mark.parametrize(
    "lie",
    [{"confidence": 2.0}, {"confidence": float("nan")}, {"pages": -1}, {"kind": "x"}, {"facts": [["name"]]}],
    ids=str,
)
def test_a_lie_that_no_reader_tells_is_a_broken_frame(lie: dict[str, object]) -> None:
    truth: dict[str, object] = {
        "kind": "boleto",
        "confidence": 1.0,
        "readability": "readable",
        "page": None,
        "pages": 1,
        "facts": [],
        "reasons": [],
        "guesses": [],
        "parts": [],
        "candidates": [],
    }
    assert read_reading(answered(truth), "digest").kind is DocumentKind.BOLETO
    with pytest.raises(BrokenFrame):
        read_reading(answered(truth | lie), "digest")


def answered(answer: dict[str, object]) -> io.BytesIO:
    stream = io.BytesIO()
    write_json(stream, answer)
    stream.seek(0)
    return stream
