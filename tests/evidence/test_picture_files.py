"""Pictures of five formats are opened upright, in grey, within limits; broken ones and bombs are told apart."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mailbot.evidence.picture_files import (
    MOST_FRAMES,
    MOST_PIXELS,
    WORKING_SIDE_PIXELS,
    OpenPicture,
    PictureState,
    open_picture,
)
from tests.papers import page, saved, with_orientation
from tests.pictures import png_head

# Dark at the left and light at the right, so that every turn shows.
MARKED = Image.linear_gradient("L").rotate(90).resize((640, 480))


def opened(content: bytes) -> Image.Image:
    picture = open_picture(content)
    assert isinstance(picture, OpenPicture)
    return next(picture.frames())


def shade(picture: Image.Image, x: float, y: float) -> int:
    value = picture.getpixel((int(x * (picture.width - 1)), int(y * (picture.height - 1))))
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_every_format_is_opened_as_it_was_seen(picture_format: str) -> None:
    picture = opened(saved(MARKED, picture_format, quality=90))
    assert (picture.mode, picture.size) == ("L", (640, 480))
    assert shade(picture, 0.02, 0.5) < 30 < 220 < shade(picture, 0.98, 0.5)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_the_cameras_note_of_how_it_was_held_is_followed(orientation: int) -> None:
    picture = opened(with_orientation(MARKED, orientation))
    assert picture.size == (640, 480)
    assert shade(picture, 0.02, 0.5) < 30 < 220 < shade(picture, 0.98, 0.5)


def test_a_large_picture_is_made_smaller() -> None:
    picture = opened(saved(page((), width=7000, height=5000)))
    assert max(picture.size) == WORKING_SIDE_PIXELS
    assert abs(picture.width / picture.height - 1.4) < 0.01


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_is_opened(mode: str) -> None:
    made = (
        Image.new("I;16", (300, 200), 60_000) if mode == "I;16" else Image.new("L", (300, 200), 235).convert(mode)
    )
    stream_format = "TIFF" if mode == "CMYK" else "PNG"
    from io import BytesIO

    stream = BytesIO()
    made.save(stream, stream_format)
    assert shade(opened(stream.getvalue()), 0.5, 0.5) > 200


def test_what_can_be_seen_through_is_seen_on_white() -> None:
    from io import BytesIO

    stream = BytesIO()
    Image.new("RGBA", (300, 200), (0, 0, 0, 0)).save(stream, "PNG")
    assert shade(opened(stream.getvalue()), 0.5, 0.5) == 255


def test_a_tiff_has_all_its_pages_up_to_a_limit() -> None:
    from io import BytesIO

    stream = BytesIO()
    pages = [Image.new("L", (200, 100), 10 * number) for number in range(25)]
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    picture = open_picture(stream.getvalue())
    assert isinstance(picture, OpenPicture)
    assert picture.frame_count == 25
    assert [shade(frame, 0.5, 0.5) for frame in picture.frames()] == [10 * n for n in range(MOST_FRAMES)]


# --- bombs and broken ones --------------------------------------------------------------------------------------


def bomb_png(side: int) -> bytes:
    """A valid PNG of ``side``² pixels in a few kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    press, row = zlib.compressobj(9), bytes(side + 1)
    rows = b"".join(press.compress(row) for _ in range(side)) + press.flush()
    head = struct.pack(">II5B", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_png_of_a_hundred_megapixels_is_too_large() -> None:
    bomb = bomb_png(10_000)
    assert len(bomb) < 150_000
    assert open_picture(bomb) is PictureState.TOO_LARGE


def test_a_jpeg_of_a_hundred_megapixels_is_scaled_while_it_is_decoded() -> None:
    whole = saved(Image.new("L", (10_000, 10_000), 200))
    assert max(opened(whole).size) == WORKING_SIDE_PIXELS
    in_steps = saved(Image.new("L", (8_000, 6_000), 200), progressive=True)
    assert open_picture(in_steps) is PictureState.TOO_LARGE
    assert MOST_PIXELS < 8_000 * 6_000


def test_a_picture_that_ends_early_is_broken() -> None:
    whole = saved(page(("Recibo",)), "PNG")
    picture = open_picture(whole[: len(whole) // 2])
    assert isinstance(picture, OpenPicture)
    assert list(picture.frames()) == []
    assert open_picture(whole[:20]) is PictureState.BROKEN
    assert open_picture(png_head(640, 480)) is PictureState.BROKEN


@pytest.mark.parametrize("size", [8, 12, 40, 100, 400])
def test_a_heic_with_broken_boxes_is_broken(size: int) -> None:
    whole = saved(MARKED, "HEIF")
    broken = whole[:8] + whole[8:size] + b"\xff" * 64 + whole[size + 64 :]
    picture = open_picture(broken)
    assert not isinstance(picture, OpenPicture) or len(list(picture.frames())) <= 1


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"GIF89a", b"%PDF-1.4", b"BM" + bytes(60)])
def test_what_is_no_picture_of_ours_is_broken(content: bytes) -> None:
    assert open_picture(content) is PictureState.BROKEN


WHOLES = {name: saved(MARKED.resize((64, 48)), name) for name in ("JPEG", "PNG", "WEBP", "TIFF", "HEIF")}


@given(st.sampled_from(sorted(WHOLES)), st.integers(0, 3000), st.binary(min_size=1, max_size=12))
@settings(deadline=None, max_examples=150)
def test_no_damaged_picture_raises(name: str, place: int, noise: bytes) -> None:
    whole = WHOLES[name]
    place %= len(whole)
    damaged = whole[:place] + noise + whole[place + len(noise) :]
    picture = open_picture(damaged)
    if isinstance(picture, OpenPicture):
        for frame in picture.frames():
            assert frame.mode == "L"
