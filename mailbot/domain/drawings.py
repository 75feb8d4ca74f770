"""Pages of other people's files as pictures that we drew: what a notice shows, so that nobody opens the file."""

from __future__ import annotations

from dataclasses import dataclass

DRAWER_VERSION = 1
"""Raised when pages come out differently: what an earlier version drew is then drawn anew."""

PAGE_PICTURE_MARK = "mbpage-"
"""Begins the names of the small pictures in notices: by it we know them when an agent's reply quotes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPicture:
    """A JPEG of ours, kept as a file under ``digest``."""

    digest: str
    sha256: str
    size_bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPage:
    """One page, numbered from 1: as it is read, and small."""

    number: int
    page: KeptPicture
    thumbnail: KeptPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDrawing:
    """All pages of the file ``digest`` that were drawn, of ``page_count``; none where it cannot be drawn."""

    digest: str
    page_count: int
    pages: tuple[DrawnPage, ...] = ()
    version: int = DRAWER_VERSION

    @property
    def pictures(self) -> tuple[KeptPicture, ...]:
        """Every picture that is kept of it."""
        return tuple(picture for page in self.pages for picture in (page.page, page.thumbnail))
