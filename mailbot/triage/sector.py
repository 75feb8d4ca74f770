"""What a sector's answer to a book does: ``Situation -> Decision``, ``(decision, …) -> TicketChange``. Pure.

The sector is no staff: its words are an internal note and order nothing. Three things it may fill in, where our
server vouches for it: the number of the service order, whether it costs (``Orçamento: sim``), and the warranty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from mailbot.catalogue.field_specs import NO, YES
from mailbot.catalogue.folding import fold_words, plain_lines
from mailbot.domain.events import AuthorRole, EventKind, TicketMessage, Visibility
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.domain.mail import Authenticity
from mailbot.domain.orders import Told
from mailbot.domain.ticket import Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.change_log import Cause, ChangeLog, ticket_of
from mailbot.triage.decisions import AppendMessage, ApplySectorReply, Decision
from mailbot.triage.situation import Situation

WORK_ORDER = "work_order_number"
_QUOTATION, _WARRANTY = "quotation", "in_warranty"
_LONGEST_LINE = 200
_MOST_LINES = 200

_NUMBER = re.compile(
    r"(?:\#\s*os|o\.?\s?s\.?|ordem\s+de\s+servico)\b[\s.:#-]*(?:(?:no?|numero|gerada|aberta)[\s.:#-]*){0,2}"
    r"(?P<number>[A-Z0-9][A-Z0-9./-]{2,38})",
    re.IGNORECASE,
)
_YES_NO = re.compile(r"(?P<what>orcamento|garantia)\s*[:=-]\s*(?P<said>sim|nao)\b", re.IGNORECASE)


def decide_on_sector(situation: Situation) -> Decision:
    """Choose what to do with a mail that carries the handle of a book."""
    if situation.screening.automatic_reply or not situation.screening.may_answer:
        return AppendMessage(quiet=True)
    vouched = situation.sender.authenticity is Authenticity.VERIFIED or not situation.answers_need_verification
    # On a ticket that its own was merged into a book's handle is as good as expired.
    trusted = vouched and not situation.thread.handle_expired
    kind = situation.request_type
    filled = tuple(one for one in stated_by_sector(situation.mail.new_text) if kind.field(one.key) is not None)
    return ApplySectorReply(filled=filled if trusted else ())


def stated_by_sector(text: str) -> Iterator[FieldValue]:
    """What the lines of a sector's answer fill in; what is said in two ways is not taken."""
    said: dict[str, set[str]] = {}
    for line in plain_lines(text).splitlines()[:_MOST_LINES]:
        for key, value in _in_line(line.strip()[:_LONGEST_LINE]):
            said.setdefault(key, set()).add(value)
    for key, values in said.items():
        if len(values) == 1:
            yield FieldValue(key=key, value=values.pop(), origin=FieldOrigin.AGENT)


def _in_line(line: str) -> Iterator[tuple[str, str]]:
    number = _NUMBER.match(line)
    if number is not None and any(ch.isdigit() for ch in number["number"]):
        yield WORK_ORDER, number["number"].upper().rstrip("./-")
    answer = _YES_NO.match(line)
    if answer is not None:
        key = _WARRANTY if fold_words(answer["what"]) == "garantia" else _QUOTATION
        yield key, YES if fold_words(answer["said"]) == "sim" else NO


def apply_sector_reply(decision: ApplySectorReply, situation: Situation, cause: Cause) -> TicketChange:
    """The answer as an internal note, with what it fills in; the client hears of a new number (R001-17)."""
    ticket = ticket_of(situation)
    sender = situation.sender.address
    happened = ChangeLog(situation.now, cause.mail_id)
    happened.add(sender.address, EventKind.SECTOR_ANSWERED)
    known = {value.key: value.value for value in ticket.fields if value.valid}
    new = tuple(one for one in decision.filled if known.get(one.key) != one.value)
    for one in new:
        happened.add(
            sender.address, EventKind.FIELDS_CHANGED, old=known.get(one.key, ""), new=one.key, detail=one.value
        )
    filled = {one.key for one in new}
    fields = (*(value for value in ticket.fields if value.key not in filled), *new)
    number = next((one.value for one in new if one.key == WORK_ORDER), "")
    return TicketChange(
        before=ticket,
        after=replace(ticket, fields=fields, sector_asked_at=None, updated_at=situation.now),
        events=happened.events,
        message=TicketMessage(
            at=situation.now,
            author=sender,
            role=AuthorRole.OTHER,
            visibility=Visibility.INTERNAL,
            text=situation.mail.new_text or situation.mail.full_text,
            message_id=situation.mail.message_id,
            mail_id=cause.mail_id,
            files=cause.files,
            unverified=situation.sender.authenticity is not Authenticity.VERIFIED,
        ),
        may_answer=_may_be_told(ticket),
        verified=True,
        told=(Told(code="told.work_order", values=(("number", number),)),) if number else (),
    )


def _may_be_told(ticket: Ticket) -> bool:
    return ticket.status is not Status.CLOSED
