"""What a mail is to those that came before it: ``(UnitOfWork, mail) -> MailResult | None``.

To be asked in the transaction that writes: copies of one mail may be in several hands at once.
"""

from __future__ import annotations

from mailbot.domain.ledger import OPENED_FOR_CUSTOMER, UNVERIFIED_COPY, ClaimedMail, MailOutcome, MailResult
from mailbot.domain.mail import InboundMail
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.flows.case import Understood
from mailbot.flows.ports import UnitOfWork
from mailbot.triage.decisions import ApplyAgentReply, OpenTicket
from mailbot.triage.screen import ScreeningReason

MESSAGE_ID_REUSED = "message_id_reused"
"""Reason in the log for a mail that went on like any other, under the Message-ID of a different mail."""

REPLAYED = "replayed"
"""Reason in the log for an agent's mail that came once more under another Message-ID."""


def mail_result(
    outcome: MailOutcome, mail: InboundMail, *, reason: str = "", ticket_number: str | None = None
) -> MailResult:
    """What became of ``mail``, with what later copies of it are known by."""
    return MailResult(
        outcome=outcome,
        reason=reason,
        ticket_number=ticket_number,
        message_id=mail.message_id,
        identity=mail.identity,
    )


def as_duplicate(work: UnitOfWork, claimed: ClaimedMail, mail: InboundMail) -> MailResult | None:
    """The same mail, come before."""
    earlier = work.mails.seen_before(
        mail.message_id,
        mail.identity,
        mail_id=claimed.id,
        # Now it is known to be genuine, and takes the note's place.
        unverified_copies=claimed.folder != SENT_FOLDER,
    )
    return None if earlier is None else mail_result(MailOutcome.DUPLICATE, mail, reason=f"same as mail {earlier}")


def as_replay(work: UnitOfWork, claimed: ClaimedMail, found: Understood) -> MailResult | None:
    """An agent's mail that was sent again by whoever caught it: its signature still holds, and perhaps says
    nothing of the Message-ID. What it ordered was ordered once."""
    match found.decision:
        case ApplyAgentReply(already_sent=False):
            is_known = _is_on_its_ticket(work, claimed, found)
        case OpenTicket(opened_by=agent) if agent is not None:
            is_known = work.errands.opened_before(found.mail.identity, mail_id=claimed.id) is not None
        case _:
            is_known = False
    return mail_result(MailOutcome.DUPLICATE, found.mail, reason=REPLAYED) if is_known else None


def _is_on_its_ticket(work: UnitOfWork, claimed: ClaimedMail, found: Understood) -> bool:
    ticket, mail = found.situation.ticket, found.mail
    return ticket is not None and work.mails.is_on_ticket(ticket.number, mail.identity, mail_id=claimed.id)


def take_place_of_note(work: UnitOfWork, claimed: ClaimedMail, mail: InboundMail) -> None:
    """What came from the Sent folder stands on the ticket once, also where a copy of it was a note until now."""
    if claimed.folder != SENT_FOLDER:
        return
    note = work.mails.unverified_copy(mail.message_id, mail.identity, mail_id=claimed.id)
    if note is not None:
        work.tickets.drop_message(mail.message_id, mail_id=note)


def log_reason(work: UnitOfWork, claimed: ClaimedMail, found: Understood) -> str:
    """What the log says of a mail that is on a ticket now, if it is not like any other."""
    if found.screening.reason == ScreeningReason.COPY_OF_SENT_MAIL:
        return UNVERIFIED_COPY
    if isinstance(found.decision, OpenTicket) and found.decision.opened_by is not None:
        return OPENED_FOR_CUSTOMER
    # Somebody may send a known id first to have the real mail taken for a duplicate (THREATS 32).
    mail = found.mail
    reused = work.mails.same_id_other_content(mail.message_id, mail.identity, mail_id=claimed.id)
    return MESSAGE_ID_REUSED if reused else ""
