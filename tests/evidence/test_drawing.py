"""Pages as pictures of ours: what agents see instead of opening a stranger's file (issue 4, point 6)."""

from __future__ import annotations

import random
from io import BytesIO
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mailbot.bootstrap import document_reader
from mailbot.evidence import drawing
from mailbot.evidence.drawing import (
    MOST_DRAWN_PAGES,
    MOST_FILE_BYTES,
    MOST_PAGE_BYTES,
    MOST_THUMBNAIL_BYTES,
    THUMBNAIL_SIDES,
    draw_pages,
)
from mailbot.evidence.frames import read_drawn, write_drawn
from mailbot.evidence.isolation import IsolatedDocumentReader
from mailbot.isolation.asking import ChildFailed
from mailbot.isolation.frames import BrokenFrame, write_frame, write_json
from tests.flows.house import BOLETO
from tests.pdfs import bomb_pdf, text_pdf

PDF = "application/pdf"


def opened(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def photo(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def test_a_page_of_a4_is_drawn_at_150_dpi_in_colour_and_small() -> None:
    drawn = draw_pages(BOLETO[1], PDF)
    assert drawn.page_count == len(drawn.pages) == 1
    page = drawn.pages[0]
    assert (page.page.width, page.page.height) == pytest.approx((1240, 1754), abs=2)
    assert opened(page.page.content).size == (page.page.width, page.page.height)
    assert opened(page.page.content).mode == "RGB"
    assert page.thumbnail.width <= THUMBNAIL_SIDES[0]
    assert page.thumbnail.height <= THUMBNAIL_SIDES[1]
    assert opened(page.thumbnail.content).format == "JPEG"


def test_a_photograph_is_upright_and_scaled() -> None:
    picture = Image.new("RGB", (3000, 2000), "white")
    picture.paste((255, 0, 0), (0, 0, 1500, 2000))
    exif = Image.Exif()
    exif[0x0112] = 6  # The camera lay on its side: what is left in the file is at the top.
    (page,) = draw_pages(photo(picture, exif=exif), "image/jpeg").pages
    shown = opened(page.page.content)
    assert shown.height == 1754
    assert shown.width < shown.height
    red, _, blue = shown.getpixel((shown.width // 2, 100))  # type: ignore[misc]  # Of an RGB picture.
    assert (red > 200, blue < 60) == (True, True)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_other_kinds_of_pictures_are_drawn_where_they_are_opened(kind: str) -> None:
    content = photo(Image.new("RGB", (800, 600), "navy"), kind)
    assert len(draw_pages(content, f"image/{kind.lower()}").pages) == 1


def test_every_frame_of_a_tiff_is_a_page() -> None:
    frames = [Image.new("L", (400, 300), shade) for shade in (0, 120, 240)]
    content = photo(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    drawn = draw_pages(content, "image/tiff")
    assert [page.number for page in drawn.pages] == [1, 2, 3]


def test_of_a_long_file_the_first_pages_are_drawn_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "_DRAWING_SECONDS", 600.0)
    drawn = draw_pages(text_pdf(*[[f"Folha {number}"] for number in range(MOST_DRAWN_PAGES + 3)]), PDF)
    assert (drawn.page_count, len(drawn.pages)) == (MOST_DRAWN_PAGES + 3, MOST_DRAWN_PAGES)


def test_noise_that_no_jpeg_makes_small_is_drawn_coarser() -> None:
    noise = Image.frombytes("RGB", (2400, 1800), random.Random(7).randbytes(2400 * 1800 * 3))
    (page,) = draw_pages(photo(noise, quality=95), "image/jpeg").pages
    assert len(page.page.content) <= MOST_PAGE_BYTES
    assert len(page.thumbnail.content) <= MOST_THUMBNAIL_BYTES


def test_no_page_is_begun_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 1000, 6))
    # Of that module only: other threads of this process go on looking at the clock.
    monkeypatch.setattr(drawing, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    drawn = draw_pages(text_pdf(["um"], ["dois"], ["três"], ["quatro"]), PDF)
    assert (drawn.page_count, len(drawn.pages)) == (4, 2)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7 nothing", PDF),
        (b"\xff\xd8\xff\xe0 nothing", "image/jpeg"),
        (b"PK\x03\x04", "application/zip"),
        (b"", PDF),
    ],
)
def test_what_cannot_be_opened_has_no_pages(content: bytes, media_type: str) -> None:
    assert draw_pages(content, media_type).pages == ()


@given(st.binary(max_size=400), st.sampled_from([PDF, "image/png", "image/jpeg", "image/gif", "text/html"]))
@settings(max_examples=60, deadline=None)
def test_no_bytes_make_drawing_fail(content: bytes, media_type: str) -> None:
    drawn = draw_pages(content, media_type)
    assert sum(len(page.page.content) for page in drawn.pages) <= MOST_FILE_BYTES


# --- in the process of its own ----------------------------------------------------------------------------


def test_pages_come_back_from_the_process_that_draws() -> None:
    reader = document_reader()
    try:
        assert reader.draw(BOLETO[1], PDF) == draw_pages(BOLETO[1], PDF)
        assert reader.draw(b"PK\x03\x04", "application/zip") is None
    finally:
        reader.close()


def test_a_bomb_costs_a_drawing_and_no_more() -> None:
    reader = document_reader()
    try:
        drawn = reader.draw(bomb_pdf(), PDF)
        assert drawn is None or drawn.pages == ()
        assert reader.draw(BOLETO[1], PDF) is not None
    finally:
        reader.close()


class Scripted:
    """A child that answers what it is told to, whatever is asked."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def ask(self, question, answer, *, keep=True):  # type: ignore[no-untyped-def]  # As Child.ask.
        try:
            return answer(BytesIO(self._answer))
        except (OSError, BrokenFrame) as error:
            raise ChildFailed("sent nonsense") from error

    def close(self) -> None:
        return


def answer_of(about: object, *frames: bytes) -> bytes:
    stream = BytesIO()
    write_json(stream, about)
    for frame in frames:
        write_frame(stream, frame)
    return stream.getvalue()


JPEG = b"\xff\xd8\xff\xe0"
ONE = {"number": 1, "sizes": [[1, 1], [1, 1]]}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        answer_of({"page_count": 1, "pages": [ONE]}, b"<svg onload=x>", JPEG),
        answer_of({"page_count": 1, "pages": [ONE]}, JPEG),
        answer_of({"page_count": 1, "pages": [ONE]}, JPEG + bytes(MOST_PAGE_BYTES), JPEG),
        answer_of({"page_count": -1, "pages": []}),
        answer_of({"page_count": 1, "pages": [{"number": 1, "sizes": [[1]]}]}, JPEG, JPEG),
        answer_of({"page_count": 1, "pages": [{"number": 1, "sizes": [[1, 1, 1], [1, 1]]}]}, JPEG, JPEG),
        answer_of({"page_count": 99, "pages": [ONE] * (MOST_DRAWN_PAGES + 1)}, *[JPEG] * 2 * 21),
        answer_of({"page_count": 20, "pages": [ONE] * 20}, *[JPEG + bytes(MOST_PAGE_BYTES - 9), JPEG] * 20),
    ],
)
def test_what_no_reader_of_ours_sends_is_no_drawing(answer: bytes) -> None:
    assert IsolatedDocumentReader(Scripted(answer)).draw(BOLETO[1], PDF) is None


def test_a_drawing_travels_whole() -> None:
    drawn = draw_pages(text_pdf(["um"], ["dois"]), PDF)
    stream = BytesIO()
    write_drawn(stream, drawn)
    stream.seek(0)
    assert read_drawn(stream) == drawn
