"""A ticket whose requester gives it another type: all its mails are held against what that one asks for.

``(Understood, Archive) -> Understood`` with the evidence of the new type; nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from mailbot.domain.events import StoredFile
from mailbot.domain.ledger import InboundRow
from mailbot.flows.archive import Archive, kept_mails, rows_that_count
from mailbot.flows.case import KeptMail, Understood
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.readings import FileReadings
from mailbot.flows.recount import Recounter
from mailbot.flows.remember import StoredKnowledge
from mailbot.triage.decisions import ActOnQuery


def with_evidence_of_new_type(
    found: Understood,
    files: Sequence[StoredFile],
    mailbox: ServedMailbox,
    *,
    archive: Archive,
    recounter: Recounter,
    reader: FileReadings | None,
) -> Understood:
    """What was found, with the evidence that the ticket's mails and this one are for the type that it becomes; as
    it is where it becomes no other. Raises what ``reader`` raises while files are still being read."""
    decision, ticket = found.decision, found.situation.ticket
    if not isinstance(decision, ActOnQuery) or not decision.request_type or ticket is None:
        return found
    with archive.storage.read() as work:
        messages = work.tickets.messages(ticket.number)
        rows = rows_that_count(work, messages)
    kept = kept_mails(archive, _that_fit(rows), ticket, messages, store=True, skip_unreadable=True)
    # The word itself is no answer to anything.
    this = replace(found.mail, new_text=decision.query.note, subject="")
    retyped = replace(ticket, request_type=decision.request_type)
    recount = recounter.recount(
        chain(kept, [KeptMail(mail=this, arrived_at=found.situation.arrived_at, files=files)]),
        retyped,
        mailbox,
        StoredKnowledge(archive.storage),
        # What the bot would answer by itself is a suggestion here: nobody asked for that answer.
        in_hands=True,
        reader=reader,
    )
    situation = replace(found.situation, request_type=recount.request_type, report=recount.report)
    return replace(
        found,
        request_type=recount.request_type,
        report=recount.report,
        new_readings=recount.new_readings,
        situation=situation,
    )


_MOST_MAILS = 60
_MOST_BYTES = 200_000_000


def _that_fit(rows: Sequence[InboundRow]) -> list[InboundRow]:
    """The first mail and the newest ones: a requester's word must not make us read for hours."""
    room, newest = _MOST_BYTES, []
    for row in reversed(rows[1:][-_MOST_MAILS:]):
        room -= row.size_bytes
        if room < 0:
            break
        newest.append(row)
    return [*rows[:1], *reversed(newest)]
