"""Codes in agents' mails looked up: ``(Case, Ticket, key) -> CodeAsked | CodeTyped | None``.

Only where the mailbox's server does not tell who sent a mail; elsewhere there are no codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.domain.confirmation import (
    CODE_LIFE,
    WaitingOrders,
    code_for,
    code_typed,
    codes_match,
    orders_waiting,
    tried_too_often,
)
from mailbot.domain.events import EventKind, HandlePurpose, TicketEvent
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import Ticket
from mailbot.flows.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTyped:
    """What a code in a mail is worth: the orders that it confirms, or why it confirms none."""

    orders: WaitingOrders | None = None
    refusal: Refusal | None = None


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


def _orders_of(asked: TicketEvent, case: Case, ticket: Ticket) -> WaitingOrders | None:
    message = case.known.message_of(ticket.number, asked.mail_id) if asked.mail_id is not None else None
    if message is None:
        return None
    return WaitingOrders(
        nonce=asked.detail, text=message.text, files=message.files, purpose=HandlePurpose(asked.old)
    )
