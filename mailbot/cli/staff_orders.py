"""``mailbot tickets open | reply | decide | reassign``: what staff do by mail, for administrators."""

from __future__ import annotations

from contextlib import closing
from enum import StrEnum
from typing import Annotated, Any

import typer

from mailbot.bootstrap import App
from mailbot.cli.context import open_app, set_up_logging
from mailbot.cli.listing import Json, fail, no_such_ticket
from mailbot.cli.output import Exit, own_errors, print_json, say, visible
from mailbot.cli.tickets import ticket_as_json
from mailbot.correspondence.words import Phrase
from mailbot.domain.errors import ConcurrentChange
from mailbot.domain.mail import Address
from mailbot.flows.staff_desk import Done
from mailbot.triage.errands import CustomersMail


class Outcome(StrEnum):
    """What can be decided on a ticket."""

    APPROVE = "approve"
    DENY = "deny"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"
    HOLD = "hold"
    UNDO = "undo"


_WORDS = {
    Outcome.APPROVE: "#autorizar",
    Outcome.DENY: "#negar",
    Outcome.RESOLVE: "#resolver",
    Outcome.REOPEN: "#reabrir",
    Outcome.CLOSE: "#fechar",
    Outcome.HOLD: "#espera",
    Outcome.UNDO: "#desfazer",
}

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="As in 2026-000123.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change and send nothing.")]


def reply(
    number: Number,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What the requester is told; staff words may stand at its top.")
    ],
    *,
    note: Annotated[bool, typer.Option("--note", help="Keep it as an internal note instead.")] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Answer the requester of a ticket, or leave a note."""
    _order(number, f"#nota\n{text}" if note else text, dry_run=dry_run, json=json)


def decide(
    number: Number,
    outcome: Annotated[Outcome, typer.Argument(metavar="OUTCOME", help="What becomes of the ticket.")],
    reason: Annotated[
        str, typer.Argument(metavar="REASON", help="What the requester is told with it; needed to deny.")
    ] = "",
    *,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Approve, deny, resolve, hold, reopen, close; or take back a decision that has not left."""
    _order(number, f"{_WORDS[outcome]}\n{reason}", dry_run=dry_run, json=json)


def reassign(
    number: Number,
    *,
    to: Annotated[str | None, typer.Option("--to", metavar="ADDRESS", help="Who is responsible now.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", metavar="KEY", help="Its queue now.")] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Give a ticket to another agent, another queue, or both."""
    words = [*([f"#fila {queue}"] if queue else []), *([f"#atribuir {to}"] if to else [])]
    if not words:
        raise fail("say --to ADDRESS, --queue KEY, or both")
    _order(number, "\n".join(words), dry_run=dry_run, json=json)


def open_(
    requester: Annotated[str, typer.Argument(metavar="ADDRESS", help="The customer's e-mail address.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the customer asks for; fields as in a mail.")],
    *,
    name: Annotated[str, typer.Option("--name", help="The customer's name.")] = "",
    subject: Annotated[str, typer.Option("--subject", help="The ticket's subject.")] = "",
    request_type: Annotated[str | None, typer.Option("--type", metavar="KEY", help="The request type.")] = None,
    mailbox: Annotated[str, typer.Option("--mailbox", metavar="KEY", help="Which mailbox answers.")] = "default",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Open a ticket in a customer's name; the customer gets the usual letter (R000-13)."""
    if requester.count("@") != 1 or not all(requester.split("@")):
        raise fail(f"{visible(requester)} is no e-mail address")
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        served = house.mailboxes.get(mailbox)
        if served is None:
            raise fail(f"there is no mailbox {visible(mailbox)}")
        if request_type is not None and not house.catalogue.has_type(request_type):
            raise fail(f"there is no request type {visible(request_type)}")
        wanted = CustomersMail(customer=Address(address=requester.lower(), name=name), subject=subject, text=text)
        done = house.staff_desk.open(wanted, served, request_type, dry_run=dry_run)
        _tell(done, house, dry_run=dry_run, json=json)


def _order(number: str, text: str, *, dry_run: bool, json: bool) -> None:
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        with house.storage.read() as work:
            ticket = work.tickets.get(number.removeprefix("#"))
        if ticket is None:
            raise no_such_ticket(number)
        if ticket.mailbox not in house.mailboxes:
            raise fail(f"the mailbox {ticket.mailbox} of this ticket is off")
        try:
            done = house.staff_desk.order(ticket, text, dry_run=dry_run)
        except ConcurrentChange:
            raise fail("the ticket changed meanwhile; look at it and say it again", Exit.NEEDS_A_LOOK) from None
        _tell(done, house, dry_run=dry_run, json=json)
    if done.refusal is not None:
        raise typer.Exit(Exit.NEEDS_A_LOOK)


def _tell(done: Done, house: App, *, dry_run: bool, json: bool) -> None:
    words = house.renderer.words(done.ticket.language)
    lines: list[dict[str, Any]] = [
        {
            "typed": one.typed,
            "state": one.state,
            "code": one.code,
            "text": words.say(Phrase(code=one.code, values=one.values)),
        }
        for one in done.lines
    ]
    letters = [{"letter": one.letter, "to": one.recipient.address, "subject": one.subject} for one in done.letters]
    if json:
        print_json(
            {
                "done": done.refusal is None,
                "dry_run": dry_run,
                "refusal": done.refusal,
                "ticket": ticket_as_json(done.ticket, house.catalogue, 0),
                "lines": lines,
                "letters": letters,
            }
        )
        return
    for line in lines:
        say(visible(f"{line['state']:<9} {line['typed']}  {line['text']}"))
    if done.refusal is not None:
        say(f"Nothing was done ({done.refusal}).")
        return
    label = house.catalogue.type(done.ticket.request_type).label_of(done.ticket.status, done.ticket.label)
    say(visible(f"{done.ticket.number}  {label}  {done.ticket.title}"))
    for letter in letters:
        say(visible(f"  {'would be written' if dry_run else 'written'}: {letter['letter']} to {letter['to']}"))


def add_to(app: typer.Typer) -> None:
    """Put the commands beside those that list and show."""
    for name, command in (("open", open_), ("reply", reply), ("decide", decide), ("reassign", reassign)):
        app.command(name)(command)
