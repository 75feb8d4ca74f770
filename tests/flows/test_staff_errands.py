"""What agents order without a notice: opening for a customer, the manual, the list of their tickets."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, EventKind, LetterKind
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Status
from mailbot.flows.reprocess import tasks_for
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail
from tests.flows.test_staff_words import newest, with_ticket
from tests.triage.test_forwarded import FORWARDS

ANA = "Ana <ana@example.com.br>"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as one:
        yield one


FORWARD = (
    "#abrir\nsegue\n\n________________________________\nDe: Maria Souza <maria@cliente.example>\n"
    "Enviado: segunda-feira, 23 de novembro de 2026 09:12\nPara: SAU <sau@example.com.br>\n"
    f"Assunto: Alteração de local\n\n{REQUEST}"
)


def test_r000_13_a_forwarded_mail_becomes_the_customers_ticket_and_the_agent_hears_the_number(
    house: TestHouse,
) -> None:
    raw = mail(FORWARD, subject="ENC: Alteração de local", sender=ANA, files=[BOLETO, RECEIPT, LICENCE])
    assert house.receive(raw) is MailOutcome.TICKET
    ticket = house.tickets()[0]
    assert (ticket.requester.address, ticket.requester.name) == ("maria@cliente.example", "Maria Souza")
    assert (ticket.request_type, ticket.status) == ("inspection_location_change", Status.OPEN)
    assert ticket.subject == "Alteração de local"
    told = newest(house, Audience.STAFF)
    assert (told.letter, told.recipient.address) == (LetterKind.TRANSCRIPT, "ana@example.com.br")
    assert ticket.number in told.text
    acknowledged = newest(house, Audience.REQUESTER)
    assert acknowledged.recipient.address == "maria@cliente.example"
    with house.app.storage.read() as work:
        opened = work.tickets.events(ticket.number)[0]
        assert (opened.kind, opened.actor) == (EventKind.OPENED, "ana@example.com.br")
        assert "segue" not in work.tickets.messages(ticket.number)[0].text
    house.requester_reply(acknowledged, "Obrigada, falta algo?")
    assert len(house.tickets()) == 1


def test_r002_01_fields_typed_after_a_call_open_a_ticket_too(house: TestHouse) -> None:
    text = f"#abrir\n#tipo inspection_location_change\nCliente: joao@cliente.example\n{REQUEST}".replace(
        "Nome: Maria", "Nome: João Lima"
    )
    house.receive(mail(text, subject="telefone", sender=ANA))
    ticket = house.tickets()[0]
    assert (ticket.requester.address, ticket.requester.name) == ("joao@cliente.example", "João Lima")
    assert ticket.request_type == "inspection_location_change"
    assert ticket.status is Status.AWAITING_REQUESTER
    letter = newest(house, Audience.REQUESTER)
    assert letter.recipient.address == "joao@cliente.example"
    # The subject is the agent's own note.
    assert "telefone" not in f"{ticket.subject} {letter.subject}"
    assert "Da próxima vez" not in letter.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#abrir\nUm cliente ligou.", "Não encontramos o endereço do cliente"),
        ("#abrir\nE-mail: bruno@example.com.br", "da equipe"),
        ("#abrir\n#autorizar\nE-mail: joao@cliente.example", "Só vale em resposta a um aviso"),
        ("#abrir\n#abrri\nE-mail: joao@cliente.example", "Não conhecemos"),
    ],
)
def test_what_cannot_be_opened_opens_nothing_and_is_told(house: TestHouse, text: str, said: str) -> None:
    assert house.receive(mail(text, subject="x", sender=ANA)) is MailOutcome.QUERY
    assert house.tickets() == []
    assert said in newest(house, Audience.STAFF).text
    assert house.letters(Audience.REQUESTER) == []


def test_threat_9_a_forged_agent_opens_nothing_and_nobody_but_the_registered_address_hears_of_it(
    house: TestHouse,
) -> None:
    raw = mail(FORWARD, subject="ENC: Alteração de local", sender=ANA, verified=False)
    assert house.receive(raw) is MailOutcome.QUERY
    assert house.tickets() == []
    assert [one.recipient.address for one in house.letters()] == ["ana@example.com.br"]


def test_a_customer_opens_nothing_for_somebody_else(house: TestHouse) -> None:
    house.receive(mail(FORWARDS["outlook"], subject="Alteração de local", sender="mal@cliente.example"))
    assert [one.requester.address for one in house.tickets()] == ["mal@cliente.example"]


def test_opening_in_answer_to_a_notice_changes_no_existing_ticket(house: TestHouse) -> None:
    notice = with_ticket(house)
    house.agent_reply(notice, "#abrir\nE-mail: joao@cliente.example\nReason: x")
    first, second = house.tickets()
    assert first.status is Status.OPEN
    assert second.requester.address == "joao@cliente.example"
    with house.app.storage.read() as work:
        assert work.tickets.message_count(first.number) == 1


def test_the_manual_and_the_list_need_no_ticket(house: TestHouse) -> None:
    with_ticket(house)
    assert house.receive(mail("#ajuda\n#abertos", subject="oi", sender=ANA)) is MailOutcome.QUERY
    told = newest(house, Audience.STAFF)
    assert "#negar motivo" in told.text
    assert "Nenhum chamado aberto" in told.text
    assert len(house.tickets()) == 1


def test_a_request_that_an_agent_opened_is_the_same_when_it_is_read_again(house: TestHouse) -> None:
    house.receive(mail(FORWARD, subject="ENC: x", sender=ANA, files=[BOLETO, RECEIPT, LICENCE]))
    before = house.tickets()[0]
    flow = house.app.reprocess()
    done = [flow.do(task) for task in tasks_for(house.mails())]
    assert [one.changed for one in done] == [False]
    assert house.tickets()[0] == before


# --- a mail forwarded as an attachment ---------------------------------------------------------------------------


def attached(theirs: bytes, *, text: str = "#abrir\nPor favor, abram para ele.", sender: str = ANA) -> bytes:
    """An agent's mail with a customer's attached whole, as Outlook and Thunderbird do it."""
    whole = message_from_bytes(mail(text, subject="ENC: pedido", sender=sender), policy=default)
    assert isinstance(whole, EmailMessage)
    inner = message_from_bytes(theirs, policy=default)
    assert isinstance(inner, EmailMessage)
    whole.add_attachment(inner)
    return whole.as_bytes()


def test_a_mail_that_is_attached_whole_opens_its_writers_ticket_with_its_files(house: TestHouse) -> None:
    theirs = mail(REQUEST, sender="João Lima <joao@example.com.br>", files=[BOLETO, RECEIPT, LICENCE])
    assert house.receive(attached(theirs)) is MailOutcome.TICKET
    [ticket] = house.tickets()
    assert (ticket.requester.address, ticket.request_type) == ("joao@example.com.br", "inspection_location_change")
    assert ticket.missing == ()
    with house.app.storage.read() as work:
        [opening] = work.tickets.messages(ticket.number)
    assert "Local atual: Rio Verde" in opening.text
    assert "Por favor" not in opening.text
    assert [one.recipient.address for one in house.letters(Audience.REQUESTER)] == ["joao@example.com.br"]


def test_what_a_colleague_had_forwarded_is_found_in_an_attached_mail(house: TestHouse) -> None:
    house.receive(attached(mail(FORWARD.partition("\n")[2], sender="bruno@example.com.br")))
    assert house.tickets()[0].requester.address == "maria@cliente.example"


def test_words_in_an_attached_mail_order_nothing(house: TestHouse) -> None:
    theirs = mail("#abrir\nCliente: vitima@example.net\nOi.", sender="joao@example.com.br")
    house.receive(attached(theirs, text="Vejam este e-mail."))
    assert [one.requester.address for one in house.tickets()] == ["ana@example.com.br"]


def test_an_attached_mail_of_two_senders_is_nobodys(house: TestHouse) -> None:
    theirs = mail("Oi.", sender="joao@example.com.br").replace(b"From:", b"From: vitima@example.net\nFrom:", 1)
    house.receive(attached(theirs))
    assert house.tickets() == []


# --- whose request it is ----------------------------------------------------------------------------------------


def with_attached(text: str, *senders: str) -> bytes:
    """Ana's mail with one attached mail by each of ``senders``."""
    outer = message_from_bytes(mail(text, subject="ENC: Alteração de local", sender=ANA), policy=default)
    assert isinstance(outer, EmailMessage)
    outer.make_mixed()
    for sender in senders:
        attached = EmailMessage()
        attached["From"], attached["Subject"] = sender, "Segunda via"
        attached.set_content(f"Segue em anexo.\n{REQUEST}")
        outer.add_attachment(attached)
    return outer.as_bytes()


def test_a_mail_that_the_customer_had_attached_does_not_make_its_sender_the_customer(house: TestHouse) -> None:
    """The bank, whose mail a customer passes on, got a letter and a ticket of its own."""
    assert house.receive(with_attached(FORWARD, "cobranca@banco.example")) is MailOutcome.QUERY
    assert (house.tickets(), house.letters(Audience.REQUESTER)) == ([], [])
    assert "mais de uma pessoa" in newest(house, Audience.STAFF).text


@pytest.mark.parametrize("attached", [("cobranca@banco.example",), ("a@a.example", "maria@cliente.example")])
def test_of_several_people_a_line_of_the_agents_says_whose_the_request_is(
    house: TestHouse, attached: tuple[str, ...]
) -> None:
    text = FORWARD.replace("#abrir\n", "#abrir\nCliente: maria@cliente.example\n")
    assert house.receive(with_attached(text, *attached)) is MailOutcome.TICKET
    assert [one.requester.address for one in house.tickets()] == ["maria@cliente.example"]
    assert house.requester_reply(newest(house, Audience.REQUESTER), "Obrigada, e o prazo?") is MailOutcome.MESSAGE


def test_what_the_forwarded_mail_says_does_not_choose_among_several_people(house: TestHouse) -> None:
    text = f"{FORWARD}\nCliente: cobranca@banco.example\n"
    assert house.receive(with_attached(text, "cobranca@banco.example")) is MailOutcome.QUERY
    assert house.tickets() == []


def test_a_notice_whose_quote_lost_its_end_never_becomes_another_customers_request(house: TestHouse) -> None:
    """A program that quotes without marks, and an agent who cut the reference line: the customer would have found
    another one's papers under DETALHES."""
    notice = with_ticket(house)
    quote = notice.text.partition("Ref.:")[0]
    text = f"#abrir\nE-mail: joao@cliente.example\n\nDe: Central\nPara: Ana <ana@example.com.br>\n\n{quote}"
    raw = mail(text, subject=f"RES: {notice.subject}", sender=ANA, in_reply_to=notice.message_id)
    assert house.receive(raw) is MailOutcome.QUERY
    assert [one.requester.address for one in house.tickets()] == ["maria@example.com.br"]


def test_a_request_typed_in_answer_to_a_notice_does_not_bear_the_other_ones_subject(house: TestHouse) -> None:
    notice = with_ticket(house)
    house.agent_reply(notice, f"#abrir\nE-mail: joao@cliente.example\n{REQUEST}")
    told = newest(house, Audience.REQUESTER)
    assert told.recipient.address == "joao@cliente.example"
    assert notice.ticket_number is not None
    assert notice.ticket_number not in told.subject


def test_an_order_to_open_that_is_sent_again_under_another_id_opens_no_second_ticket(house: TestHouse) -> None:
    raw = mail(FORWARD, subject="ENC: Alteração de local", sender=ANA, message_id="first")
    assert house.receive(raw) is MailOutcome.TICKET
    told = len(house.letters())
    assert house.receive(raw.replace(b"<first@", b"<second@")) is MailOutcome.DUPLICATE
    assert (len(house.tickets()), len(house.letters())) == (1, told)
    again = mail(FORWARD, subject="ENC: Alteração de local", sender=ANA)
    assert house.receive(again) is MailOutcome.TICKET, "what an agent orders anew is another request"


def test_an_order_to_open_that_is_delivered_twice_is_known_by_its_message_id(house: TestHouse) -> None:
    raw = mail(FORWARD, subject="ENC: Alteração de local", sender=ANA, message_id="once")
    assert house.receive(raw) is MailOutcome.TICKET
    assert house.mails()[0].message_id == "once@example.com.br"
    assert house.receive(raw) is MailOutcome.DUPLICATE
    assert house.mails()[-1].reason == f"same as mail {house.mails()[0].id}"


def test_an_agent_reads_which_address_is_a_colleagues(house: TestHouse) -> None:
    house.receive(mail("#abrir\nE-mail: bruno@example.com.br", subject="x", sender=ANA))
    assert "bruno@example" in newest(house, Audience.STAFF).text
