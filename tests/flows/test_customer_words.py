"""Customer words end to end: who may ask, what is answered, and what a word never does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from mailbot.domain.events import Audience, EventKind, LetterKind, OutboundLetter, Visibility
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.flows.reprocess import LeaveAlone, tasks_for
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail, reply_to

ANA = "ana@example.com.br"
OTHER = "joana@example.com.br"
QUERY = LetterKind.QUERY_NOT_ANSWERED


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def forged(raw: bytes) -> bytes:
    return raw.replace(b"dmarc=pass", b"dmarc=fail")


def to(house: TestHouse, address: str) -> list[OutboundLetter]:
    return [letter for letter in house.letters() if letter.recipient.address == address]


def opened(house: TestHouse, sender: str = CUSTOMER, *, verified: bool = True) -> tuple[Ticket, OutboundLetter]:
    """A complete request, and the letter that says so."""
    house.receive(mail(REQUEST, sender=sender, files=[BOLETO, RECEIPT, LICENCE], verified=verified))
    house.clock.advance(timedelta(minutes=1))
    return house.tickets()[-1], to(house, sender)[-1]


def ask(word: str, *, sender: str = CUSTOMER, verified: bool = True) -> bytes:
    return mail("", subject=word, sender=sender, verified=verified)


# --- who may ask ----------------------------------------------------------------------------------------------

_WORDS = ("STATUS", "meus chamados", "Detalhes {n}", "CANCELAR {n}", "Ajuda")


@pytest.mark.parametrize("word", _WORDS)
def test_a_stranger_gets_one_neutral_sentence_whatever_exists(house: TestHouse, word: str) -> None:
    ticket, _ = opened(house)
    texts = []
    for sender in (CUSTOMER, OTHER):
        outcome = house.receive(ask(word.format(n=ticket.number), sender=sender, verified=False))
        assert outcome is MailOutcome.QUERY
        letter = to(house, sender)[-1]
        assert letter.letter is QUERY
        assert letter.ticket_number is None and ticket.number not in letter.text + letter.subject
        texts.append(letter.text.replace(letter.handle, ""))
    assert texts[0] == texts[1]
    assert house.tickets() == [ticket]


@pytest.mark.parametrize("word", _WORDS)
def test_a_forged_sender_is_told_nothing_at_all(house: TestHouse, word: str) -> None:
    ticket, _ = opened(house)
    before = house.letters()
    assert house.receive(forged(ask(word.format(n=ticket.number)))) is MailOutcome.DISCARDED
    assert house.letters() == before and house.tickets() == [ticket]


@pytest.mark.parametrize("word", _WORDS)
def test_what_a_machine_wrote_is_never_answered(house: TestHouse, word: str) -> None:
    ticket, _ = opened(house)
    before = house.letters()
    for headers in (
        [("Auto-Submitted", "auto-generated")],
        [("Precedence", "bulk")],
        [("List-Id", "<a.example>")],
    ):
        raw = mail("", subject=word.format(n=ticket.number), headers=headers)
        assert house.receive(raw) is MailOutcome.DISCARDED
    assert house.letters() == before and house.tickets() == [ticket]


@pytest.mark.parametrize(
    ("word", "letter"),
    [
        ("STATUS", LetterKind.TICKET_STATUS),
        ("Detalhes", LetterKind.TICKET_DETAILS),
        ("MEUS CHAMADOS", LetterKind.TICKET_LIST),
        ("CANCELAR", LetterKind.TICKET_WITHDRAWN),
        ("AJUDA", LetterKind.HELP),
    ],
)
def test_the_handle_of_a_letter_is_as_good_as_a_verified_sender(
    house: TestHouse, word: str, letter: LetterKind
) -> None:
    ticket, confirmation = opened(house)
    house.receive(reply_to(confirmation, word).replace(b"dmarc=pass", b"dmarc=none"))
    answer = to(house, CUSTOMER)[-1]
    assert (answer.letter, answer.ticket_number) == (letter, ticket.number)
    assert answer.subject == confirmation.subject


def test_the_answer_to_an_answer_may_ask_on(house: TestHouse) -> None:
    ticket, confirmation = opened(house)
    house.receive(reply_to(confirmation, "MEUS CHAMADOS").replace(b"dmarc=pass", b"dmarc=none"))
    listed = to(house, CUSTOMER)[-1]
    house.receive(reply_to(listed, f"DETALHES {ticket.number}").replace(b"dmarc=pass", b"dmarc=none"))
    assert to(house, CUSTOMER)[-1].letter is LetterKind.TICKET_DETAILS


@pytest.mark.parametrize("word", _WORDS)
def test_a_handle_used_from_another_address_does_nothing_by_a_word(house: TestHouse, word: str) -> None:
    ticket, confirmation = opened(house)
    raw = reply_to(confirmation, word.format(n=ticket.number)).replace(b"From: maria@", b"From: joana@")
    assert house.receive(raw) is MailOutcome.MESSAGE
    (after,) = house.tickets()
    assert after.status is Status.OPEN
    assert to(house, OTHER) == [] and to(house, CUSTOMER) == [confirmation]
    assert to(house, ANA)[-1].letter is LetterKind.REQUESTER_REPLIED


def test_a_tag_in_the_subject_gives_no_right_to_ask(house: TestHouse) -> None:
    ticket, _ = opened(house)
    house.receive(mail("STATUS", subject=f"[Chamado #{ticket.number}]", verified=False))
    answer = to(house, CUSTOMER)[-1]
    assert answer.letter is QUERY and ticket.number not in answer.text + answer.subject


def test_nobody_sees_or_cancels_the_ticket_of_another(house: TestHouse) -> None:
    ticket, _ = opened(house)
    for word in ("STATUS", "DETALHES", "CANCELAR"):
        texts = []
        for number in (ticket.number, "2026-999999"):
            house.receive(ask(f"{word} {number}", sender=OTHER))
            answer = to(house, OTHER)[-1]
            assert answer.letter is QUERY
            texts.append(answer.text.replace(answer.handle, ""))
        assert texts[0] == texts[1]
    house.receive(ask("MEUS CHAMADOS", sender=OTHER))
    assert ticket.number not in to(house, OTHER)[-1].text
    assert house.tickets() == [ticket]


def test_a_word_of_an_agent_on_a_notice_is_no_customer_word(house: TestHouse) -> None:
    ticket, _ = opened(house)
    notice = to(house, ANA)[-1]
    house.agent_reply(notice, "CANCELAR")
    (after,) = house.tickets()
    assert after.status is Status.OPEN and after.number == ticket.number
    assert to(house, CUSTOMER)[-1].letter is LetterKind.AGENT_ANSWER


# --- what is answered -----------------------------------------------------------------------------------------


def test_r003_03_the_list_has_number_type_status_and_opening_date_newest_first(house: TestHouse) -> None:
    first, _ = opened(house)
    house.receive(mail("Uma dúvida sobre outra coisa.", subject="Dúvida"))
    house.receive(ask("Meus chamados"))
    letter = to(house, CUSTOMER)[-1]
    assert letter.letter is LetterKind.TICKET_LIST
    newest = house.tickets()[-1]
    rows = [line.split(" | ") for line in letter.text.splitlines() if " | " in line]
    assert rows == [
        [newest.number, "Atendimento geral", "Em análise", "23/11/2026 às 12:01"],
        [first.number, "Alteração de local da vistoria", "Em análise", "23/11/2026 às 12:00"],
    ]


def test_the_newest_50_of_10_000_tickets_are_listed_by_one_query(house: TestHouse) -> None:
    ticket, _ = opened(house)
    with house.app.storage.write() as work:
        for number in range(2, 10_001):
            later = ticket.opened_at + timedelta(seconds=number)
            work.tickets.add(replace(ticket, number=f"2026-{number:06d}", opened_at=later))
    statements: list[str] = []
    engine = house.app.database.engine
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    house.receive(ask("MEUS CHAMADOS"))
    letter = to(house, CUSTOMER)[-1]
    rows = [line.split(" | ")[0] for line in letter.text.splitlines() if " | " in line]
    assert rows == [f"2026-{number:06d}" for number in range(10_000, 9_950, -1)]
    assert "10000 chamados" in letter.text and "9950" in letter.text
    assert len(letter.html.encode()) < 80_000
    about_tickets = [one for one in statements if "FROM tickets" in one and "requester_address" in one]
    assert len([one for one in about_tickets if "ORDER BY tickets.opened_at" in one]) == 1
    assert not [one for one in statements if "tickets.number = " in one]


def test_r003_12_details_show_subject_department_opening_description_and_history(house: TestHouse) -> None:
    ticket, confirmation = opened(house)
    notice = to(house, ANA)[-1]
    house.agent_reply(notice, "Bom dia, já vou ver.")
    house.agent_reply(notice, "#nota\nCliente difícil, conferir CNH.")
    house.requester_reply(confirmation, "Obrigada, e quanto tempo leva?")
    house.receive(ask(f"detalhes {ticket.number}"))
    letter = to(house, CUSTOMER)[-1]
    assert letter.letter is LetterKind.TICKET_DETAILS
    for shown in (
        "Assunto: ALTERAÇÃO DE LOCAL",
        "Departamento: SAU",
        "Aberto em: 23/11/2026 às 12:00",
        "Motivo: mudança de cidade",
        "Ana, 23/11/2026 às 12:01",
        "Bom dia, já vou ver.",
        "Você, 23/11/2026 às 12:01",
        "e quanto tempo leva?",
    ):
        assert shown in letter.text, shown
    assert "difícil" not in letter.text + letter.html, "an internal note is nobody's but the staff's"
    assert ANA not in letter.text + letter.html


def test_a_number_may_be_its_unambiguous_tail(house: TestHouse) -> None:
    ticket, _ = opened(house)
    house.receive(ask("STATUS 1"))
    assert to(house, CUSTOMER)[-1].ticket_number == ticket.number
    with house.app.storage.write() as work:
        work.tickets.add(replace(ticket, number="2025-000001"))
    house.receive(ask("CANCELAR 1"))
    answer = to(house, CUSTOMER)[-1]
    assert answer.letter is QUERY
    assert "CANCELAR 2025-000001" in answer.text and f"CANCELAR {ticket.number}" in answer.text
    assert all(one.status is Status.OPEN for one in house.tickets())
    house.receive(ask("CANCELAR nº #2025-000001"))
    assert {one.number: one.status for one in house.tickets()}["2025-000001"] is Status.RESOLVED


def test_to_cancel_without_a_number_is_asked_about_and_never_guessed(house: TestHouse) -> None:
    ticket, _ = opened(house)
    house.receive(ask("CANCELAR"))
    assert house.tickets() == [ticket]
    assert f"CANCELAR {ticket.number}" in to(house, CUSTOMER)[-1].text


def test_a_withdrawn_ticket_ends_and_everybody_is_told(house: TestHouse) -> None:
    ticket, confirmation = opened(house)
    house.receive(reply_to(confirmation, "CANCELAR\n\nJá resolvi na unidade."))
    (after,) = house.tickets()
    assert (after.status, after.resolution) == (Status.RESOLVED, Resolution.WITHDRAWN)
    assert to(house, CUSTOMER)[-1].letter is LetterKind.TICKET_WITHDRAWN
    notice = to(house, ANA)[-1]
    assert notice.letter is LetterKind.REQUESTER_ACTED and "Já resolvi na unidade." in notice.text
    with house.app.storage.read() as work:
        kinds = [one.kind for one in work.tickets.events(ticket.number)]
        messages = work.tickets.messages(ticket.number)
    assert EventKind.WITHDRAWN in kinds
    assert "Já resolvi na unidade." in messages[-1].text and messages[-1].visibility is Visibility.PUBLIC
    house.receive(ask(f"CANCELAR {ticket.number}"))
    assert to(house, CUSTOMER)[-1].letter is QUERY
    house.requester_reply(to(house, CUSTOMER)[1], "Mudei de ideia, quero continuar com o pedido.")
    assert house.tickets()[0].status is Status.OPEN


def test_r003_04_help_lists_the_services_as_links_that_prefill_subject_and_form(house: TestHouse) -> None:
    house.receive(ask("AJUDA"))
    letter = to(house, CUSTOMER)[-1]
    assert letter.letter is LetterKind.HELP
    assert "mailto:atendimento@example.com.br?subject=ALTERA%C3%87%C3%83O%20DE%20LOCAL" in letter.html
    assert "Motivo%3A%20" in letter.html
    assert "Não pode ser adiado" in letter.text, "R004-05: priorities with their definitions"
    assert house.tickets() == []


# --- what a word never does -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("status do meu pedido está errado", ""),
        ("Status", "Bom dia, faz três semanas que pedi o reembolso e nada."),
        ("Ajuda", "Preciso da segunda via do boleto, podem me enviar?"),
        ("Ajuda", "Meu carro quebrou.\nO que faço?"),
        ("Cancelar boleto", "CANCELAR boleto"),
        ("Dúvida", "Detalhes: o portão não abre"),
        ("Fwd: STATUS", ""),
        ("RES: MEUS CHAMADOS", "Bom dia, não entendi a lista que recebi."),
    ],
)
def test_a_false_friend_is_a_message(house: TestHouse, subject: str, text: str) -> None:
    assert house.receive(mail(text, subject=subject)) is MailOutcome.TICKET
    assert not [one for one in house.letters() if one.letter is QUERY]


def test_a_word_with_a_file_is_a_message(house: TestHouse) -> None:
    assert house.receive(mail("", subject="STATUS", files=[BOLETO])) is MailOutcome.TICKET


@pytest.mark.parametrize("text", ["status", "*STATUS*", "Stätus.", "STATUS\n\nMaria Souza\nTel. (64) 99999-1234"])
def test_a_word_is_understood_however_it_is_dressed(house: TestHouse, text: str) -> None:
    assert house.receive(mail(text, subject="")) is MailOutcome.QUERY


def test_a_query_opens_no_ticket_and_stands_in_the_log_with_what_was_answered(house: TestHouse) -> None:
    house.receive(ask("MEUS CHAMADOS"))
    house.receive(ask("STATUS 77"))
    house.receive(ask("AJUDA", verified=False))
    assert [(one.outcome, one.reason) for one in house.mails()] == [
        (MailOutcome.QUERY, "ticket_list"),
        (MailOutcome.QUERY, "no_such_ticket"),
        (MailOutcome.QUERY, "stranger"),
    ]
    assert house.tickets() == []
    assert all(isinstance(task, LeaveAlone) for task in tasks_for(house.mails()))


def test_the_same_query_twice_is_a_duplicate_and_answered_once(house: TestHouse) -> None:
    raw = ask("MEUS CHAMADOS")
    house.receive(raw)
    assert house.receive(raw) is MailOutcome.DUPLICATE
    assert len(to(house, CUSTOMER)) == 1


def test_strangers_that_ask_on_and_on_are_answered_five_times_a_day(house: TestHouse) -> None:
    for _ in range(8):
        house.receive(ask("STATUS", verified=False))
    letters = house.letters(Audience.REQUESTER)
    assert [one.hold_reason == "" for one in letters] == [True] * 5 + [False] * 3


def test_imported_mail_is_not_answered(house: TestHouse) -> None:
    assert house.receive(ask("AJUDA"), answer=False) is MailOutcome.QUERY
    assert house.letters() == []


# --- in which language (R003-17) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "language", "said"),
    [
        ("MY TICKETS", "en", "We found no tickets"),
        ("MIS CASOS", "es", "No encontramos"),
        ("HELP", "en", "MY TICKETS"),
        ("AYUDA", "es", "MIS CASOS"),
        ("AJUDA", "pt-BR", "MEUS CHAMADOS"),
    ],
)
def test_r003_17_an_answer_without_a_ticket_speaks_the_language_of_its_word(
    house: TestHouse, word: str, language: str, said: str
) -> None:
    house.receive(ask(word))

    (letter,) = to(house, CUSTOMER)
    assert f'lang="{language}"' in letter.html
    assert said in letter.text


def test_r003_17_a_stranger_too_is_answered_in_the_language_of_the_word(house: TestHouse) -> None:
    house.receive(ask("MY TICKETS", verified=False))

    (letter,) = to(house, CUSTOMER)
    assert letter.letter is QUERY
    assert 'lang="en"' in letter.html


def test_r003_17_a_word_of_no_language_is_answered_in_the_mailboxs(house: TestHouse) -> None:
    house.receive(ask("STATUS"))

    (letter,) = to(house, CUSTOMER)
    assert 'lang="pt-BR"' in letter.html
