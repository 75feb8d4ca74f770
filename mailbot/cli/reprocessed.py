"""What reprocessing came to, as JSON and for people: before → after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mailbot.cli.explained import document_as_json, fields_as_json
from mailbot.cli.listing import one_line
from mailbot.cli.output import say
from mailbot.domain.ticket import Ticket

if TYPE_CHECKING:
    from mailbot.flows.reprocess import Reprocessed


_NOTHING = "(nothing)"


def reprocessed_as_json(result: Reprocessed, *, dry_run: bool) -> dict[str, Any]:
    """One object a mail without outcome, one a ticket; every key always. ``before`` is null where there was no
    ticket, ``after`` where there is none."""
    return {
        "mails": list(result.mail_ids),
        "ticket": result.ticket_number,
        "dry_run": dry_run,
        "changed": result.changed,
        "outcome": result.outcome,
        "reason": result.reason,
        "problem": result.problem,
        "before": _state_as_json(result.before) if result.before else None,
        "after": _state_as_json(result.after) if result.after else None,
        "letters": [
            {
                "letter": letter.letter,
                "audience": letter.audience,
                "to": letter.recipient.address,
                "subject": letter.subject,
                "text": letter.text,
            }
            for letter in result.letters
        ],
    }


def _state_as_json(ticket: Ticket) -> dict[str, Any]:
    return {
        "request_type": ticket.request_type,
        "title": ticket.title,
        "status": ticket.status,
        "resolution": ticket.resolution,
        "queue": ticket.queue,
        "fields": fields_as_json(ticket.fields),
        "documents": [document_as_json(finding) for finding in ticket.documents],
        "missing": list(ticket.missing),
        "mismatches": [{"key": one.key, "reason": one.reason} for one in ticket.mismatches],
    }


def print_reprocessed(results: Sequence[Reprocessed], *, dry_run: bool) -> None:
    """A paragraph for everything that changed, and how many did."""
    for result in results:
        if result.changed:
            say(
                one_line(f"{name_of(result)}: {result.outcome}" + (f" ({result.reason})" if result.reason else ""))
            )
            for what, old, new in _differences(result.before, result.after):
                say("  " + one_line(f"{what}: {old or _NOTHING} → {new or _NOTHING}"))
            for letter in result.letters:
                say("  " + one_line(f"letter: {letter.letter} to {letter.recipient.address}"))
    changed = sum(result.changed for result in results)
    say(f"{changed} of {len(results)} {'would change; nothing was written' if dry_run else 'changed'}")


def name_of(result: Reprocessed) -> str:
    """How a message calls what was reprocessed."""
    mails = f"mail {', '.join(map(str, result.mail_ids))}"
    return f"ticket {result.ticket_number} ({mails})" if result.ticket_number else mails


def _differences(before: Ticket | None, after: Ticket | None) -> Iterator[tuple[str, str, str]]:
    old, new = _readable(before), _readable(after)
    for what in dict.fromkeys([*old, *new]):
        if old.get(what, "") != new.get(what, ""):
            yield what, old.get(what, ""), new.get(what, "")


def _readable(ticket: Ticket | None) -> dict[str, str]:
    if ticket is None:
        return {}
    return {
        "request type": ticket.request_type,
        "queue": ticket.queue,
        "title": ticket.title,
        "status": ticket.status + (f" ({ticket.resolution})" if ticket.resolution else ""),
        **{f"field {one.key}": one.value + ("" if one.valid else f" ({one.reason})") for one in ticket.fields},
        "documents": ", ".join(
            f"{one.filename}: {one.verdict}" + (f" as {one.requirement}" if one.requirement else "")
            for one in ticket.documents
        ),
        "missing": ", ".join(ticket.missing),
        "mismatches": ", ".join(f"{one.key}: {one.reason}" for one in ticket.mismatches),
    }
