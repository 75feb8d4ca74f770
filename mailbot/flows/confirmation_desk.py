"""Codes in agents' mails looked up: ``(Case, Ticket, key) -> CodeAsked | CodeTyped | None``.

Only where the mailbox's server does not tell who sent a mail; elsewhere there are no codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.domain.confirmation import (
    CODE_LIFE,
    WRONG_CODES_AT_MOST,
    WaitingOrders,
    code_for,
    code_typed,
    codes_match,
    orders_waiting,
    tried_too_often,
)
from mailbot.domain.events import EventKind, HandlePurpose, TicketEvent
from mailbot.domain.ledger import MailWithCode
from mailbot.domain.mail import Authenticity
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import Ticket
from mailbot.flows.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTyped:
    """What a code in a mail is worth: the orders that it confirms, or why it confirms none."""

    orders: WaitingOrders | None = None
    refusal: Refusal | None = None


_TOLD_AGAIN_AFTER = timedelta(days=1)


def refusals_today(case: Case, ticket: Ticket) -> frozenset[str]:
    """Why mails in this agent's name did nothing on ``ticket`` lately. Asked only of those for whom nobody
    vouches."""
    if case.sender.authenticity is Authenticity.VERIFIED:
        return frozenset()
    agent = case.sender.address.address
    return frozenset(
        one.detail
        for one in case.known.events(ticket.number)
        if one.kind is EventKind.AGENT_REPLY_REFUSED
        and one.actor == agent
        and case.now - one.at < _TOLD_AGAIN_AFTER
    )


def code_to_ask(case: Case, ticket: Ticket, secret: bytes) -> str:
    """The code by which the orders in this very mail could be confirmed."""
    agent = case.sender.address.address
    return code_for(secret, agent=agent, ticket_number=ticket.number, nonce=case.mail.identity)


def code_in(case: Case, ticket: Ticket, secret: bytes) -> CodeTyped | None:
    """What the code in the first line of a mail comes to; ``None`` where there is none, or nothing ever waited."""
    typed = code_typed(case.mail.new_text)
    if typed is None:
        return None
    events, agent = case.known.events(ticket.number), case.sender.address.address
    if not any(one.kind is EventKind.CONFIRMATION_ASKED and one.actor == agent for one in events):
        return None
    if tried_too_often(events, agent, case.now):
        return CodeTyped(refusal=Refusal.CODES_EXHAUSTED)
    return _worth(typed, events, case, ticket, secret)


def _worth(typed: str, events: Sequence[TicketEvent], case: Case, ticket: Ticket, secret: bytes) -> CodeTyped:
    agent = case.sender.address.address

    def is_meant(event: TicketEvent) -> bool:
        code = code_for(secret, agent=agent, ticket_number=ticket.number, nonce=event.detail)
        return event.actor == agent and codes_match(typed, code)

    if any(is_meant(one) for one in events if one.kind is EventKind.ORDERS_CONFIRMED):
        return CodeTyped(refusal=Refusal.CODE_USED)
    meant = next((one for one in orders_waiting(events, agent) if is_meant(one)), None)
    if meant is None:
        return CodeTyped(refusal=Refusal.CODE_WRONG)
    orders = _orders_of(meant, case, ticket) if case.now - meant.at < CODE_LIFE else None
    return CodeTyped(orders=orders, refusal=None if orders else Refusal.CODE_EXPIRED)


# --- errands: orders about no ticket -----------------------------------------------------------------------------

NO_TICKET = ""
"""In the place of a ticket's number in the code of an errand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrandCode:
    """What a code for an errand is worth: the mail that it confirms, or why it confirms none."""

    mail_id: int | None = None
    refusal: Refusal | None = None


def errand_code_to_ask(case: Case, secret: bytes) -> str:
    """The code by which the errand in this very mail could be confirmed; none where our server tells who wrote."""
    if case.mailbox.can_verify_staff:
        return ""
    return code_for(secret, agent=case.sender.address.address, ticket_number=NO_TICKET, nonce=case.mail.identity)


def errand_code_in(case: Case, secret: bytes, *, on_a_ticket: bool) -> ErrandCode | None:
    """What the code in the first line of an agent's mail comes to for an errand; ``None`` where there is none, or
    it may belong to orders ``on_a_ticket``."""
    typed = None if case.mailbox.can_verify_staff else code_typed(case.mail.new_text)
    if typed is None or case.sender.authenticity is not Authenticity.UNVERIFIED:
        return None
    agent = case.sender.address.address
    mails = case.known.mails_with_codes(agent)
    wrong = [one for one in mails if not (one.waits or one.confirmed) and case.now - one.told_at < CODE_LIFE]
    meant = [
        one
        for one in mails
        if (one.waits or one.confirmed)
        and codes_match(typed, code_for(secret, agent=agent, ticket_number=NO_TICKET, nonce=one.identity))
    ]
    if not meant and (on_a_ticket or not mails):
        return None
    if len(wrong) >= WRONG_CODES_AT_MOST:
        return ErrandCode(refusal=Refusal.CODES_EXHAUSTED)
    return _errand_worth(meant, case.now)


def _errand_worth(meant: Sequence[MailWithCode], now: datetime) -> ErrandCode:
    if not meant:
        return ErrandCode(refusal=Refusal.CODE_WRONG)
    # The same mail sent again under another Message-ID has the same code, which is used once.
    if any(one.confirmed for one in meant):
        return ErrandCode(refusal=Refusal.CODE_USED)
    if now - meant[0].told_at >= CODE_LIFE:
        return ErrandCode(refusal=Refusal.CODE_EXPIRED)
    return ErrandCode(mail_id=meant[0].id)


# --- orders on a ticket ---------------------------------------------------------------------------------------


def _orders_of(asked: TicketEvent, case: Case, ticket: Ticket) -> WaitingOrders | None:
    message = case.known.message_of(ticket.number, asked.mail_id) if asked.mail_id is not None else None
    if message is None:
        return None
    return WaitingOrders(
        nonce=asked.detail, text=message.text, files=message.files, purpose=HandlePurpose(asked.old)
    )
