"""What a decision makes of the ticket: values, events and the message to append."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.domain.errors import MailbotError
from mailbot.domain.events import AuthorRole, EventKind, Visibility
from mailbot.domain.evidence import FieldValue
from mailbot.domain.mail import (
    Accepted,
    Address,
    Authenticity,
    Candidate,
    Classification,
    SenderRole,
    ThreadKey,
    ThreadMatch,
)
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import TRANSITIONS, Priority, Resolution, Status
from mailbot.domain.ticket_change import TicketChange
from mailbot.triage.carry_out import carry_out, opens_a_ticket
from mailbot.triage.decide import decide
from mailbot.triage.decisions import (
    AppendMessage,
    ApplyAgentReply,
    Discard,
    OpenFollowUp,
    OpenTicket,
    RefuseAgentReply,
)
from mailbot.triage.situation import Situation
from tests.triage.situations import (
    ANA,
    COMPLETE,
    LACKING,
    LOCATION,
    MARIA,
    NOW,
    OWN_HANDLE,
    STAFF_HANDLE,
    agent_writes,
    attachment,
    catalogue,
    cause,
    requester_writes,
    ticket,
)

IN_TWO_BUSINESS_DAYS = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
MAY_NOT_ANSWER = Accepted(may_answer=False, reason="auto_submitted")
STRANGER = Address(address="outra@outro.example.com.br")


def changed(situation: Situation) -> TicketChange:
    """What the decision on this very situation does."""
    change = carry_out(decide(situation), situation, cause(situation))
    _check_transitions(change)
    return change


def kinds(change: TicketChange) -> list[EventKind]:
    return [event.kind for event in change.events]


def _check_transitions(change: TicketChange) -> None:
    for event in change.events:
        if event.kind is EventKind.STATUS_CHANGED:
            assert Status(event.new) in TRANSITIONS[Status(event.old)]


# --- opening --------------------------------------------------------------------------------------------------


def test_a_complete_request_comes_into_its_queue_with_a_promise() -> None:
    change = changed(requester_writes("Segue tudo."))
    after = change.after
    assert (after.number, after.status, after.queue, after.priority) == (
        "2026-000002",
        Status.OPEN,
        "sau",
        Priority.MEDIUM,
    )
    assert (after.due_at, after.asked_at, change.before) == (IN_TWO_BUSINESS_DAYS, None, None)
    assert kinds(change) == [EventKind.OPENED, EventKind.STATUS_CHANGED]
    assert change.message is not None
    assert (change.message.text, change.message.role) == ("Segue tudo.", AuthorRole.REQUESTER)


def test_an_incomplete_request_waits_for_its_requester_and_promises_nothing_yet() -> None:
    after = changed(requester_writes("Oi", report=LACKING)).after
    assert (after.status, after.due_at, after.asked_at) == (Status.AWAITING_REQUESTER, None, NOW)
    assert after.missing == ("driver_licence",)


def test_who_may_not_be_asked_waits_for_nothing() -> None:
    change = changed(requester_writes("Oi", report=LACKING, screening=MAY_NOT_ANSWER))
    assert (change.after.status, change.may_answer) == (Status.OPEN, False)
    assert EventKind.LETTER_SUPPRESSED in kinds(change)


def test_the_title_is_made_from_the_fields_else_it_is_the_subject() -> None:
    units = (FieldValue(key="origin_unit", value="Rio Verde"), FieldValue(key="destination_unit", value="Jataí"))
    report = replace(LACKING, fields=units)
    assert changed(requester_writes("Oi", report=report)).after.title == "Alteração de Rio Verde para Jataí"
    assert changed(requester_writes("Oi", report=LACKING)).after.title == "RES: x"
    invalid = replace(LACKING, fields=(units[0], replace(units[1], valid=False)))
    assert changed(requester_writes("Oi", report=invalid)).after.title == "RES: x"


@pytest.mark.parametrize(("matched", "named"), [("subject", False), ("subject_typo", True), ("fields", True)])
def test_the_right_subject_is_named_where_another_was_written(matched: str, named: bool) -> None:
    classification = Classification(request_type=LOCATION, confidence=0.9, matched=matched)
    change = changed(requester_writes("Oi", classification=classification))
    assert bool(change.right_subject) is named


def test_an_unsure_mail_is_told_what_it_seemed_to_be() -> None:
    unsure = Classification(candidates=(Candidate(request_type=LOCATION, confidence=0.6),), ask=True)
    general = catalogue().type("general")
    change = changed(requester_writes("Oi", classification=unsure, request_type=general))
    assert change.tell_as == LOCATION
    assert not changed(
        requester_writes("Oi", classification=replace(unsure, ask=False), request_type=general)
    ).tell_as


def test_a_refused_thread_stands_among_the_events() -> None:
    situation = requester_writes("Oi")
    decision = OpenTicket(linked_to="2026-000009", link_reason="not_a_participant")
    change = carry_out(decision, situation, cause(situation))
    (event,) = [one for one in change.events if one.kind is EventKind.THREAD_REFUSED]
    assert (event.new, event.detail) == ("2026-000009", "not_a_participant")


def test_a_follow_up_is_linked_and_belongs_to_the_same_requester_whoever_wrote() -> None:
    closed = ticket(Status.CLOSED, resolved_at=NOW - timedelta(days=30))
    situation = requester_writes("De novo.", closed)
    stranger = replace(
        situation,
        sender=replace(situation.sender, address=STRANGER),
        thread=replace(OWN_HANDLE, from_another_address=True),
    )
    for one in (situation, stranger):
        change = carry_out(OpenFollowUp(of=closed.number), one, cause(one))
        assert (change.after.follow_up_of, change.after.requester) == (closed.number, MARIA)
        assert EventKind.LINKED in kinds(change)
        assert change.verified is (one is situation)
    assert opens_a_ticket(OpenFollowUp(of="x"))
    assert not opens_a_ticket(AppendMessage())


# --- a requester's further messages ---------------------------------------------------------------------------


def test_the_missing_paper_moves_the_ticket_into_its_queue() -> None:
    waiting = ticket(Status.AWAITING_REQUESTER, missing=("driver_licence",), asked_at=NOW - timedelta(days=2))
    change = changed(requester_writes("Segue.", waiting))
    after = change.after
    assert (after.status, after.due_at, after.asked_at, after.missing) == (
        Status.OPEN,
        IN_TWO_BUSINESS_DAYS,
        None,
        (),
    )
    assert kinds(change) == [EventKind.MESSAGE_RECEIVED, EventKind.EVIDENCE_CHANGED, EventKind.STATUS_CHANGED]


def test_a_part_of_what_is_missing_lets_the_reminders_count_anew() -> None:
    waiting = ticket(
        Status.AWAITING_REQUESTER,
        missing=("boleto", "driver_licence"),
        asked_at=NOW - timedelta(days=4),
        reminders_sent=2,
    )
    after = changed(requester_writes("Segue.", waiting, report=LACKING)).after
    assert (after.status, after.asked_at, after.reminders_sent) == (Status.AWAITING_REQUESTER, NOW, 0)


def test_words_alone_do_not_let_the_reminders_count_anew() -> None:
    asked_at = NOW - timedelta(days=4)
    waiting = ticket(Status.AWAITING_REQUESTER, missing=LACKING.missing, asked_at=asked_at, reminders_sent=2)
    change = changed(requester_writes("Qual CNH?", waiting, report=LACKING))
    assert (change.after.asked_at, change.after.reminders_sent) == (asked_at, 2)
    assert kinds(change) == [EventKind.MESSAGE_RECEIVED]


def test_a_quiet_message_changes_no_evidence_and_tells_nobody() -> None:
    waiting = ticket(Status.AWAITING_REQUESTER, missing=("driver_licence",), asked_at=NOW)
    change = changed(requester_writes("Obrigada!", waiting, report=COMPLETE))
    assert (change.after.status, change.quiet) == (Status.AWAITING_REQUESTER, True)
    assert change.message is not None


def test_reopening_forgets_the_resolution_and_promises_anew() -> None:
    resolved = ticket(
        Status.RESOLVED,
        resolution=Resolution.DENIED,
        resolved_at=NOW - timedelta(days=3),
        due_at=NOW - timedelta(days=5),
    )
    change = changed(requester_writes("Discordo.", resolved, report=LACKING))
    after = change.after
    assert (after.status, after.resolution, after.resolved_at) == (Status.OPEN, None, None)
    assert after.due_at == IN_TWO_BUSINESS_DAYS
    (event,) = [one for one in change.events if one.kind is EventKind.REOPENED]
    assert event.old == Resolution.DENIED


def test_an_expired_request_that_still_lacks_something_waits_again_from_the_start() -> None:
    expired = ticket(
        Status.RESOLVED,
        resolution=Resolution.EXPIRED,
        resolved_at=NOW - timedelta(days=3),
        reminders_sent=3,
        missing=("boleto", "driver_licence"),
    )
    after = changed(requester_writes("Segue.", expired, report=LACKING)).after
    assert (after.status, after.asked_at, after.reminders_sent, after.due_at) == (
        Status.AWAITING_REQUESTER,
        NOW,
        0,
        None,
    )


def test_a_message_from_another_address_is_marked_and_vouches_for_nobody() -> None:
    situation = requester_writes("Segue.", ticket())
    other = replace(
        situation,
        sender=replace(situation.sender, address=STRANGER),
        thread=replace(OWN_HANDLE, from_another_address=True),
    )
    change = changed(other)
    assert change.message is not None
    assert (change.message.role, change.message.from_another_address) == (AuthorRole.OTHER, True)
    assert (change.verified, change.after.requester) == (False, MARIA)


def test_ones_own_handle_is_as_good_as_the_servers_word() -> None:
    situation = requester_writes("Segue.", ticket())
    unverified = replace(situation, sender=replace(situation.sender, authenticity=Authenticity.UNVERIFIED))
    change = changed(unverified)
    assert change.verified
    assert change.message is not None
    assert change.message.unverified


def test_an_agents_absence_note_is_internal_and_her_own() -> None:
    absent = Accepted(may_answer=False, reason="absence_subject")
    change = changed(agent_writes("Estou fora.", screening=absent))
    assert change.message is not None
    assert (change.message.role, change.message.visibility) == (AuthorRole.AGENT, Visibility.INTERNAL)
    machine = requester_writes("Estou fora.", ticket(), thread=STAFF_HANDLE)
    machine = replace(machine, sender=replace(machine.sender, address=ANA, role=SenderRole.MACHINE))
    change = changed(machine)
    assert change.message is not None
    assert (change.message.role, change.message.visibility) == (AuthorRole.MACHINE, Visibility.INTERNAL)


# --- agents ---------------------------------------------------------------------------------------------------


def test_the_first_agent_who_answers_has_the_ticket() -> None:
    change = changed(agent_writes("Pode vir."))
    assert change.after.assignee == ANA.address
    assert kinds(change) == [EventKind.AGENT_ANSWERED, EventKind.ASSIGNED]
    assert (change.words, change.agent) == ("Pode vir.", ANA)
    with_bruno = ticket(assignee="bruno@example.com.br")
    assert changed(agent_writes("Pode vir.", with_bruno)).after.assignee == "bruno@example.com.br"


def test_an_answer_moves_a_new_ticket_into_work() -> None:
    assert changed(agent_writes("Pode vir.", ticket(Status.NEW))).after.status is Status.OPEN


def test_a_note_changes_nothing_but_the_history() -> None:
    change = changed(agent_writes("#nota ligou"))
    assert kinds(change) == [EventKind.NOTE_ADDED]
    assert (change.after.status, change.after.assignee) == (Status.OPEN, None)
    assert change.message is not None
    assert change.message.visibility is Visibility.INTERNAL


@pytest.mark.parametrize("status", [Status.OPEN, Status.ON_HOLD, Status.AWAITING_REQUESTER, Status.NEW])
def test_a_decision_resolves_from_every_unfinished_status(status: Status) -> None:
    change = changed(agent_writes("#autorizar", ticket(status, asked_at=NOW)))
    after = change.after
    assert (after.status, after.resolution, after.resolved_at, after.asked_at) == (
        Status.RESOLVED,
        Resolution.APPROVED,
        NOW,
        None,
    )
    (event,) = [one for one in change.events if one.kind is EventKind.DECIDED]
    assert (event.actor, event.new) == (ANA.address, Resolution.APPROVED)


def test_what_an_agent_attached_is_passed_on_and_her_logo_is_not() -> None:
    files = (
        attachment("mapa.pdf", content=b"a"),
        attachment("logo.png", content=b"b", inline=True),
        attachment("tela.png", content=bytes(50_000), inline=True),
    )
    change = changed(agent_writes("Veja.", files=files))
    assert change.message is not None
    assert [file.filename for file in change.message.files] == ["mapa.pdf", "tela.png"]


def test_a_refused_reply_is_an_unverified_note_and_nothing_else() -> None:
    situation = agent_writes("#autorizr Pode vir.")
    change = changed(situation)
    assert (change.after.status, change.after.resolution, change.may_answer) == (Status.OPEN, None, False)
    assert (change.refused_agent, change.refusal, change.refused_word) == (ANA, Refusal.UNKNOWN_WORD, "#autorizr")
    assert change.message is not None
    assert (change.message.visibility, change.message.unverified) == (Visibility.INTERNAL, True)
    assert change.message.text == "#autorizr Pode vir."


def test_nothing_is_carried_out_for_what_is_discarded_or_has_no_ticket() -> None:
    situation = requester_writes("Oi")
    nothing_to_act_on = (
        Discard(reason="x"),
        AppendMessage(),
        RefuseAgentReply(reason=Refusal.NO_HANDLE),
        ApplyAgentReply(visibility=Visibility.PUBLIC, text="x"),
    )
    for decision in nothing_to_act_on:
        with pytest.raises(MailbotError):
            carry_out(decision, situation, cause(situation))


# --- who is vouched for -----------------------------------------------------------------------------------------


def test_a_tag_or_a_known_id_vouches_for_nobody() -> None:
    situation = requester_writes("Segue.", ticket())
    unverified = replace(situation, sender=replace(situation.sender, authenticity=Authenticity.UNVERIFIED))
    for key in (ThreadKey.SUBJECT_TAG, ThreadKey.MESSAGE_ID, ThreadKey.OPEN_REQUEST):
        assert not changed(replace(unverified, thread=ThreadMatch(ticket_number="2026-000001", key=key))).verified


def test_an_agents_words_stand_under_the_registered_name() -> None:
    situation = agent_writes("Pode vir.")
    written_as = replace(situation, sender=replace(situation.sender, address=replace(ANA, name="ANA - casa")))
    for text in ("Pode vir.", ""):
        other = replace(written_as, mail=agent_writes(text).mail, directives=agent_writes(text).directives)
        change = changed(other)
        assert change.message is not None
        assert change.message.author == ANA
        assert ANA in (change.agent, change.refused_agent)


def test_an_unverified_agents_answer_is_marked() -> None:
    situation = agent_writes("Pode vir.", answers_need_verification=False)
    for authenticity, marked in ((Authenticity.UNVERIFIED, True), (Authenticity.VERIFIED, False)):
        change = changed(replace(situation, sender=replace(situation.sender, authenticity=authenticity)))
        assert change.message is not None
        assert change.message.unverified is marked


def test_what_holds_no_new_text_is_kept_with_all_its_text() -> None:
    situation = requester_writes("", ticket())
    quoting = replace(situation, mail=replace(situation.mail, full_text="> tudo"))
    both = replace(situation, mail=replace(situation.mail, new_text="novo", full_text="novo\n> tudo"))
    refused = agent_writes("")
    refused = replace(refused, mail=replace(refused.mail, full_text="> o aviso"))
    texts = [one.message.text if one.message else "" for one in map(changed, (quoting, both, refused))]
    assert texts == ["> tudo", "novo", "> o aviso"]
