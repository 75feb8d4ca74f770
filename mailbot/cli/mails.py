"""``mailbot mails list | show | raw | release | reprocess``: the log of inbound mail."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.bootstrap import App
from mailbot.cli.context import open_app, set_up_logging
from mailbot.cli.listing import Json, Limit, Since, fail, local, moment, no_such_ticket, print_table, progress
from mailbot.cli.output import Exit, complain, own_errors, print_json, say, visible
from mailbot.cli.reprocessed import name_of, print_reprocessed, reprocessed_as_json
from mailbot.domain.errors import MailTooLarge, UnreadableMail
from mailbot.domain.events import OutboundLetter
from mailbot.domain.ledger import InboundRow, MailOutcome
from mailbot.domain.mail import InboundMail
from mailbot.flows.ports import UnitOfWork

if TYPE_CHECKING:
    from mailbot.flows.reprocess import Reprocessed

app = typer.Typer(name="mails", help="Inbound mail and what became of it.", no_args_is_help=True)

OfTicket = Annotated[str | None, typer.Option("--ticket", metavar="NUMBER", help="Only mails of this ticket.")]
Id = Annotated[int, typer.Argument(metavar="ID", help="As `mails list` shows it.")]


@app.command("list")
def list_(
    *,
    outcome: Annotated[MailOutcome | None, typer.Option("--outcome", help="Only mails that came to this.")] = None,
    ticket: OfTicket = None,
    since: Since = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Inbound mails, newest first."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        received_after = moment(since, house.calendar.zone)
        with house.storage.read() as work:
            found = work.mails.browse(outcome=outcome, ticket_number=ticket, since=received_after, limit=limit)
        if json:
            print_json([_row_as_json(row) for row in found])
        else:
            _print_list(found, house)


@app.command("show")
def show(mail_id: Id, *, json: Json = False) -> None:
    """One mail: what became of it, what it says, which letters it caused."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        with house.storage.read() as work:
            row = _rows(work, [mail_id])[0]
            letters = work.outbox.letters_for_mail(mail_id)
        mail = _read(row, house)
        if json:
            print_json(_mail_as_json(row, mail, letters))
        else:
            _print_mail(row, mail, letters, house)


@app.command("raw")
def raw(mail_id: Id, *, json: Json = False) -> None:
    """The bytes as received, to stdout; with --json in base64."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        with house.storage.read() as work:
            row = _rows(work, [mail_id])[0]
        try:
            content = house.blobs.get(row.raw_digest)
        except UnreadableMail as error:
            raise fail(str(error), Exit.NEEDS_A_LOOK) from None
    if json:
        encoded = base64.b64encode(content).decode("ascii")
        print_json({"id": row.id, "size_bytes": len(content), "raw_base64": encoded})
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


@app.command("release")
def release(
    ids: Annotated[list[int], typer.Argument(metavar="ID", help="Mails in quarantine.")],
    *,
    json: Json = False,
) -> None:
    """Let quarantined mails in: the running daemon, or the next `run --once`, takes them."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house, house.storage.write() as work:
        rows = _rows(work, ids)
        refused = [row for row in rows if row.outcome is not MailOutcome.QUARANTINED]
        released = [row.id for row in rows if row.outcome is MailOutcome.QUARANTINED]
        # The oldest first, so that those of one sender keep their order.
        for mail_id in sorted(released):
            work.mails.reopen(mail_id, now=datetime.now(UTC), released=True)
    if json:
        print_json(
            {
                "released": released,
                "refused": [{"id": row.id, "outcome": row.outcome} for row in refused],
            }
        )
    else:
        say(f"released {len(released)} mail{'' if len(released) == 1 else 's'}")
    for row in refused:
        complain(f"mailbot: mail {row.id} is not in quarantine: its outcome is {row.outcome}")
    if refused:
        raise typer.Exit(Exit.NEEDS_A_LOOK)


@app.command("reprocess")
def reprocess(
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID", help="As `mails list` shows them.")] = None,
    *,
    ticket: Annotated[
        str | None, typer.Option("--ticket", metavar="NUMBER", help="All mails of a ticket.")
    ] = None,
    since: Since = None,
    failed: Annotated[bool, typer.Option("--failed", help="Mails in quarantine because of an error.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No letter leaves because of it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    json: Json = False,
) -> None:
    """Mails once more, from their stored bytes: as new where nothing came of them, else what differs."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        received_after = moment(since, house.calendar.zone)
        _check_choice(ids, ticket, given=received_after is not None or failed)
        with house.storage.read() as work:
            if ids:
                rows = _rows(work, ids)
            elif ticket:
                rows = _rows_of_ticket(work, ticket.removeprefix("#"))
            else:
                rows = _failed(work, received_after) if failed else work.mails.browse(since=received_after)
        results = _reprocess(house, rows, quiet=quiet, dry_run=dry_run)
    if json:
        print_json([reprocessed_as_json(result, dry_run=dry_run) for result in results])
    else:
        print_reprocessed(results, dry_run=dry_run)
    for result in results:
        if result.problem:
            complain(f"mailbot: {name_of(result)}: {result.problem}")
    if any(result.problem or result.outcome is MailOutcome.QUARANTINED for result in results):
        raise typer.Exit(Exit.NEEDS_A_LOOK)


def _check_choice(ids: list[int] | None, ticket: str | None, *, given: bool) -> None:
    chosen = [bool(ids), ticket is not None, given]
    if sum(chosen) != 1:
        raise fail("say which mails: their ids, or --ticket NUMBER, or --since DATE and --failed")


def _rows_of_ticket(work: UnitOfWork, number: str) -> list[InboundRow]:
    if work.tickets.get(number) is None:
        raise no_such_ticket(number)
    return work.mails.browse(ticket_number=number)


def _failed(work: UnitOfWork, since: datetime | None) -> list[InboundRow]:
    """Quarantined by an error; what is suspect waits for `mails release`."""
    quarantined = work.mails.browse(outcome=MailOutcome.QUARANTINED, since=since)
    return [row for row in quarantined if row.released or not row.suspect]


def _reprocess(house: App, rows: Sequence[InboundRow], *, quiet: bool, dry_run: bool) -> list[Reprocessed]:
    from mailbot.flows.reprocess import tasks_for
    from mailbot.leases import take_over_from_the_dead

    if not dry_run:
        take_over_from_the_dead(house)
    flow, tasks, results = house.reprocess(), tasks_for(rows), []
    with progress("reprocessing", len(tasks)) as done:
        for task in tasks:
            results.append(flow.do(task, quiet=quiet, dry_run=dry_run))
            done(1)
    return results


def _rows(work: UnitOfWork, ids: Sequence[int]) -> list[InboundRow]:
    """The mails with these ids, in order; ends the command if one does not exist."""
    found = [(mail_id, work.mails.get(mail_id)) for mail_id in dict.fromkeys(ids)]
    unknown = [str(mail_id) for mail_id, row in found if row is None]
    if unknown:
        raise fail(f"there is no mail {', '.join(unknown)}")
    return [row for _, row in found if row is not None]


def _read(row: InboundRow, house: App) -> InboundMail | None:
    try:
        return house.reader.read(house.blobs.get(row.raw_digest))
    except (UnreadableMail, MailTooLarge):
        return None


# --- shapes --------------------------------------------------------------------------------------------------


def _row_as_json(row: InboundRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "mailbox": row.mailbox,
        "received_at": row.received_at,
        "from": row.from_address,
        "subject": row.subject,
        "message_id": row.message_id,
        "outcome": row.outcome,
        "reason": row.reason,
        "ticket": row.ticket_number,
        "attempts": row.attempts,
    }


def _mail_as_json(row: InboundRow, mail: InboundMail | None, letters: Iterable[OutboundLetter]) -> dict[str, Any]:
    return {
        **_row_as_json(row),
        "folder": row.folder,
        "size_bytes": row.size_bytes,
        "deaths": row.deaths,
        "readable": mail is not None,
        "new_text": mail.new_text if mail else "",
        "attachments": [
            {
                "filename": one.filename,
                "media_type": one.media_type,
                "size_bytes": one.size_bytes,
                "sha256": one.sha256,
                "inline": one.inline,
            }
            for one in (mail.attachments if mail else ())
        ],
        "letters": [
            {
                "message_id": letter.message_id,
                "letter": letter.letter,
                "audience": letter.audience,
                "to": letter.recipient.address,
                "subject": letter.subject,
                "status": letter.status,
                "sent_at": letter.sent_at,
            }
            for letter in letters
        ],
    }


def _print_list(found: Iterable[InboundRow], house: App) -> None:
    print_table(
        ("ID", "OUTCOME", "TICKET", "FROM", "SUBJECT", "RECEIVED", "REASON"),
        [
            (
                str(row.id),
                row.outcome,
                row.ticket_number or "",
                row.from_address,
                row.subject,
                local(row.received_at, house.calendar.zone),
                row.reason,
            )
            for row in found
        ],
    )


def _print_mail(row: InboundRow, mail: InboundMail | None, letters: Iterable[OutboundLetter], house: App) -> None:
    rows = (
        ("Mail", f"{row.id} in {row.mailbox}, {row.folder}, {row.size_bytes} bytes"),
        ("Received", local(row.received_at, house.calendar.zone)),
        ("From", row.from_address),
        ("Subject", row.subject),
        ("Message-ID", row.message_id),
        ("Outcome", row.outcome),
        ("Reason", row.reason),
        ("Ticket", row.ticket_number or ""),
        ("Attempts", str(row.attempts) if row.attempts else ""),
        ("Letters", ", ".join(f"{one.letter} to {one.recipient.address} ({one.status})" for one in letters)),
        ("Files", ", ".join(one.filename for one in mail.attachments) if mail else ""),
    )
    for name, value in rows:
        if value:
            say(visible(f"{name + ':':<12}{value}"))
    say("")
    say("(this mail cannot be read)" if mail is None else visible(mail.new_text.rstrip()))
