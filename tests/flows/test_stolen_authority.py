"""Attacks on the authority of staff by whoever holds something of theirs: a signed mail, an old address, a handle.

Each of them worked once, or would have by the letter of the mail standards (THREATS 9-16).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, EventKind, LetterKind, OutboundLetter
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Status, Ticket
from tests.flows.house import (
    BOLETO,
    CUSTOMER,
    LICENCE,
    MAILBOX,
    RECEIPT,
    REPOSITORY,
    REQUEST,
    TestHouse,
    mail,
    reply_to,
)
from tests.flows.test_reprocess import reprocess


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as one:
        yield one


def ready(house: TestHouse) -> OutboundLetter:
    """A complete request of Maria's, and Ana's notice of it."""
    assert house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE])) is MailOutcome.TICKET
    return notice_of(house, house.tickets()[0])


def notice_of(house: TestHouse, ticket: Ticket) -> OutboundLetter:
    return house.letters(Audience.STAFF, ticket=ticket.number)[0]


def to_customers(house: TestHouse) -> int:
    return len(house.letters(Audience.REQUESTER))


def kinds(house: TestHouse, ticket: Ticket) -> list[EventKind]:
    with house.app.storage.read() as work:
        return [event.kind for event in work.tickets.events(ticket.number)]


def with_field(raw: bytes, field: str) -> bytes:
    """``raw`` with a further field on top, as one puts it there who must not break the signature below."""
    return field.encode() + b"\n" + raw


def changed(raw: bytes, name: str, value: str) -> bytes:
    """``raw`` with the field ``name`` changed: one that its signature does not cover."""
    return re.sub(rb"(?mi)^%s:.*$" % name.encode(), f"{name}: {value}".encode(), raw, count=1)


# --- an agent's own signed mail, sent again ----------------------------------------------------------------------


def test_a_decision_that_is_sent_again_after_the_ticket_was_reopened_decides_nothing(house: TestHouse) -> None:
    notice = ready(house)
    decision = reply_to(notice, "#autorizar")
    assert house.receive(decision) is MailOutcome.MESSAGE
    house.agent_reply(notice, "#reabrir")
    told = to_customers(house)
    # The customer stood in Cc of it, and holds it with its signature.
    for again in (decision, changed(decision, "Message-ID", "<outro@example.com.br>")):
        assert house.receive(again) is MailOutcome.DUPLICATE
    assert house.tickets()[0].status is Status.OPEN
    assert to_customers(house) == told
    assert house.mails()[-1].reason == "replayed"


@pytest.mark.parametrize(
    "field",
    [
        "Date: Tue, 24 Nov 2026 11:59:00 -0300",
        "Subject: RES: outra coisa",
        "Message-ID: <novo@example.com.br>",
        "In-Reply-To: <outro@example.com.br>",
        'Content-Type: text/plain; charset="utf-8"',
    ],
)
def test_a_signed_mail_with_a_second_field_above_the_signed_one_is_nobodys(house: TestHouse, field: str) -> None:
    notice = ready(house)
    raw = with_field(reply_to(notice, "#autorizar"), field)
    house.receive(raw)
    assert house.tickets()[0].status is Status.OPEN
    assert EventKind.AGENT_REPLY_REFUSED in kinds(house, house.tickets()[0])
    assert "confirmar" in house.letters(Audience.STAFF)[-1].text


def test_a_decision_on_one_ticket_put_into_the_thread_of_another_decides_neither(house: TestHouse) -> None:
    notice = ready(house)
    house.agent_reply(notice, "#atribuir bruno@example.com.br")
    house.receive(mail("Outra pergunta.", subject="Dúvida", sender="joao@example.com.br"))
    first, second = house.tickets()
    of_first = newest_to_bruno(house, first)
    of_second = newest_to_bruno(house, second)
    told = to_customers(house)
    # Quoted with the handle of the second below, and without any quote: then the subject alone tells.
    for raw in (reply_to(of_second, "#resolver feito"), mail_without_quote(of_second, "#resolver Feito.")):
        thread = f"<{of_first.message_id}>"
        house.receive(changed(changed(raw, "In-Reply-To", thread), "References", thread))
        assert "dois chamados" in house.letters(Audience.STAFF)[-1].text
    assert [one.status for one in house.tickets()] == [first.status, second.status]
    assert to_customers(house) == told


def newest_to_bruno(house: TestHouse, ticket: Ticket) -> OutboundLetter:
    letters = house.letters(Audience.STAFF, ticket=ticket.number)
    return [one for one in letters if one.recipient.address == "bruno@example.com.br"][-1]


def mail_without_quote(letter: OutboundLetter, text: str) -> bytes:
    return mail(
        text, subject=f"RES: {letter.subject}", sender=letter.recipient.address, in_reply_to=letter.message_id
    )


# --- a ticket that was merged meanwhile --------------------------------------------------------------------------


def merged(house: TestHouse, *, sender: str, words: str = "") -> tuple[OutboundLetter, Ticket]:
    """A second ticket, merged into the first by its agent; her old notice of it, and the first."""
    ready(house)
    house.receive(mail("Outro pedido, por favor.", subject="Dúvida", sender=sender))
    first, second = house.tickets()
    old = notice_of(house, second)
    house.receive(reply_to(old, f"#juntar {first.number}{words}"))
    assert house.tickets()[1].merged_into == first.number
    return old, first


def test_a_handle_decides_nothing_on_the_ticket_into_which_its_own_was_merged(house: TestHouse) -> None:
    old, first = merged(house, sender="maria@example.com.br")
    told = to_customers(house)
    house.receive(reply_to(old, "#autorizar"))
    assert house.tickets()[0].status is first.status is Status.OPEN
    assert to_customers(house) == told
    refused = house.letters(Audience.STAFF)[-1]
    assert refused.ticket_number == first.number, "a notice of the ticket that goes on, with a handle for it"
    house.receive(reply_to(refused, "#espera"))
    assert house.tickets()[0].status is Status.ON_HOLD


def test_a_plain_answer_to_a_merged_ticket_reaches_its_requester_and_no_other(house: TestHouse) -> None:
    old, _ = merged(house, sender="maria@example.com.br")
    told = to_customers(house)
    house.receive(reply_to(old, "Seu pedido segue no outro chamado."))
    assert to_customers(house) == told + 1


def test_what_was_written_for_one_customer_never_goes_to_whom_the_ticket_was_merged_with(house: TestHouse) -> None:
    old, first = merged(house, sender="joao@example.com.br", words=" mesmo assim")
    told = to_customers(house)
    house.receive(reply_to(old, "João, seu CPF está errado."))
    assert to_customers(house) == told
    assert EventKind.AGENT_REPLY_REFUSED in kinds(house, first)


def test_what_one_customer_still_writes_is_never_read_by_whom_their_ticket_was_merged_with(
    house: TestHouse,
) -> None:
    """It stood under DETALHES of the other, and its papers and fields were the other's evidence."""
    _, first = merged(house, sender="joao@example.com.br", words=" mesmo assim")
    told = to_customers(house)
    theirs = next(one for one in house.letters(Audience.REQUESTER) if one.recipient.address != CUSTOMER)
    house.requester_reply(theirs, "Novo local: Anápolis\nMeu CPF é 111.444.777-35.", files=[LICENCE])
    second = house.tickets()[0]
    assert (second.fields, second.documents, second.title) == (first.fields, first.documents, first.title)
    assert to_customers(house) == told
    assert "111.444.777-35" in house.letters(Audience.STAFF)[-1].text, "staff read it"
    house.receive(mail(f"DETALHES {first.number}", subject="oi"))
    details = house.letters(Audience.REQUESTER)[-1]
    assert details.letter is LetterKind.TICKET_DETAILS
    assert "111.444.777-35" not in details.text
    reprocess(house)
    assert house.tickets()[0].fields == first.fields, "nor when its mails are counted again"


def test_what_one_customer_still_writes_takes_back_no_decision_of_another(house: TestHouse) -> None:
    _, first = merged(house, sender="joao@example.com.br", words=" mesmo assim")
    theirs = next(one for one in house.letters(Audience.REQUESTER) if one.recipient.address != CUSTOMER)
    house.receive(reply_to(notice_of(house, first), "#autorizar"))
    house.requester_reply(theirs, "E o meu pedido?")
    assert house.tickets()[0].status is Status.RESOLVED
    assert house.letters(Audience.REQUESTER)[-1].letter is LetterKind.DECISION
    assert "E o meu pedido?" in house.letters(Audience.STAFF)[-1].text


# --- an address that a program had kept --------------------------------------------------------------------------


@pytest.fixture
def plus(tmp_path: Path) -> Iterator[TestHouse]:
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    mailboxes = config / "mailboxes.yaml"
    text = mailboxes.read_text("utf-8")
    assert "reply_addressing: plain" in text
    mailboxes.write_text(text.replace("reply_addressing: plain", "reply_addressing: plus"), "utf-8")
    folder = tmp_path / "house"
    folder.mkdir()
    with TestHouse(folder, config_dir=config) as one:
        yield one


def to_kept_address(letter: OutboundLetter, text: str, subject: str, in_reply_to: str = "") -> bytes:
    """A fresh mail to the address under which an address book keeps ``letter``'s sender."""
    raw = mail(text, subject=subject, sender=letter.recipient.address, in_reply_to=in_reply_to)
    return raw.replace(f"To: {MAILBOX}".encode(), f"To: atendimento+t.{letter.handle}@example.com.br".encode())


def test_a_customers_old_handle_from_the_address_book_under_a_new_subject_is_a_linked_new_ticket(
    plus: TestHouse,
) -> None:
    ready(plus)
    letter = plus.letters(Audience.REQUESTER)[0]
    assert plus.receive(to_kept_address(letter, "Vocês abrem aos sábados?", "Horário")) is MailOutcome.TICKET
    first, second = plus.tickets()
    with plus.app.storage.read() as work:
        [linked] = [one for one in work.tickets.events(second.number) if one.kind is EventKind.THREAD_REFUSED]
    assert (linked.new, linked.detail) == (first.number, "address_book")


def test_an_answer_to_the_kept_address_is_still_one_when_it_has_the_subject_the_thread_or_the_quote(
    plus: TestHouse,
) -> None:
    ready(plus)
    letter = plus.letters(Audience.REQUESTER)[0]
    for raw in (
        to_kept_address(letter, "Obrigada pelo retorno, mas quando?", f"RES: {letter.subject}"),
        to_kept_address(letter, "E o prazo?", "Prazo", in_reply_to="rewritten@relay.example"),
        to_kept_address(letter, f"E o prazo?\n\n> Ref.: [mb-{letter.handle}]", "Prazo"),
    ):
        assert plus.receive(raw) is MailOutcome.MESSAGE
    assert len(plus.tickets()) == 1


def test_the_missing_paper_sent_to_the_kept_address_finds_its_request(plus: TestHouse) -> None:
    plus.receive(mail(REQUEST, files=[BOLETO, RECEIPT]))
    letter = plus.letters(Audience.REQUESTER)[0]
    raw = mail("Segue a CNH.", subject="documento", files=[LICENCE])
    raw = raw.replace(f"To: {MAILBOX}".encode(), f"To: atendimento+t.{letter.handle}@example.com.br".encode())
    assert plus.receive(raw) is MailOutcome.MESSAGE
    assert plus.tickets()[0].status is Status.OPEN


def test_what_an_agent_writes_to_the_kept_address_reaches_no_customer(plus: TestHouse) -> None:
    notice = ready(plus)
    told = to_customers(plus)
    assert plus.receive(to_kept_address(notice, "Quando trocam a impressora do SAU?", "Impressora")) is (
        MailOutcome.TICKET
    )
    own = plus.tickets()[-1]
    assert own.requester.address == notice.recipient.address
    assert [one.recipient.address for one in plus.letters(Audience.REQUESTER)[told:]] == [notice.recipient.address]


def test_a_word_that_an_agent_sends_to_the_kept_address_decides_nothing_and_is_answered(plus: TestHouse) -> None:
    notice = ready(plus)
    told = to_customers(plus)
    plus.receive(to_kept_address(notice, "#autorizar", "Autorização"))
    assert plus.tickets()[0].status is Status.OPEN
    assert (len(plus.tickets()), to_customers(plus)) == (1, told)
    assert "#autorizar" in plus.letters(Audience.STAFF)[-1].text


def test_threat_9_what_fails_again_is_kept_and_told_once_a_day(house: TestHouse) -> None:
    notice = ready(house)
    before = len(house.letters())
    for n in range(5):
        house.receive(reply_to(notice, f"#autorizar {n}").replace(b"dmarc=pass", b"dmarc=none"))
    assert [one.letter for one in house.letters()[before:]] == [LetterKind.REPLY_REFUSED]
    with house.app.storage.read() as work:
        kept = work.tickets.messages(house.tickets()[0].number)[-5:]
    assert [(one.text, one.unverified) for one in kept] == [(f"#autorizar {n}", True) for n in range(5)]
    house.clock.advance(timedelta(days=1, minutes=1))
    house.receive(reply_to(notice, "#autorizar").replace(b"dmarc=pass", b"dmarc=none"))
    assert len(house.letters()) == before + 2


def test_an_agent_for_whom_the_server_vouches_hears_of_each_mail_that_did_nothing(house: TestHouse) -> None:
    notice = ready(house)
    number = house.tickets()[0].number
    before = len(house.letters())
    for text in ("Pode vir.", "Pode vir amanhã."):
        house.receive(mail(text, subject=f"[Chamado #{number}] x", sender=notice.recipient.address))
    assert [one.letter for one in house.letters()[before:]] == [LetterKind.REPLY_REFUSED] * 2
