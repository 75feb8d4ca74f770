"""A born-digital PDF as a scanner or a telephone gives it: ``bytes -> picture -> bytes``."""

from __future__ import annotations

import io
from random import Random
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter

_SCAN_DPI = 150
_PHOTO_DPI = 230
_UPSIDE_DOWN_SHARE = 0.08
_PASSED_ON_SHARE = 0.6


def rendered(document: bytes, *, dots_per_inch: int, page: int = 0) -> Image.Image:
    """A page of a PDF as a picture."""
    import pypdfium2

    opened: Any = pypdfium2.PdfDocument(document)
    try:
        picture: Image.Image = opened[page].render(scale=dots_per_inch / 72).to_pil()
        return picture.convert("RGB")
    finally:
        opened.close()


def scan(document: bytes, pages: int, rng: Random) -> tuple[bytes, str]:
    """150 dpi, a little crooked, noise, sometimes upside down; a PDF of pictures, or a JPEG of a single page."""
    made = [_scanned(rendered(document, dots_per_inch=_SCAN_DPI, page=page), rng) for page in range(pages)]
    if rng.random() < _UPSIDE_DOWN_SHARE:
        made = [page.rotate(180) for page in made]
    data = io.BytesIO()
    if pages > 1 or rng.random() < 0.6:
        made[0].save(data, "PDF", save_all=True, append_images=made[1:], resolution=_SCAN_DPI)
        return data.getvalue(), "application/pdf"
    made[0].save(data, "JPEG", quality=rng.randint(70, 85), dpi=(_SCAN_DPI, _SCAN_DPI))
    return data.getvalue(), "image/jpeg"


def _scanned(picture: Image.Image, rng: Random) -> Image.Image:
    grey = picture.convert("L") if rng.random() < 0.6 else picture
    turned = grey.rotate(
        rng.uniform(-1.6, 1.6), expand=False, fillcolor="white", resample=Image.Resampling.BICUBIC
    )
    return _noisy(turned, rng.uniform(4, 10))


def _noisy(picture: Image.Image, strength: float) -> Image.Image:
    noise = Image.effect_noise(picture.size, strength * 2)
    noise = noise if picture.mode == "L" else noise.convert("RGB")
    return ImageChops.add(picture, noise, scale=1.0, offset=-128)


def photograph(document: bytes, rng: Random) -> tuple[bytes, str]:
    """The first page on a table: seen from aside, shadow, blur, JPEG 60, sometimes turned by quarters."""
    sheet = rendered(document, dots_per_inch=_PHOTO_DPI)
    width, height = sheet.size
    margin = int(0.06 * max(width, height))
    canvas = Image.new("RGB", (width + 2 * margin, height + 2 * margin), _table(rng))
    canvas.paste(sheet, (margin, margin))
    picture = _seen_from_aside(canvas, rng).rotate(
        rng.uniform(-3, 3), expand=True, fillcolor=_table(rng), resample=Image.Resampling.BICUBIC
    )
    picture = _shadowed(picture, rng)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.3)))
    picture = _noisy(picture, rng.uniform(3, 7))
    quarter = rng.choice((0, 0, 0, 90, 180, 270))
    if quarter:
        picture = picture.rotate(quarter, expand=True)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=60)
    return data.getvalue(), "image/jpeg"


def screenshot(document: bytes, rng: Random) -> tuple[bytes, str]:
    """As the telephone itself saves what it shows, or as a messenger passes it on: smaller, and as a JPEG."""
    picture, data = rendered(document, dots_per_inch=200), io.BytesIO()
    if rng.random() < _PASSED_ON_SHARE:
        picture.thumbnail((1080, 1920))
        picture.save(data, "JPEG", quality=rng.randint(60, 75))
        return data.getvalue(), "image/jpeg"
    picture.save(data, "PNG")
    return data.getvalue(), "image/png"


def _table(rng: Random) -> tuple[int, int, int]:
    base = rng.randint(40, 150)
    return base + rng.randint(0, 40), base + rng.randint(0, 20), base


def _seen_from_aside(picture: Image.Image, rng: Random) -> Image.Image:
    width, height = picture.size
    slip = 0.035

    def corner(x: float, y: float) -> tuple[float, float]:
        return x + rng.uniform(-slip, slip) * width, y + rng.uniform(-slip, slip) * height

    seen = [corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)]
    true = [(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))]
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, _perspective(true, seen), resample=Image.Resampling.BICUBIC
    )


def _perspective(target: list[tuple[float, float]], source: list[tuple[float, float]]) -> list[float]:
    """The eight coefficients that send ``target`` to ``source``: eight equations, solved by elimination."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for column in range(8):
        pivot = max(range(column, 8), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        rows[column] = [value / head for value in rows[column]]
        for row in range(8):
            if row != column:
                factor = rows[row][column]
                rows[row] = [one - factor * two for one, two in zip(rows[row], rows[column], strict=True)]
    return [row[8] for row in rows]


def _shadowed(picture: Image.Image, rng: Random) -> Image.Image:
    small = Image.new("L", (64, 64), 255)
    draw = ImageDraw.Draw(small)
    x = rng.randint(0, 64)
    draw.polygon(
        [(x, 0), (64, rng.randint(0, 40)), (64, 64), (rng.randint(0, 64), 64)], fill=rng.randint(150, 205)
    )
    mask = small.filter(ImageFilter.GaussianBlur(9)).resize(picture.size)
    return ImageChops.multiply(picture, Image.merge("RGB", (mask, mask, mask)))
