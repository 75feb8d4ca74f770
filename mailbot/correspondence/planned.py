"""What letters are planned with and what a plan holds: a letter before it has a handle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.mailboxes import MailboxSpec
from mailbot.catalogue.on_duty import Duty
from mailbot.correspondence.context import LetterView
from mailbot.correspondence.words import Words
from mailbot.domain.customer import Customer
from mailbot.domain.events import Audience, HandlePurpose, LetterKind, StoredFile, TicketMessage
from mailbot.domain.mail import Address
from mailbot.domain.notice_pages import PagesToDraw
from mailbot.domain.ticket import Ticket

CHECKLISTS = (
    LetterKind.TICKET_OPENED,
    LetterKind.EVIDENCE_REQUESTED,
    LetterKind.EVIDENCE_COMPLETE,
    LetterKind.CONTACT_CONFIRMATION,
    LetterKind.REMINDER,
    LetterKind.TICKET_EXPIRED,
)
"""Letters that state how the request stands: an unsent one is replaced by any newer one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterDesk:
    """What letters need besides the change itself. ``messages`` are the ticket's last ones, oldest first;
    ``open_tickets`` those of which one is meant; ``shows_pages``: agents see the pages of files, not where
    nothing is ever drawn (a mere explanation); ``customers`` are the records that the ticket names,
    ``duplicates`` its requester's other open tickets with a paper of this one, ``decision_stopped``: one that
    waited leaves no more, ``useful_votes`` how many people found an article useful; ``away`` the keys of
    absent agents, each with a deputy's or nothing."""

    catalogue: Catalogue
    mailbox: MailboxSpec
    mailbox_address: str
    words: Words
    zone: tzinfo
    now: datetime
    quiet_time: timedelta
    undo_time: timedelta
    messages: tuple[TicketMessage, ...] = ()
    open_tickets: tuple[Ticket, ...] = ()
    shows_pages: bool = False
    customers: tuple[Customer, ...] = ()
    duplicates: tuple[Ticket, ...] = ()
    decision_stopped: bool = False
    useful_votes: Mapping[str, int] = field(default_factory=dict)
    house_words: Words | None = None
    house_catalogue: Catalogue | None = None

    @property
    def for_staff(self) -> LetterDesk:
        """The same desk in the language that the mailbox's staff read, whatever the customer's is."""
        words, catalogue = self.house_words or self.words, self.house_catalogue or self.catalogue
        return replace(self, words=words, catalogue=catalogue)

    away: Mapping[str, str] = field(default_factory=dict)

    @property
    def duty(self) -> Duty:
        """Who works here now."""
        return Duty(staff=self.catalogue.staff, away=self.away)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLetter:
    """A letter before it has a handle: to whom, what, when, instead of what.

    ``delay`` counts from now. ``replaces`` are unsent letters of the same ticket and recipient that this one
    makes out of date. ``automatic`` is false for an agent's own words. ``pages`` are drawn before it leaves.
    """

    letter: LetterKind
    audience: Audience
    purpose: HandlePurpose | None
    recipient: Address
    sender_name: str
    view: LetterView
    language: str
    automatic: bool
    ticket_number: str | None = None
    request_type: str | None = None
    auto_submitted: str = "auto-replied"
    delay: timedelta = timedelta()
    replaces: tuple[LetterKind, ...] = ()
    files: tuple[StoredFile, ...] = ()
    pages: PagesToDraw | None = None
    calendar: str = ""
    verified_recipient: bool = field(default=False)
