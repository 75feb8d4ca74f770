"""Planned letters become outbox rows: ``PlannedLetter -> WrittenLetter``, ``(WrittenLetter, UnitOfWork) -> row``.

Written, a letter has its handle and Message-ID and is rendered once and for all; that takes long, and nobody waits
for it. In the transaction of what caused it, it gets its place in the thread, and is held where the send mode or a
cap says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailbot.correspondence.context import LongText, paragraphs_of
from mailbot.correspondence.environment import Colours
from mailbot.correspondence.openings import KEPT_BYTES
from mailbot.correspondence.planned import CHECKLISTS, PlannedLetter
from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.addressing import AddressTag, ReplyAddressing, tagged_address
from mailbot.domain.events import (
    BOT,
    Audience,
    EventKind,
    LetterKind,
    LetterStatus,
    OutboundLetter,
    TicketEvent,
)
from mailbot.domain.handles import message_id_for, new_handle, reference_line_token
from mailbot.domain.notice_pages import PagesToDraw
from mailbot.domain.outbox import HoldReason, LetterCaps, cap_reached
from mailbot.flows.letterheads import PLAIN, Letterhead
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import UnitOfWork

HANDLE_LIFE = timedelta(days=180)
_REFERENCES_AT_MOST = 20
# What a mail may be answered with at once whoever sent it. "Everything is here" is no such letter: it says that
# the request has gone on, and is told (REQUIREMENTS *Caps on letters*, *A fresh mail with the missing paper*).
_ACKNOWLEDGEMENTS = frozenset(LetterKind) - {LetterKind.EVIDENCE_COMPLETE}
_SYNTHETIC_ID = "@mailbot.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What may leave and how much: the send mode's verdict on an address, and the caps."""

    hold_reason_for: Callable[[str], HoldReason | None]
    caps: LetterCaps


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLetter:
    """A letter that is written and not yet in the outbox, with the plan of it."""

    planned: PlannedLetter
    letter: OutboundLetter

    def takes_apart(self, number: str) -> bool:
        """Whether the letter says the end of ``number`` by itself: a house's own template may."""
        said = "\n".join((self.letter.subject, self.letter.text, self.letter.html))
        return said.count(number.rpartition("-")[2]) != said.count(number)

    def numbered(self, number: str, *, instead_of: str) -> WrittenLetter:
        """The letter of a new ticket that was written before its ``number`` was drawn: subject and text, which say
        ``instead_of`` in its place, say it. An invitation or a file must not name it."""
        text = self.letter.text.replace(instead_of, number)
        letter = replace(
            self.letter,
            ticket_number=number,
            subject=self.letter.subject.replace(instead_of, number),
            text=text,
            html=self.letter.html.replace(instead_of, number),
            pages=_known_by_its_words(self.letter.pages, text, self.letter.handle),
        )
        return WrittenLetter(planned=replace(self.planned, ticket_number=number), letter=letter)


class Outgoing:
    """Writes letters and puts them into the outbox."""

    def __init__(self, *, renderer: LetterRenderer, sending: Sending, heads: Mapping[str, Letterhead]) -> None:
        self._renderer = renderer
        self._heads = heads
        self._sending = sending

    def write_and_enqueue(
        self,
        work: UnitOfWork,
        letters: Iterable[PlannedLetter],
        *,
        mailbox: ServedMailbox,
        now: datetime,
        mail_id: int | None = None,
        answers: str = "",
    ) -> list[OutboundLetter]:
        """Write letters and put them into the outbox.

        ``answers`` is the Message-ID of the requester's mail that opened the letters' ticket in this very
        transaction, or that letters of no ticket answer: nothing went before it that need be asked for.
        """
        written = [self.write(planned, mailbox, now) for planned in letters]
        return self.enqueue(work, written, now=now, mail_id=mail_id, answers=answers)

    def enqueue(
        self,
        work: UnitOfWork,
        written: Iterable[WrittenLetter],
        *,
        now: datetime,
        mail_id: int | None = None,
        answers: str = "",
    ) -> list[OutboundLetter]:
        """Put what is written into the outbox; ``answers`` as in :meth:`write_and_enqueue`."""
        return [self._enqueue(work, one, now, mail_id, answers) for one in written]

    def _enqueue(
        self, work: UnitOfWork, written: WrittenLetter, now: datetime, mail_id: int | None, answers: str
    ) -> OutboundLetter:
        planned = written.planned
        replaced = None if answers else _replace_unsent(work, planned)
        hold_reason = self._why_held(work, planned, now, takes_a_place=replaced is not None)
        in_reply_to, references = _place_in_thread(*_exchanged(work, planned, answers))
        letter = replace(
            written.letter,
            mail_id=mail_id,
            in_reply_to=in_reply_to,
            references=references,
            not_before=_leaves_at(planned, replaced, now),
            status=LetterStatus.HELD if hold_reason else LetterStatus.QUEUED,
            hold_reason=hold_reason or "",
        )
        work.outbox.add(letter, handle_expires_at=now + HANDLE_LIFE)
        if hold_reason is not None and planned.ticket_number and hold_reason is not HoldReason.SUMMARY:
            held = TicketEvent(
                at=now, actor=BOT, kind=EventKind.LETTER_HELD, new=planned.letter, detail=hold_reason
            )
            work.tickets.add_events(planned.ticket_number, [held])
        return letter

    def write(self, planned: PlannedLetter, mailbox: ServedMailbox, now: datetime) -> WrittenLetter:
        """Give a letter a fresh handle and render it; nothing is stored."""
        return WrittenLetter(planned=planned, letter=self._rendered(planned, mailbox, now))

    def _rendered(self, planned: PlannedLetter, mailbox: ServedMailbox, now: datetime) -> OutboundLetter:
        handle = new_handle()
        reply_address = mailbox.address
        if mailbox.reply_addressing is ReplyAddressing.PLUS and planned.purpose is not None:
            reply_address = tagged_address(mailbox.address, AddressTag.REPLY, handle)
        head = self._heads.get(mailbox.key, PLAIN)
        logo = head.logo
        view = replace(
            planned.view,
            reference=reference_line_token(handle),
            reply_address=reply_address,
            logo=logo.content_id if logo else "",
            logo_alt=head.brand.logo_alt if logo else "",
            signature=_signed(planned, head),
        )
        rendered = self._renderer.render(
            planned.letter,
            view,
            language=planned.language,
            request_type=planned.request_type,
            colours=Colours(light=head.brand.colour, dark=head.brand.colour_dark),
            kept_bytes=KEPT_BYTES if planned.pages else 0,
        )
        return OutboundLetter(
            message_id=message_id_for(handle, mailbox.domain),
            handle=handle,
            mailbox=mailbox.key,
            letter=planned.letter,
            audience=planned.audience,
            purpose=planned.purpose,
            recipient=planned.recipient,
            sender_name=planned.sender_name,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            created_at=now,
            not_before=now + planned.delay,
            automatic=planned.automatic,
            ticket_number=planned.ticket_number,
            auto_submitted=planned.auto_submitted,
            files=planned.files if logo is None else (logo, *planned.files),
            calendar=planned.calendar,
            verified_recipient=planned.verified_recipient,
            pages=_known_by_its_words(planned.pages, rendered.text, handle),
            awaits_pages=planned.pages is not None,
        )

    def _why_held(
        self, work: UnitOfWork, planned: PlannedLetter, now: datetime, *, takes_a_place: bool
    ) -> HoldReason | None:
        """``takes_a_place``: one that was on its way has been cancelled for it, so that the caps see no more."""
        by_mode = self._sending.hold_reason_for(planned.recipient.address)
        if by_mode is not None or not planned.automatic or takes_a_place or planned.audience is Audience.ADMIN:
            return by_mode
        caps = self._sending.caps
        if planned.letter is LetterKind.SECTOR_BOOK:
            # One a ticket and kind of book; a summary could not be worked on.
            return None
        if planned.audience is Audience.STAFF:
            limit = caps.notices_per_agent_and_hour
            sent = work.outbox.notices_last_hour(planned.recipient.address, now=now, cap=limit)
            return HoldReason.SUMMARY if sent >= limit else None
        counts = work.outbox.counts(
            recipient=planned.recipient.address,
            ticket_number=planned.ticket_number,
            now=now,
            cap=max(caps.automatic_per_hour, caps.unverified_per_hour),
        )
        return cap_reached(
            counts,
            caps,
            verified=planned.verified_recipient,
            acknowledges=planned.auto_submitted == "auto-replied" and planned.letter in _ACKNOWLEDGEMENTS,
        )


def _known_by_its_words(pages: PagesToDraw | None, text: str, handle: str) -> PagesToDraw | None:
    if pages is None:
        return None
    return replace(pages, wording=hashlib.sha256(text.replace(handle, "").encode()).hexdigest())


def _replace_unsent(work: UnitOfWork, planned: PlannedLetter) -> datetime | None:
    """Cancel the unsent letters that this one replaces; when the first of them would have left, if any would."""
    if not planned.replaces or planned.ticket_number is None:
        return None
    return work.outbox.supersede(planned.ticket_number, planned.recipient.address, planned.replaces)


def _leaves_at(planned: PlannedLetter, replaced: datetime | None, now: datetime) -> datetime:
    """Now and the letter's delay, but a checklist no later than the one that it replaces would have left."""
    wanted = now + planned.delay
    if replaced is None or planned.letter not in CHECKLISTS:
        return wanted
    return min(wanted, max(replaced, now))


def _exchanged(work: UnitOfWork, planned: PlannedLetter, answers: str) -> tuple[list[str], list[str]]:
    """Message-IDs of what this person wrote on the ticket and of what they were sent, oldest first."""
    address, number = planned.recipient.address, planned.ticket_number
    if answers or number is None:
        return ([answers] if answers and planned.audience is Audience.REQUESTER else []), []
    theirs = work.tickets.message_ids_from(number, address)
    return theirs, work.outbox.thread_ids(number, address)


def _place_in_thread(theirs: Sequence[str], ours: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """In-Reply-To and References: root and the last 20 of what this person wrote and was sent."""
    theirs = [message_id for message_id in theirs if not message_id.endswith(_SYNTHETIC_ID)]
    known = [*ours, *theirs[1:]]
    root = theirs[:1] or known[:1]
    in_reply_to = theirs[-1] if theirs else (ours[-1] if ours else "")
    middle = [one for one in known if one not in (*root, in_reply_to)][-_REFERENCES_AT_MOST:]
    ordered = [*root, *middle, *([in_reply_to] if in_reply_to and in_reply_to not in root else [])]
    return in_reply_to, tuple(ordered)


def _signed(planned: PlannedLetter, head: Letterhead) -> LongText:
    """What stands under a letter: its own last line, and for those outside the brand's."""
    own = planned.view.signature
    if planned.audience is not Audience.REQUESTER:
        return own
    return LongText(paragraphs=(*own.paragraphs, *paragraphs_of(head.brand.signature).paragraphs))
