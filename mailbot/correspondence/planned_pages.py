"""Which pages a notice is to show, and where: ``(papers, LetterDesk) -> PagesToDraw | None``.

Nothing is drawn here: a notice that never leaves needs no pictures, and one that leaves is completed before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailbot.correspondence.context import PaperRow
from mailbot.correspondence.openings import document_opening, paper_opening
from mailbot.correspondence.planned import LetterDesk
from mailbot.correspondence.shown_pages import paper_of
from mailbot.domain.events import StoredFile
from mailbot.domain.evidence import Finding
from mailbot.domain.notice_pages import (
    NoticeAttachments,
    Opening,
    PagesToDraw,
    Paper,
    may_have_pages,
)
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange

_MOST_ASKED_FOR_BYTES = 20_000_000


def pages_of_documents(ticket: Ticket, desk: LetterDesk) -> PagesToDraw | None:
    """The pages of all of a ticket's documents, each beside its own."""
    return _of_findings(ticket, ticket.papers, desk)


def pages_brought(change: TicketChange, desk: LetterDesk) -> PagesToDraw | None:
    """The pages of those documents that came with the change's message."""
    came = {file.digest for file in (change.message.files if change.message else ())}
    return _of_findings(change.after, [one for one in change.after.papers if one.digest in came], desk)


def _of_findings(ticket: Ticket, shown: Sequence[Finding], desk: LetterDesk) -> PagesToDraw | None:
    if not desk.shows_pages or not shown:
        return None
    openings = []
    for number, finding in enumerate(ticket.papers, start=1):
        if finding not in shown:
            continue
        others = (one for one in ticket.papers if one.digest == finding.digest and one is not finding)
        begins = tuple(other.page for other in others if other.page is not None)
        name = document_opening(number)
        openings.append(Opening(name=name, digest=finding.digest, first=finding.page, others_begin=begins))
    return PagesToDraw(
        papers=tuple(paper_of(finding) for finding in shown),
        openings=tuple(openings),
        attach=desk.catalogue.staff.notice_attachments(ticket.queue),
        language=desk.mailbox.language,
    )


def pages_asked_for(files: Iterable[StoredFile], desk: LetterDesk) -> PagesToDraw | None:
    """The pages of files that somebody asked for: to be read, not to be shown beside anything."""
    once = {file.digest: file for file in files if may_have_pages(file.media_type)}
    if not desk.shows_pages or not once:
        return None
    return PagesToDraw(
        papers=tuple(Paper(file=file) for file in once.values()),
        openings=tuple(
            Opening(name=paper_opening(number), digest=digest) for number, digest in enumerate(once, start=1)
        ),
        attach=NoticeAttachments.PAGES,
        language=desk.mailbox.language,
        shows_thumbnails=False,
        most_bytes=_MOST_ASKED_FOR_BYTES,
    )


def paper_rows(pages: PagesToDraw | None) -> tuple[PaperRow, ...]:
    """The files by name, each with the place for its pages."""
    if pages is None:
        return ()
    return tuple(
        PaperRow(name=paper.file.filename, opening=opening.name)
        for paper, opening in zip(pages.papers, pages.openings, strict=True)
    )
