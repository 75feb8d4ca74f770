"""Post-sales: two-level subjects, ``Sem resposta`` until an agent answers, answers to the registered address
(R003-05 to R003-16)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ticket import Status, Ticket
from tests.flows.house import CUSTOMER, REPOSITORY, TestHouse, mail, reply_to

LEAK = (
    "Bom dia,\n\nHá uma infiltração grande no teto do banheiro da minha unidade, com mofo. A incorporadora "
    "precisa ver.\n\nObrigada,\nMaria"
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def opened(house: TestHouse, subject: str = "Infiltração no teto", text: str = LEAK) -> Ticket:
    house.receive(mail(text, subject=subject))
    return house.tickets()[-1]


def notice(house: TestHouse) -> OutboundLetter:
    return house.letters(Audience.STAFF)[-1]


def stated(ticket: Ticket) -> dict[str, str]:
    return {one.key: one.value for one in ticket.fields if one.valid}


@pytest.mark.parametrize(
    ("subject", "text", "kind", "topic", "queue"),
    [
        ("Infiltração no teto", LEAK, "post_sales_technical", "Infiltrações", "assistencia_tecnica"),
        (
            "Segunda via de documentos",
            "Perdi o manual do proprietário da unidade 301 e preciso de outro.",
            "post_sales_technical",
            "Segunda via de documentos",
            "documentos",
        ),
        (
            "Extrato IRPF",
            "Preciso do extrato de 2025 da unidade 301, para a declaração.",
            "post_sales_financial",
            "Extrato IRPF",
            "pos_vendas_financeiro",
        ),
        (
            "Elétrica",
            "A tomada da sala não funciona desde a entrega da obra, no apartamento 301.",
            "post_sales_engineering",
            "Elétrica",
            "engenharia",
        ),
    ],
)
def test_r003_05_the_second_level_of_the_subject_is_told_by_its_words_and_names_the_department(
    house: TestHouse, subject: str, text: str, kind: str, topic: str, queue: str
) -> None:
    ticket = opened(house, subject, text)
    assert (ticket.request_type, ticket.queue) == (kind, queue)
    assert stated(ticket)["subject_topic"] == topic
    assert ticket.title.endswith(f": {topic}")


def test_r003_05_two_subjects_in_one_mail_are_asked_about_never_guessed(house: TestHouse) -> None:
    text = "O piso do quarto soltou e a tomada da sala não funciona, tudo desde a entrega da obra."
    ticket = opened(house, "Engenharia e construção", text)
    assert (ticket.status, ticket.missing) == (Status.AWAITING_REQUESTER, ("subject_topic",))
    letter = house.letters(Audience.REQUESTER)[-1]
    assert "Elétrica; Hidráulica" in letter.text
    house.requester_reply(letter, "Assunto: elétrica")
    (ticket,) = house.tickets()
    assert (stated(ticket)["subject_topic"], ticket.status) == ("Elétrica", Status.OPEN)


def test_r003_06_a_text_too_short_to_work_on_is_asked_for(house: TestHouse) -> None:
    ticket = opened(house, "Extrato IRPF", "Quero o extrato.")
    assert (ticket.status, ticket.missing) == (Status.AWAITING_REQUESTER, ("description",))
    letter = house.letters(Audience.REQUESTER)[-1]
    assert "30" in letter.text
    house.requester_reply(letter, "Preciso do extrato do ano de 2025 da unidade 301, torre B, para a declaração.")
    (ticket,) = house.tickets()
    assert (ticket.missing, ticket.status) == ((), Status.OPEN)


def test_r003_07_no_file_is_needed(house: TestHouse) -> None:
    assert opened(house).missing == ()


def test_r003_08_the_answer_goes_to_the_address_that_wrote_whatever_reply_to_says(house: TestHouse) -> None:
    house.receive(mail(LEAK, subject="Infiltração no teto", headers=[("Reply-To", "outro@estranho.example")]))
    house.agent_reply(notice(house), "Visitaremos a unidade.")
    assert {one.recipient.address for one in house.letters(Audience.REQUESTER)} == {CUSTOMER}


def test_r003_13_the_original_stays_as_it_was_sent_and_what_comes_later_is_another_message(
    house: TestHouse,
) -> None:
    ticket = opened(house)
    before = messages(house, ticket)
    house.requester_reply(
        house.letters(Audience.REQUESTER)[-1], "Corrigindo: é o teto da cozinha, não o do banheiro."
    )
    after = messages(house, ticket)
    assert after[0] == before[0]
    assert len(after) == 2 and "teto da cozinha" in after[1]


def messages(house: TestHouse, ticket: Ticket) -> list[str]:
    with house.app.storage.read() as work:
        return [one.text for one in work.tickets.messages(ticket.number)]


def test_r003_15_customers_read_the_labels_of_post_sales(house: TestHouse) -> None:
    kind = house.app.catalogue.type("post_sales_technical")
    labels = {status: kind.label_of(status) for status in Status}
    assert labels[Status.NEW] == "Sem resposta"
    assert {labels[one] for one in (Status.OPEN, Status.ON_HOLD, Status.AWAITING_REQUESTER)} == {"Em andamento"}
    assert labels[Status.AWAITING_APPROVAL] == "Aguardando aprovação"
    assert labels[Status.VISIT_SCHEDULED] == "Agendamento de vistoria"
    assert labels[Status.RESOLVED] == labels[Status.CLOSED] == "Concluído"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[TestHouse]:
    """A company with two labels of its own."""
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    file = config / "catalogue" / "post_sales_technical.yaml"
    labels = "further_labels: {Aguardando peça: on_hold, Em orçamento: open}\n"
    file.write_text(file.read_text(encoding="utf-8") + labels, encoding="utf-8")
    with TestHouse(tmp_path, config_dir=config) as opened:
        yield opened


def test_r003_15_a_company_has_further_labels_over_one_status_and_its_customers_read_them(
    company: TestHouse,
) -> None:
    opened(company)
    company.agent_reply(notice(company), "#status aguardando peca")
    assert (company.tickets()[0].status, company.tickets()[0].label) == (Status.ON_HOLD, "Aguardando peça")

    def status_told() -> str:
        company.receive(reply_to(company.letters(Audience.REQUESTER)[0], "STATUS"))
        text = company.letters(Audience.REQUESTER)[-1].text
        return next(line for line in text.splitlines() if line.startswith("Situação"))

    assert status_told() == "Situação: Aguardando peça"
    # Another label of the same ticket, over another status.
    company.agent_reply(notice(company), "#status Em orçamento")
    assert (company.tickets()[0].status, status_told()) == (Status.OPEN, "Situação: Em orçamento")
    # Whoever moves the ticket on takes the label off.
    company.agent_reply(notice(company), "#espera")
    assert status_told() == "Situação: Em andamento"
    company.agent_reply(notice(company), "#status Aguardando peça")
    company.agent_reply(notice(company), "#resolver\nA peça chegou e foi trocada.")
    assert status_told() == "Situação: Concluído"


def test_r003_15_a_label_that_nobody_configured_is_refused_with_those_that_there_are(company: TestHouse) -> None:
    opened(company)
    company.agent_reply(notice(company), "#status Na fábrica")
    assert company.tickets()[0].status is Status.NEW
    assert "Aguardando peça, Em orçamento" in notice(company).text


def test_r003_16_a_request_is_new_until_an_agent_answers_and_has_its_promise_and_notice_at_once(
    house: TestHouse,
) -> None:
    ticket = opened(house)
    assert ticket.status is Status.NEW and ticket.due_at is not None
    assert notice(house).letter is LetterKind.TICKET_READY
    house.requester_reply(house.letters(Audience.REQUESTER)[-1], "Esqueci: é no apartamento 301.")
    assert house.tickets()[0].status is Status.NEW
    house.agent_reply(notice(house), "Recebemos, vamos olhar.")
    assert house.tickets()[0].status is Status.OPEN


def test_r003_16_a_status_mail_says_that_nobody_has_answered_yet(house: TestHouse) -> None:
    opened(house)
    house.receive(reply_to(house.letters(Audience.REQUESTER)[-1], "STATUS"))
    assert "Sem resposta" in house.letters(Audience.REQUESTER)[-1].text
