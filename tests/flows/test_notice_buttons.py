"""The buttons of a notice: each opens a mail that, sent as it is, does what the button says, by the same rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Resolution, Status
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail

ANA = "Ana <ana@example.com.br>"
_BUTTON = re.compile(r'<a [^>]*href="(mailto:[^"]*)"[^>]*>([^<]*)</a>')


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as one:
        yield one


def notice(house: TestHouse) -> OutboundLetter:
    return next(one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.TICKET_READY)


def opened(house: TestHouse) -> OutboundLetter:
    assert house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE])) is MailOutcome.TICKET
    return notice(house)


def buttons(letter: OutboundLetter) -> dict[str, str]:
    """What stands on the buttons, and where each leads."""
    return {unescape(label).strip(): unescape(link) for link, label in _BUTTON.findall(letter.html)}


def filled_in(link: str, *, sender: str = ANA, add: str = "", verified: bool = True) -> bytes:
    """The mail that a mail program opens for ``link``, sent as it stands."""
    query = parse_qs(urlsplit(link).query, strict_parsing=True)
    first, _, rest = query["body"][0].replace("\r\n", "\n").partition("\n")
    text = f"{first}{add}\n{rest}\n\n-- \nAna Lima\nRamal 4321\n"
    return mail(text, subject=query["subject"][0], sender=sender, verified=verified)


def test_a_notice_has_a_button_for_each_sensible_action_and_beside_it_the_same_words(house: TestHouse) -> None:
    letter = opened(house)
    links = buttons(letter)
    assert list(links) == ["Autorizar", "Negar", "Pedir documento", "Aguardar"]
    for words in ("#autorizar", "#negar", "#pedir ", "#espera"):
        assert words in letter.text
        assert f">{words}" in letter.html
    assert all(len(link) <= 1800 and link.isascii() for link in links.values())
    # The handle stands in subject and body: such a mail answers no other.
    assert all(link.count(letter.handle) == 2 for link in links.values())


@pytest.mark.parametrize(
    ("label", "add", "status", "resolution"),
    [
        ("Autorizar", "", Status.RESOLVED, Resolution.APPROVED),
        ("Negar", "A CNH venceu.", Status.RESOLVED, Resolution.DENIED),
        ("Pedir documento", "", Status.AWAITING_REQUESTER, None),
        ("Aguardar", "", Status.ON_HOLD, None),
    ],
)
def test_the_mail_that_a_button_opens_does_what_it_says(
    house: TestHouse, label: str, add: str, status: Status, resolution: Resolution | None
) -> None:
    letter = opened(house)
    assert house.receive(filled_in(buttons(letter)[label], add=add)) is MailOutcome.MESSAGE
    [ticket] = house.tickets()
    assert (ticket.status, ticket.resolution) == (status, resolution)
    to_customer = house.letters(Audience.REQUESTER)[-1]
    assert letter.handle not in to_customer.text + to_customer.html + to_customer.subject
    assert "Ramal" not in to_customer.text


def test_a_denial_sent_without_its_reason_does_nothing_and_says_what_lacks(house: TestHouse) -> None:
    letter = opened(house)
    house.receive(filled_in(buttons(letter)["Negar"]))
    assert house.tickets()[0].resolution is None
    assert "Escreva o motivo depois de #negar." in house.letters(Audience.STAFF)[-1].text


@pytest.mark.parametrize("sender", [CUSTOMER, "Bruno <bruno@example.com.br>", "estranho@golpe.example"])
def test_threat_9_a_buttons_mail_from_anybody_else_decides_nothing(house: TestHouse, sender: str) -> None:
    link = buttons(opened(house))["Autorizar"]
    house.receive(filled_in(link, sender=sender))
    assert all(one.resolution is None for one in house.tickets())


def test_threat_9_a_buttons_mail_that_nobody_vouches_for_decides_nothing(house: TestHouse) -> None:
    link = buttons(opened(house))["Autorizar"]
    house.receive(filled_in(link, verified=False))
    assert house.tickets()[0].resolution is None


def test_a_button_of_an_expired_notice_decides_nothing(house: TestHouse) -> None:
    link = buttons(opened(house))["Autorizar"]
    house.clock.advance(timedelta(days=400))
    house.receive(filled_in(link))
    assert all(one.resolution is not Resolution.APPROVED for one in house.tickets())


def test_a_handle_in_a_subject_never_becomes_a_tickets_subject(house: TestHouse) -> None:
    letter = opened(house)
    subject = f"Re: outra coisa [mb-{letter.handle}]"
    house.receive(mail("Preciso de ajuda com outra coisa.", subject=subject, sender="zeca@example.org"))
    other = house.tickets()[-1]
    assert other.requester.address == "zeca@example.org"
    assert letter.handle not in other.subject + other.title


# --- what the notice of an answer says --------------------------------------------------------------------


def test_the_notice_of_an_answer_says_all_that_is_known_of_the_request(house: TestHouse) -> None:
    """Issue 6, point 2: everything needed to decide without opening another mail."""
    ready = opened(house)
    house.agent_reply(ready, "#nota\nLigar para ela antes.")
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "Consegui outra data. Ainda dá?")
    told = next(one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.REQUESTER_REPLIED)
    assert "Responder até: " in told.text
    # Facts, documents with what they say, side by side; the messages before, without the one it begins with.
    for said in ("local: Jataí", "(cnh.pdf): Recebido.", "LADO A LADO"):
        assert said in told.text, said
    assert "Ligar para ela antes." in told.text
    assert "(nota interna)" in told.text
    assert told.text.count("Consegui outra data.") == 1
    assert list(buttons(told)) == list(buttons(ready))


def test_the_notice_of_an_answer_shows_the_pages_that_came_with_it_beside_their_verdict(house: TestHouse) -> None:
    opened(house)
    again = ("outra.pdf", LICENCE[1] + b"\n% another file\n")
    house.requester_reply(house.letters(Audience.REQUESTER)[0], "Mando de novo, mais legível?", files=[again])
    house.app.notice_pages.complete_all()
    told = next(one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.REQUESTER_REPLIED)
    assert [file.filename for file in told.files if not file.content_id] == ["1-outra-p1.jpg"]
    assert told.html.count('src="cid:') == 1
