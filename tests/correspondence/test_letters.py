"""Which letters a change calls for, to whom, when, and instead of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailbot.catalogue.load import load_catalogue
from mailbot.correspondence.context import ItemState
from mailbot.correspondence.letters import plan_letters, taken_back
from mailbot.correspondence.planned import CHECKLISTS, LetterDesk, PlannedLetter
from mailbot.correspondence.render import LetterRenderer
from mailbot.correspondence.requester_letters import refuse_large_mail
from mailbot.correspondence.requester_views import (
    AgentAnswerView,
    DecisionView,
    EvidenceRequestedView,
    MailRefusedView,
    ReminderView,
    TicketExpiredView,
    TicketOpenedView,
    WhichTicketView,
)
from mailbot.correspondence.staff_views import (
    ConfirmOrdersView,
    DeliveryFailedView,
    ReplyRefusedView,
    RequesterRepliedView,
    TicketReadyView,
)
from mailbot.correspondence.words import Phrase
from mailbot.domain.events import (
    Audience,
    AuthorRole,
    EventKind,
    HandlePurpose,
    LetterKind,
    StoredFile,
    TicketEvent,
    TicketMessage,
    Visibility,
)
from mailbot.domain.evidence import DocumentKind, FieldOrigin, FieldValue, Finding, Verdict
from mailbot.domain.mail import Address
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CATALOGUE = load_catalogue(ROOT / "config")
MARIA = Address(address="maria@cliente.example", name="Maria Souza")
ANA = Address(address="ana@example.com.br", name="Ana")
MAILBOX = "atendimento@example.com.br"
FILE = StoredFile(digest="d", filename="mapa.pdf", media_type="application/pdf", size_bytes=12_000, sha256="s")

DESK = LetterDesk(
    catalogue=CATALOGUE,
    mailbox=CATALOGUE.mailboxes[0],
    mailbox_address=MAILBOX,
    words=LetterRenderer(ROOT / "templates").words("pt-BR"),
    zone=ZoneInfo("America/Sao_Paulo"),
    now=NOW,
    quiet_time=timedelta(seconds=60),
    undo_time=timedelta(minutes=5),
)
WAITING = Ticket(
    number="2026-000001",
    mailbox="default",
    request_type="inspection_location_change",
    requester=MARIA,
    subject="ALTERAÇÃO DE LOCAL",
    title="Alteração de Rio Verde para Jataí",
    status=Status.AWAITING_REQUESTER,
    queue="sau",
    opened_at=NOW,
    updated_at=NOW,
    missing=("driver_licence",),
    asked_at=NOW,
)
OPEN = replace(WAITING, status=Status.OPEN, missing=(), asked_at=None, due_at=NOW + timedelta(days=2))
RESOLVED = replace(OPEN, status=Status.RESOLVED, resolution=Resolution.APPROVED, resolved_at=NOW)
EXPIRED = replace(WAITING, status=Status.RESOLVED, resolution=Resolution.EXPIRED, resolved_at=NOW, asked_at=None)
GENERAL = replace(OPEN, request_type="general", queue="geral")
LICENCE = Finding(
    digest="d",
    sha256="s",
    filename="cnh.pdf",
    media_type="application/pdf",
    size_bytes=2000,
    kind=DocumentKind.DRIVER_LICENCE,
    confidence=1.0,
    verdict=Verdict.ACCEPTED,
    requirement="driver_licence",
)


def message(text: str = "Oi", **changes: object) -> TicketMessage:
    plain = TicketMessage(
        at=NOW, author=MARIA, role=AuthorRole.REQUESTER, visibility=Visibility.PUBLIC, text=text, mail_id=7
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def change(before: Ticket | None, after: Ticket, *kinds: EventKind, **more: object) -> TicketChange:
    events = tuple(TicketEvent(at=NOW, actor="x", kind=kind) for kind in kinds)
    plain = TicketChange(before=before, after=after, events=events, message=message(), verified=True)
    return replace(plain, **more)  # type: ignore[arg-type]


def planned(one: TicketChange, desk: LetterDesk = DESK) -> list[tuple[LetterKind, str]]:
    letters = plan_letters(one, desk)
    addresses = [letter.recipient.address for letter in letters]
    assert len(addresses) == len(set(addresses)), "at most one letter per recipient"
    return [(letter.letter, letter.recipient.address) for letter in letters]


def only(one: TicketChange, audience: Audience = Audience.REQUESTER) -> PlannedLetter:
    (letter,) = [letter for letter in plan_letters(one, DESK) if letter.audience is audience]
    return letter


ASKED = (LetterKind.EVIDENCE_REQUESTED, MARIA.address)
OPENED = (LetterKind.TICKET_OPENED, MARIA.address)
COMPLETE = (LetterKind.EVIDENCE_COMPLETE, MARIA.address)
ANSWERED = (LetterKind.AGENT_ANSWER, MARIA.address)
READY = (LetterKind.TICKET_READY, ANA.address)
REPLIED = (LetterKind.REQUESTER_REPLIED, ANA.address)
E = EventKind

CASES: dict[str, tuple[TicketChange, list[tuple[LetterKind, str]]]] = {
    "an incomplete request is asked for the rest, and staff are not troubled yet": (
        change(None, WAITING, E.OPENED, E.STATUS_CHANGED),
        [ASKED],
    ),
    "a complete request is acknowledged and shown to its queue": (
        change(None, OPEN, E.OPENED, E.STATUS_CHANGED),
        [OPENED, READY],
    ),
    "who may not be answered gets nothing, and staff see the ticket": (
        change(None, OPEN, E.OPENED, E.LETTER_SUPPRESSED, may_answer=False),
        [READY],
    ),
    "a quiet change is told to nobody": (change(OPEN, OPEN, E.MESSAGE_RECEIVED, quiet=True), []),
    "the last missing paper completes it for both": (
        change(WAITING, OPEN, E.MESSAGE_RECEIVED, E.EVIDENCE_CHANGED, E.STATUS_CHANGED),
        [COMPLETE, READY],
    ),
    "a part of what lacked brings the rest of the checklist": (
        change(
            replace(WAITING, missing=("boleto", "driver_licence")), WAITING, E.MESSAGE_RECEIVED, E.EVIDENCE_CHANGED
        ),
        [ASKED],
    ),
    "a question on a waiting ticket goes to staff": (change(WAITING, WAITING, E.MESSAGE_RECEIVED), [REPLIED]),
    "a message on a ticket in its queue goes to staff": (change(OPEN, OPEN, E.MESSAGE_RECEIVED), [REPLIED]),
    "papers on a ticket in its queue go to staff": (
        change(OPEN, OPEN, E.MESSAGE_RECEIVED, E.EVIDENCE_CHANGED),
        [REPLIED],
    ),
    "a reopening goes to staff": (
        change(RESOLVED, OPEN, E.MESSAGE_RECEIVED, E.REOPENED, E.STATUS_CHANGED),
        [REPLIED],
    ),
    "an expired request that is complete now is new to its queue": (
        change(EXPIRED, OPEN, E.MESSAGE_RECEIVED, E.EVIDENCE_CHANGED, E.REOPENED, E.STATUS_CHANGED),
        [COMPLETE, READY],
    ),
    "an expired request that still lacks something is asked again": (
        change(EXPIRED, WAITING, E.MESSAGE_RECEIVED, E.EVIDENCE_CHANGED, E.REOPENED, E.STATUS_CHANGED),
        [ASKED],
    ),
    "words alone on an expired request are read by staff as well": (
        change(EXPIRED, WAITING, E.MESSAGE_RECEIVED, E.REOPENED, E.STATUS_CHANGED),
        [ASKED, REPLIED],
    ),
    "an agent's answer goes to the requester alone": (
        change(OPEN, OPEN, E.AGENT_ANSWERED, E.ASSIGNED, agent=ANA, words="Pode vir."),
        [ANSWERED],
    ),
    "a note goes to nobody": (change(OPEN, OPEN, E.NOTE_ADDED, agent=ANA, words="ligou"), []),
    "a decision is one letter, although it answers and decides": (
        change(OPEN, RESOLVED, E.AGENT_ANSWERED, E.DECIDED, E.STATUS_CHANGED, agent=ANA, words="Pode vir."),
        [(LetterKind.DECISION, MARIA.address)],
    ),
    "what is simply done is told as an answer": (
        change(OPEN, replace(RESOLVED, resolution=Resolution.DONE), E.AGENT_ANSWERED, E.DECIDED, agent=ANA),
        [ANSWERED],
    ),
    "a refused reply is told to its writer alone": (
        change(OPEN, OPEN, E.AGENT_REPLY_REFUSED, may_answer=False, refused_agent=ANA, refusal=Refusal.NO_TEXT),
        [(LetterKind.REPLY_REFUSED, ANA.address)],
    ),
    "a bounce is told to staff alone": (
        change(OPEN, OPEN, E.DELIVERY_FAILED, may_answer=False, bounced_letter="decision", message=None),
        [(LetterKind.DELIVERY_FAILED, ANA.address)],
    ),
    "a reminder": (
        change(WAITING, replace(WAITING, reminders_sent=1), E.REMINDED, message=None),
        [(LetterKind.REMINDER, MARIA.address)],
    ),
    "the end of waiting": (
        change(WAITING, EXPIRED, E.EXPIRED, E.STATUS_CHANGED, message=None),
        [(LetterKind.TICKET_EXPIRED, MARIA.address)],
    ),
    "waiting that ends in the queue is news to staff only": (
        change(WAITING, replace(OPEN, missing=WAITING.missing), E.STATUS_CHANGED, may_answer=False, message=None),
        [READY],
    ),
    "which of several is meant is asked instead of acknowledged": (
        change(None, GENERAL, E.OPENED, which=("2026-000001", "2026-000002")),
        [(LetterKind.WHICH_TICKET, MARIA.address), (LetterKind.TICKET_READY, "bruno@example.com.br")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_plans(case: str) -> None:
    one, expected = CASES[case]
    assert planned(one) == expected


def test_an_agents_own_request_is_told_to_a_colleague_and_herself_once() -> None:
    ticket = replace(OPEN, requester=ANA)
    assert planned(change(None, ticket, E.OPENED)) == [
        (LetterKind.TICKET_OPENED, ANA.address),
        (LetterKind.TICKET_READY, "bruno@example.com.br"),
    ]


def test_notices_go_to_who_has_the_ticket() -> None:
    taken = replace(OPEN, assignee="bruno@example.com.br")
    assert planned(change(taken, taken, E.MESSAGE_RECEIVED)) == [
        (LetterKind.REQUESTER_REPLIED, "bruno@example.com.br")
    ]
    gone = replace(OPEN, assignee="saiu@example.com.br")
    assert planned(change(gone, gone, E.MESSAGE_RECEIVED)) == [REPLIED]


def test_the_name_of_a_mail_program_is_nothing_brought() -> None:
    named = FieldValue(key="requester_name", value="Maria do Celular", origin=FieldOrigin.HEADER)
    after = replace(WAITING, fields=(named,))
    assert planned(change(WAITING, after, E.MESSAGE_RECEIVED, E.FIELDS_CHANGED)) == [REPLIED]
    stated = replace(after, fields=(replace(named, origin=FieldOrigin.LABEL),))
    assert planned(change(WAITING, stated, E.MESSAGE_RECEIVED, E.FIELDS_CHANGED)) == [ASKED]


# --- when, instead of what ------------------------------------------------------------------------------------


def test_the_first_checklist_leaves_at_once_and_a_later_one_waits() -> None:
    first = only(change(None, WAITING, E.OPENED))
    later = only(change(WAITING, WAITING, E.MESSAGE_RECEIVED, E.EVIDENCE_CHANGED))
    assert (first.delay, later.delay) == (timedelta(), timedelta(seconds=60))
    assert first.replaces == later.replaces == CHECKLISTS


def test_a_decision_waits_for_the_undo_time_and_an_answer_does_not() -> None:
    for resolution in (Resolution.APPROVED, Resolution.DENIED, Resolution.DONE):
        decided = change(OPEN, replace(RESOLVED, resolution=resolution), E.AGENT_ANSWERED, E.DECIDED, agent=ANA)
        assert only(decided).delay == timedelta(minutes=5)
    assert only(change(OPEN, OPEN, E.AGENT_ANSWERED, agent=ANA)).delay == timedelta()


def test_what_is_added_to_a_decision_does_not_leave_before_it() -> None:
    two_minutes_ago = replace(RESOLVED, resolved_at=NOW - timedelta(minutes=2))
    long_ago = replace(RESOLVED, resolved_at=NOW - timedelta(hours=2))
    for ticket, delay in ((two_minutes_ago, timedelta(minutes=3)), (long_ago, timedelta())):
        added = change(ticket, ticket, E.AGENT_ANSWERED, agent=ANA, words="Leve o RG.")
        assert only(added).delay == delay


def test_what_was_asked_for_and_has_not_left_is_pointless_after_a_decision() -> None:
    for resolution in (Resolution.APPROVED, Resolution.DONE):
        decided = only(
            change(OPEN, replace(RESOLVED, resolution=resolution), E.AGENT_ANSWERED, E.DECIDED, agent=ANA)
        )
        assert {LetterKind.EVIDENCE_REQUESTED, LetterKind.REMINDER} <= set(decided.replaces)
    assert only(change(OPEN, OPEN, E.AGENT_ANSWERED, agent=ANA)).replaces == ()


# --- as whose words -------------------------------------------------------------------------------------------


def test_only_a_ticket_that_opens_again_takes_its_waiting_decision_back() -> None:
    waiting = (LetterKind.DECISION, LetterKind.AGENT_ANSWER)
    assert taken_back(change(RESOLVED, OPEN, E.MESSAGE_RECEIVED, E.REOPENED)) == waiting
    assert taken_back(change(RESOLVED, OPEN, E.REOPENED, quiet=True, may_answer=False)) == waiting
    assert taken_back(change(RESOLVED, RESOLVED, E.MESSAGE_RECEIVED)) == ()
    assert taken_back(change(OPEN, RESOLVED, E.DECIDED)) == ()


def test_the_bots_letters_say_that_they_are_automatic_and_an_agents_do_not() -> None:
    acknowledgement = only(change(None, OPEN, E.OPENED))
    reminder = only(change(WAITING, WAITING, E.REMINDED))
    answer = only(change(OPEN, OPEN, E.AGENT_ANSWERED, agent=ANA, words="Pode vir."))
    notice = only(change(None, OPEN, E.OPENED), Audience.STAFF)
    assert (acknowledgement.automatic, acknowledgement.auto_submitted) == (True, "auto-replied")
    assert (reminder.automatic, reminder.auto_submitted) == (True, "auto-generated")
    assert (notice.automatic, notice.auto_submitted) == (True, "auto-generated")
    assert answer.automatic is False
    assert (answer.sender_name, acknowledgement.sender_name) == ("Ana (SAU)", "Central de Atendimento")
    purposes = (acknowledgement.purpose, answer.purpose, notice.purpose)
    assert purposes == (HandlePurpose.REQUESTER, HandlePurpose.REQUESTER, HandlePurpose.STAFF_PUBLIC)


def test_only_an_agents_files_are_passed_on() -> None:
    with_file = message(files=(FILE,))
    answer = only(
        change(OPEN, OPEN, E.AGENT_ANSWERED, agent=ANA, message=replace(with_file, role=AuthorRole.AGENT))
    )
    assert answer.files == (FILE,)
    for letter in plan_letters(change(None, OPEN, E.OPENED, message=with_file), DESK):
        assert letter.files == ()


def test_every_letter_of_a_ticket_has_one_subject() -> None:
    for one, _ in CASES.values():
        for letter in plan_letters(one, DESK):
            if letter.ticket_number and letter.letter is not LetterKind.WHICH_TICKET:
                assert letter.view.subject == "[Chamado #2026-000001] ALTERAÇÃO DE LOCAL"


def test_a_letter_to_an_unverified_requester_does_not_quote_and_counts_as_such() -> None:
    letter = only(change(None, OPEN, E.OPENED, verified=False))
    assert (letter.verified_recipient, letter.view.quote_sender) == (False, False)
    notice = only(change(None, OPEN, E.OPENED, verified=False), Audience.STAFF)
    assert (notice.verified_recipient, notice.view.quote_sender) == (True, True)


# --- what they say --------------------------------------------------------------------------------------------


def test_the_checklist_shrinks() -> None:
    view = only(change(None, replace(WAITING, documents=(LICENCE,), missing=("boleto",)), E.OPENED)).view
    assert isinstance(view, EvidenceRequestedView)
    states = {item.label: item.state for item in view.items}
    assert states["CNH do responsável pela emissão do boleto"] is ItemState.RECEIVED
    assert states["Boleto da vistoria"] is ItemState.MISSING
    assert (view.first, view.missing_count) == (True, "1")


def test_a_refused_file_stands_beside_what_it_was_sent_for_with_its_reason() -> None:
    locked = replace(LICENCE, verdict=Verdict.ENCRYPTED, reasons=("encrypted",))
    view = only(change(None, replace(WAITING, documents=(locked,)), E.OPENED)).view
    assert isinstance(view, EvidenceRequestedView)
    (item,) = [one for one in view.items if one.label.startswith("CNH")]
    assert (item.state, item.filename) == (ItemState.REFUSED, "cnh.pdf")
    assert item.reason is not None
    assert "senha" in DESK.words.say(item.reason)


def test_views_of_the_requesters_letters() -> None:
    opened = only(change(None, OPEN, E.OPENED)).view
    assert isinstance(opened, TicketOpenedView)
    assert (opened.queue_name, opened.for_a_person) == ("SAU", False)
    general = only(change(None, GENERAL, E.OPENED)).view
    assert isinstance(general, TicketOpenedView)
    assert general.for_a_person
    decision = only(change(OPEN, RESOLVED, E.DECIDED, agent=ANA, words="Pode vir.")).view
    assert isinstance(decision, DecisionView)
    assert (decision.approved, decision.reason.paragraphs, decision.agent_name) == (True, ("Pode vir.",), "Ana")
    done = only(change(OPEN, replace(RESOLVED, resolution=Resolution.DONE), E.DECIDED, agent=ANA)).view
    assert isinstance(done, AgentAnswerView)
    assert done.resolved
    expired = only(change(WAITING, EXPIRED, E.EXPIRED)).view
    assert isinstance(expired, TicketExpiredView)
    assert expired.missing == ("CNH do responsável pela emissão do boleto",)
    which = only(change(None, GENERAL, E.OPENED, which=("2026-000001",))).view
    assert isinstance(which, WhichTicketView)


@pytest.mark.parametrize(
    ("days", "left", "sent", "last"), [(1, "9", 1, False), (3, "7", 2, False), (7, "3", 3, True)]
)
def test_a_reminder_says_how_many_days_are_left(days: int, left: str, sent: int, last: bool) -> None:
    ticket = replace(WAITING, asked_at=NOW - timedelta(days=days), reminders_sent=sent)
    view = only(change(ticket, ticket, E.REMINDED)).view
    assert isinstance(view, ReminderView)
    assert (view.days_left, view.last) == (left, last)


def test_views_of_the_notices() -> None:
    unverified = message(unverified=True)
    ready = only(change(None, OPEN, E.OPENED, message=unverified, verified=False), Audience.STAFF).view
    assert isinstance(ready, TicketReadyView)
    assert (ready.unverified, ready.can_decide, ready.letter_withheld) == (True, True, None)
    withheld = only(change(None, OPEN, E.OPENED, E.LETTER_SUPPRESSED, may_answer=False), Audience.STAFF).view
    assert isinstance(withheld, TicketReadyView)
    assert withheld.letter_withheld is not None
    general = only(change(None, GENERAL, E.OPENED), Audience.STAFF).view
    assert isinstance(general, TicketReadyView)
    assert not general.can_decide
    other = message(from_another_address=True, author=Address(address="outra@outro.example.com.br"))
    replied = only(change(OPEN, OPEN, E.MESSAGE_RECEIVED, message=other), Audience.STAFF).view
    assert isinstance(replied, RequesterRepliedView)
    assert (replied.from_another_address, replied.other_address) == (True, "outra@outro.example.com.br")
    bounced = change(OPEN, OPEN, E.DELIVERY_FAILED, may_answer=False, bounced_letter="decision", message=None)
    failed = only(
        replace(bounced, bounced_recipient=MARIA.address, bounce_diagnostic="550 no"), Audience.STAFF
    ).view
    assert isinstance(failed, DeliveryFailedView)
    assert (failed.recipient, failed.server_said) == (MARIA.address, "550 no")


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        (Refusal.NO_HANDLE, "Responda diretamente ao último aviso"),
        (Refusal.HANDLE_OF_ANOTHER, "Responda diretamente ao último aviso"),
        (Refusal.NOT_VERIFIED, "fale com o administrador"),
        (Refusal.UNKNOWN_WORD, "#autorizar, #negar, #pedir, #nota"),
        (Refusal.REASON_MISSING, "#negar seguido do motivo"),
        (Refusal.TWO_DECISIONS, "Corrija e responda de novo"),
        (Refusal.ALREADY_DECIDED, "Corrija e responda de novo"),
        (Refusal.QUOTED_NOTICE, "Corrija e responda de novo"),
    ],
)
def test_a_refused_reply_says_why_and_what_to_do(refusal: Refusal, advice: str) -> None:
    refused = change(
        OPEN, OPEN, E.AGENT_REPLY_REFUSED, may_answer=False, refused_agent=ANA, refusal=refusal, refused_word="#x"
    )
    view = only(refused, Audience.STAFF).view
    assert isinstance(view, ReplyRefusedView)
    assert advice in DESK.words.say(view.what_to_do)
    unknown = DESK.words.phrases["unknown"]
    assert unknown not in (DESK.words.say(view.reason), DESK.words.say(view.what_to_do))


@pytest.mark.parametrize("refusal", [Refusal.EXPIRED_HANDLE, Refusal.NEEDS_CODE])
def test_what_has_a_way_on_is_answered_with_it(refusal: Refusal) -> None:
    refused = change(OPEN, OPEN, may_answer=False, refused_agent=ANA, refusal=refusal, code="1234-5678")
    letter = only(refused, Audience.STAFF)
    if refusal is Refusal.EXPIRED_HANDLE:
        assert isinstance(letter.view, TicketReadyView)
        assert letter.view.refused == Phrase(code="reply_refused.expired_handle")
    else:
        assert isinstance(letter.view, ConfirmOrdersView)
        assert (letter.view.code, letter.view.reply_is_public) == ("1234-5678", False)


@pytest.mark.parametrize("refusal", sorted(set(Refusal) - {Refusal.EXPIRED_HANDLE, Refusal.NEEDS_CODE}))
def test_every_refusal_has_a_sentence_and_an_advice_of_its_language(refusal: Refusal) -> None:
    refused = change(OPEN, OPEN, E.AGENT_REPLY_REFUSED, may_answer=False, refused_agent=ANA, refusal=refusal)
    view = only(refused, Audience.STAFF).view
    assert isinstance(view, ReplyRefusedView)
    assert view.reason.code == f"reply_refused.{refusal}"
    assert view.what_to_do.code.startswith("what_to_do.")
    assert {view.reason.code, view.what_to_do.code} <= DESK.words.phrases.keys()


def test_a_mail_that_is_too_large_is_refused_with_both_sizes() -> None:
    letter = refuse_large_mail(MARIA, "Fotos", 73_400_000, 50_000_000, DESK)
    assert isinstance(letter.view, MailRefusedView)
    assert (letter.view.size_mb, letter.view.limit_mb, letter.view.quote_sender) == ("73", "50", False)
    assert (letter.ticket_number, letter.purpose, letter.automatic) == (None, None, True)


def test_only_the_tickets_in_question_are_listed() -> None:
    others = tuple(replace(WAITING, number=f"2026-00000{number}") for number in (1, 2, 3))
    desk = replace(DESK, open_tickets=others)
    asked = change(None, GENERAL, E.OPENED, which=("2026-000001", "2026-000003"))
    view = plan_letters(asked, desk)[0].view
    assert isinstance(view, WhichTicketView)
    assert [(line.number, line.missing) for line in view.tickets] == [
        ("2026-000001", "CNH do responsável pela emissão do boleto"),
        ("2026-000003", "CNH do responsável pela emissão do boleto"),
    ]


def test_a_finished_ticket_offers_no_decision() -> None:
    notice = only(change(RESOLVED, RESOLVED, E.MESSAGE_RECEIVED), Audience.STAFF).view
    assert isinstance(notice, RequesterRepliedView)
    assert not notice.can_decide
    notice = only(change(OPEN, OPEN, E.MESSAGE_RECEIVED), Audience.STAFF).view
    assert isinstance(notice, RequesterRepliedView)
    assert notice.can_decide


def test_the_history_in_a_notice_names_authors_and_marks_notes() -> None:
    nameless = message("Sou eu", author=Address(address="x@cliente.example"))
    note = message("ligou", author=ANA, role=AuthorRole.AGENT, visibility=Visibility.INTERNAL)
    desk = replace(DESK, messages=(nameless, note))
    (view,) = [
        one.view for one in plan_letters(change(None, OPEN, E.OPENED), desk) if one.audience is Audience.STAFF
    ]
    assert isinstance(view, TicketReadyView)
    assert [(row.author, row.internal) for row in view.messages] == [("x@cliente.example", False), ("Ana", True)]


def test_somebody_who_left_the_roster_meanwhile_is_still_told() -> None:
    left = Address(address="saiu@example.com.br", name="Saiu Ontem")
    refused = change(
        OPEN, OPEN, E.AGENT_REPLY_REFUSED, may_answer=False, refused_agent=left, refusal=Refusal.NO_HANDLE
    )
    letter = only(refused, Audience.STAFF)
    assert letter.recipient == left


def test_the_deadline_counts_from_the_question() -> None:
    asked = only(change(None, replace(WAITING, asked_at=NOW - timedelta(days=2)), E.OPENED)).view
    assert isinstance(asked, EvidenceRequestedView)
    assert (asked.answer_until, asked.days_to_answer) == ("terça-feira, 1 de dezembro de 2026", "10")
