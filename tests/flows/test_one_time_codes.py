"""Where no server vouches for staff (profile ``none``): answers pass with a handle, orders need a code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.domain.confirmation import WRONG_CODES_AT_MOST
from mailbot.domain.events import Audience, EventKind, HandlePurpose, LetterKind, OutboundLetter
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Resolution, Status, Ticket
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail, reply_to
from tests.flows.test_notice_buttons import buttons, filled_in, notice

ANA = "ana@example.com.br"
OUT = ("planilha.pdf", b"%PDF-1.4\n% for the customer\n%%EOF\n")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, authserv_id="") as one:
        yield one


def opened(house: TestHouse, text: str = REQUEST, sender: str = CUSTOMER) -> OutboundLetter:
    outcome = house.receive(mail(text, sender=sender, files=[BOLETO, RECEIPT, LICENCE], verified=False))
    assert outcome is MailOutcome.TICKET
    return [one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.TICKET_READY][-1]


def ordered(house: TestHouse, text: str = "#autorizar Pode vir.") -> OutboundLetter:
    """Ana orders in answer to her notice; what she is asked to confirm."""
    house.agent_reply(opened(house), text)
    asked = house.letters(Audience.STAFF)[-1]
    assert asked.letter is LetterKind.CONFIRM_ORDERS
    return asked


def code_in(letter: OutboundLetter) -> str:
    found = re.search(r"CONFIRMO (\d{4}-\d{4})", letter.text)
    assert found is not None
    return found[1]


def ticket(house: TestHouse, at: int = 0) -> Ticket:
    return house.tickets()[at]


def told(house: TestHouse) -> str:
    """What the newest letter to staff says."""
    return house.letters(Audience.STAFF)[-1].text


def test_nothing_happens_before_the_code_and_it_goes_to_the_registered_address_only(house: TestHouse) -> None:
    letters = len(house.letters(Audience.REQUESTER))
    asked = ordered(house)
    assert (asked.recipient.address, asked.purpose) == (ANA, HandlePurpose.STAFF_INTERNAL)
    assert "#autorizar Pode vir." in asked.text
    assert ticket(house).resolution is None
    assert len(house.letters(Audience.REQUESTER)) == letters + 1  # the acknowledgement of the request
    with house.app.storage.read() as work:
        noted = work.tickets.messages(ticket(house).number)[-1]
    assert (noted.text, noted.unverified) == ("#autorizar Pode vir.", True)


def test_the_code_does_what_was_ordered_and_nothing_of_the_mail_that_brings_it(house: TestHouse) -> None:
    notice_ = opened(house)
    house.agent_reply(notice_, "#autorizar Pode vir.", files=[OUT])
    asked = house.letters(Audience.STAFF)[-1]
    house.agent_reply(asked, f"CONFIRMO {code_in(asked)}\n#negar outra coisa", files=[("x.pdf", b"%PDF-1.4 x")])
    assert ticket(house).resolution is Resolution.APPROVED
    letter = house.letters(Audience.REQUESTER)[-1]
    assert letter.letter is LetterKind.DECISION
    assert "Pode vir." in letter.text
    assert "outra coisa" not in letter.text
    assert [file.filename for file in letter.files] == ["planilha.pdf"]
    assert "✔ #autorizar Pode vir." in told(house)


@pytest.mark.parametrize("form", ["{0}", "Confirmo: {0}", "#confirmo {0}", "código {1}", "{1}."])
def test_the_code_is_taken_as_people_type_it(house: TestHouse, form: str) -> None:
    asked = ordered(house)
    code = code_in(asked)
    house.agent_reply(asked, form.format(code, code.replace("-", " ")))
    assert ticket(house).resolution is Resolution.APPROVED


def test_the_button_of_the_letter_confirms(house: TestHouse) -> None:
    asked = ordered(house)
    house.receive(filled_in(buttons(asked)["Confirmar"], verified=False))
    assert ticket(house).resolution is Resolution.APPROVED


def test_the_buttons_of_a_notice_ask_for_the_code_as_well(house: TestHouse) -> None:
    opened(house)
    house.receive(filled_in(buttons(notice(house))["Autorizar"], verified=False))
    assert ticket(house).resolution is None
    asked = house.letters(Audience.STAFF)[-1]
    house.agent_reply(asked, code_in(asked))
    assert ticket(house).resolution is Resolution.APPROVED


def test_a_plain_answer_passes_with_a_valid_handle(house: TestHouse) -> None:
    house.agent_reply(opened(house), "Pode vir na segunda.")
    assert "Pode vir na segunda." in house.letters(Audience.REQUESTER)[-1].text


def test_an_answer_to_the_letter_that_only_quotes_the_code_confirms_nothing(house: TestHouse) -> None:
    house.agent_reply(ordered(house), "Não fui eu!")
    assert ticket(house).resolution is None
    assert "Não fui eu!" not in "".join(one.text for one in house.letters(Audience.REQUESTER))


def test_threat_9_a_code_is_used_once_even_if_the_mail_with_it_comes_again(house: TestHouse) -> None:
    asked = ordered(house, "#espera")
    code = code_in(asked)
    house.agent_reply(asked, code)
    assert ticket(house).status is Status.ON_HOLD
    house.agent_reply(asked, f"{code}\n\nde novo")
    assert "já foi usado" in told(house)


def test_a_code_expires(house: TestHouse) -> None:
    asked = ordered(house)
    house.clock.advance(timedelta(hours=4))
    house.agent_reply(asked, code_in(asked))
    assert ticket(house).resolution is None
    assert "já venceu" in told(house)


def test_threat_9_codes_cannot_be_guessed_for_long(house: TestHouse) -> None:
    asked = ordered(house)
    right = code_in(asked)
    wrong = [f"0000-{n:04}" for n in range(WRONG_CODES_AT_MOST + 1) if f"0000-{n:04}" != right]
    for code in wrong[:WRONG_CODES_AT_MOST]:
        house.agent_reply(asked, code)
        assert "não confere" in told(house)
    house.agent_reply(asked, right)
    assert ticket(house).resolution is None
    assert "códigos errados demais" in told(house)
    with house.app.storage.read() as work:
        events = work.tickets.events(ticket(house).number)
    assert sum(one.kind is EventKind.CODE_REFUSED for one in events) == WRONG_CODES_AT_MOST


def test_threat_9_a_code_of_one_ticket_confirms_nothing_on_another(house: TestHouse) -> None:
    first = ordered(house)
    second = opened(house, REQUEST + "Outro carro\n", "joao@example.org")
    house.agent_reply(second, "#autorizar")
    other = house.letters(Audience.STAFF)[-1]
    assert other.letter is LetterKind.CONFIRM_ORDERS
    house.agent_reply(other, code_in(first))
    assert [one.resolution for one in house.tickets()] == [None, None]
    assert "não confere" in told(house)


def test_threat_9_a_code_confirms_its_own_orders_and_no_later_ones(house: TestHouse) -> None:
    first = ordered(house, "#espera")
    house.agent_reply(notice(house), "#autorizar")
    second = house.letters(Audience.STAFF)[-1]
    assert code_in(first) != code_in(second)
    house.agent_reply(second, code_in(first))
    assert (ticket(house).status, ticket(house).resolution) == (Status.ON_HOLD, None)


def test_threat_9_another_agent_with_the_code_decides_nothing(house: TestHouse) -> None:
    asked = ordered(house)
    stolen = reply_to(asked, code_in(asked)).replace(b"From: ana@example.com.br", b"From: bruno@example.com.br")
    house.receive(stolen)
    assert ticket(house).resolution is None


def test_orders_that_are_impossible_by_then_are_answered_and_not_done(house: TestHouse) -> None:
    asked = ordered(house)
    house.agent_reply(notice(house), "#negar venceu")
    denial = house.letters(Audience.STAFF)[-1]
    house.agent_reply(denial, code_in(denial))
    house.agent_reply(asked, code_in(asked))
    assert ticket(house).resolution is Resolution.DENIED
    assert "Nada foi feito".casefold() in told(house).casefold()


def test_where_a_server_vouches_for_staff_no_code_is_asked_for_and_none_helps(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
        unsigned = reply_to(notice(house), "#autorizar").replace(b"dmarc=pass", b"dmarc=none")
        house.receive(unsigned)
        assert ticket(house).resolution is None
        assert house.letters(Audience.STAFF)[-1].letter is LetterKind.REPLY_REFUSED


def test_an_order_by_an_expired_notice_gets_a_fresh_notice_that_works(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
        old = notice(house)
        house.clock.advance(timedelta(days=365))
        house.agent_reply(old, "#espera")
        fresh = house.letters(Audience.STAFF)[-1]
        assert fresh.letter is LetterKind.TICKET_READY
        assert "sua mensagem não foi aplicada" in fresh.text
        assert fresh.handle != old.handle
        assert ticket(house).status is not Status.ON_HOLD
        house.agent_reply(fresh, "#espera")
        assert ticket(house).status is Status.ON_HOLD
