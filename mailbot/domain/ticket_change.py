"""What one mail, one agent's word or one tick of upkeep does to a ticket: the before, the after, the why."""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.domain.account_contacts import ContactChange
from mailbot.domain.events import EventKind, TicketEvent, TicketMessage
from mailbot.domain.mail import Address
from mailbot.domain.orders import Told, Transcript
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChange:
    """One change of one ticket, to be committed whole.

    ``before`` is ``None`` for a new ticket. ``may_answer`` is false where no letter may go to the requester
    because of what caused the change. ``verified`` tells that our server vouched for the sender's address.
    ``quiet``: nobody is told. ``refused_agent``/``refusal`` name an agent whose mail did not do what it said.
    ``code`` is what the agent has to confirm it with.
    ``which`` lists tickets of which one is meant. ``right_subject`` is set where another subject was written.
    ``beside`` is another ticket that is opened with it, or into which it is merged, in the same commit.
    ``words`` are an agent's words to the requester; ``already_sent`` tells that they have them already. ``told``
    and ``asks`` are what a letter of an agent's says besides: changes, and what is asked for. ``invites``: a visit
    was fixed. ``transcript`` is what the agent hears of their orders, ``opened_by`` who opened the ticket in its
    requester's name; ``elsewhere`` are events of other tickets.
    ``note`` is what the bot itself writes down beside the message, for staff.
    ``contact`` is who may write for an account from now on, or no longer.
    """

    before: Ticket | None
    after: Ticket
    events: tuple[TicketEvent, ...]
    message: TicketMessage | None = None
    may_answer: bool = True
    verified: bool = False
    quiet: bool = False
    agent: Address | None = None
    words: str = ""
    told: tuple[Told, ...] = ()
    asks: tuple[str, ...] = ()
    invites: bool = False
    transcript: Transcript | None = None
    opened_by: Address | None = None
    elsewhere: tuple[tuple[str, TicketEvent], ...] = ()
    already_sent: bool = False
    refused_agent: Address | None = None
    refusal: Refusal | None = None
    refused_word: str = ""
    code: str = ""
    which: tuple[str, ...] = ()
    right_subject: str = ""
    beside: TicketChange | None = None
    tell_as: str = ""
    bounced_recipient: str = ""
    bounce_diagnostic: str = ""
    bounced_letter: str = ""
    correction: bool = False
    contact: ContactChange | None = None
    note: TicketMessage | None = None

    def happened(self, kind: EventKind) -> bool:
        """Whether an event of this kind is part of the change."""
        return any(event.kind is kind for event in self.events)
