"""What an agent's words are weighed with, read from storage: ``desk_for(...) -> OrderDesk``.

Only what the words at hand ask for is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.shown_pages import file_of
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.customer import Customer
from mailbot.domain.events import Audience, EventKind, LetterKind, LetterStatus, StoredFile, TicketEvent
from mailbot.domain.evidence import EvidenceReport, FieldOrigin, FieldValue
from mailbot.domain.outbox import LetterRow
from mailbot.domain.staff_words import StaffWord
from mailbot.domain.ticket import Status, Ticket
from mailbot.evidence.assess import assess
from mailbot.evidence.field_kinds.time_windows import rules_out
from mailbot.evidence.fields import with_agents_words
from mailbot.evidence.told_fields import with_told
from mailbot.evidence.values import checked_value
from mailbot.flows.applied_rules import with_rules_applied
from mailbot.flows.whose_request import CustomerRecords, whose_it_stands
from mailbot.triage.directives import DirectiveBlock
from mailbot.triage.orders.desk import CheckField, HeldAgainst, OrderDesk, TimesAgainst, Undoable
from mailbot.triage.orders.filing import number_in
from mailbot.triage.rules import with_ruling

_MERGED_AT_MOST = 10
_ASKS_FOR_FILES = frozenset({StaffWord.ORIGINAIS, StaffWord.DOCUMENTOS})
_ASKS_WHAT_WAITS = frozenset({StaffWord.DESFAZER, StaffWord.REABRIR, StaffWord.FECHAR})


class OrderKnowledge(CustomerRecords, Protocol):
    """What orders ask of the past."""

    def ticket(self, number: str) -> Ticket | None:
        """A ticket."""
        ...

    def events(self, number: str) -> Sequence[TicketEvent]:
        """All that happened to a ticket, oldest first."""
        ...

    def letters(self, number: str) -> Sequence[LetterRow]:
        """The letters of a ticket."""
        ...

    def assigned_to(self, address: str) -> Sequence[Ticket]:
        """The unfinished tickets of an agent."""
        ...

    def files_of(self, number: str) -> Sequence[StoredFile]:
        """All files that came with the requester's messages of a ticket, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHouse:
    """What is the same for every mail."""

    catalogue: Catalogue
    calendar: BusinessCalendar
    undo_time: timedelta


def desk_for(
    house: OrderHouse,
    known: OrderKnowledge,
    *,
    agent: AgentSpec,
    ticket: Ticket,
    block: DirectiveBlock,
    mailbox_address: str,
    now: datetime,
    has_files: bool,
) -> OrderDesk:
    """The desk for one mail's words on ``ticket``."""
    words = {directive.word for directive in block.directives}
    files = _files_of(ticket, known) if words & _ASKS_FOR_FILES else ()
    looks_for_undo = ticket.status is Status.RESOLVED and bool(words & _ASKS_WHAT_WAITS)
    return OrderDesk(
        catalogue=house.catalogue,
        calendar=house.calendar,
        agent=agent,
        now=now,
        undo_time=house.undo_time,
        check_field=check_field(house.catalogue, now),
        held_against=held_against(house.catalogue, known, now),
        times_against=times_against(house.catalogue, house.calendar.zone),
        mailbox_address=mailbox_address,
        other=_other(block, known),
        undoable=_undoable(known.events(ticket.number), known.letters(ticket.number)) if looks_for_undo else None,
        own=tuple(known.assigned_to(agent.address)) if StaffWord.ABERTOS in words else (),
        originals=files,
        customers=_candidates(ticket, known) if StaffWord.CLIENTE in words else {},
        says_more=bool(block.remaining_text.strip()) or has_files,
    )


def _files_of(ticket: Ticket, known: OrderKnowledge) -> tuple[StoredFile, ...]:
    """The files of the ticket's own messages, and what came with one that was merged into it."""
    own = tuple(known.files_of(ticket.number))
    digests = {file.digest for file in own}
    of_merged = {one.digest: file_of(one) for one in ticket.documents if one.digest not in digests}
    return (*own, *of_merged.values())


def _candidates(ticket: Ticket, known: OrderKnowledge) -> dict[int, Customer]:
    found = (known.customer(one) for one in ticket.customer.candidates)
    return {one.id: one for one in found if one is not None}


class _Tickets(Protocol):
    def ticket(self, number: str) -> Ticket | None: ...


def survivor(ticket: Ticket | None, known: _Tickets) -> Ticket | None:
    """The ticket at the end of a chain of merged ones; itself where it was not merged."""
    for _ in range(_MERGED_AT_MOST):
        if ticket is None or ticket.merged_into is None:
            break
        ticket = known.ticket(ticket.merged_into) or ticket
    return ticket


def _other(block: DirectiveBlock, known: OrderKnowledge) -> Ticket | None:
    """The ticket that ``#juntar`` names."""
    arguments = [one.argument for one in block.directives if one.word is StaffWord.JUNTAR]
    number = number_in(arguments[0]) if arguments else ""
    return survivor(known.ticket(number), known) if number else None


def check_field(catalogue: Catalogue, now: datetime) -> CheckField:
    """How what an agent types for a field is checked."""
    today = catalogue.calendar.local_day(now)

    def check(spec: FieldSpec, raw: str) -> FieldValue:
        return checked_value(spec, raw, catalogue.units, FieldOrigin.AGENT, today=today)

    return check


def held_against(
    catalogue: Catalogue,
    known: CustomerRecords,
    now: datetime,
    looked_again: Mapping[str, EvidenceReport] | None = None,
) -> HeldAgainst:
    """How what a ticket holds is held against a request type and its rules, whose answer is a suggestion then; for
    another type than its own by what its mails come to, where they were looked at again for it, with what the
    agent has stated in the same mail. What ended a ticket stays."""
    today = catalogue.calendar.local_day(now)

    def held(ticket: Ticket, kind: RequestType) -> EvidenceReport:
        documents, fields = ticket.documents, ticket.fields
        if looked_again and kind.key in looked_again and kind.key != ticket.request_type:
            seen = looked_again[kind.key]
            documents, fields = seen.findings, with_agents_words(seen.fields, ticket.fields)
            if fields == seen.fields:
                return seen
        report = assess(
            kind,
            held=documents,
            new_files=(),
            fields=with_told(kind, fields),
            limits=catalogue.limits_of(kind.key),
            today=today,
        )
        whose = whose_it_stands(ticket, known)
        report = whose.added_to(report, kind)
        if ticket.is_finished:
            return with_ruling(kind, report, ticket.ruling)
        return with_rules_applied(
            report,
            kind,
            catalogue=catalogue,
            requester=ticket.requester.address,
            whose=whose,
            now=now,
            may_answer=False,
        )

    return held


def times_against(catalogue: Catalogue, zone: tzinfo) -> TimesAgainst:
    """How the time of a visit is held against what the requester said of times (R002-18)."""

    def against(ticket: Ticket, at: datetime) -> str:
        kind = catalogue.type(ticket.request_type)
        keys = {field.key for field in kind.fields if field.kind is FieldKind.TIME_WINDOWS}
        told = [value.value for value in ticket.fields if value.key in keys and value.valid]
        return next((one for one in told if rules_out(one, at.astimezone(zone))), "")

    return against


# --- what can be taken back --------------------------------------------------------------------------------------

_TELLS_A_DECISION = (LetterKind.DECISION, LetterKind.AGENT_ANSWER)
_NOT_BEGUN = (LetterStatus.QUEUED, LetterStatus.HELD)
_ENDS_A_DECISION = (EventKind.REOPENED, EventKind.UNDONE)


def _undoable(events: Sequence[TicketEvent], letters: Sequence[LetterRow]) -> Undoable | None:
    """The newest decision, unless the ticket was reopened since: the status before it, and whether all letters
    that tell of it still wait."""
    at = next((n for n in range(len(events) - 1, -1, -1) if events[n].kind is EventKind.DECIDED), None)
    if at is None or any(event.kind in _ENDS_A_DECISION for event in events[at:]):
        return None
    decided = events[at]
    steps = [event for event in events[at:] if event.kind is EventKind.STATUS_CHANGED and event.at == decided.at]
    if not steps:
        return None
    telling = [
        one
        for one in letters
        if one.letter in _TELLS_A_DECISION and one.audience is Audience.REQUESTER and one.created_at >= decided.at
    ]
    live = [one for one in telling if one.status is not LetterStatus.CANCELLED]
    unsent = bool(live) and all(one.status in _NOT_BEGUN and one.attempts == 0 for one in live)
    return Undoable(status_before=Status(steps[0].old), unsent=unsent)


def without_waived(ticket: Ticket, report: EvidenceReport) -> EvidenceReport:
    """``report`` without what staff have waived on ``ticket``."""
    return replace(
        report,
        missing=tuple(key for key in report.missing if key not in ticket.waived),
        mismatches=tuple(one for one in report.mismatches if one.key not in ticket.waived),
    )
