"""What to do with a mail: ``decide(Situation) -> Decision``. Pure; it chooses and does nothing.

The role of the sender is asked first and once: an agent's mail is never weighed as evidence, a requester's
words are never commands. The agents' side is ``decide_agent.py``.
"""

from __future__ import annotations

from datetime import timedelta

from mailbot.domain.events import STAFF_PURPOSES, HandlePurpose, RequesterAnswer
from mailbot.domain.mail import SenderRole
from mailbot.domain.ticket import REOPEN_WINDOW_DAYS, Resolution, Status, Ticket
from mailbot.triage.account_contacts import confirmed_change
from mailbot.triage.decide_agent import decide_on_agent
from mailbot.triage.decisions import AppendMessage, ChangeContact, Decision, Discard, OpenFollowUp, OpenTicket
from mailbot.triage.requester_answers import requester_answer, visit_reply
from mailbot.triage.screen import ScreeningReason
from mailbot.triage.sector import decide_on_sector
from mailbot.triage.situation import Situation


def decide(situation: Situation) -> Decision:
    """Choose what to do with an accepted mail."""
    if situation.ticket is not None and _answers_a_book(situation):
        return decide_on_sector(situation)
    if situation.ticket is not None and situation.sender.role is SenderRole.AGENT:
        return decide_on_agent(situation, situation.ticket)
    if situation.ticket is not None:
        return _decide_on_requester(situation, situation.ticket)
    return _decide_without_ticket(situation)


def _answers_a_book(situation: Situation) -> bool:
    return situation.thread.accepted and situation.thread.handle_purpose is HandlePurpose.SECTOR


# --- requesters ----------------------------------------------------------------------------------------------


def _decide_on_requester(situation: Situation, ticket: Ticket) -> Decision:
    answer = _answer(situation, ticket)
    if answer is not None or visit_reply(situation.mail) is not None:
        # A visit's answer that says nothing is about a time that is no longer fixed.
        return AppendMessage(answers=answer, quiet=answer is None)
    return _decide_on_message(situation, ticket)


def _decide_on_message(situation: Situation, ticket: Ticket) -> Decision:
    if situation.screening.automatic_reply or _is_machine_of_staff(situation):
        return AppendMessage(quiet=True)
    if situation.thread.of_another_requester:
        return AppendMessage(aside=True, quiet=_is_mere_thanks(situation))
    contact = confirmed_change(situation, ticket)
    if contact is not None:
        return ChangeContact(change=contact)
    if ticket.is_finished:
        return _decide_on_finished(situation, ticket)
    if _is_mere_thanks(situation):
        return AppendMessage(quiet=True)
    return AppendMessage(guides=_is_guided(situation))


def _answer(situation: Situation, ticket: Ticket) -> RequesterAnswer | None:
    """What the ticket's own requester answers; calendar programs may send it by themselves."""
    is_theirs = situation.sender.address.address == ticket.requester.address
    if not is_theirs or situation.thread.from_another_address or situation.screening.automatic_reply:
        return None
    return requester_answer(situation.mail, ticket)


def _is_guided(situation: Situation) -> bool:
    """Whether the table of rules, on facts that are certain, says what the requester has to do instead."""
    ruling = situation.report.ruling
    return ruling is not None and ruling.replies


def _is_machine_of_staff(situation: Situation) -> bool:
    """A program that answers our notices: told to staff, it would answer that as well (THREATS 1)."""
    to_staff = situation.thread.handle_purpose in STAFF_PURPOSES
    return to_staff and situation.sender.role is SenderRole.MACHINE


def _decide_on_finished(situation: Situation, ticket: Ticket) -> Decision:
    # What a machine wrote never reopens (THREATS 5); a person whose mail may not be answered is still heard.
    if _is_mere_thanks(situation) or _is_by_a_machine(situation):
        return AppendMessage(quiet=True)
    resolved_at = ticket.resolved_at or ticket.updated_at
    window_is_over = situation.now - resolved_at > timedelta(days=REOPEN_WINDOW_DAYS)
    if ticket.status is Status.CLOSED or (window_is_over and ticket.resolution is not Resolution.EXPIRED):
        return OpenFollowUp(of=ticket.number)
    return AppendMessage(reopen=True)


_MAY_BE_A_MACHINE = frozenset({ScreeningReason.ABSENCE_SUBJECT, ScreeningReason.SPEAKS_OF_FAILURE})


def _is_by_a_machine(situation: Situation) -> bool:
    return situation.sender.role is SenderRole.MACHINE or situation.screening.reason in _MAY_BE_A_MACHINE


def _is_mere_thanks(situation: Situation) -> bool:
    return situation.is_gratitude and not any(not file.inline for file in situation.mail.attachments)


def _decide_without_ticket(situation: Situation) -> Decision:
    if situation.screening.automatic_reply:
        return Discard(reason="automatic_reply")
    thread = situation.thread
    if thread.ticket_number is not None:
        return OpenTicket(
            linked_to=thread.ticket_number, link_reason=thread.refused or "", guides=_is_guided(situation)
        )
    return OpenTicket(which=thread.candidates, guides=_is_guided(situation))
