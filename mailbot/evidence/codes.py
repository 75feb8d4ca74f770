"""Barcodes and QR codes of a picture: the one module that knows zxing-cpp, loaded when needed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mailbot.evidence.content import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

MOST_CODES = 20
MOST_CHARACTERS = 5_000
"""Of one code; a QR holds 4,296."""

# Boletos have ITF (FEBRABAN), Pix and licences a QR, the others stand on what is none of them.
_FORMATS = ("ITF", "QRCode", "Code128", "PDF417", "DataMatrix")
_OF_BOLETOS = ("ITF", "QRCode")
# An ITF of 44 digits needs some 900 pixels, and none is read in a picture that is twice too large and blurred.
_SCALES = (1.0, 0.5, 1.6)
_MOST_PIXELS = 16_000_000
_TILTS_DEGREES = (3.0, -3.0, 6.0, -6.0)
_SLIP_DIGITS = 44


def codes_in(grey: Image, *, thoroughly: bool, within_seconds: float = 2.0) -> tuple[Code, ...]:
    """Codes in a grey picture, each once, in the order in which they were found.

    ``thoroughly`` searches other scales and small tilts too until there is a code that can be a boleto's or a QR;
    no new search is begun after ``within_seconds``.
    """
    found: dict[tuple[str, str], Code] = {}
    end = time.monotonic() + within_seconds
    for picture in _views(grey, thoroughly=thoroughly):
        for code in _codes(picture):
            found.setdefault((code.format, code.text), code)
        if _is_enough(tuple(found.values())) or time.monotonic() >= end:
            break
    return _without_parts(tuple(found.values()))[:MOST_CODES]


def bars_in(grey: Image) -> tuple[Code, ...]:
    """A boleto's bars and QR in the picture of a page that stands upright; costs a tenth of :func:`codes_in`."""
    return _without_parts(tuple(_codes(grey, formats=_OF_BOLETOS, in_any_direction=False)))[:MOST_CODES]


def _views(grey: Image, *, thoroughly: bool) -> Iterator[Image]:
    """The picture, larger and smaller, then turned a little: a scan is rarely quite straight."""
    from PIL import Image

    yield grey
    if not thoroughly:
        return
    for scale in _SCALES[1:]:
        width, height = round(grey.width * scale), round(grey.height * scale)
        if width and height and width * height <= _MOST_PIXELS:
            yield grey.resize((width, height), Image.Resampling.BILINEAR)
    for degrees in _TILTS_DEGREES:
        yield grey.rotate(degrees, resample=Image.Resampling.BILINEAR, expand=True, fillcolor=255)


def _codes(
    picture: Image, *, formats: tuple[str, ...] = _FORMATS, in_any_direction: bool = True
) -> Iterator[Code]:
    import zxingcpp

    wanted = zxingcpp.barcode_formats_from_str(",".join(formats))
    # Not its ImageView, which does not keep the bytes that it looks at alive.
    rows = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
    for barcode in zxingcpp.read_barcodes(
        rows, formats=wanted, try_rotate=in_any_direction, text_mode=zxingcpp.TextMode.Plain
    ):
        yield Code(format=_name(barcode.format), text=barcode.text[:MOST_CHARACTERS])


def _without_parts(codes: tuple[Code, ...]) -> tuple[Code, ...]:
    """ITF has no end of its own: a line across bars that stand aslant gives a part of what they say."""
    return tuple(
        code
        for code in codes
        if not any(code.format == other.format == "ITF" and _is_part(code.text, other.text) for other in codes)
    )


def _is_part(text: str, whole: str) -> bool:
    return len(text) < len(whole) == _SLIP_DIGITS


def _name(barcode_format: object) -> str:
    return str(barcode_format).replace(" ", "").replace("-", "")


def _is_enough(codes: tuple[Code, ...]) -> bool:
    return any(code.format == "QRCode" or len(code.text) == _SLIP_DIGITS for code in codes)
