"""Pages of other people's files in a notice: ``(PagesToDraw, drawings) -> pictures in the HTML, and files``.

Only what we drew ourselves is shown. Small pictures stand beside facts and verdicts, the pages as they are read
are attached, or the originals where a queue wants those. What does not fit is said. No letter to a requester has
any of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailbot.correspondence.context import PagePicture
from mailbot.correspondence.safe_text import cleaned_line
from mailbot.correspondence.words import Phrase, phrase
from mailbot.domain.drawings import PAGE_PICTURE_MARK, DrawnPage, FileDrawing, KeptPicture
from mailbot.domain.events import StoredFile
from mailbot.domain.evidence import Finding, Verdict
from mailbot.domain.notice_pages import NoticeAttachments, Opening, PagesToDraw, Paper

MOST_THUMBNAILS_BYTES = 280_000
"""All small pictures of a letter as they are sent: with the HTML and the text less than 400 kB."""

MOST_ORIGINALS_BYTES = 12_000_000

# Half of what they are drawn at, so that they are sharp on every screen.
_SHOWN_SHARE = 2
_STEM_CHARACTERS = 40
_JPEG = "image/jpeg"
_NOT_OPENED = frozenset({Verdict.REFUSED_TYPE, Verdict.REFUSED_SIZE, Verdict.ENCRYPTED, Verdict.UNREADABLE})
_ORIGINALS = ("image/", "application/pdf", "application/msword", "application/vnd.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPaper:
    """What a notice shows of one file: its pages, by number, and what it does not show."""

    pictures: tuple[PagePicture, ...] = ()
    notes: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPapers:
    """By the files' digests; ``files`` go with the letter."""

    by_digest: Mapping[str, ShownPaper]
    files: tuple[StoredFile, ...] = ()
    has_pages: bool = False
    has_originals: bool = False


def shown_papers(
    wanted: PagesToDraw, drawings: Mapping[str, FileDrawing], *, domain: str, most_pictures: int
) -> ShownPapers:
    """Lay out the pages, each file once; ``domain`` is ours, for the pictures' names, of which the HTML holds no
    more than ``most_pictures``."""
    layout = _Layout(wanted, domain, most_pictures)
    once = {paper.file.digest: paper for paper in wanted.papers}
    shown = {
        digest: layout.paper(number, paper, drawings.get(digest))
        for number, (digest, paper) in enumerate(once.items(), start=1)
    }
    return ShownPapers(
        by_digest=shown,
        files=(*layout.thumbnails.values(), *layout.pages, *layout.originals),
        has_pages=bool(layout.pages),
        has_originals=bool(layout.originals),
    )


class _Layout:
    """Fills one letter; counts what is left of its room."""

    def __init__(self, wanted: PagesToDraw, domain: str, most_pictures: int) -> None:
        self._attach = wanted.attach
        self._domain = domain
        self._pictures_left = most_pictures if wanted.shows_thumbnails else 0
        self._says_what_is_only_attached = wanted.shows_thumbnails
        self._room_for_thumbnails = MOST_THUMBNAILS_BYTES
        self._room_for_pages = wanted.most_bytes
        self._room_for_originals = MOST_ORIGINALS_BYTES
        self.thumbnails: dict[str, StoredFile] = {}
        self.pages: list[StoredFile] = []
        self.originals: list[StoredFile] = []

    def paper(self, number: int, paper: Paper, drawing: FileDrawing | None) -> ShownPaper:
        """``number`` counts the letter's files from 1."""
        has_original = self._attach is NoticeAttachments.ORIGINALS and self._original(paper)
        wants_pages = self._attach is NoticeAttachments.PAGES or (
            self._attach is NoticeAttachments.ORIGINALS and not has_original
        )
        if drawing is None or not drawing.pages:
            # Of what is refused the verdict says why; a note would only say it again.
            return ShownPaper(notes=() if paper.is_refused else (phrase("pages.not_drawn"),))
        pictures, unseen, left_out = [], 0, drawing.page_count - len(drawing.pages)
        for page in drawing.pages:
            picture = self._thumbnail(page, paper.file.filename)
            is_attached = wants_pages and self._page(number, page.number, page.page, paper.file.filename)
            if picture is not None:
                pictures.append(picture)
            elif is_attached:
                unseen += 1
            else:
                left_out += 1
        says_unseen = unseen and self._says_what_is_only_attached
        notes = [phrase("pages.attached_only", count=str(unseen))] if says_unseen else []
        notes += [phrase("pages.left_out", count=str(left_out))] if left_out > 0 and not has_original else []
        return ShownPaper(pictures=tuple(pictures), notes=tuple(notes))

    def _thumbnail(self, page: DrawnPage, filename: str) -> PagePicture | None:
        if self._pictures_left <= 0:
            return None
        small = page.thumbnail
        name = f"{PAGE_PICTURE_MARK}{small.digest[:24]}"
        content_id = f"{name}@{self._domain}"
        if content_id not in self.thumbnails:
            if _encoded_bytes(small.size_bytes) > self._room_for_thumbnails:
                return None
            self._room_for_thumbnails -= _encoded_bytes(small.size_bytes)
            self.thumbnails[content_id] = _jpeg(small, f"{name}.jpg", content_id)
        self._pictures_left -= 1
        return PagePicture(
            content_id=content_id,
            page=str(page.number),
            filename=filename,
            width=str(max(1, small.width // _SHOWN_SHARE)),
            height=str(max(1, small.height // _SHOWN_SHARE)),
        )

    def _page(self, number: int, page_number: int, page: KeptPicture, filename: str) -> bool:
        if _encoded_bytes(page.size_bytes) > self._room_for_pages:
            return False
        self._room_for_pages -= _encoded_bytes(page.size_bytes)
        self.pages.append(_jpeg(page, f"{number}-{plain_stem(filename)}-p{page_number}.jpg"))
        return True

    def _original(self, paper: Paper) -> bool:
        file = paper.file
        fits = _encoded_bytes(file.size_bytes) <= self._room_for_originals
        if paper.is_refused or not fits or not file.media_type.startswith(_ORIGINALS):
            return False
        self._room_for_originals -= _encoded_bytes(file.size_bytes)
        self.originals.append(file)
        return True


def file_of(finding: Finding) -> StoredFile:
    """The file in which something was found."""
    return StoredFile(
        digest=finding.digest,
        filename=finding.filename,
        media_type=finding.media_type,
        size_bytes=finding.size_bytes,
        sha256=finding.sha256,
    )


def paper_of(finding: Finding) -> Paper:
    """The file of a finding, as a paper."""
    return Paper(
        file=file_of(finding),
        is_refused=finding.verdict in _NOT_OPENED,
        is_drawn=finding.verdict is not Verdict.REFUSED_SIZE,
    )


def shown_in(opening: Opening, shown: ShownPapers) -> ShownPaper:
    """What stands in an opening: of a file of several documents the pages of one."""
    paper = shown.by_digest.get(opening.digest, ShownPaper())
    first = opening.first
    if first is None or not opening.others_begin:
        return paper
    end = min((page for page in opening.others_begin if page > first), default=None)
    is_the_first = all(page > first for page in opening.others_begin)
    pictures = tuple(
        one for one in paper.pictures if first <= int(one.page) and (end is None or int(one.page) < end)
    )
    return ShownPaper(pictures=pictures, notes=paper.notes if is_the_first else ())


def _jpeg(picture: KeptPicture, filename: str, content_id: str = "") -> StoredFile:
    return StoredFile(
        digest=picture.digest,
        filename=filename,
        media_type=_JPEG,
        size_bytes=picture.size_bytes,
        sha256=picture.sha256,
        content_id=content_id,
    )


def plain_stem(filename: str) -> str:
    """Of a stranger's file name the letters and digits, so that ours is a name everywhere."""
    kept = "".join(one if one.isalnum() else "_" for one in cleaned_line(filename).rpartition(".")[0])
    return kept.strip("_")[:_STEM_CHARACTERS] or "arquivo"


def _encoded_bytes(size_bytes: int) -> int:
    """As base64 in lines of 76 (RFC 2045 §6.8), with the part's head."""
    return -(-size_bytes // 57) * 78 + 400
