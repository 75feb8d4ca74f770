"""``mailbot tickets list | show | search``; what changes tickets is ``staff_orders.py``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Annotated, Any

import typer

from mailbot.bootstrap import App
from mailbot.catalogue.config_files import did_you_mean
from mailbot.catalogue.load import Catalogue
from mailbot.cli.context import open_app, set_up_logging
from mailbot.cli.explained import document_as_json, fields_as_json, ruling_as_json
from mailbot.cli.listing import Json, Limit, Since, fail, local, moment, no_such_ticket, print_table, print_title
from mailbot.cli.output import own_errors, print_json, say, visible
from mailbot.domain.events import SHARED_MAILBOX, LetterStatus, StoredFile, TicketEvent, TicketMessage
from mailbot.domain.outbox import LetterRow
from mailbot.domain.ticket import Status, Ticket
from mailbot.flows.ports import UnitOfWork

app = typer.Typer(name="tickets", help="Tickets: list, show, search, open, reply …", no_args_is_help=True)

OfStatus = Annotated[Status | None, typer.Option("--status", help="Only tickets of this status.")]
OfType = Annotated[str | None, typer.Option("--type", metavar="KEY", help="Only of this request type.")]
OfQueue = Annotated[str | None, typer.Option("--queue", metavar="KEY", help="Only of this queue.")]
OfRequester = Annotated[str | None, typer.Option("--requester", metavar="ADDRESS", help="Only of this person.")]


@app.command("list")
def list_(
    *,
    status: OfStatus = None,
    request_type: OfType = None,
    queue: OfQueue = None,
    requester: OfRequester = None,
    since: Since = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Tickets, newest first."""
    filters = {"status": status, "request_type": request_type, "queue": queue, "requester": requester}
    _list(filters, since, limit, json=json)


@app.command("search")
def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORD…", help="All must occur in number, subject, title, person or fields."),
    ],
    *,
    status: OfStatus = None,
    request_type: OfType = None,
    queue: OfQueue = None,
    requester: OfRequester = None,
    since: Since = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Tickets in which all the words occur, whatever their case and accents; newest first."""
    filters = {"status": status, "request_type": request_type, "queue": queue, "requester": requester}
    _list({**filters, "words": " ".join(words)}, since, limit, json=json)


@app.command("show")
def show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="As in 2026-000123.")],
    *,
    json: Json = False,
) -> None:
    """One ticket with everything that was written and done on it."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        with house.storage.read() as work:
            ticket = work.tickets.get(number.removeprefix("#"))
            if ticket is None:
                raise no_such_ticket(number)
            messages = work.tickets.messages(ticket.number)
            events = work.tickets.events(ticket.number)
            letters = work.outbox.letters_of_ticket(ticket.number)
        if json:
            print_json(
                {
                    **ticket_as_json(ticket, house.catalogue, len(messages)),
                    "fields": fields_as_json(ticket.fields),
                    "documents": [document_as_json(finding) for finding in ticket.documents],
                    "mismatches": [{"key": one.key, "reason": one.reason} for one in ticket.mismatches],
                    "asked": list(ticket.asked),
                    "waived": list(ticket.waived),
                    "participants": list(ticket.participants),
                    "visit_at": ticket.visit_at,
                    "merged_into": ticket.merged_into,
                    "history": [_message_as_json(message, events) for message in messages],
                    "events": [_event_as_json(event) for event in events],
                    "letters": [_letter_as_json(letter) for letter in letters],
                    "guidance": ruling_as_json(ticket.ruling),
                    "customer": _customer_as_json(ticket),
                }
            )
        else:
            _print_ticket(ticket, house)
            _print_messages(messages, events, house)
            _print_events(events, house)
            _print_letters(letters, house)


def _list(filters: dict[str, Any], since: str | None, limit: int | None, *, json: bool) -> None:
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        opened_after = moment(since, house.calendar.zone)
        with house.storage.read() as work:
            _check_names(filters, house.catalogue, work)
            found = work.tickets.browse(**filters, since=opened_after, limit=limit)
            counts = work.tickets.message_counts([ticket.number for ticket in found]) if json else {}
        if json:
            rows = [ticket_as_json(one, house.catalogue, counts.get(one.number, 0)) for one in found]
            print_json(rows)
        else:
            _print_list(found, house)


def _check_names(filters: dict[str, Any], catalogue: Catalogue, work: UnitOfWork) -> None:
    """A key that no ticket can have is a slip, not an empty list; types that are gone still have tickets."""
    kind, queue = filters["request_type"], filters["queue"]
    kinds = {*catalogue.request_types, *work.workload.types_in_use()}
    if kind is not None and kind not in kinds:
        raise fail(f"there is no request type {visible(kind)}{did_you_mean(kind, kinds)}")
    queues = {one.key for one in catalogue.staff.queues}
    if queue is not None and queue not in queues and not work.tickets.browse(queue=queue, limit=1):
        raise fail(f"there is no queue {visible(queue)}{did_you_mean(queue, queues)}")


# --- JSON ----------------------------------------------------------------------------------------------------


def ticket_as_json(ticket: Ticket, catalogue: Catalogue, message_count: int) -> dict[str, Any]:
    """A ticket as ``tickets list --json`` has it: every key always."""
    return {
        "number": ticket.number,
        "request_type": ticket.request_type,
        "title": ticket.title,
        "status": ticket.status,
        "status_label": _label(ticket, catalogue),
        "resolution": ticket.resolution,
        "priority": ticket.priority,
        "queue": ticket.queue,
        "assignee": ticket.assignee,
        "requester": {"name": ticket.requester.name, "address": ticket.requester.address},
        "mailbox": ticket.mailbox,
        "opened_at": ticket.opened_at,
        "updated_at": ticket.updated_at,
        "due_at": ticket.due_at,
        "missing": list(ticket.missing),
        "message_count": message_count,
    }


def _label(ticket: Ticket, catalogue: Catalogue) -> str:
    return catalogue.type(ticket.request_type).label_of(ticket.status, ticket.label)


def _is_from_shared_mailbox(message: TicketMessage, events: Iterable[TicketEvent]) -> bool:
    """Whether a person wrote it to the requester straight from the shared mailbox, past the bot."""
    return message.mail_id is not None and any(
        event.mail_id == message.mail_id and event.detail == SHARED_MAILBOX for event in events
    )


def _customer_as_json(ticket: Ticket) -> dict[str, Any]:
    customer = ticket.customer
    return {
        "state": customer.state,
        "id": customer.customer_id,
        "candidates": list(customer.candidates),
        "contract": customer.contract or None,
    }


def _message_as_json(message: TicketMessage, events: Iterable[TicketEvent]) -> dict[str, Any]:
    author = {"name": message.author.name, "address": message.author.address, "role": message.role}
    return {
        "at": message.at,
        "author": author,
        "visibility": message.visibility,
        "text": message.text,
        "attachments": [file_as_json(file) for file in message.files],
        "message_id": message.message_id,
        "mail_id": message.mail_id,
        "unverified": message.unverified,
        "from_another_address": message.from_another_address,
        "from_shared_mailbox": _is_from_shared_mailbox(message, events),
    }


def file_as_json(file: StoredFile) -> dict[str, Any]:
    """A kept file: name, type by content, size and SHA-256."""
    return {
        "filename": file.filename,
        "media_type": file.media_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
    }


def _event_as_json(event: TicketEvent) -> dict[str, Any]:
    return {
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind,
        "old": event.old,
        "new": event.new,
        "detail": event.detail,
        "mail_id": event.mail_id,
    }


def _letter_as_json(letter: LetterRow) -> dict[str, Any]:
    return {
        "message_id": letter.message_id,
        "letter": letter.letter,
        "audience": letter.audience,
        "to": letter.to,
        "subject": letter.subject,
        "status": letter.status,
        "sent_at": letter.sent_at,
    }


# --- for people ----------------------------------------------------------------------------------------------


def _print_list(found: Iterable[Ticket], house: App) -> None:
    zone = house.calendar.zone
    print_table(
        ("NUMBER", "STATUS", "TITLE", "REQUESTER", "QUEUE", "OPENED", "DUE", "MISSING"),
        [
            (
                ticket.number,
                _label(ticket, house.catalogue),
                ticket.title,
                ticket.requester.address,
                ticket.queue,
                local(ticket.opened_at, zone),
                local(ticket.due_at, zone),
                ", ".join(ticket.missing),
            )
            for ticket in found
        ],
    )


def _print_ticket(ticket: Ticket, house: App) -> None:
    kind = house.catalogue.type(ticket.request_type)
    zone = house.calendar.zone
    requester = ticket.requester
    say(visible(f"{ticket.number}  {ticket.title}"))
    rows = [
        ("Status", _label(ticket, house.catalogue) + (f" ({ticket.resolution})" if ticket.resolution else "")),
        ("Request type", f"{kind.name} ({ticket.request_type})"),
        ("Requester", f"{requester.name} <{requester.address}>" if requester.name else requester.address),
        ("Subject", ticket.subject),
        ("Queue", ticket.queue + (f", {ticket.assignee}" if ticket.assignee else "")),
        ("Opened", local(ticket.opened_at, zone)),
        ("Answer by", local(ticket.due_at, zone)),
        ("Missing", ", ".join(kind.label_for(key) for key in ticket.missing)),
        ("Mismatches", ", ".join(f"{one.key}: {one.reason}" for one in ticket.mismatches)),
        ("Guidance", _ruling(ticket)),
        ("Asked for", ", ".join(ticket.asked)),
        ("Waived", ", ".join(kind.label_for(key) for key in ticket.waived)),
        ("Copied to", ", ".join(ticket.participants)),
        ("Visit", local(ticket.visit_at, zone)),
        ("Merged into", ticket.merged_into or ""),
        ("Follows", ticket.follow_up_of or ""),
    ]
    for name, value in rows:
        if value:
            say(visible(f"  {name + ':':<14}{value}"))
    if ticket.fields:
        print_title("Fields")
        print_table(
            ("FIELD", "VALUE", "NOTE"),
            [(kind.label_for(one.key), one.value, "" if one.valid else one.reason) for one in ticket.fields],
        )
    if ticket.documents:
        print_title("Documents")
        print_table(
            ("FILE", "SERVES AS", "VERDICT", "REASONS"),
            [
                (
                    one.filename,
                    kind.label_for(one.requirement) if one.requirement else "",
                    one.verdict + (" (for a person)" if one.for_a_person else ""),
                    ", ".join(one.reasons),
                )
                for one in ticket.documents
            ],
        )


def _ruling(ticket: Ticket) -> str:
    """What the rules said, and by which facts."""
    ruling = ticket.ruling
    if ruling is None:
        return ""
    facts = ", ".join(f"{one.name} {one.value}" for one in ruling.facts)
    said = f"{ruling.action} {ruling.guidance}".strip()
    if not ruling.row:
        return f"none; opened {ruling.linked_ticket} before"
    beside = f"; opened {ruling.linked_ticket}" if ruling.linked_ticket else ""
    return f"{said} (rule {ruling.row}{': ' if facts else ''}{facts}){beside}"


def _print_messages(messages: Iterable[TicketMessage], events: list[TicketEvent], house: App) -> None:
    for message in messages:
        who = message.author.name or message.author.address
        marks = [message.role, message.visibility, *(["unverified"] if message.unverified else [])]
        if _is_from_shared_mailbox(message, events):
            marks.append("from the shared mailbox")
        print_title(visible(f"{local(message.at, house.calendar.zone)}  {who} ({', '.join(marks)})"))
        for line in message.text.strip().splitlines():
            say(visible(f"  {line}"))
        for file in message.files:
            say(visible(f"  [{file.filename}, {file.media_type}, {file.size_bytes} bytes]"))


def _print_events(events: Iterable[TicketEvent], house: App) -> None:
    print_title("Events")
    print_table(
        ("AT", "ACTOR", "KIND", "OLD", "NEW", "DETAIL"),
        [
            (local(one.at, house.calendar.zone), one.actor, one.kind, one.old, one.new, one.detail)
            for one in events
        ],
    )


def _leaves(letter: LetterRow, house: App) -> str:
    """When it left, or until when it waits: a decision can be taken back until then."""
    waits = letter.status is LetterStatus.QUEUED and letter.not_before > letter.created_at
    return local(letter.not_before if waits else letter.sent_at, house.calendar.zone)


def _print_letters(letters: Iterable[LetterRow], house: App) -> None:
    print_title("Letters")
    print_table(
        ("LETTER", "TO", "STATUS", "SENT OR WAITS UNTIL", "MESSAGE-ID"),
        [(one.letter, one.to, one.status, _leaves(one, house), one.message_id) for one in letters],
    )
