"""One request from the first mail to the last, on Dovecot, Postfix and rspamd, with the real daemon."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailbot.demo.cast import File, MailProgram
from mailbot.domain.events import AuthorRole, EventKind, LetterStatus, Visibility
from mailbot.domain.handles import LOOP_MARK_HEADER
from mailbot.domain.ticket import Resolution, Status
from tests.acceptance.desk import Desk, answer, filenames_of, html_of, new_mail, text_of
from tests.flows.house import BOLETO, LICENCE, RECEIPT
from tests.peers.postgresql import PostgreSQL
from tests.peers.stack import MailStack

SUBJECT = "Alteração de local"
FIRST_MAIL = (
    "Boa tarde, preciso mudar o local da vistoria do meu carro.\n\n"
    "Motivo: o carro está com outra pessoa da família em outra cidade\n"
    "Local atual: Rio Verde\n"
    "Novo local: Goiânia\n"
    "Telefone: (62) 98765-4321\n\n"
    "João Batista\n"
)
SIGNATURE = "--\nAna Ribeiro\nSAU, ramal 1234"
INTERNAL = ("COMO RESPONDER", "Quem lê sua resposta", "#autorizar", "#nota", "ramal 1234", "Responder até")


def _pdf(file: tuple[str, bytes]) -> File:
    return File(name=file[0], media_type="application/pdf", content=file[1])


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mailbot.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.mark.parametrize(
    ("plus", "relay"), [(False, False), (True, False), (False, True)], ids=["plain", "plus", "rewriting-relay"]
)
def test_a_request_goes_from_the_first_mail_to_its_reopening(
    mail_stack: MailStack, tmp_path: Path, database_url: str, plus: bool, relay: bool
) -> None:
    desk = Desk(mail_stack, tmp_path, plus=plus, relay=relay, database_url=database_url)
    joao = desk.customer()
    with desk.open_for_business() as daemon:
        # An incomplete request, and the checklist of what is missing.
        first = new_mail(joao, desk.mailbox, SUBJECT, FIRST_MAIL, [_pdf(BOLETO), _pdf(RECEIPT)])
        desk.receives(first, joao)
        asked = desk.letter(joao, 1, "the checklist")
        for line in ("✔ Comprovante de pagamento: recebido", "✘ CNH", "✔ Boleto da vistoria: recebido"):
            assert line in text_of(asked)
        _check_letter(desk, asked, joao, plus=plus, relay=relay, automatic="auto-replied")
        assert desk.letters_of(desk.ana) == []

        # The missing document as a reply: complete for him, ready for the agent.
        desk.receives(answer(asked, joao, "Segue a CNH.\n\nJoão", files=[_pdf(LICENCE)]), joao)
        complete = desk.letter(
            joao, 2, "the letter that all is there", lambda one: "está completo" in text_of(one)
        )
        _check_letter(desk, complete, joao, plus=plus, relay=relay, automatic="auto-replied")
        ready = desk.letter(desk.ana, 1, "the notice", lambda one: "cnh.pdf" in text_of(one))
        assert text_of(ready).startswith("Quem lê sua resposta: João Batista Lima")
        _check_letter(desk, ready, desk.ana, plus=plus, relay=relay, automatic="auto-generated")

        # The agent asks by a plain reply; he gets her words and her file, not the notice below them.
        question = f"Olá, João! O carro já está em Goiânia?\n\n{SIGNATURE}"
        chart = File(name="mapa da unidade.pdf", media_type="application/pdf", content=LICENCE[1] + b"\n%mapa")
        desk.agent_sends(answer(ready, desk.ana, question, files=[chart], program=MailProgram.OUTLOOK), desk.ana)
        asks = desk.letter(joao, 3, "her question", lambda one: "já está em Goiânia?" in text_of(one))
        _check_letter(desk, asks, joao, plus=plus, relay=relay, automatic=None)
        assert filenames_of(asks) == ["mapa da unidade.pdf"]
        assert asks["From"].addresses[0].display_name == "Ana (SAU)"

        # His answer reaches her, his quote cut as well: her question stands among the messages, and only there.
        reply = answer(asks, joao, "Ainda não, só no mês que vem.", program=MailProgram.OUTLOOK)
        desk.receives(reply, joao)
        replied = desk.letter(desk.ana, 2, "his answer", lambda one: "só no mês que vem" in text_of(one))
        assert text_of(replied).count("já está em Goiânia?") == 1
        _check_letter(desk, replied, desk.ana, plus=plus, relay=relay, automatic="auto-generated")

        # She decides.
        decision_text = f"#autorizar\nPode fazer a vistoria em Goiânia.\n\n{SIGNATURE}"
        desk.agent_sends(answer(replied, desk.ana, decision_text), desk.ana)
        decided = desk.letter(joao, 4, "the decision", lambda one: "FOI AUTORIZADO" in text_of(one))
        _check_letter(desk, decided, joao, plus=plus, relay=relay, automatic=None)
        desk.letter(desk.ana, 3, "the echo of her decision", lambda one: "✔ #autorizar" in text_of(one))

        # Thanks change nothing; more than thanks reopens.
        desk.receives(answer(decided, joao, "Muito obrigado, Ana!\n\nJoão Batista"), joao)
        desk.settled(6)
        (ticket,) = desk.tickets()
        assert (ticket.status, ticket.resolution) == (Status.RESOLVED, Resolution.APPROVED)
        desk.receives(answer(decided, joao, "Cheguei lá e disseram que não há vaga. E agora?"), joao)
        reopened = desk.letter(desk.ana, 4, "the reopening", lambda one: "foi reaberto" in text_of(one))
        assert "não há vaga" in text_of(reopened)

    (ticket,) = desk.tickets()
    assert (ticket.status, ticket.resolution) == (Status.OPEN, None)
    assert ticket.title == "Alteração de Rio Verde para Goiânia"
    _check_threads(desk, joao, first, relay=relay)
    _check_history(desk, ticket.number)
    _check_what_the_command_tells(daemon.ask("tickets", "show", ticket.number))
    _check_at_most_one_letter_a_recipient(desk)
    assert len(desk.letters_of(joao)) == 4
    assert desk.letters_of(desk.bruno) == desk.letters_of(desk.admin) == []
    assert {letter.status for letter in desk.outbox()} == {LetterStatus.SENT}


def _check_letter(
    desk: Desk, letter: EmailMessage, recipient: Address, *, plus: bool, relay: bool, automatic: str | None
) -> None:
    """What INTERFACE *Mails that we send* asks of every letter."""
    local, _, domain = desk.mailbox.partition("@")
    (sender,), (to,) = letter["From"].addresses, letter["To"].addresses
    assert (sender.addr_spec, to.addr_spec) == (desk.mailbox, recipient.addr_spec)
    assert letter["Auto-Submitted"] == automatic
    assert letter["X-Auto-Response-Suppress"] == ("OOF, AutoReply, DR, RN, NRN" if automatic else None)
    assert str(letter[LOOP_MARK_HEADER]).startswith("v1.")
    handle = re.search(r"\[mb-([a-z2-7]{20})\]", text_of(letter))
    assert handle is not None and handle.group(0) in html_of(letter)
    reply_to, return_path = str(letter["Reply-To"]), str(letter["Return-Path"])
    if plus:
        assert reply_to == f"{local}+t.{handle.group(1)}@{domain}"
        assert return_path == f"<{local}+b.{handle.group(1)}@{domain}>"
    else:
        assert reply_to == desk.mailbox
        assert return_path == f"<{desk.mailbox}>"
    if relay:
        assert handle.group(1) not in str(letter["Message-ID"])
    else:
        assert str(letter["Message-ID"]) == f"<mb.{handle.group(1)}@{domain}>"
    assert re.fullmatch(r"\[Chamado #\d{4}-\d{6}\] Alteração de local", str(letter["Subject"]))
    assert letter["Bcc"] is None
    assert letter.get_content_type() in ("multipart/alternative", "multipart/mixed")
    if recipient.domain == "cliente.example":
        whole = text_of(letter) + html_of(letter)
        for inner in (*INTERNAL, desk.ana.addr_spec, desk.bruno.addr_spec, desk.admin):
            assert inner not in whole, inner


def _check_threads(desk: Desk, customer: Address, first: bytes, *, relay: bool) -> None:
    """His letters are one conversation: each refers to the root and names what it answers."""
    root = re.search(rb"^Message-ID: (<[^>]+>)", first, re.MULTILINE)
    assert root is not None
    earlier = [root.group(1).decode()]
    for letter in desk.letters_of(customer):
        references = str(letter["References"]).split()
        assert references[0] == earlier[0]
        assert str(letter["In-Reply-To"]) in references
        if not relay:
            assert set(earlier[1:]) <= set(references)
            earlier.append(str(letter["Message-ID"]))


def _check_history(desk: Desk, number: str) -> None:
    history = desk.history(number)
    assert [message.role for message in history] == [
        AuthorRole.REQUESTER,
        AuthorRole.REQUESTER,
        AuthorRole.AGENT,
        AuthorRole.REQUESTER,
        AuthorRole.AGENT,
        AuthorRole.REQUESTER,
        AuthorRole.REQUESTER,
    ]
    assert {message.visibility for message in history} == {Visibility.PUBLIC}
    assert not any(message.unverified for message in history)
    assert history[2].text == "Olá, João! O carro já está em Goiânia?"
    assert history[3].text == "Ainda não, só no mês que vem."
    kinds = [event.kind for event in desk.events(number)]
    assert kinds.count(EventKind.DECIDED) == kinds.count(EventKind.REOPENED) == 1


def _check_what_the_command_tells(told: dict[str, Any]) -> None:
    assert (told["status"], told["resolution"], told["missing"]) == ("open", None, [])
    assert [entry["author"]["role"] for entry in told["history"]].count("agent") == 2
    assert [entry["text"] for entry in told["history"]][3] == "Ainda não, só no mês que vem."
    assert {letter["status"] for letter in told["letters"]} == {"sent"}
    assert all(letter["sent_at"] for letter in told["letters"])


def _check_at_most_one_letter_a_recipient(desk: Desk) -> None:
    caused = [(letter.mail_id, letter.recipient.address) for letter in desk.outbox() if letter.mail_id is not None]
    assert len(caused) == len(set(caused))
