"""What customers say of articles and answers: suggestions, votes, "it is solved", ratings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mailbot.domain.events import LetterKind, OutboundLetter, Visibility
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.self_service import ArticleVotes
from mailbot.domain.ticket import Resolution, Status
from tests.flows.house import CUSTOMER, TestHouse, mail, reply_to

BRUNO = "bruno@example.com.br"
QUESTION = "Bom dia, não consigo enviar, o arquivo é muito grande."


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def to(house: TestHouse, address: str) -> list[OutboundLetter]:
    return [letter for letter in house.letters() if letter.recipient.address == address]


def asked(house: TestHouse, sender: str = CUSTOMER, *, verified: bool = True) -> OutboundLetter:
    """The confirmation of a question that an article answers."""
    house.receive(mail(QUESTION, subject="Problema", sender=sender, verified=verified))
    return to(house, sender)[-1]


def press(letter: OutboundLetter, label: str, *, note: str = "", sender: str = "") -> bytes:
    """The mail that a button of ``letter`` prefills, as somebody sends it whom our server does not know."""
    links = [unescape(link) for link in re.findall(r'href="(mailto:[^"]*)"', letter.html)]
    (link,) = [one for one in links if label in parse_qs(urlsplit(one).query)["subject"][0]]
    fields = parse_qs(urlsplit(link).query)
    body = fields.get("body", [""])[0].replace("\r\n", "\n").replace("Motivo: ", f"Motivo: {note}")
    who = sender or letter.recipient.address
    return mail(body, subject=fields["subject"][0], sender=who, verified=False)


def votes(house: TestHouse) -> dict[str, ArticleVotes]:
    with house.app.storage.read() as work:
        return work.feedback.votes()


def test_r004_11_the_confirmation_suggests_articles_that_may_answer(house: TestHouse) -> None:
    letter = asked(house)
    assert letter.letter is LetterKind.TICKET_OPENED
    assert "Como enviar um arquivo muito grande" in letter.text
    assert "1. Diminua o arquivo" in letter.text and "http" not in re.sub(r"<!DOCTYPE[^>]*>", "", letter.html)
    house.receive(mail("O portão da garagem quebrou.", subject="Portão"))
    assert "Talvez isto ajude" not in to(house, CUSTOMER)[-1].html


def test_r004_11_the_letter_that_asks_for_what_lacks_suggests_them_too_and_only_the_first(
    house: TestHouse,
) -> None:
    question = "Problema: não consigo enviar um arquivo muito grande\n"
    house.receive(mail(question, subject="Solicitação de manutenção"))
    letter = to(house, CUSTOMER)[-1]
    assert letter.letter is LetterKind.EVIDENCE_REQUESTED
    assert "Como enviar um arquivo muito grande" in letter.text and "Talvez isto ajude" in letter.html
    house.requester_reply(letter, "Sobrenome: Souza\nO arquivo é muito grande.")
    again = to(house, CUSTOMER)[-1]
    assert again.letter is LetterKind.EVIDENCE_REQUESTED and again.message_id != letter.message_id
    assert "Talvez isto ajude" not in again.html


def test_r004_12_votes_count_once_a_person_and_article_and_the_later_one_holds(house: TestHouse) -> None:
    letter = asked(house)
    for label in ("grande: ÚTIL", "grande: ÚTIL", "NÃO ÚTIL", "grande: ÚTIL"):
        assert house.receive(press(letter, label)) is MailOutcome.QUERY
    assert votes(house) == {"arquivo-grande": ArticleVotes(useful=1)}
    other = asked(house, "joana@example.com.br")
    assert "1 pessoa achou útil" in other.text
    house.receive(press(other, "NÃO ÚTIL"))
    assert votes(house) == {"arquivo-grande": ArticleVotes(useful=1, not_useful=1)}
    assert to(house, CUSTOMER) == [letter], "a vote is counted and not answered"
    assert all(one.status is Status.OPEN for one in house.tickets())


def test_a_vote_of_nobody_we_know_does_not_count(house: TestHouse) -> None:
    letter = asked(house)
    house.receive(mail("", subject="ARTIGO arquivo-grande: ÚTIL", verified=False))
    house.receive(press(letter, "grande: ÚTIL", sender="joana@example.com.br"))
    house.receive(mail("", subject="ARTIGO nao-existe: ÚTIL"))
    assert votes(house) == {}


def test_it_is_solved_ends_the_ticket_by_the_customers_own_mail(house: TestHouse) -> None:
    letter = asked(house)
    house.receive(press(letter, "RESOLVIDO"))
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.resolution) == (Status.RESOLVED, Resolution.DONE)
    assert "encerramos o chamado" in to(house, CUSTOMER)[-1].text
    assert to(house, BRUNO)[-1].letter is LetterKind.REQUESTER_ACTED


def test_somebody_else_with_the_link_ends_nothing(house: TestHouse) -> None:
    letter = asked(house)
    house.receive(press(letter, "RESOLVIDO", sender="joana@example.com.br"))
    (ticket,) = house.tickets()
    assert ticket.status is Status.OPEN


def resolved(house: TestHouse) -> OutboundLetter:
    asked(house)
    notice = to(house, BRUNO)[-1]
    house.agent_reply(notice, "#resolver Pode usar a nuvem.")
    return to(house, CUSTOMER)[-1]


def test_r004_14_a_rating_is_asked_for_when_a_ticket_ends_and_counted_once(house: TestHouse) -> None:
    letter = resolved(house)
    assert "COMO FOI O NOSSO ATENDIMENTO?" in letter.text
    assert house.receive(press(letter, "ÓTIMO", note="Rápido e claro.")) is MailOutcome.MESSAGE
    (ticket,) = house.tickets()
    assert (ticket.rating, ticket.status) == (5, Status.RESOLVED)
    notice = to(house, BRUNO)[-1]
    assert "5 de 5" in notice.text and "Rápido e claro." in notice.text
    with house.app.storage.read() as work:
        assert work.tickets.messages(ticket.number)[-1].visibility is Visibility.INTERNAL
    assert to(house, CUSTOMER)[-1] == letter, "nobody is thanked by a machine for thanking"
    house.receive(press(letter, "RUIM"))
    assert house.tickets()[0].rating == 5
    assert to(house, CUSTOMER)[-1].letter is LetterKind.QUERY_NOT_ANSWERED


def test_a_rating_never_reopens_whoever_sends_it(house: TestHouse) -> None:
    letter = resolved(house)
    house.receive(press(letter, "RUIM", note="Não resolveu nada!", sender="joana@example.com.br"))
    (ticket,) = house.tickets()
    assert (ticket.rating, ticket.status) == (None, Status.RESOLVED)


@pytest.mark.parametrize(("said", "rating"), [("1", 1), ("3", 3), ("bom", 4), ("Ruim", 2)])
def test_r001_33_a_rating_may_be_a_number_or_a_word(house: TestHouse, said: str, rating: int) -> None:
    letter = resolved(house)
    house.receive(reply_to(letter, f"Avaliação {letter.ticket_number}: {said}"))
    assert house.tickets()[0].rating == rating


def test_an_open_ticket_is_not_rated_yet(house: TestHouse) -> None:
    letter = asked(house)
    house.receive(reply_to(letter, f"AVALIAÇÃO {letter.ticket_number}: 5"))
    assert house.tickets()[0].rating is None
    assert to(house, CUSTOMER)[-1].letter is LetterKind.QUERY_NOT_ANSWERED


def test_an_agents_first_answer_to_a_plain_question_asks_for_no_rating(house: TestHouse) -> None:
    asked(house)
    house.agent_reply(to(house, BRUNO)[-1], "Vou ver.")
    assert "ATENDIMENTO?" not in to(house, CUSTOMER)[-1].text
