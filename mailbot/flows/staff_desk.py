"""What staff do by mail, done by an administrator: ``(words, ticket) -> Done``, through the very same code.

The words are those of a mail's block, the actor is ``admin``. Nobody becomes responsible for a ticket by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.staff import AgentSpec
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.customer import Customer
from mailbot.domain.events import ADMIN, EventKind, OutboundLetter
from mailbot.domain.evidence import DocumentReading
from mailbot.domain.mail import Address
from mailbot.domain.orders import TranscriptLine
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.agents_words import AgentsWords
from mailbot.flows.case import Understood
from mailbot.flows.customer_of_ticket import with_new_customer
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mail_as_cause import nobodys_number
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.past import Knowledge
from mailbot.flows.ports import Storage
from mailbot.flows.retype import Retyping, type_ordered
from mailbot.flows.roster import duty_now, handed_out
from mailbot.flows.whole_change import RecordOf, WholeChanges
from mailbot.flows.write_change import write_change
from mailbot.triage.choose_customer import choose_customer
from mailbot.triage.decisions import RefuseAgentReply
from mailbot.triage.errands import CustomersMail


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of an administrator's words. ``ticket`` as it is then, or would be in a trial; ``refusal`` is set
    where nothing was done."""

    ticket: Ticket
    lines: tuple[TranscriptLine, ...] = ()
    letters: tuple[OutboundLetter, ...] = ()
    refusal: Refusal | None = None


class StaffDesk:
    """Opens, answers, decides and files tickets for an administrator."""

    def __init__(
        self,
        *,
        storage: Storage,
        known: Knowledge,
        parts: ExaminationParts,
        office: LetterOffice,
        retyping: Retyping,
        catalogue: Catalogue,
        calendar: BusinessCalendar,
        mailboxes: Mapping[str, ServedMailbox],
    ) -> None:
        self._storage = storage
        self._known = known
        self._parts = parts
        self._words = AgentsWords(parts)
        self._office = office
        self._retyping = retyping
        self._catalogue = catalogue
        self._changes = WholeChanges(parts=parts, calendar=calendar)
        self._mailboxes = mailboxes

    def order(self, ticket: Ticket, text: str, *, dry_run: bool) -> Done:
        """Do what ``text`` says on ``ticket``: words at its top, and what goes to the requester below them.

        Raises ``ConcurrentChange`` where somebody else changes the ticket meanwhile, and ``StorageUnavailable``.
        """
        mailbox = self._mailboxes[ticket.mailbox]
        found = self._understood(ticket, text, mailbox)
        orders = found.situation.orders
        lines = orders.transcript.lines if orders and orders.transcript else ()
        if isinstance(found.decision, RefuseAgentReply):
            return Done(ticket=ticket, lines=lines, refusal=found.decision.reason)
        change = self._carried_out(found, record_of=self._known.customer)
        return replace(self._done(change, mailbox, dry_run, found.new_readings), lines=lines)

    def _understood(self, ticket: Ticket, text: str, mailbox: ServedMailbox) -> Understood:
        """What ``text`` comes to; where it gives the ticket another type, by all its mails."""
        admin = AgentSpec(key=ADMIN, address=mailbox.address, name=mailbox.spec.name)
        found = self._words.ordered_by(admin, text, ticket, mailbox, self._known)
        ordered = type_ordered(found)
        again = self._retyping.recount(ticket, ordered, mailbox) if ordered else None
        if again is None:
            return found
        looked_again = {ordered: again.report}
        found = self._words.ordered_by(admin, text, ticket, mailbox, self._known, looked_again=looked_again)
        return replace(found, new_readings=again.new_readings)

    def say_whose(self, ticket: Ticket, customer: Customer) -> Done:
        """Make the ticket that customer's, as ``#cliente n`` does, whether or not a notice listed them.

        Of one that is finished, or that nobody works on here any more, nothing else changes. Raises as
        :meth:`order`.
        """
        is_at_work = ticket.mailbox in self._mailboxes and self._catalogue.has_type(ticket.request_type)
        if ticket.is_finished or not is_at_work:
            change = choose_customer(ticket, customer, actor=ADMIN, at=self._parts.now())
            with self._storage.write() as work:
                write_change(work, change)
            return Done(ticket=change.after)
        listed = tuple(dict.fromkeys((*ticket.customer.candidates, customer.id)))
        ticket = replace(ticket, customer=replace(ticket.customer, candidates=listed))
        return self.order(ticket, f"#{StaffWord.CLIENTE} {listed.index(customer.id) + 1}", dry_run=False)

    def open(
        self, wanted: CustomersMail, mailbox: ServedMailbox, request_type: str | None, *, dry_run: bool
    ) -> Done:
        """Open a ticket in a customer's name. Raises ``StorageUnavailable``."""
        found = self._words.opened_for(
            wanted, mailbox, self._known, request_type=request_type, by=Address(address=ADMIN)
        )
        with self._storage.write() as work:
            change = self._carried_out(
                found,
                record_of=work.customers.get,
                next_number=nobodys_number if dry_run else work.tickets.next_number,
            )
            if dry_run:
                return self._done(change, mailbox, dry_run)
            change = with_new_customer(work, change, found.situation, now=found.situation.now)
            change = handed_out(work, change, duty_now(work, self._catalogue, self._parts.now()))
            write_change(work, change)
            letters = self._office.tell(work, change, mailbox, now=self._parts.now())
        return Done(ticket=change.after, letters=tuple(letters))

    def _done(
        self,
        change: TicketChange,
        mailbox: ServedMailbox,
        dry_run: bool,
        new_readings: Sequence[DocumentReading] = (),
    ) -> Done:
        now = self._parts.now()
        if dry_run:
            planned = self._office.plan(change, mailbox, now=now)
            letters = [self._office.preview(one, mailbox, now=now) for one in planned]
        else:
            with self._storage.write() as work:
                change = handed_out(work, change, duty_now(work, self._catalogue, now))
                write_change(work, change)
                work.house.keep_readings(new_readings)
                letters = self._office.tell(work, change, mailbox, now=now)
        return Done(ticket=change.after, letters=tuple(letters))

    def _carried_out(
        self, found: Understood, *, record_of: RecordOf, next_number: Callable[[int], str] = nobodys_number
    ) -> TicketChange:
        change = self._changes.of(
            found,
            staff=self._parts.staff(self._known),
            record_of=record_of,
            next_number=next_number,
        )
        return _by_admin(change)


def _by_admin(change: TicketChange) -> TicketChange:
    """The change as an administrator's, and that of the ticket beside it: no mail caused it, and nobody else hears
    what they see before them."""
    by = change.agent.address if change.agent else ""
    beside = _by_admin(change.beside) if change.beside is not None else None
    events = tuple(
        replace(one, actor=ADMIN if one.actor == by else one.actor, mail_id=None)
        for one in change.events
        if not (one.kind is EventKind.ASSIGNED and one.new == by)
    )
    after = change.after
    if change.before is not None and after.assignee == by:
        after = replace(after, assignee=change.before.assignee)
    message = replace(change.message, mail_id=None, message_id="") if change.message else None
    elsewhere = tuple((number, replace(one, actor=ADMIN, mail_id=None)) for number, one in change.elsewhere)
    return replace(
        change,
        events=events,
        after=after,
        message=message,
        elsewhere=elsewhere,
        beside=beside,
        transcript=None,
    )
