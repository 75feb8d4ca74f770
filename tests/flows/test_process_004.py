"""The agency: departments by content and their correction, priorities, the customer's services, files (R004-01 to
R004-17)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind
from mailbot.domain.evidence import Verdict
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Priority, Status, Ticket
from mailbot.flows.customers import CustomerForm, Saved, save
from tests.flows.house import CUSTOMER, TestHouse, mail

ALLOWED = [
    "jpg",
    "jpeg",
    "gif",
    "png",
    "cdr",
    "psd",
    "ai",
    "raw",
    "rar",
    "zip",
    "exe",
    "doc",
    "docx",
    "xls",
    "xlsx",
    "ppt",
    "pptx",
    "txt",
    "csv",
    "pdf",
    "eps",
    "cst",
    "css",
    "iso",
    "mov",
    "mp4",
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def opened(house: TestHouse, subject: str, text: str, files: list[tuple[str, bytes]] | None = None) -> Ticket:
    house.receive(mail(text, subject=subject, files=files or []))
    return house.tickets()[-1]


def stated(ticket: Ticket) -> dict[str, str]:
    return {one.key: one.value for one in ticket.fields if one.valid}


@pytest.mark.parametrize(
    ("subject", "text", "queue"),
    [
        ("Segunda via do boleto", "Preciso da segunda via do boleto de novembro.", "agencia_financeiro"),
        ("Nota fiscal", "Pode enviar as notas fiscais de outubro? A fatura já venceu.", "agencia_financeiro"),
        ("Relatório de campanha", "Quero o relatório das campanhas de outubro.", "agencia_atendimento"),
        ("Ajuda", "Gostaria de solicitar um relatório de campanha de mídia do instagram.", "agencia_atendimento"),
    ],
)
def test_r004_01_the_department_is_told_by_the_content(
    house: TestHouse, subject: str, text: str, queue: str
) -> None:
    ticket = opened(house, f"{subject} {'' if subject != 'Ajuda' else 'com a campanha'}".strip(), text)
    assert ticket.queue == queue


@pytest.mark.parametrize(
    ("subject", "text", "queue"),
    [
        ("Bom dia", "Vocês podem me ligar amanhã?", "agencia_atendimento"),
        ("Segunda via do boleto", "Preciso da segunda via do boleto de novembro.", "agencia_financeiro"),
    ],
)
def test_r004_01_what_fits_no_department_is_for_the_agency_s_support(
    tmp_path: Path, subject: str, text: str, queue: str
) -> None:
    with TestHouse(
        tmp_path,
        agencia_address="agencia@aurora.example.com.br",
        agencia_imap_url=f"maildir://{tmp_path / 'maildir'}",
        agencia_smtp_url="smtp://127.0.0.1:9",
    ) as house:
        house.collect(mail(text, subject=subject), mailbox="agencia")
        assert house.process() is MailOutcome.TICKET
        (ticket,) = house.tickets()
        assert (ticket.mailbox, ticket.queue) == ("agencia", queue)


def test_r004_03_the_letter_names_the_department_and_an_answer_corrects_it(house: TestHouse) -> None:
    opened(house, "Relatório de campanha", "Quero o relatório das campanhas e também a conta delas.")
    letter = house.letters(Audience.REQUESTER)[-1]
    assert "Departamento: Atendimento." in letter.text and "DEPARTAMENTO: Financeiro e Fiscal" in letter.text
    house.requester_reply(letter, "DEPARTAMENTO: financeiro")
    (ticket,) = house.tickets()
    assert (ticket.request_type, ticket.queue) == ("agency_billing", "agencia_financeiro")
    assert stated(ticket)["department"] == "Financeiro e Fiscal"
    answer = house.letters(Audience.REQUESTER)[-1]
    assert answer.letter is LetterKind.TICKET_RECLASSIFIED and "Financeiro e Fiscal" in answer.text


def test_r004_05_a_site_that_is_down_has_high_priority_where_it_is_asked_for(house: TestHouse) -> None:
    ticket = opened(house, "Site fora do ar", "Prioridade: alta\nNosso site está fora do ar desde ontem.")
    assert ticket.priority is Priority.HIGH
    assert "Prioridade: Alta" in house.letters(Audience.REQUESTER)[-1].text


def test_r004_05_a_site_that_is_down_proposes_high_priority(house: TestHouse) -> None:
    ticket = opened(house, "Site fora do ar", "Nosso site está fora do ar desde ontem.")
    assert (ticket.priority, ticket.priority_asked) == (Priority.MEDIUM, Priority.HIGH)


def test_r004_06_high_priority_without_cause_stays_what_was_asked_for(house: TestHouse) -> None:
    ticket = opened(
        house, "Relatório de campanha", "Prioridade: alta\n\nQuero o relatório das campanhas de outubro."
    )
    assert ticket.priority is Priority.MEDIUM
    assert "Você pediu prioridade Alta" in house.letters(Audience.REQUESTER)[-1].text
    assert "pediu prioridade Alta" in house.letters(Audience.STAFF)[-1].text


def test_r004_06_a_site_that_is_not_down_proves_nothing(house: TestHouse) -> None:
    ticket = opened(house, "Alteração no site", "O site não está fora do ar, só quero trocar uma foto.")
    assert ticket.priority is Priority.MEDIUM


def test_r004_05_low_priority_is_taken_as_it_is_asked_for(house: TestHouse) -> None:
    ticket = opened(house, "Relatório de campanha", "Prioridade: 3\nQuero o relatório das campanhas de outubro.")
    assert ticket.priority is Priority.LOW


def test_r004_07_the_message_is_the_text_of_the_mail(house: TestHouse) -> None:
    ticket = opened(house, "Segunda via do boleto", "Bom dia,\n\nPreciso da segunda via do boleto.\n\nAtt,\nMaria")
    assert stated(ticket)["description"] == "Preciso da segunda via do boleto."


def test_r004_08_all_26_kinds_of_files_are_taken(house: TestHouse) -> None:
    files = [(f"arquivo.{one.upper()}", b"conteudo qualquer " * 20) for one in ALLOWED]
    ticket = opened(house, "Nova campanha", "Seguem os materiais da campanha nova.", files)
    assert len(ALLOWED) == 26
    refused = {one.filename: one.reasons for one in ticket.documents if one.verdict is Verdict.REFUSED_TYPE}
    assert not refused


def test_r004_08_each_other_kind_is_refused_by_name_with_the_way_out(house: TestHouse) -> None:
    files = [("macro.vbs", b"x" * 200), ("pagina.html", b"<html><p>oi</p></html>"), ("arte.png.js", b"y" * 200)]
    opened(house, "Nova campanha", "Seguem os materiais da campanha nova.", files)
    text = house.letters(Audience.REQUESTER)[-1].text
    assert all(name.replace(".", "[.]") in text for name, _ in files)
    assert text.count("Envie em outro formato") == len(files)


def test_r004_17_a_file_over_10_mb_is_refused_with_the_limit_and_the_rest_is_used(house: TestHouse) -> None:
    files = [("video.mp4", b"\0" * (10 * 1024 * 1024 + 1)), ("arte.psd", b"8BPS" + b"\0" * 100)]
    ticket = opened(house, "Nova campanha", "Seguem os materiais da campanha nova.", files)
    verdicts = {one.filename: one.verdict for one in ticket.documents}
    assert verdicts["video.mp4"] is Verdict.REFUSED_SIZE and verdicts["arte.psd"] is not Verdict.REFUSED_TYPE
    text = house.letters(Audience.REQUESTER)[-1].text
    assert "o limite é 10 MB" in text and "guarde na nuvem" in text


def test_r004_11_articles_are_suggested(house: TestHouse) -> None:
    opened(house, "Nova campanha", "O anexo não foi aceito, o arquivo grande passou do limite de anexo de 10 MB.")
    assert "Como enviar um arquivo muito grande" in house.letters(Audience.REQUESTER)[-1].text


def test_r004_14_the_end_asks_for_a_rating(house: TestHouse) -> None:
    opened(house, "Nova campanha", "Seguem os materiais da campanha nova.")
    house.agent_reply(house.letters(Audience.STAFF)[-1], "#resolver\nPronto.")
    assert house.tickets()[0].status is Status.RESOLVED
    assert "AVALIA" in house.letters(Audience.REQUESTER)[-1].text.upper()


def test_r004_04_the_service_that_a_known_customer_names_is_told_to_the_agent_by_its_own_name(
    house: TestHouse,
) -> None:
    form = CustomerForm(first_name="Maria", last_name="Souza", email=CUSTOMER, services=("Mídia paga", "Site"))
    with house.app.storage.write() as work:
        assert isinstance(save(work, form, actor="admin", now=house.clock.now()), Saved)
    ticket = opened(house, "Relatórios", "Preciso do relatório de midia paga de outubro.")
    assert stated(ticket)["related_service"] == "Mídia paga"
    (notice,) = house.letters(Audience.STAFF)
    assert "Serviço relacionado: Mídia paga" in notice.text


def test_r004_04_a_stranger_who_names_a_service_learns_nothing_of_anybodys(house: TestHouse) -> None:
    form = CustomerForm(first_name="Maria", last_name="Souza", email=CUSTOMER, services=("Mídia paga",))
    with house.app.storage.write() as work:
        assert isinstance(save(work, form, actor="admin", now=house.clock.now()), Saved)
    house.receive(mail("Preciso do relatório de midia paga.", subject="Relatórios", sender="x@cliente.example"))
    assert "related_service" not in stated(house.tickets()[-1])


def test_r004_08_the_agent_reads_of_files_that_nobody_looked_into_by_their_name_alone_and_made_harmless(
    house: TestHouse,
) -> None:
    opened(house, "Nova campanha", "Segue a arte.", [("www.mal.example.zip", b"PK\x03\x04" + b"x" * 300)])
    (notice,) = house.letters(Audience.STAFF)
    assert "? www[.]mal[.]example[.]zip: Guardado como chegou, sem abrir." in notice.text
    assert "www.mal.example" not in notice.text
