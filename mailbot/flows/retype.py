"""A ticket that gets another type, by its requester or an agent: all its mails are held against what that one asks
for, and files that nobody had to read are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from mailbot.domain.events import EventKind, StoredFile
from mailbot.domain.ledger import InboundRow
from mailbot.domain.ticket import Ticket
from mailbot.flows.archive import Archive, kept_mails, rows_that_count
from mailbot.flows.case import KeptMail, Recount, Understood
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.recount import Recounter
from mailbot.flows.remember import StoredKnowledge
from mailbot.triage.decisions import ActOnQuery, ApplyAgentReply


def type_ordered(found: Understood) -> str:
    """The key of the type that an agent's words give the ticket, empty where they give none."""
    orders = found.situation.orders
    if not isinstance(found.decision, ApplyAgentReply) or orders is None:
        return ""
    return next((effect.new for effect in orders.effects if effect.kind is EventKind.TYPE_CHANGED), "")


class Retyping:
    """Looks again at a ticket's mails for another type. Writes nothing."""

    def __init__(self, *, archive: Archive, recounter: Recounter) -> None:
        self._archive = archive
        self._recounter = recounter

    def with_evidence_of_new_type(
        self, found: Understood, files: Sequence[StoredFile], mailbox: ServedMailbox
    ) -> Understood:
        """What was found, with the evidence that the ticket's mails and this one are for the type that its
        requester gives it; as it is where that is no other. Raises ``WaitsForReading`` where the mail in
        hand is to be parked."""
        decision, ticket = found.decision, found.situation.ticket
        if not isinstance(decision, ActOnQuery) or not decision.request_type or ticket is None:
            return found
        # The word itself is no answer to anything.
        this = replace(found.mail, new_text=decision.query.note, subject="")
        of_this = KeptMail(mail=this, arrived_at=found.situation.arrived_at, files=files)
        recount = self.recount(ticket, decision.request_type, mailbox, of_this)
        if recount is None:
            return found
        situation = replace(found.situation, request_type=recount.request_type, report=recount.report)
        return replace(found, situation=situation, new_readings=recount.new_readings)

    def recount(
        self, ticket: Ticket, request_type: str, mailbox: ServedMailbox, *further: KeptMail
    ) -> Recount | None:
        """What the ticket's mails, and ``further`` ones, come to for ``request_type``; ``None`` where there are
        none, as where a command opened it. Raises as above."""
        with self._archive.storage.read() as work:
            messages = work.tickets.messages(ticket.number)
            rows = rows_that_count(work, messages)
        if not (rows or further):
            return None
        kept = kept_mails(self._archive, _that_fit(rows), ticket, messages, store=True, skip_unreadable=True)
        return self._recounter.recount(
            chain(kept, further),
            replace(ticket, request_type=request_type),
            mailbox,
            StoredKnowledge(self._archive.storage),
            # What the bot would answer by itself is a suggestion here: nobody asked for that answer.
            in_hands=True,
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
