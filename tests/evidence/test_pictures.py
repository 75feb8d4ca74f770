"""The size of a picture stands in its first bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.evidence.pictures import picture_size
from tests.pictures import jpeg, png


def test_the_size_of_the_usual_pictures_is_known() -> None:
    assert picture_size(png(640, 480)) == (640, 480)
    assert picture_size(jpeg(3000, 2000)) == (3000, 2000)
    assert picture_size(b"GIF89a" + b"\x0a\x00\x14\x00" + b"\x00" * 9) == (10, 20)
    assert picture_size(b"BM" + b"\x00" * 16 + b"\x0a\x00\x00\x00\xec\xff\xff\xff") == (10, 20)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF....WEBP", b"%PDF-1.4"])
def test_what_does_not_say_its_size_has_none(content: bytes) -> None:
    assert picture_size(content) is None


@given(st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM"]), st.binary(max_size=80))
def test_no_bytes_raise(start: bytes, rest: bytes) -> None:
    picture_size(start + rest)


def test_a_jpeg_of_endless_markers_ends() -> None:
    assert picture_size(b"\xff\xd8" + b"\xff\xd0" * 500_000) is None
