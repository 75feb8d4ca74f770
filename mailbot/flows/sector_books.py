"""What a change makes due besides: the internal note and the book to the sector (R001-02, R001-12, R001-15).

``(TicketChange, Catalogue) -> TicketChange``, to be called before the change is written.
"""

from __future__ import annotations

from datetime import datetime

from mailbot.catalogue.facts.values import FactSources
from mailbot.catalogue.load import Catalogue
from mailbot.domain.customer import Customer
from mailbot.domain.mail import Address
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.triage.books import with_book, with_noted_fields


def with_books(
    change: TicketChange,
    catalogue: Catalogue,
    mailbox: ServedMailbox,
    *,
    now: datetime,
    record: Customer | None = None,
) -> TicketChange:
    """``change`` with the note and the book that its ticket is ready for. ``record`` is the known customer's."""
    ticket = change.after
    if not catalogue.has_type(ticket.request_type):
        return change
    kind = catalogue.type(ticket.request_type)
    noted = with_noted_fields(change, kind, Address(address=mailbox.address, name=mailbox.spec.name))
    if not kind.books:
        return noted
    sources = FactSources(
        fields={value.key: value for value in ticket.fields},
        units=catalogue.units,
        today=catalogue.calendar.local_day(now),
        documents=ticket.documents,
        requester=ticket.requester.address,
        customer=ticket.customer,
        customer_record=record,
        clients=catalogue.clients,
    )
    return with_book(noted, kind, sources)
