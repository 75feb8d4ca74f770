"""What a mailbox's letters look like: ``brand:`` of a mailbox and its logo → colours that can be read, a picture.

Colours are checked when the folder is loaded: every text that stands on one of them has a contrast of at least 4.5
(WCAG 2.2, 1.4.3), in light and in dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from mailbot.catalogue.entries import Entry

COLOUR = "#0f5c8c"
COLOUR_DARK = "#7cc5f2"
ON_COLOUR = "#ffffff"
ON_COLOUR_DARK = "#08202f"
"""Of our own letters: what is coloured in light and in dark, and the text on it."""

LEAST_CONTRAST = 4.5
LARGEST_LOGO_BYTES = 40_000

_LINEAR_UP_TO = 0.04045
_MEDIA_TYPES: Mapping[bytes, str] = MappingProxyType(
    {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
)

Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]


class BrandSpec(Entry):
    """``brand:`` of a mailbox. ``colour`` is that of buttons and bars, ``colour_dark`` the same in dark mode.
    ``logo`` is a file in ``brands/`` (PNG, JPEG or GIF, 40 kB at most) and stands in the letter's head with
    ``logo_alt`` for who does not see it. ``signature`` ends the letters to customers."""

    colour: Colour = COLOUR
    colour_dark: Colour = COLOUR_DARK
    logo: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] | None = None
    logo_alt: Annotated[str, Field(max_length=100)] = ""
    signature: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A logo as it stands in letters."""

    filename: str
    content: bytes
    media_type: str


def contrast(one: str, other: str) -> float:
    """Contrast of two colours ``#rrggbb``, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= _LINEAR_UP_TO else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def brand_mistakes(brand: BrandSpec, brands_dir: Path) -> Iterator[tuple[str, str]]:
    """(key, what is wrong) of a brand."""
    for key, ground, text in (
        ("colour", brand.colour, ON_COLOUR),
        ("colour_dark", brand.colour_dark, ON_COLOUR_DARK),
    ):
        if (found := contrast(ground, text)) < LEAST_CONTRAST:
            yield key, f"text in {text} has a contrast of {found:.1f} on {ground}, less than {LEAST_CONTRAST}"
    if brand.logo is None:
        return
    if not brand.logo_alt:
        yield "logo_alt", "what stands in the logo's place where pictures are not shown"
    content = _content(brands_dir / brand.logo)
    if content is None:
        yield "logo", f"brands/{brand.logo} cannot be read"
    elif len(content) > LARGEST_LOGO_BYTES:
        yield "logo", f"brands/{brand.logo} has {len(content)} bytes, at most {LARGEST_LOGO_BYTES} are allowed"
    elif not _media_type(content):
        yield "logo", f"brands/{brand.logo} is no PNG, JPEG or GIF"


def read_logo(brand: BrandSpec, brands_dir: Path) -> Logo | None:
    """The brand's logo, ``None`` where it has none that can be shown."""
    content = _content(brands_dir / brand.logo) if brand.logo else None
    media_type = _media_type(content) if content else ""
    if brand.logo is None or content is None or not media_type:
        return None
    return Logo(filename=brand.logo, content=content, media_type=media_type)


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_LOGO_BYTES + 1)
    except OSError:
        return None


def _media_type(content: bytes) -> str:
    return next((media_type for begins, media_type in _MEDIA_TYPES.items() if content.startswith(begins)), "")
