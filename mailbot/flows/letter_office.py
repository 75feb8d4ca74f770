"""Tells people: ``(TicketChange, UnitOfWork) -> letters in the outbox``, in the change's own transaction, or
written before it (:meth:`LetterOffice.write`) and put there by it (:meth:`LetterOffice.enqueue`).

Lays out what letters need (rules from the settings, the ticket's last messages, words of the language), has
them planned and hands them to :class:`Outgoing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.on_duty import Duty
from mailbot.correspondence.letters import made_void, plan_letters, shows_papers, taken_back
from mailbot.correspondence.planned import LetterDesk, PlannedLetter
from mailbot.correspondence.query_letters import letter_for_query
from mailbot.correspondence.render import LetterRenderer
from mailbot.correspondence.requester_letters import refuse_large_mail
from mailbot.correspondence.transcripts import confirm_errand, transcript
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.customer import Customer
from mailbot.domain.errors import ConcurrentChange
from mailbot.domain.events import AuthorRole, EventKind, OutboundLetter, TicketMessage
from mailbot.domain.identification import named_records
from mailbot.domain.mail import Address, InboundMail, Sender
from mailbot.domain.orders import Transcript
from mailbot.domain.self_service import ArticleVotes, QueryReply
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.evidence.uses import same_payment_on
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.outgoing import Outgoing, WrittenLetter
from mailbot.flows.ports import UnitOfWork
from mailbot.flows.roster import duty_now, with_staff

_ANSWERED_BY_A_PERSON = "a person answered from the shared mailbox"

LAST_MESSAGES = 5
"""How many of a ticket's messages its letters may quote."""

WHOLE_HISTORY = 200
"""How many of them an agent is sent who asks for all; a letter holds no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTimes:
    """How long a later checklist waits for a newer one, and a decision for being taken back."""

    quiet_time: timedelta
    undo_time: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database knows beside the ticket: the records that it names, votes on articles, who works here."""

    customers: tuple[Customer, ...]
    votes: Mapping[str, ArticleVotes]
    duty: Duty
    duplicates: tuple[Ticket, ...] = ()
    decision_stopped: bool = False


class LetterOffice:
    """Writes all letters of a change."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        calendar: BusinessCalendar,
        renderer: LetterRenderer,
        outgoing: Outgoing,
        waiting: WaitingTimes,
    ) -> None:
        self._catalogue = catalogue
        self._catalogues: dict[str, Catalogue] = {}
        self._calendar = calendar
        self._renderer = renderer
        self._outgoing = outgoing
        self._waiting = waiting

    def write(
        self, work: UnitOfWork, change: TicketChange, mailbox: ServedMailbox, duty: Duty, *, now: datetime
    ) -> tuple[WrittenLetter, ...]:
        """The letters of a change that is still to be made and takes none back, written from what ``work`` reads;
        nothing is stored."""
        messages = _last_messages(work, change, is_written=False)
        planned = self._plan_for(work, change, mailbox, duty, messages, now=now, decision_stopped=False)
        return tuple(self._outgoing.write(one, mailbox, now) for one in planned)

    def enqueue(
        self,
        work: UnitOfWork,
        change: TicketChange,
        letters: Sequence[WrittenLetter],
        *,
        now: datetime,
        mail_id: int,
    ) -> list[OutboundLetter]:
        """Put the letters of a change, already written to the ticket, into the outbox."""
        _stop_letters(work, change)
        return self._outgoing.enqueue(work, letters, now=now, mail_id=mail_id, answers=_opening_mail(change))

    def tell(
        self,
        work: UnitOfWork,
        change: TicketChange,
        mailbox: ServedMailbox,
        *,
        now: datetime,
        mail_id: int | None = None,
    ) -> list[OutboundLetter]:
        """Write the letters of a change, already written to the ticket, and put them into the outbox."""
        was_stopped = _stop_letters(work, change)
        duty = duty_now(work, self._catalogue, now)
        messages = _last_messages(work, change, is_written=True)
        planned = self._plan_for(work, change, mailbox, duty, messages, now=now, decision_stopped=was_stopped)
        answers = _opening_mail(change)
        letters = self._outgoing.write_and_enqueue(
            work, planned, mailbox=mailbox, now=now, mail_id=mail_id, answers=answers
        )
        if change.beside is not None:
            letters += self.tell(work, change.beside, mailbox, now=now, mail_id=mail_id)
        return letters

    def _plan_for(
        self,
        work: UnitOfWork,
        change: TicketChange,
        mailbox: ServedMailbox,
        duty: Duty,
        messages: tuple[TicketMessage, ...],
        *,
        now: datetime,
        decision_stopped: bool,
    ) -> tuple[PlannedLetter, ...]:
        """The letters that a change calls for, with all that ``work`` knows."""
        opened = change.before is None and self._catalogue.type(change.after.request_type).suggest_articles
        which = [ticket for number in change.which if (ticket := work.tickets.get(number)) is not None]
        known = Known(
            customers=tuple(work.customers.get_many(named_records(change.after.customer))),
            votes=work.feedback.votes() if opened else {},
            duty=duty,
            duplicates=duplicates_of(work, change, self._catalogue),
            decision_stopped=decision_stopped,
        )
        return self.plan(
            change,
            mailbox,
            now=now,
            messages=messages,
            open_tickets=tuple(which),
            shows_pages=True,
            known=known,
        )

    def plan(
        self,
        change: TicketChange,
        mailbox: ServedMailbox,
        *,
        now: datetime,
        messages: tuple[TicketMessage, ...] = (),
        open_tickets: tuple[Ticket, ...] = (),
        shows_pages: bool = False,
        known: Known | None = None,
    ) -> tuple[PlannedLetter, ...]:
        """The letters that a change calls for; nothing is stored."""
        desk = self._desk(mailbox, change.after.language, now, messages, open_tickets, shows_pages=shows_pages)
        if known is None:
            return plan_letters(change, desk)
        return plan_letters(
            change,
            replace(
                desk,
                catalogue=with_staff(desk.catalogue, known.duty),
                house_catalogue=with_staff(self._catalogue_in(mailbox.spec.language), known.duty),
                away=known.duty.away,
                customers=known.customers,
                duplicates=known.duplicates,
                decision_stopped=known.decision_stopped,
                useful_votes={article: one.useful for article, one in known.votes.items()},
            ),
        )

    def preview(self, planned: PlannedLetter, mailbox: ServedMailbox, *, now: datetime) -> OutboundLetter:
        """A planned letter as it would be written; nothing is stored."""
        return self._outgoing.write(planned, mailbox, now).letter

    def plan_answer(self, reply: QueryReply, mailbox: ServedMailbox, *, now: datetime) -> PlannedLetter:
        """The answer to a customer word; nothing is stored."""
        language = reply.language or mailbox.spec.language
        return letter_for_query(reply, self._desk(mailbox, language, now, reply.messages, ()))

    def answer(
        self,
        work: UnitOfWork,
        reply: QueryReply,
        mailbox: ServedMailbox,
        *,
        now: datetime,
        mail_id: int,
        answers: str,
    ) -> list[OutboundLetter]:
        """Put the answer to a customer word into the outbox; ``answers`` is the Message-ID of the mail."""
        planned = self.plan_answer(reply, mailbox, now=now)
        return self._outgoing.write_and_enqueue(
            work, [planned], mailbox=mailbox, now=now, mail_id=mail_id, answers=answers
        )

    def plan_agent_answer(
        self, told: Transcript, sender: Sender, mailbox: ServedMailbox, *, now: datetime
    ) -> PlannedLetter:
        """What an agent hears of an errand, at the registered address; nothing is stored."""
        spec = self._catalogue.staff.agent(sender.agent_key or "")
        agent = Address(address=spec.address, name=spec.name) if spec else sender.address
        desk = self._desk(mailbox, mailbox.spec.language, now, (), ())
        return confirm_errand(told, desk, agent) if told.code else transcript(told, desk, agent)

    def answer_agent(
        self,
        work: UnitOfWork,
        told: Transcript,
        sender: Sender,
        mailbox: ServedMailbox,
        *,
        now: datetime,
        mail_id: int,
    ) -> None:
        """Tell an agent what became of an errand."""
        planned = self.plan_agent_answer(told, sender, mailbox, now=now)
        self._outgoing.write_and_enqueue(work, [planned], mailbox=mailbox, now=now, mail_id=mail_id)

    def plan_large_mail_refusal(
        self, mail: InboundMail, size_bytes: int, mailbox: ServedMailbox, *, now: datetime
    ) -> PlannedLetter:
        """The letter to a sender whose mail is too large to be taken; nothing is stored."""
        desk = self._desk(mailbox, mailbox.spec.language, now, (), ())
        return refuse_large_mail(mail.sender, mail.subject, size_bytes, mailbox.spec.max_wire_bytes, desk)

    def refuse_large_mail(
        self,
        work: UnitOfWork,
        mail: InboundMail,
        size_bytes: int,
        mailbox: ServedMailbox,
        *,
        mail_id: int,
        now: datetime,
    ) -> None:
        """Tell a sender that the mail is too large to be taken."""
        letter = self.plan_large_mail_refusal(mail, size_bytes, mailbox, now=now)
        self._outgoing.write_and_enqueue(
            work, [letter], mailbox=mailbox, now=now, mail_id=mail_id, answers=mail.message_id
        )

    def _catalogue_in(self, language: str) -> Catalogue:
        if language not in self._catalogues:
            self._catalogues[language] = self._catalogue.in_language(language)
        return self._catalogues[language]

    def _desk(
        self,
        mailbox: ServedMailbox,
        language: str,
        now: datetime,
        messages: tuple[TicketMessage, ...],
        open_tickets: tuple[Ticket, ...],
        shows_pages: bool = False,
    ) -> LetterDesk:
        return LetterDesk(
            catalogue=self._catalogue_in(language),
            mailbox=mailbox.spec,
            mailbox_address=mailbox.address,
            words=self._renderer.words(language),
            house_words=self._renderer.words(mailbox.spec.language),
            house_catalogue=self._catalogue_in(mailbox.spec.language),
            zone=self._calendar.zone,
            now=now,
            quiet_time=self._waiting.quiet_time,
            undo_time=self._waiting.undo_time,
            messages=messages,
            open_tickets=open_tickets,
            shows_pages=shows_pages,
        )


def duplicates_of(work: UnitOfWork, change: TicketChange, catalogue: Catalogue) -> tuple[Ticket, ...]:
    """The requester's other open tickets that are about the same boleto or payment, where agents are told."""
    ticket = change.after
    kind = catalogue.type(ticket.request_type)
    are_told = shows_papers(change, kind) or change.opened_by is not None
    if not are_told or ticket.is_finished:
        return ()
    others = (work.tickets.get(number) for number in same_payment_on(ticket.documents))
    return tuple(
        one
        for one in others
        if one is not None
        and not one.is_finished
        and one.requester.address == ticket.requester.address
        and (one.mailbox, one.number) != (ticket.mailbox, ticket.number)
        and one.mailbox == ticket.mailbox
    )


def _stop_letters(work: UnitOfWork, change: TicketChange) -> bool:
    """What the change takes back or makes pointless leaves no more; whether a decision was stopped so. Raises
    ``ConcurrentChange`` where a decision that was to be taken back has begun to leave this very moment.
    """
    ticket = change.after
    stopped = 0
    for address in (ticket.requester.address, *ticket.participants):
        if kinds := taken_back(change):
            stopped += work.outbox.stop_waiting(ticket.number, address, kinds)
        if kinds := made_void(change):
            work.outbox.supersede(ticket.number, address, kinds, why=_ANSWERED_BY_A_PERSON)
    if change.happened(EventKind.UNDONE) and not stopped:
        raise ConcurrentChange(f"the decision on ticket {ticket.number} has begun to leave")
    return stopped > 0


def _last_messages(work: UnitOfWork, change: TicketChange, *, is_written: bool) -> tuple[TicketMessage, ...]:
    """The ticket's last messages with those of the change, whether they are written already or not. A ticket
    opened just now has no message but the one that opened it."""
    if change.before is None and change.message is not None:
        return (change.message,)
    whole = change.transcript is not None and change.transcript.history
    shown = WHOLE_HISTORY if whole else LAST_MESSAGES
    new = () if is_written else [one for one in (change.message, change.note) if one is not None]
    return tuple([*work.tickets.last_messages(change.after.number, shown), *new][-shown:])


def _opening_mail(change: TicketChange) -> str:
    """Message-ID of the requester's own mail that opened the ticket just now, else nothing."""
    message = change.message
    if change.before is not None or message is None or message.role is AuthorRole.AGENT:
        return ""
    return message.message_id if message.author.address == change.after.requester.address else ""
