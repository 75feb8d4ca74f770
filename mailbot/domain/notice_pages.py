"""What a notice is to show of people's files once their pages are drawn, which is done before it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailbot.domain.events import StoredFile

MOST_PAGES_BYTES = 5_000_000
"""All pages that go along with one notice, as they are sent."""


class NoticeAttachments(StrEnum):
    """What a notice to an agent carries of the requester's files besides small pictures of their pages."""

    THUMBNAILS = "thumbnails"
    PAGES = "pages"
    ORIGINALS = "originals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file of the requester's that the notice is about; ``is_refused``: not taken for what it is;
    ``is_drawn`` is false where it is too large even to be looked at."""

    file: StoredFile
    is_refused: bool = False
    is_drawn: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A place in the written letter, by its ``name``, for what is to be shown of the file ``digest``.

    Of a file of several documents those pages stand beside one that begin at ``first``, up to where the next of
    ``others_begin`` does; ``first`` is ``None`` for the whole file.
    """

    name: str
    digest: str
    first: int | None = None
    others_begin: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesToDraw:
    """The ``papers`` of which a letter shows pages, and where; ``language`` is the letter's own.

    Without ``shows_thumbnails`` the pages only go along, up to ``most_bytes`` as they are sent. ``wording`` is
    what the letter said before anything was drawn, as a digest: by it the same letter is known again.
    """

    papers: tuple[Paper, ...]
    openings: tuple[Opening, ...]
    attach: NoticeAttachments
    language: str
    shows_thumbnails: bool = True
    most_bytes: int = MOST_PAGES_BYTES
    wording: str = ""


def may_have_pages(media_type: str) -> bool:
    """Whether a file of this type may be one of which pages can be drawn."""
    return media_type == "application/pdf" or media_type.startswith("image/")
