"""A letter came back: ``(InboundMail, Bounce) -> TicketChange``, the letter marked, staff to be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mailbot.domain.events import BOT, EventKind, LetterKind, LetterStatus, OutboundLetter, TicketEvent
from mailbot.domain.exchange import Throttle
from mailbot.domain.handles import handle_in_message_id, handles_in_text
from mailbot.domain.mail import Bounce, InboundMail
from mailbot.domain.throttle_answers import limit_spoken_of
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.ports import UnitOfWork
from mailbot.triage.books import book_came_back

_LIMITS_THAT_PASS = frozenset({Throttle.HOURLY, Throttle.DAILY})
# Where a server says why, before the letter itself may be quoted.
_SERVERS_WORDS = 600
_LIMIT_LASTS = timedelta(hours=1)
_TRIED_FOR = timedelta(days=1)
_AGAIN_AT_MOST = 2
LEAVES_AGAIN = "returned for the provider's limit on sending, leaves again:"
# What a letter says may no longer hold after one of these.
_CHANGES_WHAT_IS_TOLD = frozenset(
    {
        EventKind.MESSAGE_RECEIVED,
        EventKind.EVIDENCE_CHANGED,
        EventKind.FIELDS_CHANGED,
        EventKind.STATUS_CHANGED,
        EventKind.AGENT_ANSWERED,
        EventKind.DECIDED,
        EventKind.REOPENED,
        EventKind.EXPIRED,
        EventKind.CLOSED,
        EventKind.REPROCESSED,
    }
)
ANOTHER_RECIPIENT = "the report names another recipient than the letter's"


def bounce_change(
    work: UnitOfWork, mail: InboundMail, bounce: Bounce, *, mail_id: int, now: datetime, answer: bool
) -> TicketChange | None:
    """Mark the letter as failed and say what that does to its ticket; ``None`` if nothing failed for good.

    A bounce never answers, never reopens (THREATS 5); one letter fails once, however many reports come. A report
    about another recipient than the letter's is an event and nothing more. A letter that our own provider threw
    away for a limit leaves again, where it still holds and letters may be written because of the mail
    (``answer``).
    """
    letter = _letter(work, mail, bounce)
    if letter is None or not bounce.permanent:
        return None
    ticket = work.tickets.get(letter.ticket_number) if letter.ticket_number else None
    if _names_another(mail, bounce, letter):
        return None if ticket is None else _only_noted(ticket, letter, mail_id=mail_id, now=now)
    if answer and ticket is not None and _was_discarded_by_our_provider(mail, bounce):
        if letter.status is LetterStatus.RETRY:
            # The same once more: it leaves again already.
            return None
        if _still_holds(work, ticket, letter, now) and work.outbox.send_again(
            letter.message_id, at=now + _LIMIT_LASTS
        ):
            # The recipient has nothing of it, and nothing is wrong with their address.
            return _noted(ticket, letter, _again(letter), mail_id=mail_id, now=now)
    marked = work.outbox.mark_bounced(letter.message_id, bounce.diagnostic or "returned to sender")
    if not marked or ticket is None:
        return None
    return delivery_failed(ticket, letter, bounce.diagnostic, mail_id=mail_id, now=now)


def _was_discarded_by_our_provider(mail: InboundMail, bounce: Bounce) -> bool:
    """cPanel takes letters beyond its hourly limit and returns them as failed for good. What another server said
    of a limit is the recipient's."""
    if any(status.from_remote for status in mail.delivery_statuses):
        return False
    limit = limit_spoken_of(bounce.diagnostic) or limit_spoken_of(mail.full_text[:_SERVERS_WORDS])
    return limit in _LIMITS_THAT_PASS


def _still_holds(work: UnitOfWork, ticket: Ticket, letter: OutboundLetter, now: datetime) -> bool:
    """Whether a letter may leave again: young, twice at most (whoever has a letter can write such a report, and
    would get it again), the last to this person and with nothing new to tell since."""
    if now - letter.created_at >= _TRIED_FOR:
        return False
    later = [event for event in work.tickets.events(ticket.number) if event.at > letter.created_at]
    left_again = sum(event.detail == _again(letter) and event.new == letter.letter for event in later)
    if left_again >= _AGAIN_AT_MOST or any(event.kind in _CHANGES_WHAT_IS_TOLD for event in later):
        return False
    theirs = [
        row.message_id
        for row in work.outbox.letters_of_ticket(ticket.number)
        if row.to == letter.recipient.address and row.status is not LetterStatus.CANCELLED
    ]
    return theirs[-1:] == [letter.message_id]


def _again(letter: OutboundLetter) -> str:
    return f"{LEAVES_AGAIN} {letter.recipient.address}"


def _names_another(mail: InboundMail, bounce: Bounce, letter: OutboundLetter) -> bool:
    """Whether the report names an address and nowhere the letter's own: whoever has the letter can write such a
    one. A forwarder's report names both ("expanded from")."""
    named = (bounce.recipient, *(status.recipient for status in mail.delivery_statuses), mail.full_text)
    return bounce.recipient != "" and letter.recipient.address not in " ".join(named).lower()


def _only_noted(ticket: Ticket, letter: OutboundLetter, *, mail_id: int, now: datetime) -> TicketChange:
    """The letter stays as it is; none of the report's own words is kept."""
    return _noted(ticket, letter, ANOTHER_RECIPIENT, mail_id=mail_id, now=now)


def _noted(ticket: Ticket, letter: OutboundLetter, detail: str, *, mail_id: int, now: datetime) -> TicketChange:
    """An event of which nobody is told, and by which nothing moves."""
    failed = delivery_failed(ticket, letter, detail, mail_id=mail_id, now=now)
    return replace(failed, after=ticket, events=failed.events[:1], quiet=True)


def delivery_failed(
    ticket: Ticket, letter: OutboundLetter, diagnostic: str, *, mail_id: int | None, now: datetime
) -> TicketChange:
    """The event on the ticket, for staff to be told of; that a telling of this kind fails is noted and not told
    again, or two dead addresses would hear of each other for ever."""
    event = TicketEvent(
        at=now,
        actor=BOT,
        kind=EventKind.DELIVERY_FAILED,
        new=letter.letter,
        detail=diagnostic[:500],
        mail_id=mail_id,
    )
    change = TicketChange(
        before=ticket,
        after=ticket,
        events=(event,),
        may_answer=False,
        quiet=letter.letter is LetterKind.DELIVERY_FAILED,
        bounced_recipient=letter.recipient.address,
        bounce_diagnostic=diagnostic[:500],
        bounced_letter=letter.letter,
    )
    return book_came_back(change, now) if letter.letter is LetterKind.SECTOR_BOOK else change


def _letter(work: UnitOfWork, mail: InboundMail, bounce: Bounce) -> OutboundLetter | None:
    """By the returned Message-ID or envelope address, else by the reference line in the returned text."""
    known = work.outbox.by_message_id(bounce.original_message_id) if bounce.original_message_id else None
    handle = handle_in_message_id(bounce.original_message_id)
    handles = [*([handle] if handle else []), *handles_in_text(mail.full_text)]
    return known or next((letter for one in handles if (letter := work.outbox.by_handle(one)) is not None), None)
