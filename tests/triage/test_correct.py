"""What a second look makes of a ticket, where no mail can show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from mailbot.catalogue.request_types import RequestType
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import EventKind, TicketEvent
from mailbot.domain.evidence import EvidenceReport, FieldOrigin, FieldValue
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Status, Ticket
from mailbot.triage.correct import SecondLook, correct, is_in_hands

NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
BY_AGENT = FieldValue(key="phone", value="62 3333-4444", origin=FieldOrigin.AGENT)
BY_REQUESTER = FieldValue(key="phone", value="62 99999-1234")
TICKET = Ticket(
    number="2026-000001",
    mailbox="default",
    request_type="general",
    requester=Address(address="maria@example.com.br"),
    subject="Ajuda",
    title="Ajuda",
    status=Status.OPEN,
    opened_at=NOON,
    updated_at=NOON,
    queue="geral",
    fields=(BY_AGENT,),
)


OF_REQUESTER = replace(TICKET, fields=(BY_REQUESTER,))


def look(fields: tuple[FieldValue, ...]) -> SecondLook:
    """A look that finds nothing but ``fields``."""
    kind = RequestType.model_validate({"key": "general", "name": "Geral", "queue": "geral"})
    return SecondLook(
        request_type=kind,
        report=EvidenceReport(fields=fields),
        in_hands=False,
        may_ask=True,
        verified=True,
        quiet=False,
        mail_id=1,
        now=NOON,
        calendar=BusinessCalendar(zone=UTC, is_holiday=lambda _day: False),
    )


def test_a_field_that_no_mail_states_any_more_goes() -> None:
    change = correct(replace(TICKET, fields=(BY_REQUESTER,)), look(()))
    assert change is not None
    assert change.after.fields == ()
    (event,) = change.events
    assert (event.kind, event.detail, event.old, event.new) == (
        EventKind.REPROCESSED,
        "field phone",
        "62 99999-1234",
        "",
    )
    assert not change.may_answer


def test_a_ticket_is_in_hands_once_a_person_acted_on_it() -> None:
    by_bot = TicketEvent(at=NOON, actor="bot", kind=EventKind.STATUS_CHANGED)
    assert is_in_hands(TICKET, [by_bot]), "an agent has stated a field"
    assert not is_in_hands(
        OF_REQUESTER, [by_bot, replace(by_bot, actor="ana@example.com.br", kind=EventKind.NOTE_ADDED)]
    )
    assert is_in_hands(OF_REQUESTER, [replace(by_bot, actor="ana@example.com.br")])
    assert is_in_hands(OF_REQUESTER, [replace(by_bot, kind=EventKind.AGENT_ANSWERED)])
    assert is_in_hands(OF_REQUESTER, [replace(by_bot, kind=EventKind.DECIDED)])
