"""A change into the database, in the transaction of whoever made it: ``(UnitOfWork, TicketChange) -> None``."""

from __future__ import annotations

from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.ports import UnitOfWork


def write_change(work: UnitOfWork, change: TicketChange) -> None:
    """Write a ticket's new value, message and events, and those of the ticket that changes beside it.

    Raises ``ConcurrentChange``.
    """
    if change.before is None:
        work.tickets.add(change.after)
    else:
        work.tickets.change(change.after, expected_version=change.before.version)
    if change.message is not None:
        work.tickets.add_message(change.after.number, change.message)
    if change.note is not None:
        work.tickets.add_message(change.after.number, change.note)
    work.tickets.add_events(change.after.number, change.events)
    if change.before is None or change.after.documents != change.before.documents:
        work.papers.note_uses(change.after)
    for number, event in change.elsewhere:
        work.tickets.add_events(number, [event])
    if change.beside is not None:
        write_change(work, change.beside)
