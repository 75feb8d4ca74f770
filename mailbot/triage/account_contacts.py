"""An account's owner changes by mail who may write for it (R004-13): what is to be confirmed, whether it is. Pure.

Only who is known to own the account is asked to confirm, by a letter to the very address by which they are known;
only an answer that carries that letter's handle, from that address, confirms. It changes who is recognised from
then on, and nobody's letters.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.catalogue.folding import fold
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.account_contacts import (
    CONFIRMATION_KEY,
    CONTACT_EMAIL_KEY,
    CONTACT_NAME_KEY,
    ContactChange,
)
from mailbot.domain.customer import Customer, Person
from mailbot.domain.events import EventKind
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.identification import IdentityState, TicketCustomer
from mailbot.domain.mail import ThreadKey
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.change_log import Cause, ChangeLog, ticket_of, with_status
from mailbot.triage.decisions import ChangeContact
from mailbot.triage.requester_message import is_trusted, requester_message
from mailbot.triage.situation import Situation

_YES = frozenset(
    (
        *("sim", "confirmo", "sim confirmo", "confirmado", "ok confirmo", "eu confirmo"),
        *("yes", "confirm", "i confirm", "yes i confirm", "confirmed"),
        *("si", "si confirmo"),
    )
)
_AROUND = " \t\"'*_.!,;:-"
_LONGEST_LINE = 200


def owns(sender: Customer | None, account: Customer | None) -> bool:
    """Whether the sender's record is the person to whom the account belongs."""
    return isinstance(sender, Person) and account is not None and account.owner == sender.id


def with_confirmation(
    report: EvidenceReport, kind: RequestType, customer: TicketCustomer, *, is_owner: bool
) -> EvidenceReport:
    """The report with the owner's confirmation among what lacks, once all else is there."""
    known = customer.state is IdentityState.KNOWN and not customer.by_hand
    if kind.contact_action is None or report.missing or not (known and is_owner):
        return report
    return replace(report, missing=(CONFIRMATION_KEY,))


def confirmed_change(situation: Situation, ticket: Ticket) -> ContactChange | None:
    """The change that this mail confirms: as the letter that it answers has it, or none."""
    action, account, sender = (
        situation.request_type.contact_action,
        situation.customer_record,
        situation.sender_record,
    )
    if action is None or account is None or sender is None or CONFIRMATION_KEY not in ticket.missing:
        return None
    thread = situation.thread
    answers_the_letter = thread.accepted and thread.key is ThreadKey.REPLY_TOKEN and is_trusted(situation)
    says_another_thing = situation.report.fields != ticket.fields
    if not (answers_the_letter and owns(sender, account)) or says_another_thing or not _says_yes(situation):
        return None
    stated = {one.key: one.value for one in ticket.fields if one.valid}
    return ContactChange(
        action=action,
        account_id=account.id,
        owner_id=sender.id,
        email=stated.get(CONTACT_EMAIL_KEY, "").lower(),
        name=stated.get(CONTACT_NAME_KEY, ""),
    )


def _says_yes(situation: Situation) -> bool:
    lines = [line for line in situation.mail.new_text[:_LONGEST_LINE].splitlines() if line.strip()]
    first = fold(lines[0]).strip(_AROUND) if lines else ""
    return " ".join(first.replace(",", " ").split()) in _YES


def change_contact(decision: ChangeContact, situation: Situation, cause: Cause) -> TicketChange:
    """The request is done; the records change in the same transaction."""
    ticket = ticket_of(situation)
    author = situation.sender.address.address
    happened = ChangeLog(situation.now, cause.mail_id)
    happened.add(author, EventKind.MESSAGE_RECEIVED)
    happened.add(
        author, EventKind.CONTACT_CHANGED, new=decision.change.action, detail=str(decision.change.account_id)
    )
    after = replace(ticket, updated_at=situation.now, missing=())
    after = with_status(after, Status.RESOLVED, happened)
    after = replace(after, resolution=Resolution.DONE, resolved_at=situation.now, asked_at=None, due_at=None)
    return TicketChange(
        before=ticket,
        after=after,
        events=happened.events,
        message=requester_message(situation, cause),
        may_answer=situation.screening.may_answer,
        verified=is_trusted(situation),
        contact=decision.change,
    )
