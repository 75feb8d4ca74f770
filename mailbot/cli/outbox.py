"""``mailbot outbox list | show | retry | cancel | release``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Annotated, Any

import typer

from mailbot.bootstrap import App
from mailbot.cli.context import open_app, set_up_logging
from mailbot.cli.listing import Json, Limit, Since, fail, local, moment, print_table
from mailbot.cli.output import Exit, complain, own_errors, print_json, say, visible
from mailbot.cli.tickets import file_as_json
from mailbot.correspondence.openings import closed
from mailbot.domain.events import LetterStatus, OutboundLetter
from mailbot.domain.outbox import LetterRow
from mailbot.flows.ports import UnitOfWork

app = typer.Typer(name="outbox", help="Letters on their way out.", no_args_is_help=True)

OfStatus = Annotated[LetterStatus | None, typer.Option("--status", help="Only letters of this status.")]
OfTicket = Annotated[str | None, typer.Option("--ticket", metavar="NUMBER", help="Only letters of this ticket.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Message-IDs, or the handles in them.")]


@app.command("list")
def list_(
    *,
    status: OfStatus = None,
    ticket: OfTicket = None,
    since: Since = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Letters, newest first."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        written_after = moment(since, house.calendar.zone)
        with house.storage.read() as work:
            found = work.outbox.browse(status=status, ticket_number=ticket, since=written_after, limit=limit)
        if json:
            print_json([_row_as_json(row) for row in found])
        else:
            _print_list(found, house)


@app.command("show")
def show(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="A Message-ID, or the handle in it.")],
    *,
    json: Json = False,
) -> None:
    """One letter as it was written."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        with house.storage.read() as work:
            letter = closed(_letters(work, [message_id])[0])
        if json:
            print_json(_letter_as_json(letter))
        else:
            _print_letter(letter, house)


@app.command("retry")
def retry(ids: Ids, *, json: Json = False) -> None:
    """Try failed and doubtful letters again, at once and under the same Message-ID."""
    _do_to_each(
        ids,
        lambda work, letter, house: work.outbox.retry(letter.message_id, now=house.clock.now()),
        done="retried",
        json=json,
    )


@app.command("cancel")
def cancel(ids: Ids, *, json: Json = False) -> None:
    """Do not send letters that have not left."""
    _do_to_each(
        ids,
        lambda work, letter, _house: work.outbox.cancel(letter.message_id),
        done="cancelled",
        json=json,
    )


@app.command("release")
def release(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Message-IDs, or the handles in them.")
    ] = None,
    *,
    ticket: OfTicket = None,
    since: Since = None,
    json: Json = False,
) -> None:
    """Let held letters leave: these, or those of a ticket or since a date, or all."""
    set_up_logging()
    with own_errors(), closing(open_app()) as house:
        if ids and (ticket or since):
            raise fail("either name the letters, or say --ticket or --since")
        written_after = moment(since, house.calendar.zone)
        now = house.clock.now()
        with house.storage.write() as work:
            if ids:
                letters = _letters(work, ids)
                held = [one.message_id for one in letters if one.status is LetterStatus.HELD]
                released = sum(work.outbox.release_held(now=now, message_id=one) for one in held)
            else:
                released = work.outbox.release_held(now=now, ticket_number=ticket, since=written_after)
    if json:
        print_json({"released": released})
    else:
        say(f"released {released} letter{'' if released == 1 else 's'}")
    if ids and released < len(set(ids)):
        raise typer.Exit(Exit.NEEDS_A_LOOK)


# --- letters by name -----------------------------------------------------------------------------------------


def _letters(work: UnitOfWork, ids: Sequence[str]) -> list[OutboundLetter]:
    """The letters so named; ends the command if one does not exist."""
    found = [(one, _letter(work, one.strip().strip("<>"))) for one in dict.fromkeys(ids)]
    unknown = [one for one, letter in found if letter is None]
    if unknown:
        raise fail(f"there is no letter {', '.join(unknown)}")
    return [letter for _, letter in found if letter is not None]


def _letter(work: UnitOfWork, name: str) -> OutboundLetter | None:
    return work.outbox.by_message_id(name) or work.outbox.by_handle(name.lower())


def _do_to_each(
    ids: Sequence[str],
    act: Callable[[UnitOfWork, OutboundLetter, App], bool],
    *,
    done: str,
    json: bool,
) -> None:
    set_up_logging()
    with own_errors(), closing(open_app()) as house, house.storage.write() as work:
        letters = _letters(work, ids)
        worked = [letter for letter in letters if act(work, letter, house)]
    refused = [letter for letter in letters if letter not in worked]
    if json:
        print_json(
            {
                done: [letter.message_id for letter in worked],
                "refused": [{"message_id": one.message_id, "status": one.status} for one in refused],
            }
        )
    else:
        say(f"{done} {len(worked)} letter{'' if len(worked) == 1 else 's'}")
    for letter in refused:
        complain(f"mailbot: {letter.message_id} is {letter.status}: not {done}")
    if refused:
        raise typer.Exit(Exit.NEEDS_A_LOOK)


# --- shapes --------------------------------------------------------------------------------------------------


def _row_as_json(row: LetterRow) -> dict[str, Any]:
    return {
        "message_id": row.message_id,
        "ticket": row.ticket_number,
        "letter": row.letter,
        "audience": row.audience,
        "to": row.to,
        "subject": row.subject,
        "status": row.status,
        "attempts": row.attempts,
        "not_before": row.not_before,
        "last_error": row.last_error,
        "hold_reason": row.hold_reason,
    }


def _letter_as_json(letter: OutboundLetter) -> dict[str, Any]:
    return {
        "message_id": letter.message_id,
        "ticket": letter.ticket_number,
        "letter": letter.letter,
        "audience": letter.audience,
        "to": letter.recipient.address,
        "subject": letter.subject,
        "status": letter.status,
        "attempts": letter.attempts,
        "not_before": letter.not_before,
        "last_error": letter.last_error,
        "hold_reason": letter.hold_reason,
        "created_at": letter.created_at,
        "sent_at": letter.sent_at,
        "mail_id": letter.mail_id,
        "in_reply_to": letter.in_reply_to,
        "attachments": [file_as_json(file) for file in letter.files],
        "text": letter.text,
        "html": letter.html,
    }


def _print_list(found: Iterable[LetterRow], house: App) -> None:
    zone = house.calendar.zone
    print_table(
        ("MESSAGE-ID", "STATUS", "LETTER", "TICKET", "TO", "WRITTEN", "TRIES", "WHY"),
        [
            (
                row.message_id,
                row.status,
                row.letter,
                row.ticket_number or "",
                row.to,
                local(row.created_at, zone),
                str(row.attempts),
                row.hold_reason or row.last_error,
            )
            for row in found
        ],
    )


def _print_letter(letter: OutboundLetter, house: App) -> None:
    zone = house.calendar.zone
    rows = (
        ("Message-ID", letter.message_id),
        ("Letter", f"{letter.letter} to {letter.audience}"),
        ("Ticket", letter.ticket_number or ""),
        ("To", letter.recipient.address),
        ("Subject", letter.subject),
        ("Status", letter.status + (f" ({letter.hold_reason})" if letter.hold_reason else "")),
        ("Written", local(letter.created_at, zone)),
        ("Not before", local(letter.not_before, zone)),
        ("Sent", local(letter.sent_at, zone)),
        ("Tries", str(letter.attempts)),
        ("Last error", letter.last_error),
        ("Files", ", ".join(file.filename for file in letter.files)),
    )
    for name, value in rows:
        if value:
            say(visible(f"{name + ':':<13}{value}"))
    say("")
    say(visible(letter.text.rstrip()))
