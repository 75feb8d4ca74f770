"""``TIPO:`` and ``DEPARTAMENTO:``: a customer gives an open request another type, and never by accident."""

from __future__ import annotations

import shutil
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.domain.events import EventKind, LetterKind, OutboundLetter
from mailbot.domain.evidence import DocumentReading, Verdict
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Status
from mailbot.evidence.isolation import IsolatedDocumentReader
from mailbot.evidence.reading import not_read
from mailbot.flows import retype
from tests.flows.house import (
    BOLETO,
    CUSTOMER,
    LICENCE,
    NOON,
    RECEIPT,
    REPOSITORY,
    REQUEST,
    TestHouse,
    mail,
    reply_to,
)
from tests.pictures import jpeg

ANA, BRUNO = "ana@example.com.br", "bruno@example.com.br"
LOCATION = "inspection_location_change"

_BILLING = """
key: agency_billing
name: Financeiro e fiscal
subject: Segunda via
queue: financeiro
answer_within_business_hours: 24
fields:
  - {key: kind, label: Tipo, question: Qual o tipo?, required: não}
  - {key: destination_unit, label: Novo local, question: Para onde?, kind: unit, required: não}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    (config / "catalogue" / "agency_billing.yaml").write_text(_BILLING, encoding="utf-8")
    staff = (config / "staff.yaml").read_text(encoding="utf-8")
    queue = "queues:\n  - {key: financeiro, name: Contas e notas, notify: [bruno@example.com.br]}\n"
    (config / "staff.yaml").write_text(staff.replace("queues:\n", queue, 1), encoding="utf-8")
    with TestHouse(tmp_path, config_dir=config) as opened:
        yield opened


def to(house: TestHouse, address: str) -> list[OutboundLetter]:
    return [letter for letter in house.letters() if letter.recipient.address == address]


def general(house: TestHouse) -> OutboundLetter:
    """A request that fits no type, with the papers of a change of location."""
    house.receive(mail(REQUEST, subject="Socorro", files=[BOLETO, RECEIPT, LICENCE]))
    return to(house, CUSTOMER)[-1]


def test_the_ticket_becomes_the_other_type_and_its_papers_are_read_for_it(house: TestHouse) -> None:
    house.receive(mail("Segue o que preciso.", subject="Segunda via", files=[BOLETO, RECEIPT, LICENCE]))
    confirmation = to(house, CUSTOMER)[-1]
    house.receive(reply_to(confirmation, "TIPO: alteração de local"))
    (ticket,) = house.tickets()
    assert (ticket.request_type, ticket.queue, ticket.status) == (LOCATION, "sau", Status.AWAITING_REQUESTER)
    accepted = {one.requirement for one in ticket.documents if one.verdict is Verdict.ACCEPTED}
    assert accepted == {"boleto", "payment_receipt", "driver_licence"}
    assert "destination_unit" in ticket.missing and "boleto" not in ticket.missing
    letter = to(house, CUSTOMER)[-1]
    assert letter.letter is LetterKind.TICKET_RECLASSIFIED
    assert "Alteração de local da vistoria" in letter.text and "Novo local: ____" in letter.text
    assert letter.subject == confirmation.subject
    assert [one.letter for one in to(house, BRUNO)] == [LetterKind.TICKET_READY, LetterKind.REQUESTER_ACTED]
    with house.app.storage.read() as work:
        assert EventKind.RECLASSIFIED in [one.kind for one in work.tickets.events(ticket.number)]
    house.receive(reply_to(letter, REQUEST))
    assert house.tickets()[0].status is Status.OPEN, "what it still needed came"


def test_other_mails_pass_while_the_papers_are_read_for_the_new_type(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_be_read = threading.Event()

    def read(_: object, digest: str, *about: object) -> DocumentReading:
        assert may_be_read.wait(60)
        return not_read(digest)

    monkeypatch.setattr(IsolatedDocumentReader, "read", read)
    photographs = [(f"{number}.jpg", jpeg(3000, 2000 + number)) for number in range(4)]
    house.receive(mail("Segue o que preciso.", subject="Segunda via", files=photographs))
    house.collect(reply_to(to(house, CUSTOMER)[-1], "TIPO: alteração de local"))
    house.collect(mail("Outro assunto.", subject="Dúvida", sender="outra@cliente.example"))
    intake = house.app.intake
    assert intake.process_next(early=True) is MailOutcome.PENDING
    assert intake.parked == 1
    assert intake.process_next(early=True) is MailOutcome.TICKET, "the other mail"
    may_be_read.set()
    while intake.parked:
        intake.wait_for_readings(1)
        intake.process_parked()
    assert [one.request_type for one in house.tickets()] == [LOCATION, "general"]


def test_r004_03_a_department_is_corrected_in_the_reply(house: TestHouse) -> None:
    house.receive(mail("Preciso da nota fiscal.", subject="Nota"))
    house.receive(reply_to(to(house, CUSTOMER)[-1], "Departamento: FINANCEIRO"))
    (ticket,) = house.tickets()
    assert (ticket.request_type, ticket.queue) == ("agency_billing", "financeiro")
    assert "Contas e notas" in to(house, CUSTOMER)[-1].text
    assert to(house, BRUNO)[-1].letter is LetterKind.TICKET_READY


def test_r000_17_another_type_has_its_own_promise_from_then_on_and_the_requester_is_told(house: TestHouse) -> None:
    house.receive(mail("Preciso da nota fiscal.", subject="Nota"))
    assert house.tickets()[0].due_at == NOON + timedelta(days=2)
    house.clock.advance(timedelta(hours=4))
    house.receive(reply_to(to(house, CUSTOMER)[-1], "Departamento: FINANCEIRO"))
    assert house.tickets()[0].due_at == NOON + timedelta(days=1, hours=4), "one business day from the change on"
    assert "24 de novembro de 2026" in " ".join(to(house, CUSTOMER)[-1].text.split())


def test_a_fresh_mail_is_about_the_one_open_request(house: TestHouse) -> None:
    house.receive(mail("Preciso da nota fiscal.", subject="Nota"))
    house.receive(mail("", subject="TIPO: Segunda via"))
    (ticket,) = house.tickets()
    assert ticket.request_type == "agency_billing"
    house.receive(mail("Outra coisa.", subject="Outra"))
    house.receive(mail("", subject="TIPO: Alteração de local"))
    assert LOCATION not in {one.request_type for one in house.tickets()}
    assert to(house, CUSTOMER)[-1].letter is LetterKind.QUERY_NOT_ANSWERED


def test_a_type_that_is_not_understood_is_asked_about_with_those_that_there_are(house: TestHouse) -> None:
    house.receive(mail("Preciso da nota fiscal.", subject="Nota"))
    house.receive(reply_to(to(house, CUSTOMER)[-1], "TIPO: casamento"))
    letter = to(house, CUSTOMER)[-1]
    assert letter.letter is LetterKind.QUERY_NOT_ANSWERED
    assert "TIPO: Alteração de local da vistoria" in letter.text and "TIPO: Financeiro e fiscal" in letter.text
    assert house.tickets()[0].request_type == "general"


@pytest.mark.parametrize("text", ["Tipo: apartamento\nÁrea: 80 m2\nRua das Flores", "Departamento: 302\nBloco B"])
def test_a_form_that_happens_to_begin_so_is_a_message(house: TestHouse, text: str) -> None:
    house.receive(mail("Preciso da nota fiscal.", subject="Nota"))
    letter = to(house, CUSTOMER)[-1]
    assert house.receive(reply_to(letter, text)) is MailOutcome.MESSAGE
    assert house.receive(mail(text, subject="Vistoria")) is MailOutcome.TICKET
    assert to(house, BRUNO)[1].letter is LetterKind.REQUESTER_REPLIED


def test_the_answer_to_a_field_of_that_name_is_an_answer(house: TestHouse) -> None:
    house.receive(mail("Preciso dela.", subject="Segunda via"))
    assert house.receive(reply_to(to(house, CUSTOMER)[-1], "Tipo: boleto antigo")) is MailOutcome.MESSAGE
    (ticket,) = house.tickets()
    assert [one.value for one in ticket.fields if one.key == "kind"] == ["boleto antigo"]


def test_nobody_else_changes_the_type(house: TestHouse) -> None:
    house.receive(mail("Preciso da nota fiscal.", subject="Nota"))
    letter = to(house, CUSTOMER)[-1]
    house.receive(reply_to(letter, "TIPO: Segunda via").replace(b"From: maria@", b"From: joana@"))
    house.receive(mail("", subject="TIPO: Segunda via", verified=False))
    assert {one.request_type for one in house.tickets()} == {"general"}


def test_a_finished_request_keeps_its_type(house: TestHouse) -> None:
    house.receive(mail("Preciso da nota fiscal.", subject="Nota"))
    house.receive(reply_to(to(house, CUSTOMER)[-1], "CANCELAR"))
    house.receive(reply_to(to(house, CUSTOMER)[-1], "TIPO: Segunda via"))
    (ticket,) = house.tickets()
    assert ticket.request_type == "general"
    assert to(house, CUSTOMER)[-1].letter is LetterKind.QUERY_NOT_ANSWERED


def test_a_request_of_many_large_mails_is_held_against_its_new_type_in_the_memory_of_one(house: TestHouse) -> None:
    """A customer with a hundred mails of 25 MB, who then wrote ``TIPO:``, had all of them in memory at once."""
    asked = general(house)
    for number in range(6):
        large = [(f"{number}.bin", bytes([number]) * 4_000_000)]
        assert house.receive(reply_to(asked, f"Mais um arquivo, o {number}.", files=large)) is MailOutcome.MESSAGE
    word = reply_to(asked, "TIPO: segunda via")
    house.collect(word)
    tracemalloc.start()
    try:
        assert house.process() is MailOutcome.MESSAGE
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert house.tickets()[0].request_type == "agency_billing"
    assert most_bytes < 4 * 4_000_000 * 4 / 3


def test_a_word_is_carried_out_though_an_old_mail_of_the_request_is_gone(house: TestHouse) -> None:
    asked = general(house)
    house.receive(reply_to(asked, "Mais uma coisa."))
    with house.app.storage.read() as work:
        row = work.mails.get(2)
    assert row is not None
    (stored,) = (house.folder / "var").rglob(f"*{row.raw_digest[2:]}")
    stored.unlink()
    assert house.receive(reply_to(asked, "TIPO: segunda via")) is MailOutcome.MESSAGE
    assert house.tickets()[0].request_type == "agency_billing"


def test_of_very_many_mails_the_first_and_the_newest_are_held_against_the_new_type(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retype, "_MOST_MAILS", 2)
    asked = general(house)
    for place in ("Anápolis", "Goiânia", "Catalão"):
        house.receive(reply_to(asked, f"Novo local: {place}"))
    house.receive(reply_to(asked, "TIPO: alteração de local"))
    stated = {one.key: one for one in house.tickets()[0].fields}
    assert stated["origin_unit"].value == "Rio Verde", "of the first mail"
    assert stated["destination_unit"].value == "Catalão"
    assert stated["destination_unit"].earlier != "Anápolis"


def test_an_agent_s_word_has_the_papers_read_that_nobody_asked_for_before(house: TestHouse) -> None:
    house.receive(mail(REQUEST, subject="Segunda via", files=[BOLETO, RECEIPT, LICENCE]))
    house.receive(reply_to(to(house, BRUNO)[-1], "#tipo alteração de local\n#campo Novo local: Anápolis"))
    (ticket,) = house.tickets()
    assert (ticket.request_type, ticket.queue, ticket.missing) == (LOCATION, "sau", ())
    assert {one.requirement for one in ticket.documents if one.verdict is Verdict.ACCEPTED} == {
        "boleto",
        "payment_receipt",
        "driver_licence",
    }
    assert next(one.value for one in ticket.fields if one.key == "destination_unit") == "Anápolis"
    notice = to(house, ANA)[-1]
    assert notice.letter is LetterKind.TICKET_READY and "✔ Boleto da vistoria (boleto.pdf)" in notice.text


@pytest.mark.parametrize(
    "orders",
    [
        ["#campo Novo local: Anápolis", "#tipo alteração de local"],
        ["#campo Novo local: Anápolis\n#tipo alteração de local"],
    ],
    ids=["before", "in the same mail"],
)
def test_what_an_agent_stated_counts_for_the_new_type_too(house: TestHouse, orders: list[str]) -> None:
    request = REQUEST.replace("Novo local: Jataí\n", "")
    house.receive(mail(request, subject="Segunda via", files=[BOLETO, RECEIPT, LICENCE]))
    for words in orders:
        house.receive(reply_to(to(house, BRUNO)[-1], words))
    (ticket,) = house.tickets()
    assert (ticket.request_type, ticket.missing) == (LOCATION, ())
    assert {one.key: one.value for one in ticket.fields}["destination_unit"] == "Anápolis"
    assert ticket.title == "Alteração de Rio Verde para Anápolis"
