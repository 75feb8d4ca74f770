"""View models of what a sector that works by e-mail is sent, and of what agents hear of its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailbot.correspondence.context import THEIRS, FieldRow, FileLine, LetterView, LongText, StaffTicketView


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorBookView(LetterView):
    """A book: ``rows`` are exactly its fields. ``remark_label``/``remark`` is the line that is always the same,
    ``intro`` what the sector is told with it. ``reminder``: it was sent before and not answered. ``unverified``:
    our server did not vouch for the client's address."""

    ticket_number: str
    book_name: str
    rows: tuple[FieldRow, ...]
    intro: str = ""
    remark_label: str = ""
    remark: str = ""
    reminder: bool = False
    unverified: bool = False
    answer_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorRepliedView(StaffTicketView):
    """A sector answered a book. ``filled`` is what its answer fills in, ``client_told`` whether the client hears
    of the number of the service order."""

    received_at: str
    sector_address: str
    text: LongText = field(metadata=THEIRS)
    files: tuple[FileLine, ...] = ()
    filled: tuple[FieldRow, ...] = ()
    client_told: bool = False
