"""What would become of a mail, and why: ``bytes -> Explanation``. Nothing is stored or sent.

The same examination, change and letters as in ``handle_mail.py``, held against the past of a mailbox that begins
today; where intake would quarantine a mail, the explanation says so instead of raising.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.errors import MailTooLarge, UnreadableMail
from mailbot.domain.events import OutboundLetter, StoredFile
from mailbot.domain.ledger import TOO_LARGE
from mailbot.domain.mail import Discarded, InboundMail
from mailbot.domain.ticket import Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.flows.case import Examination, ScreenedOut, Understood
from mailbot.flows.examination_parts import ExaminationParts
from mailbot.flows.examine import Examiner
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mail_as_cause import stored_files
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.past import NothingKnown
from mailbot.flows.ports import MailReader
from mailbot.flows.query_answers import plan_unasked
from mailbot.flows.whole_change import WholeChanges
from mailbot.mime.structure import header_only
from mailbot.triage.decisions import AnswerAgent, AnswerQuery, Discard


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that can be said of a mail. ``unreadable`` says why nothing more is known of it (then ``mail`` and
    ``found`` are absent), ``is_no_mail`` that there are no bytes to explain; ``ticket`` is as
    it would be afterwards, ``letters`` as they would be written."""

    mail: InboundMail | None = None
    found: Examination | None = None
    ticket: Ticket | None = None
    letters: tuple[OutboundLetter, ...] = ()
    unreadable: str = ""
    is_no_mail: bool = False


class Explainer:
    """Explains mails as if each were the first that its mailbox ever saw."""

    def __init__(
        self, *, reader: MailReader, parts: ExaminationParts, office: LetterOffice, calendar: BusinessCalendar
    ) -> None:
        self._reader = reader
        self._parts = parts
        self._examiner = Examiner(parts)
        self._office = office
        self._changes = WholeChanges(parts=parts, calendar=calendar)

    def explain(self, raw: bytes, mailbox: ServedMailbox) -> Explanation:
        """Explain one mail that came to ``mailbox``; never raises for whatever bytes."""
        try:
            return self._explained(raw, mailbox)
        except UnreadableMail as error:
            return Explanation(unreadable=str(error))
        except Exception as error:
            # Intake would count three attempts and quarantine the mail with the same cause.
            return Explanation(unreadable=f"{type(error).__name__}: {error}")

    def _explained(self, raw: bytes, mailbox: ServedMailbox) -> Explanation:
        if len(raw) > mailbox.spec.max_wire_bytes:
            return self._too_large(raw, mailbox)
        try:
            mail = self._reader.read(raw)
        except MailTooLarge:
            return self._too_large(raw, mailbox)
        # Nothing is stored: the plain digest stands where the keyed one would.
        files = stored_files(mail, [attachment.sha256 for attachment in mail.attachments])
        found = self._examiner.examine(mail, files, mailbox, NothingKnown())
        if not isinstance(found, ScreenedOut) and isinstance(found.decision, AnswerQuery):
            answer = plan_unasked(self._office, found.decision, found.situation, mailbox)
            now = self._parts.now()
            letters = () if answer is None else (self._office.preview(answer, mailbox, now=now),)
            return Explanation(mail=mail, found=found, letters=letters)
        if not isinstance(found, ScreenedOut) and isinstance(found.decision, AnswerAgent):
            now = self._parts.now()
            told = self._office.plan_agent_answer(
                found.decision.transcript, found.situation.sender, mailbox, now=now
            )
            return Explanation(mail=mail, found=found, letters=(self._office.preview(told, mailbox, now=now),))
        if isinstance(found, ScreenedOut) or isinstance(found.decision, Discard):
            return Explanation(mail=mail, found=found)
        change = self._change(found, files)
        return Explanation(
            mail=mail,
            found=found,
            ticket=change.after,
            letters=self._letters(change, found.mailbox, self._parts.now()),
        )

    def _too_large(self, raw: bytes, mailbox: ServedMailbox) -> Explanation:
        mail = self._reader.read(header_only(raw))
        sender = self._examiner.examine(mail, (), mailbox, NothingKnown()).sender
        found = ScreenedOut(mail=mail, screening=Discarded(reason=TOO_LARGE), sender=sender)
        letters: tuple[OutboundLetter, ...] = ()
        if self._examiner.may_answer(mail, mailbox, NothingKnown()):
            now = self._parts.now()
            refusal = self._office.plan_large_mail_refusal(mail, len(raw), mailbox, now=now)
            letters = (self._office.preview(refusal, mailbox, now=now),)
        return Explanation(mail=mail, found=found, letters=letters)

    def _change(self, found: Understood, files: tuple[StoredFile, ...]) -> TicketChange:
        nothing = NothingKnown()
        return self._changes.of(found, staff=self._parts.staff(nothing), record_of=nothing.customer, files=files)

    def _letters(self, change: TicketChange, mailbox: ServedMailbox, now: datetime) -> tuple[OutboundLetter, ...]:
        messages = (change.message,) if change.message else ()
        planned = self._office.plan(change, mailbox, now=now, messages=messages)
        letters = tuple(self._office.preview(letter, mailbox, now=now) for letter in planned)
        return letters if change.beside is None else (*letters, *self._letters(change.beside, mailbox, now))
