"""What to do with a mail: the whole table of decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mailbot.domain.events import HandlePurpose, Visibility
from mailbot.domain.handles import reference_line_token
from mailbot.domain.mail import Accepted, Authenticity, Sender, SenderRole, ThreadKey, ThreadMatch
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.triage.decide import decide
from mailbot.triage.decisions import (
    AppendMessage,
    ApplyAgentReply,
    Discard,
    OpenFollowUp,
    OpenTicket,
    RefuseAgentReply,
)
from mailbot.triage.screen import ScreeningReason
from mailbot.triage.situation import Situation
from tests.triage.situations import (
    ANA,
    MARIA,
    NOW,
    STAFF_HANDLE,
    agent_writes,
    attachment,
    requester_writes,
    ticket,
)

HANDLE = "abcdefghijklmnopqrst"
RESOLVED = ticket(Status.RESOLVED, resolution=Resolution.APPROVED, resolved_at=NOW - timedelta(days=3))
CLOSED = ticket(Status.CLOSED, resolution=Resolution.APPROVED, resolved_at=NOW - timedelta(days=30))
EXPIRED = ticket(Status.RESOLVED, resolution=Resolution.EXPIRED, resolved_at=NOW - timedelta(days=20))
MACHINE = Accepted(may_answer=False, reason=ScreeningReason.AUTO_SUBMITTED)
ANSWERING_MACHINE = Accepted(may_answer=False, reason=ScreeningReason.ANSWERING_MACHINE, automatic_reply=True)


def by_machine(situation: Situation, screening: Accepted = MACHINE) -> Situation:
    return replace(situation, screening=screening, sender=replace(situation.sender, role=SenderRole.MACHINE))


# --- without a ticket -----------------------------------------------------------------------------------------


def test_a_mail_that_joins_nothing_opens_a_ticket() -> None:
    assert decide(requester_writes("Oi")) == OpenTicket()


def test_an_answering_machine_without_a_ticket_is_discarded() -> None:
    assert decide(by_machine(requester_writes("Férias"), ANSWERING_MACHINE)) == Discard(reason="automatic_reply")


def test_what_only_may_be_a_machine_opens_a_ticket() -> None:
    assert decide(by_machine(requester_writes("Relatório"))) == OpenTicket()


def test_a_refused_thread_is_linked_with_its_reason() -> None:
    refused = ThreadMatch(ticket_number="2026-000009", key=ThreadKey.SUBJECT_TAG, refused="not_a_participant")
    decision = decide(requester_writes("Oi", thread=refused))
    assert decision == OpenTicket(linked_to="2026-000009", link_reason="not_a_participant")


def test_several_fitting_requests_are_asked_about() -> None:
    several = ThreadMatch(key=ThreadKey.OPEN_REQUEST, candidates=("2026-000001", "2026-000002"))
    assert decide(requester_writes("CNH", thread=several)) == OpenTicket(which=("2026-000001", "2026-000002"))


# --- a requester on a ticket ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.NEW, Status.AWAITING_REQUESTER, Status.OPEN, Status.ON_HOLD])
def test_a_message_on_an_unfinished_ticket_is_appended(status: Status) -> None:
    assert decide(requester_writes("Segue.", ticket(status))) == AppendMessage()


def test_thanks_are_kept_and_nobody_is_told() -> None:
    assert decide(requester_writes("Muito obrigada!", ticket())) == AppendMessage(quiet=True)
    assert decide(requester_writes("Muito obrigada!", RESOLVED)) == AppendMessage(quiet=True)
    assert decide(requester_writes("Muito obrigada!", CLOSED)) == AppendMessage(quiet=True)


def test_thanks_with_a_file_are_a_message_and_a_signatures_logo_is_no_file() -> None:
    thanks = requester_writes("Obrigada!", RESOLVED)
    with_file = replace(thanks, mail=replace(thanks.mail, attachments=(attachment(),)))
    with_logo = replace(thanks, mail=replace(thanks.mail, attachments=(attachment(inline=True),)))
    assert decide(with_file) == AppendMessage(reopen=True)
    assert decide(with_logo) == AppendMessage(quiet=True)


def test_more_than_thanks_reopens_within_the_window() -> None:
    last_moment = replace(RESOLVED, resolved_at=NOW - timedelta(days=14))
    assert decide(requester_writes("Não deu certo.", last_moment)) == AppendMessage(reopen=True)


def test_after_the_window_and_on_a_closed_ticket_a_linked_one_opens() -> None:
    too_late = replace(RESOLVED, resolved_at=NOW - timedelta(days=14, seconds=1))
    assert decide(requester_writes("Não deu certo.", too_late)) == OpenFollowUp(of=too_late.number)
    assert decide(requester_writes("Não deu certo.", CLOSED)) == OpenFollowUp(of=CLOSED.number)


def test_an_expired_ticket_reopens_even_later_as_long_as_it_is_not_closed() -> None:
    assert decide(requester_writes("Segue a CNH.", EXPIRED)) == AppendMessage(reopen=True)


@pytest.mark.parametrize("status", [Status.OPEN, Status.AWAITING_REQUESTER, Status.RESOLVED])
def test_an_answering_machine_on_a_ticket_is_kept_quietly(status: Status) -> None:
    situation = by_machine(requester_writes("Férias", ticket(status)), ANSWERING_MACHINE)
    assert decide(situation) == AppendMessage(quiet=True)


def test_no_machine_reopens() -> None:
    assert decide(by_machine(requester_writes("Relatório", RESOLVED))) == AppendMessage(quiet=True)
    absent = Accepted(may_answer=False, reason=ScreeningReason.ABSENCE_SUBJECT)
    assert decide(requester_writes("Férias", RESOLVED, screening=absent)) == AppendMessage(quiet=True)


def test_a_person_who_may_not_be_answered_reopens_all_the_same() -> None:
    suppressed = Accepted(may_answer=False, reason=ScreeningReason.AUTO_RESPONSE_SUPPRESS)
    situation = requester_writes("Não deu certo.", RESOLVED, screening=suppressed)
    assert decide(situation) == AppendMessage(reopen=True)


def test_a_program_that_answers_notices_is_told_to_nobody() -> None:
    situation = by_machine(replace(requester_writes("Recebido", ticket()), thread=STAFF_HANDLE))
    assert decide(situation) == AppendMessage(quiet=True)


# --- an agent's authority -------------------------------------------------------------------------------------


def refusal(situation: Situation) -> Refusal | None:
    decision = decide(situation)
    return decision.reason if isinstance(decision, RefuseAgentReply) else None


def unverified(situation: Situation, authenticity: Authenticity = Authenticity.UNVERIFIED) -> Situation:
    return replace(situation, sender=replace(situation.sender, authenticity=authenticity))


@pytest.mark.parametrize("key", [ThreadKey.MESSAGE_ID, ThreadKey.SUBJECT_TAG])
@pytest.mark.parametrize("text", ["#autorizar", "Pode vir.", "#nota oi"])
def test_without_a_handle_nothing_is_done(key: ThreadKey, text: str) -> None:
    situation = agent_writes(text)
    thread = ThreadMatch(ticket_number="2026-000001", key=key)
    assert refusal(replace(situation, thread=thread)) is Refusal.NO_HANDLE


def test_a_requesters_handle_gives_an_agent_no_authority() -> None:
    thread = replace(STAFF_HANDLE, handle_purpose=HandlePurpose.REQUESTER, handle_recipient=MARIA.address)
    assert refusal(replace(agent_writes("#autorizar"), thread=thread)) is Refusal.NO_HANDLE


def test_a_colleagues_handle_gives_no_authority() -> None:
    thread = replace(STAFF_HANDLE, handle_recipient="bruno@example.com.br", refused="staff_handle_of_another")
    assert refusal(replace(agent_writes("Pode vir."), thread=thread)) is Refusal.HANDLE_OF_ANOTHER


def test_a_revoked_handle_gives_no_authority() -> None:
    thread = replace(STAFF_HANDLE, refused="handle_revoked")
    assert refusal(replace(agent_writes("Pode vir."), thread=thread)) is Refusal.EXPIRED_HANDLE


def test_an_expired_handle_still_carries_words_but_no_commands() -> None:
    thread = replace(STAFF_HANDLE, handle_expired=True)
    assert refusal(replace(agent_writes("#autorizar"), thread=thread)) is Refusal.EXPIRED_HANDLE
    assert isinstance(decide(replace(agent_writes("Pode vir."), thread=thread)), ApplyAgentReply)


@pytest.mark.parametrize("text", ["#autorizar", "Pode vir.", "#nota oi"])
def test_a_forged_address_does_nothing(text: str) -> None:
    assert refusal(unverified(agent_writes(text), Authenticity.FAILED)) is Refusal.NOT_VERIFIED


def test_where_staff_can_be_verified_an_unverified_agent_does_nothing() -> None:
    assert refusal(unverified(agent_writes("Pode vir."))) is Refusal.NOT_VERIFIED


def test_where_nobody_can_be_verified_an_agent_may_answer_and_note_but_not_decide() -> None:
    for text, reason in (("Pode vir.", None), ("#nota oi", None), ("#autorizar", Refusal.NEEDS_CODE)):
        situation = unverified(agent_writes(text, answers_need_verification=False))
        assert refusal(situation) is reason, text


# --- an agent's words -----------------------------------------------------------------------------------------


def test_a_plain_reply_is_an_answer_to_the_requester() -> None:
    assert decide(agent_writes("Pode vir.")) == ApplyAgentReply(visibility=Visibility.PUBLIC, text="Pode vir.")


def test_a_plain_reply_to_an_internal_notice_is_a_note() -> None:
    situation = agent_writes("Pode vir.")
    internal = replace(STAFF_HANDLE, handle_purpose=HandlePurpose.STAFF_INTERNAL)
    decision = decide(replace(situation, thread=internal))
    assert decision == ApplyAgentReply(visibility=Visibility.INTERNAL, text="Pode vir.")


@pytest.mark.parametrize(
    ("text", "words", "resolution"),
    [
        ("#autorizar", "", Resolution.APPROVED),
        ("#autorizar pode ir", "pode ir", Resolution.APPROVED),
        ("#autorizar pode ir\n\nAbraço", "pode ir\n\nAbraço", Resolution.APPROVED),
        ("#negar venceu", "venceu", Resolution.DENIED),
        ("#negar\nvenceu", "venceu", Resolution.DENIED),
        ("#resolver feito", "feito", Resolution.DONE),
    ],
)
def test_a_decision_goes_to_the_requester_with_the_words_beside_it(
    text: str, words: str, resolution: Resolution
) -> None:
    decision = decide(agent_writes(text))
    assert isinstance(decision, ApplyAgentReply)
    assert (decision.visibility, decision.text) == (Visibility.PUBLIC, words)
    assert decision.orders is not None
    assert decision.orders.after.resolution is resolution


def test_a_note_is_the_whole_mail_and_stays_inside() -> None:
    decision = decide(agent_writes("#nota um\n#nota dois\ntrês"))
    assert isinstance(decision, ApplyAgentReply)
    assert (decision.visibility, decision.text) == (Visibility.INTERNAL, "um\n\ndois\n\ntrês")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Refusal.NO_TEXT),
        ("#nota", Refusal.NO_TEXT),
        ("#negar", Refusal.REASON_MISSING),
        ("#autorizr", Refusal.UNKNOWN_WORD),
        ("#cliente 1", Refusal.WORD_NOT_POSSIBLE),
        ("#autorizar\n#cliente 1", Refusal.WORD_NOT_POSSIBLE),
        ("#autorizar\n#espera", Refusal.TWO_DECISIONS),
        ("#fila marte", Refusal.WORD_NOT_POSSIBLE),
        ("#autorizar\n#negar não", Refusal.TWO_DECISIONS),
        ("#autorizar\n#autorizar", Refusal.TWO_DECISIONS),
        ("#nota\n#autorizar", Refusal.TWO_DECISIONS),
        (f"Pode vir.\nRef.: {reference_line_token(HANDLE)}", Refusal.QUOTED_NOTICE),
        (f"#autorizar\nRef.: {reference_line_token(HANDLE)}", Refusal.QUOTED_NOTICE),
    ],
)
def test_what_cannot_be_carried_out_is_refused_whole(text: str, reason: Refusal) -> None:
    assert refusal(agent_writes(text)) is reason


def test_a_note_may_hold_the_notice() -> None:
    situation = agent_writes(f"#nota ver abaixo\nRef.: {reference_line_token(HANDLE)}")
    assert isinstance(decide(situation), ApplyAgentReply)


@pytest.mark.parametrize("finished", [RESOLVED, CLOSED])
@pytest.mark.parametrize("text", ["#autorizar", "#negar não", "#resolver"])
def test_a_finished_ticket_is_not_decided_again(finished: Ticket, text: str) -> None:
    assert refusal(agent_writes(text, finished)) is Refusal.ALREADY_DECIDED


def test_a_file_without_words_is_an_answer_and_a_signatures_logo_is_none() -> None:
    assert refusal(agent_writes("", files=(attachment(),))) is None
    assert refusal(agent_writes("", files=(attachment("image001.png", inline=True),))) is Refusal.NO_TEXT
    pasted = attachment("image002.png", inline=True, content=bytes(60_000))
    assert refusal(agent_writes("", files=(pasted,))) is None


@pytest.mark.parametrize(
    "screening", [ANSWERING_MACHINE, Accepted(may_answer=False, reason=ScreeningReason.ABSENCE_SUBJECT)]
)
def test_an_agents_absence_is_kept_quietly(screening: Accepted) -> None:
    assert decide(agent_writes("Estou fora.", screening=screening)) == AppendMessage(quiet=True)


def test_an_agent_without_a_ticket_opens_one_like_everybody() -> None:
    sender = Sender(address=ANA, role=SenderRole.AGENT, authenticity=Authenticity.VERIFIED, agent_key="ana")
    assert decide(requester_writes("Oi", sender=sender)) == OpenTicket()
