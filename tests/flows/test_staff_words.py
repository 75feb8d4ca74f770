"""Staff words by mail, whole: a mail comes, the ticket changes, the right people are told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.demo import documents
from mailbot.domain.events import Audience, EventKind, HandlePurpose, LetterKind, LetterStatus, OutboundLetter
from mailbot.domain.guidance import RulingAction
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.outbox import ClaimedLetter
from mailbot.domain.ticket import Priority, Resolution, Status, Ticket
from mailbot.flows.case import Examination
from mailbot.flows.examine import Examiner
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail, reply_to
from tests.flows.test_one_voice import deliver_all


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as one:
        yield one


def with_ticket(house: TestHouse) -> OutboundLetter:
    """A complete request of Maria's, and the notice of it to Ana."""
    assert house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE])) is MailOutcome.TICKET
    return notice(house)


def notice(house: TestHouse) -> OutboundLetter:
    return next(one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.TICKET_READY)


def order(house: TestHouse, text: str, letter: OutboundLetter | None = None) -> Ticket:
    """Ana writes ``text`` in answer to her notice."""
    letter = letter or notice(house)
    assert house.agent_reply(letter, text) is MailOutcome.MESSAGE
    return ticket(house)


def ticket(house: TestHouse, at: int = 0) -> Ticket:
    return house.tickets()[at]


def newest(house: TestHouse, audience: Audience) -> OutboundLetter:
    return house.letters(audience)[-1]


def kinds(house: TestHouse) -> list[EventKind]:
    with house.app.storage.read() as work:
        return [event.kind for event in work.tickets.events(ticket(house).number)]


def count(house: TestHouse, audience: Audience) -> int:
    return len(house.letters(audience))


# --- one word ---------------------------------------------------------------------------------------------------


def test_a_decision_is_echoed_to_the_registered_address_with_the_time_to_take_it_back(house: TestHouse) -> None:
    assert order(house, "#autorizar pode vir", with_ticket(house)).resolution is Resolution.APPROVED
    echo = newest(house, Audience.STAFF)
    assert (echo.letter, echo.recipient.address) == (LetterKind.TRANSCRIPT, "ana@example.com.br")
    assert "✔ #autorizar pode vir" in echo.text
    assert "#desfazer" in echo.text
    assert "23/11/2026 às 12:05" in echo.text


def test_a_plain_answer_to_an_echo_stays_inside(house: TestHouse) -> None:
    order(house, "#autorizar", with_ticket(house))
    echo = newest(house, Audience.STAFF)
    assert echo.purpose is HandlePurpose.STAFF_INTERNAL
    before = count(house, Audience.REQUESTER)
    order(house, "obrigada!", echo)
    assert count(house, Audience.REQUESTER) == before
    order(house, "#responder Até segunda.", echo)
    assert "Até segunda." in newest(house, Audience.REQUESTER).text


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("#espera fornecedor", Status.ON_HOLD),
        ("#aguardar", Status.ON_HOLD),
        ("#APROVAÇÃO", Status.AWAITING_APPROVAL),
        ("#status Em espera", Status.ON_HOLD),
    ],
)
def test_waiting_is_the_staffs_own_business(house: TestHouse, words: str, status: Status) -> None:
    with_ticket(house)
    before = count(house, Audience.REQUESTER)
    assert order(house, words).status is status
    assert count(house, Audience.REQUESTER) == before
    assert newest(house, Audience.STAFF).letter is LetterKind.TRANSCRIPT


def test_what_is_asked_for_by_name_is_missing_again_and_the_requester_is_told(house: TestHouse) -> None:
    with_ticket(house)
    waiting = order(house, "#pedir cnh, foto do painel\nA foto ficou escura.")
    assert (waiting.status, waiting.missing) == (Status.AWAITING_REQUESTER, ("driver_licence",))
    assert waiting.asked == ("foto do painel",)
    letter = newest(house, Audience.REQUESTER)
    assert letter.letter is LetterKind.AGENT_ANSWER
    assert "A foto ficou escura." in letter.text
    assert "CNH do responsável" in letter.text
    assert "foto do painel" in letter.text
    house.requester_reply(letter, "Segue.", files=[("cnh2.pdf", LICENCE[1] + b"\n% again")])
    back = ticket(house)
    assert (back.status, back.missing, back.asked) == (Status.OPEN, (), ())
    assert newest(house, Audience.STAFF).letter is LetterKind.TICKET_READY
    # Whether the photograph is there only a person can tell.
    assert newest(house, Audience.REQUESTER).letter is not LetterKind.EVIDENCE_COMPLETE


def test_what_is_no_requirement_is_reminded_of(house: TestHouse) -> None:
    with_ticket(house)
    order(house, "#pedir foto do painel")
    house.clock.advance(timedelta(days=1, hours=1))
    house.app.upkeep.tick()
    reminder = newest(house, Audience.REQUESTER)
    assert reminder.letter is LetterKind.REMINDER
    assert "foto do painel" in reminder.text
    house.requester_reply(reminder, "Segue.", files=[("painel.pdf", LICENCE[1] + b"\n% o painel\n")])
    told = newest(house, Audience.STAFF)
    assert "Foi pedido também: foto do painel. Confira se veio." in told.text
    house.requester_reply(reminder, "E agora, quanto tempo leva?")
    assert "Foi pedido também" not in newest(house, Audience.STAFF).text


def test_a_visit_goes_out_as_an_invitation_and_a_new_time_replaces_it(house: TestHouse) -> None:
    with_ticket(house)
    assert order(house, "#agendar 2026-12-03 14:00").status is Status.VISIT_SCHEDULED
    first = newest(house, Audience.REQUESTER)
    assert "03/12/2026, 14:00" in first.text
    assert "DTSTART:20261203T170000Z\r\n" in first.calendar
    assert "METHOD:REQUEST\r\n" in first.calendar
    assert "SEQUENCE:0\r\n" in first.calendar
    order(house, "#agendar 04/12/2026 às 9h30")
    assert "DTSTART:20261204T123000Z\r\n" in newest(house, Audience.REQUESTER).calendar
    assert "SEQUENCE:1\r\n" in newest(house, Audience.REQUESTER).calendar


def test_a_ticket_goes_to_another_queue_and_its_people_hear_of_it(house: TestHouse) -> None:
    with_ticket(house)
    moved = order(house, "#fila suporte operacional\n#prioridade alta")
    assert (moved.queue, moved.priority, moved.assignee) == ("suporte_operacional", Priority.HIGH, None)
    letters = {(one.letter, one.recipient.address) for one in house.letters(Audience.STAFF)}
    assert (LetterKind.TICKET_READY, "bruno@example.com.br") in letters
    assert (LetterKind.TRANSCRIPT, "ana@example.com.br") in letters


def test_whoever_is_made_responsible_gets_the_notice(house: TestHouse) -> None:
    with_ticket(house)
    assert order(house, "#atribuir Bruno").assignee == "bruno@example.com.br"
    letters = {(one.letter, one.recipient.address) for one in house.letters(Audience.STAFF)}
    assert (LetterKind.TICKET_READY, "bruno@example.com.br") in letters


def test_r001_17_the_number_of_the_service_order_is_told_to_the_client(house: TestHouse) -> None:
    with_ticket(house)
    numbered = order(house, "#os 98.765/2026")
    assert ("work_order_number", "98.765/2026") in {(one.key, one.value) for one in numbered.fields}
    assert "98.765/2026" in newest(house, Audience.REQUESTER).text


def test_a_field_is_checked_as_a_requesters_is_and_stays_what_the_agent_said(house: TestHouse) -> None:
    with_ticket(house)
    stated = order(house, "#campo Novo local: goiania")
    assert {one.key: one.value for one in stated.fields}["destination_unit"] == "Goiânia"
    assert stated.title == "Alteração de Rio Verde para Goiânia"
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "Novo local: Jataí")
    assert {one.key: one.value for one in ticket(house).fields}["destination_unit"] == "Goiânia"
    order(house, "#campo Novo local: Marte")
    assert {one.key: one.value for one in ticket(house).fields}["destination_unit"] == "Goiânia"
    assert "O valor não serve para Novo local" in newest(house, Audience.STAFF).text


def test_the_rules_are_asked_anew_of_what_an_agent_stated(house: TestHouse) -> None:
    """Jataí is too near to Rio Verde, Goiânia is not."""
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    suggested = ticket(house).ruling
    assert suggested is not None and suggested.guidance == "under_minimum_distance"
    assert "em linha reta" in newest(house, Audience.STAFF).text
    ruling = order(house, "#campo Novo local: goiania", newest(house, Audience.STAFF)).ruling
    assert ruling is not None and ruling.action is RulingAction.PROCEED
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "Obrigada, e o endereço de lá?")
    assert "em linha reta" not in newest(house, Audience.STAFF).text


def test_r000_08_a_waived_paper_is_missed_no_more_whatever_comes(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT]))
    assert ticket(house).missing == ("driver_licence",)
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "Preciso mesmo mandar a carteira?")
    asked = newest(house, Audience.STAFF)
    done = order(house, "#dispensar cnh", asked)
    assert (done.status, done.missing, done.waived) == (Status.OPEN, (), ("driver_licence",))
    assert newest(house, Audience.REQUESTER).letter is LetterKind.EVIDENCE_COMPLETE
    assert "CNH" not in newest(house, Audience.REQUESTER).text
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "Obrigada, e o endereço de lá?")
    assert ticket(house).missing == ()


def test_r000_08_a_licence_of_somebody_else_may_be_waived_and_is_asked_for_no_more(house: TestHouse) -> None:
    """The despachante's own licence, say: a person may take it, and nobody is told again that it does not fit."""
    somebody = documents.Holder(
        name="Carlos Pereira", tax_id="111.444.777-35", licence_number="02650306461", birth_date="03/04/1980"
    )
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, ("cnh.pdf", documents.driver_licence(somebody))]))
    assert [one.reason for one in ticket(house).mismatches] == ["other_holder"]
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "É a do despachante, pode ser?")
    done = order(house, "#dispensar cnh", newest(house, Audience.STAFF))
    assert (done.status, done.missing, done.mismatches) == (Status.OPEN, (), ())
    told = newest(house, Audience.REQUESTER)
    assert told.letter is LetterKind.EVIDENCE_COMPLETE
    assert "✘" not in told.text
    assert "precisa ser da pessoa" not in told.text
    house.requester_reply(told, "Obrigada! Segue de novo o boleto.", files=[BOLETO])
    assert (ticket(house).missing, ticket(house).mismatches) == ((), ())
    assert "✘" not in newest(house, Audience.REQUESTER).text


# --- taking back ------------------------------------------------------------------------------------------------


def test_a_decision_that_waits_is_taken_back_to_the_status_before(house: TestHouse) -> None:
    with_ticket(house)
    order(house, "#espera")
    order(house, "#negar venceu")
    undone = order(house, "#desfazer", newest(house, Audience.STAFF))
    assert (undone.status, undone.resolution, undone.resolved_at) == (Status.ON_HOLD, None, None)
    assert LetterKind.DECISION not in {one.letter for one in house.letters(Audience.REQUESTER)}
    assert "A decisão foi desfeita" in newest(house, Audience.STAFF).text


def test_undoing_loses_to_the_letter_that_begins_to_leave_while_the_mail_is_weighed(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ticket(house)
    order(house, "#autorizar")
    echo = newest(house, Audience.STAFF)
    decision = next(one for one in house.letters() if one.letter is LetterKind.DECISION)
    weigh = Examiner.examine
    weighed: list[str] = []

    def weigh_slowly(*arguments: Any, **named: Any) -> Examination:
        found = weigh(*arguments, **named)
        weighed.append("once")
        while len(weighed) == 1 and (claimed := claim(house)) is not None:
            if claimed.letter.message_id == decision.message_id:
                break
        return found

    monkeypatch.setattr(Examiner, "examine", weigh_slowly)
    after = order(house, "#desfazer", echo)
    assert len(weighed) == 2, "it is weighed anew, and sees the letter leave"
    assert (after.status, after.resolution) == (Status.RESOLVED, Resolution.APPROVED)
    assert "#reabrir" in newest(house, Audience.STAFF).text
    assert EventKind.UNDONE not in kinds(house)


def claim(house: TestHouse) -> ClaimedLetter | None:
    with house.app.storage.write() as work:
        return work.outbox.claim(owner="another", now=house.clock.now(), real_now=datetime.now(UTC), early=True)


def test_what_the_requester_was_told_is_not_taken_back_and_reopening_is_offered(house: TestHouse) -> None:
    with_ticket(house)
    order(house, "#autorizar")
    house.clock.advance(timedelta(minutes=6))
    decision = next(one for one in house.letters() if one.letter is LetterKind.DECISION)
    with house.app.storage.write() as work:
        claimed = work.outbox.claim(owner="x", now=house.clock.now(), real_now=house.clock.now(), early=True)
        assert claimed is not None
    while claimed.letter.message_id != decision.message_id:
        with house.app.storage.write() as work:
            claimed = work.outbox.claim(owner="x", now=house.clock.now(), real_now=house.clock.now(), early=True)
            assert claimed is not None
    assert order(house, "#desfazer").resolution is Resolution.APPROVED
    answer = newest(house, Audience.STAFF)
    assert "já foi enviada" in answer.text
    assert "#reabrir" in answer.text
    assert order(house, "#reabrir").status is Status.OPEN


def test_reopening_a_decision_that_has_not_left_tells_the_requester_nothing(house: TestHouse) -> None:
    with_ticket(house)
    order(house, "#autorizar")
    before = [one.letter for one in house.letters(Audience.REQUESTER) if one.letter is not LetterKind.DECISION]
    assert order(house, "#reabrir").status is Status.OPEN
    assert [one.letter for one in house.letters(Audience.REQUESTER)] == before


# --- other people and tickets -----------------------------------------------------------------------------------


def test_threat_16_who_was_added_gets_what_the_requester_gets_from_then_on_and_nothing_before(
    house: TestHouse,
) -> None:
    with_ticket(house)
    assert order(house, "#copiar Gestor@Cliente.example").participants == ("gestor@cliente.example",)
    assert [one for one in house.letters() if one.recipient.address == "gestor@cliente.example"] == []
    order(house, "Pode vir na segunda.")
    copy = newest(house, Audience.REQUESTER)
    original = house.letters(Audience.REQUESTER)[-2]
    assert {copy.recipient.address, original.recipient.address} == {"gestor@cliente.example", CUSTOMER}
    assert copy.handle != original.handle
    assert CUSTOMER not in copy.text
    house.requester_reply(copy, "Combinado.")
    assert count(house, Audience.REQUESTER) == 3


def test_replies_to_a_merged_ticket_go_to_the_one_that_is_left(house: TestHouse) -> None:
    with_ticket(house)
    house.receive(mail("Outro pedido, por favor.", subject="Dúvida sobre a vistoria"))
    first, second = house.tickets()
    of_second = next(one for one in house.letters(Audience.STAFF, ticket=second.number))
    before = count(house, Audience.REQUESTER)
    house.receive(reply_to(of_second, f"#juntar {first.number}"))
    merged = ticket(house, 1)
    assert (merged.status, merged.resolution, merged.merged_into) == (
        Status.RESOLVED,
        Resolution.DUPLICATE,
        first.number,
    )
    assert count(house, Audience.REQUESTER) == before, "quietly"
    acknowledged = next(one for one in house.letters(Audience.REQUESTER, ticket=second.number))
    house.requester_reply(acknowledged, "E agora, o que faço?")
    with house.app.storage.read() as work:
        assert work.tickets.last_messages(first.number, 1)[0].text == "E agora, o que faço?"
        assert EventKind.MERGED in [event.kind for event in work.tickets.events(first.number)]
    assert ticket(house, 1).status is Status.RESOLVED


def test_another_requesters_ticket_is_merged_only_where_it_is_said_clearly(house: TestHouse) -> None:
    with_ticket(house)
    house.receive(mail("Outro pedido.", subject="Dúvida", sender="joao@example.com.br"))
    first, second = house.tickets()
    of_second = next(one for one in house.letters(Audience.STAFF, ticket=second.number))
    house.receive(reply_to(of_second, f"#juntar {first.number}"))
    assert ticket(house, 1).merged_into is None
    assert "mesmo assim" in newest(house, Audience.STAFF).text
    house.receive(reply_to(of_second, f"#juntar {first.number} mesmo assim"))
    assert ticket(house, 1).merged_into == first.number


# --- asking the bot ---------------------------------------------------------------------------------------------


def test_the_manual_the_history_and_the_list_come_back_and_nothing_goes_out(house: TestHouse) -> None:
    with_ticket(house)
    order(house, "Pode vir na segunda.")
    before = count(house, Audience.REQUESTER)
    order(house, "#ajuda\n#historico\n#abertos\ncomo eu nego isso?")
    answer = newest(house, Audience.STAFF)
    assert count(house, Audience.REQUESTER) == before
    for word in ("#negar motivo", "Pode vir na segunda.", ticket(house).number, "não foi enviado"):
        assert word in answer.text, word


def test_the_pages_come_as_pictures_that_we_drew_and_each_sending_is_an_event(house: TestHouse) -> None:
    with_ticket(house)
    order(house, "#documentos\n#originais")
    house.app.notice_pages.complete_all()
    answer = newest(house, Audience.STAFF)
    files = answer.files
    assert [file.filename for file in files if file.media_type == "image/jpeg"] == [
        "1-boleto-p1.jpg",
        "2-comprovante-p1.jpg",
        "3-cnh-p1.jpg",
    ]
    assert len(files) == 6
    assert {EventKind.PAGES_SENT, EventKind.ORIGINALS_SENT} <= set(kinds(house))
    drawn = next(file for file in files if file.media_type == "image/jpeg")
    assert hashlib.sha256(house.app.blobs.get(drawn.digest)).hexdigest() == drawn.sha256
    assert "- comprovante.pdf\n" in answer.text
    assert answer.handle not in answer.text.replace(f"[mb-{answer.handle}]", "", 1)


def test_a_ticket_without_files_has_no_pages_to_send(house: TestHouse) -> None:
    house.receive(mail("Qual o prazo?", subject="Dúvida"))
    house.agent_reply(house.letters(Audience.STAFF)[0], "#documentos")
    assert "não enviou arquivos" in newest(house, Audience.STAFF).text


def test_the_originals_come_as_files_and_each_sending_is_an_event(house: TestHouse) -> None:
    with_ticket(house)
    order(house, "#originais")
    answer = newest(house, Audience.STAFF)
    assert sorted(file.filename for file in answer.files) == ["boleto.pdf", "cnh.pdf", "comprovante.pdf"]
    assert EventKind.ORIGINALS_SENT in kinds(house)


# --- all or nothing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#prioridade alta\n#autorizr", "Você quis dizer #autorizar?"),
        ("#fila suporte_operacional\n#dispensar", "Falta dizer qual"),
        ("#autorizar\n#espera", "Não combina com"),
        ("#agendar amanhã", "2026-12-03 14:00"),
        ("#agendar 2020-01-01 10:00", "próximos 12 meses"),
        ("#fechar", "Só um chamado concluído"),
        ("#reabrir", "não está concluído"),
        ("#desfazer", "Não há decisão"),
        ("#atribuir", "Falta dizer quem"),
        ("#atribuir ninguem@example.com.br", "São: Ana, Bruno"),
        ("#prioridade urgente", "alta, média ou baixa"),
        ("#dispensar cnh", "Não há nada a dispensar"),
        ("#campo Novo local", "#campo nome: valor"),
        ("#juntar 2026-999999", "Não há chamado"),
        ("#copiar alguém", "Não é um endereço"),
        ("#auto\u200brizar", "Não conhecemos"),
        ("#auto\u202erizar", "Não conhecemos"),
        ("#autorizar\n#negar Falta a CNH.", "Não combina com #negar"),
        ("\n".join(["#prioridade alta"] * 200), "200 linhas"),
    ],
)
def test_one_line_that_cannot_be_done_undoes_all_and_a_transcript_says_why(
    house: TestHouse, text: str, said: str
) -> None:
    with_ticket(house)
    before, letters = ticket(house), count(house, Audience.REQUESTER)
    after = order(house, f"{text}\nTexto ao lado.")
    told = newest(house, Audience.STAFF)
    assert told.letter is LetterKind.TRANSCRIPT
    assert "NADA FOI FEITO" in told.text
    assert said in told.text
    assert count(house, Audience.REQUESTER) == letters
    same = ("status", "queue", "priority", "assignee", "fields", "resolution")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]


def test_a_word_in_the_signature_or_the_quote_orders_nothing(house: TestHouse) -> None:
    letter = with_ticket(house)
    house.receive(reply_to(letter, "Pode vir.\n\n-- \n#autorizar\nAna"))
    assert ticket(house).status is Status.OPEN
    assert "#autorizar" not in newest(house, Audience.REQUESTER).text


def test_an_expired_handle_carries_a_plain_answer_with_a_warning_and_no_decision(house: TestHouse) -> None:
    letter = with_ticket(house)
    house.clock.advance(timedelta(days=181))
    order(house, "Pode vir.", letter)
    assert "Pode vir." in newest(house, Audience.REQUESTER).text
    warned = newest(house, Audience.STAFF)
    assert "já venceu" in warned.text
    assert order(house, "#autorizar", letter).status is Status.OPEN
    assert order(house, "#autorizar", newest(house, Audience.STAFF)).status is Status.RESOLVED


def test_letters_that_wait_are_cancelled_and_not_forgotten(house: TestHouse) -> None:
    with_ticket(house)
    order(house, "#autorizar")
    order(house, "#desfazer")
    with house.app.storage.read() as work:
        rows = [row for row in work.outbox.browse() if row.letter is LetterKind.DECISION]
    assert [row.status for row in rows] == [LetterStatus.CANCELLED]


def closed(house: TestHouse) -> OutboundLetter:
    """The notice of a ticket that was closed since."""
    earlier = with_ticket(house)
    order(house, "#resolver Pronto.")
    house.clock.advance(timedelta(minutes=6))
    deliver_all(house.app)
    order(house, "#fechar")
    assert ticket(house).status is Status.CLOSED
    return earlier


@pytest.mark.parametrize("word", ["#autorizar", "#negar não", "#pedir cnh", "#espera", "#reabrir", "#tipo x"])
def test_a_ticket_that_was_closed_meanwhile_does_not_move_and_the_agent_is_told(
    house: TestHouse, word: str
) -> None:
    earlier = closed(house)
    before = count(house, Audience.REQUESTER)
    assert order(house, f"{word}\nTexto ao lado.", earlier).status is Status.CLOSED
    told = newest(house, Audience.STAFF)
    assert told.letter is LetterKind.TRANSCRIPT
    assert "NADA FOI FEITO" in told.text
    assert count(house, Audience.REQUESTER) == before


def test_a_plain_answer_to_a_closed_ticket_still_reaches_its_requester(house: TestHouse) -> None:
    assert order(house, "Só para completar: leve o documento.", closed(house)).status is Status.CLOSED
    assert "leve o documento" in newest(house, Audience.REQUESTER).text
