"""Words that say where a ticket belongs and what it holds: who, queue, priority, type, fields, papers, merging."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.staff import AgentSpec
from mailbot.domain.events import EventKind
from mailbot.domain.evidence import EvidenceReport, FieldOrigin, FieldValue, Finding, valid_values
from mailbot.domain.orders import Surviving
from mailbot.domain.ticket import Priority, Resolution, Status, Ticket
from mailbot.triage.as_typed import ADDRESS
from mailbot.triage.carry_out import title_of
from mailbot.triage.choose_customer import choose_customer, nth_candidate
from mailbot.triage.guided import kept_ruling
from mailbot.triage.orders.desk import OrderDesk, Outcome, Problem, Progress, effect, problem
from mailbot.triage.orders.moving import go_to, label_of
from mailbot.triage.promises import due_at

WORK_ORDER = "work_order_number"
_MOST_PARTICIPANTS = 10
_ADDRESS = re.compile(rf"<?({ADDRESS})>?", re.ASCII)
_WORK_ORDER = re.compile(r"[\w][\w./ -]{0,39}")


# --- who and where ---------------------------------------------------------------------------------------------


def assign(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#atribuir endereço``, or the agent's name where only one has it."""
    if not argument.strip():
        return problem("agent_missing", agents=_names(desk.catalogue.staff.agents))
    agent = _agent_named(argument, desk)
    ticket = so_far.ticket
    if agent is None:
        return problem("no_such_agent", typed=argument, agents=_names(desk.catalogue.staff.agents))
    if not agent.works_in(ticket.queue):
        return problem("agent_not_in_queue", agent=agent.name, queue=_queue_name(ticket.queue, desk))
    if ticket.assignee == agent.address:
        return problem("already_assigned", agent=agent.name)
    assigned = effect(EventKind.ASSIGNED, old=ticket.assignee or "", new=agent.address)
    return so_far.on(replace(ticket, assignee=agent.address), assigned, agent=agent.name)


def _agent_named(typed: str, desk: OrderDesk) -> AgentSpec | None:
    staff, wanted = desk.catalogue.staff, typed.strip().strip("<>").lower()
    by_address = staff.agent(staff.agent_key_for(wanted) or "")
    if by_address is not None or "@" in wanted:
        return by_address
    named = [one for one in staff.agents if fold_words(typed) in (fold_words(one.name), fold_words(one.key))]
    return named[0] if len(named) == 1 else None


def _names(agents: Iterable[AgentSpec]) -> str:
    return ", ".join(agent.name for agent in agents)


def put_in_queue(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#fila sau``: the queue's key or name. Who does not work there is no longer responsible."""
    queues = desk.catalogue.staff.queues
    keys = ", ".join(queue.key for queue in queues)
    if not argument.strip():
        return problem("queue_missing", queues=keys)
    wanted = fold_words(argument)
    queue = next((one for one in queues if wanted in (fold_words(one.key), fold_words(one.name))), None)
    if queue is None:
        return problem("no_such_queue", typed=argument, queues=keys)
    ticket = so_far.ticket
    if ticket.queue == queue.key:
        return problem("already_in_queue", queue=queue.name)
    staff = desk.catalogue.staff
    assignee = staff.agent(staff.agent_key_for(ticket.assignee) or "") if ticket.assignee else None
    stays = ticket.assignee if assignee is not None and assignee.works_in(queue.key) else None
    changed = effect(EventKind.QUEUE_CHANGED, old=ticket.queue, new=queue.key)
    return so_far.on(replace(ticket, queue=queue.key, assignee=stays), changed, queue=queue.name)


def _queue_name(key: str, desk: OrderDesk) -> str:
    queue = desk.catalogue.staff.queue(key)
    return queue.name if queue else key


_PRIORITIES = {"alta": Priority.HIGH, "media": Priority.MEDIUM, "baixa": Priority.LOW}


def prioritise(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#prioridade alta|média|baixa``; refused where the type computes it (R001-26)."""
    if desk.kind_of(so_far.ticket).priority == "automatic":
        return problem("priority_is_automatic")
    wanted = _PRIORITIES.get(fold_words(argument))
    if wanted is None:
        return problem("no_such_priority", typed=argument) if argument.strip() else problem("priority_missing")
    ticket = so_far.ticket
    changed = effect(EventKind.PRIORITY_CHANGED, old=ticket.priority, new=wanted)
    return so_far.on(replace(ticket, priority=wanted, priority_asked=None), changed, priority=fold_words(argument))


def retype(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#tipo request_type``: what the ticket holds is held against the new type's requirements (R000-17).

    The queue and the promise become the new type's. The status does not move: an agent has the ticket in hand.
    """
    types = desk.catalogue.types_of(so_far.ticket.mailbox)
    keys = ", ".join(kind.key for kind in types)
    if not argument.strip():
        return problem("type_missing", types=keys)
    kind = type_named(argument, types)
    if kind is None:
        return problem("no_such_type", typed=argument, types=keys)
    ticket = so_far.ticket
    if ticket.request_type == kind.key:
        return problem("already_of_type", type=kind.name)
    if ticket.is_finished:
        return problem("finished", status=label_of(ticket, desk))
    report = desk.held_against(ticket, kind)
    due = due_at(ticket.status, kind, desk.now, desk.calendar, ticket.priority)
    title = title_of(kind, report, ticket.subject)
    after = _holding(ticket, report)
    queue = kind.queue_for(valid_values(report.fields))
    after = replace(after, request_type=kind.key, queue=queue, label="", due_at=due, title=title)
    after = replace(after, due_left_seconds=None)
    staff = desk.catalogue.staff
    assignee = staff.agent(staff.agent_key_for(ticket.assignee) or "") if ticket.assignee else None
    if assignee is not None and not assignee.works_in(queue):
        after = replace(after, assignee=None)
    changed = effect(EventKind.TYPE_CHANGED, old=ticket.request_type, new=kind.key)
    return so_far.on(after, changed, type=kind.name).telling("told.type", type=kind.name)


def type_named(typed: str, types: Iterable[RequestType]) -> RequestType | None:
    """The type with this key, name or subject."""
    wanted = fold_words(typed)
    names = {kind.key: (kind.key, kind.name, kind.subject, *kind.aliases) for kind in types}
    return next((kind for kind in types if wanted in {fold_words(name) for name in names[kind.key] if name}), None)


# --- papers and fields -----------------------------------------------------------------------------------------


def waive(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#dispensar documento``: it need not be shown, and what does not fit about it fits (R000-08). What was
    shown for it before it was asked for again is there again."""
    ticket, kind = so_far.ticket, desk.kind_of(so_far.ticket)
    key = requirement_named(argument, kind)
    if isinstance(key, Problem):
        return key
    lacks = key in ticket.missing or any(one.key == key for one in ticket.mismatches)
    if not lacks:
        return problem("nothing_to_waive", item=kind.label_for(key))
    if ticket.is_finished:
        return problem("finished", status=label_of(ticket, desk))
    waived = effect(EventKind.WAIVED, new=key)
    after = without_waived(replace(_with_what_was_aside(ticket, key), waived=(*ticket.waived, key)))
    return _open_if_complete(so_far.on(after, waived, item=kind.label_for(key)), desk)


def _with_what_was_aside(ticket: Ticket, key: str) -> Ticket:
    if any(one.requirement == key for one in ticket.documents):
        return ticket
    back = tuple(one for one in ticket.set_aside if one.requirement == key)
    rest = tuple(one for one in ticket.set_aside if one.requirement != key)
    return replace(ticket, documents=(*ticket.documents, *back), set_aside=rest)


def _open_if_complete(so_far: Progress, desk: OrderDesk) -> Outcome:
    """A ticket that waited for nothing but this goes to its queue."""
    ticket, said = so_far.ticket, so_far.said
    is_complete = not (ticket.missing or ticket.mismatches or ticket.asked)
    if ticket.status is not Status.AWAITING_REQUESTER or not is_complete:
        return so_far
    going = go_to(so_far, Status.OPEN, desk)
    if isinstance(going, Problem):
        return going
    due = due_at(Status.OPEN, desk.kind_of(ticket), desk.now, desk.calendar)
    return replace(going, ticket=replace(going.ticket, due_at=due), said=said)


def without_waived(ticket: Ticket) -> Ticket:
    """The ticket lacking nothing that staff have waived."""
    return replace(
        ticket,
        missing=tuple(key for key in ticket.missing if key not in ticket.waived),
        mismatches=tuple(one for one in ticket.mismatches if one.key not in ticket.waived),
    )


def state(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#campo nome: valor``, checked as a requester's value is; an agent's word beats what mails say."""
    name, colon, raw = argument.partition(":")
    kind = desk.kind_of(so_far.ticket)
    fields = ", ".join(spec.label for spec in kind.fields)
    if not (colon and name.strip() and raw.strip()):
        return problem("field_missing", fields=fields)
    wanted = fold_words(name)
    spec = next((one for one in kind.fields if wanted == fold_words(one.key) or wanted in one.all_labels), None)
    if spec is None:
        return problem("no_such_field", typed=name.strip(), fields=fields)
    if spec.stays_empty:
        return problem("field_stays_empty", item=spec.label)
    value = desk.check_field(spec, raw)
    if not value.valid:
        return problem("not_a_value", item=spec.label, typed=raw.strip(), why=value.reason)
    stated = _stated(so_far, replace(value, origin=FieldOrigin.AGENT), desk)
    return _open_if_complete(stated.saying(item=spec.label, value=value.value), desk)


def number_order(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#os número``: the service order's number; the client is told (R001-17)."""
    number = argument.strip()
    if not number:
        return problem("number_missing")
    if not _WORK_ORDER.fullmatch(number) or not any(ch.isdigit() for ch in number):
        return problem("not_a_number", typed=number)
    value = FieldValue(key=WORK_ORDER, value=number, origin=FieldOrigin.AGENT)
    return _stated(so_far, value, desk).saying(number=number).telling("told.work_order", number=number)


def _stated(so_far: Progress, value: FieldValue, desk: OrderDesk) -> Progress:
    ticket = so_far.ticket
    old = next((one.value for one in ticket.fields if one.key == value.key), "")
    others = tuple(one for one in ticket.fields if one.key != value.key)
    kind = desk.kind_of(ticket)
    after = replace(ticket, fields=(*others, value))
    report = desk.held_against(after, kind)
    after = _holding(after, report)
    after = replace(after, title=title_of(kind, report, ticket.subject))
    return so_far.on(after, effect(EventKind.FIELDS_CHANGED, old=old, new=value.key, detail=value.value))


def _holding(ticket: Ticket, report: EvidenceReport) -> Ticket:
    """The ticket as ``report`` has it, lacking nothing that staff have waived."""
    after = replace(
        ticket,
        fields=report.fields,
        documents=report.findings,
        missing=report.missing,
        mismatches=report.mismatches,
        ruling=kept_ruling(ticket.ruling, report.ruling),
    )
    return without_waived(after)


def requirement_named(typed: str, kind: RequestType) -> str | Problem:
    """Key of the document or field that an agent means: its key, its name, or words that only it has."""
    named: dict[str, tuple[str, ...]] = {str(one.key): (one.label,) for one in kind.documents}
    named |= {one.key: (one.label, *one.labels) for one in kind.fields}
    everything = ", ".join(kind.label_for(key) for key in named)
    wanted = fold_words(typed)
    if not wanted:
        return problem("item_missing", items=everything)
    for fits in (_is_it, _begins_it, _stands_in_it):
        found = [key for key, names in named.items() if any(fits(wanted, name) for name in (key, *names))]
        if len(found) == 1:
            return found[0]
        if found:
            return problem("item_ambiguous", typed=typed, items=", ".join(kind.label_for(key) for key in found))
    return problem("no_such_item", typed=typed, items=everything)


def _is_it(wanted: str, name: str) -> bool:
    return wanted == fold_words(name)


def _begins_it(wanted: str, name: str) -> bool:
    return f"{fold_words(name)} ".startswith(f"{wanted} ")


def _stands_in_it(wanted: str, name: str) -> bool:
    return f" {wanted} " in f" {fold_words(name)} "


# --- people and other tickets ------------------------------------------------------------------------------------


def name_customer(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#cliente n``: whose request it is, of those that the notice listed under numbers."""
    ticket, typed = so_far.ticket, argument.strip()
    count = str(len(ticket.customer.candidates))
    if count == "0":
        return problem("no_candidates")
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < _LONGEST_COUNT else 0
    record = desk.customers.get(nth_candidate(ticket, number) or 0)
    if record is None:
        return problem("no_such_customer", typed=typed, count=count)
    change = choose_customer(ticket, record, actor=desk.agent.address, at=desk.now)
    effects = (effect(one.kind, old=one.old, new=one.new, detail=one.detail) for one in change.events)
    return _open_if_complete(so_far.on(change.after, *effects, customer=record.name), desk)


def copy_to(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#copiar endereço``: that person gets what the requester gets from now on (THREATS 16)."""
    if not argument.strip():
        return problem("address_missing")
    match = _ADDRESS.fullmatch(argument.strip().lower())
    if match is None:
        return problem("not_an_address", typed=argument)
    address, ticket = match[1], so_far.ticket
    if address in (ticket.requester.address, *ticket.participants):
        return problem("already_participant", address=address)
    if address == desk.mailbox_address or len(ticket.participants) >= _MOST_PARTICIPANTS:
        return problem("cannot_copy", address=address)
    added = effect(EventKind.PARTICIPANT_ADDED, new=address)
    return so_far.on(replace(ticket, participants=(*ticket.participants, address)), added, address=address)


_LONGEST_COUNT = 4
_ANYWAY = ("mesmo assim", "assim mesmo", "outro cliente", "anyway")


def merge(argument: str, so_far: Progress, desk: OrderDesk) -> Outcome:
    """``#juntar 2026-000045``: this ticket ends as a duplicate of that one, which gets all that is written to it.

    Only tickets of one requester, unless ``mesmo assim`` stands behind the number.
    """
    if not argument.strip():
        return problem("ticket_missing")
    other = desk.other
    if other is None or other.mailbox != so_far.ticket.mailbox:
        return problem("no_such_ticket", typed=argument)
    anyway = any(words in fold_words(argument) for words in _ANYWAY)
    why_not = _why_not_merge(so_far.ticket, other, desk, anyway=anyway)
    if why_not:
        return problem(why_not, number=other.number, status=label_of(so_far.ticket, desk))
    merged = effect(EventKind.MERGED, new=other.number)
    going = go_to(so_far.on(so_far.ticket, merged), Status.RESOLVED, desk)
    if isinstance(going, Problem):
        return going
    after = replace(
        going.ticket,
        resolution=Resolution.DUPLICATE,
        resolved_at=desk.now,
        asked_at=None,
        asked=(),
        merged_into=other.number,
    )
    into = _with_papers_of(so_far.ticket, other, desk)
    return replace(going, ticket=after, into=into).saying(number=other.number)


def _with_papers_of(merged: Ticket, other: Ticket, desk: OrderDesk) -> Surviving | None:
    """The ticket that goes on, with what was shown on the one that ends; ``None`` where it gains nothing. Papers
    stay with who sent them: those of another requester do not come along."""
    known = {(one.sha256, one.page) for one in other.documents}
    papers = tuple(one for one in merged.documents if (one.sha256, one.page) not in known)
    if not papers or merged.requester.address != other.requester.address:
        return None
    kind = desk.kind_of(other)
    fresh = tuple(one if _is_for(one, kind) else replace(one, requirement=None) for one in papers)
    gained = replace(other, documents=(*other.documents, *fresh))
    after = _holding(gained, desk.held_against(gained, kind))
    shown = effect(EventKind.EVIDENCE_CHANGED, new=" ".join(after.missing), old=" ".join(other.missing))
    opened = _open_if_complete(Progress(ticket=after, effects=(shown,)), desk)
    assert not isinstance(opened, Problem), "a ticket that waits for its requester can always be opened"
    return Surviving(ticket=replace(opened.ticket, updated_at=desk.now), effects=opened.effects, before=other)


def _is_for(finding: Finding, kind: RequestType) -> bool:
    return finding.requirement is None or any(str(one.key) == finding.requirement for one in kind.documents)


def _why_not_merge(ticket: Ticket, other: Ticket, desk: OrderDesk, *, anyway: bool) -> str:
    reasons = {
        "same_ticket": other.number == ticket.number,
        "not_your_queue": not desk.agent.works_in(other.queue),
        "finished": ticket.is_finished,
        "other_finished": other.is_finished,
        "other_requester": other.requester.address != ticket.requester.address and not anyway,
    }
    return next((code for code, holds in reasons.items() if holds), "")


NUMBER = re.compile(r"#?\s*(\d{4}-\d{6,9})(?![\w-])")


def number_in(argument: str) -> str:
    """The ticket number at the start of an argument, or nothing."""
    match = NUMBER.match(argument.strip())
    return match[1] if match else ""
