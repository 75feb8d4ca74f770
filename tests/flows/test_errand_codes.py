"""Where no server vouches for staff (profile ``none``), what an agent orders about no ticket needs a code too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.domain.confirmation import WRONG_CODES_AT_MOST
from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ledger import MailOutcome
from tests.flows.house import BOLETO, LICENCE, RECEIPT, TestHouse, mail
from tests.flows.test_notice_buttons import buttons, filled_in
from tests.flows.test_staff_errands import ANA, FORWARD


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, authserv_id="") as one:
        yield one


def writes(house: TestHouse, text: str, *, sender: str = ANA, message_id: str = "") -> MailOutcome:
    raw = mail(text, subject="ENC: pedido", sender=sender, message_id=message_id, verified=False)
    outcome = house.receive(raw)
    while _pending(house):
        house.process()
    return outcome


def _pending(house: TestHouse) -> bool:
    return any(one.outcome is MailOutcome.PENDING for one in house.mails())


def told(house: TestHouse) -> OutboundLetter:
    return house.letters(Audience.STAFF)[-1]


def code(house: TestHouse) -> str:
    """The code that the registered address was sent last."""
    assert told(house).recipient.address == "ana@example.com.br"
    found = re.findall(r"CONFIRMO (\d{4}-\d{4})", told(house).text)
    return str(found[-1])


def test_r000_13_a_ticket_is_opened_for_a_customer_once_the_code_has_come(house: TestHouse) -> None:
    raw = mail(FORWARD, subject="ENC: pedido", sender=ANA, files=[BOLETO, RECEIPT, LICENCE], verified=False)
    assert house.receive(raw) is MailOutcome.QUERY
    assert house.tickets() == []
    assert house.letters(Audience.REQUESTER) == []
    writes(house, f"CONFIRMO {code(house)}")
    [ticket] = house.tickets()
    assert (ticket.requester.address, ticket.missing) == ("maria@cliente.example", ())
    assert ticket.number in told(house).text
    assert [one.recipient.address for one in house.letters(Audience.REQUESTER)] == ["maria@cliente.example"]


def test_the_button_of_the_letter_confirms_an_errand(house: TestHouse) -> None:
    writes(house, FORWARD)
    asked = told(house)
    assert asked.letter is LetterKind.CONFIRM_ORDERS
    assert "Local atual: Rio Verde" in asked.text
    house.receive(filled_in(buttons(asked)["Confirmar"], verified=False))
    while _pending(house):
        house.process()
    assert [one.requester.address for one in house.tickets()] == ["maria@cliente.example"]


def test_the_list_of_tickets_comes_once_the_code_has_come(house: TestHouse) -> None:
    writes(house, "#abertos")
    assert "Nenhum chamado aberto" not in told(house).text
    writes(house, code(house))
    assert "Nenhum chamado aberto" in told(house).text


def test_the_manual_is_no_secret_and_needs_no_code(house: TestHouse) -> None:
    writes(house, "#ajuda")
    assert "#negar motivo" in told(house).text
    assert "CONFIRMO" not in told(house).text


def test_threat_9_a_code_opens_one_ticket_however_often_it_and_its_mail_come(house: TestHouse) -> None:
    writes(house, FORWARD)
    right = code(house)
    writes(house, f"CONFIRMO {right}")
    writes(house, f"CONFIRMO {right}")
    assert "já foi usado" in told(house).text
    writes(house, f"CONFIRMO {right}\n\nde novo")
    assert len(house.tickets()) == 1


def test_threat_9_the_same_errand_under_another_message_id_is_not_confirmed_by_its_code(house: TestHouse) -> None:
    raw = mail(FORWARD, subject="ENC: pedido", sender=ANA, message_id="first", verified=False)
    house.receive(raw)
    right = code(house)
    house.receive(raw.replace(b"<first@", b"<second@"))
    writes(house, right)
    writes(house, right)
    assert "já foi usado" in told(house).text
    assert len(house.tickets()) == 1


def test_a_code_for_an_errand_expires(house: TestHouse) -> None:
    writes(house, FORWARD)
    right = code(house)
    house.clock.advance(timedelta(hours=4))
    writes(house, right)
    assert "já venceu" in told(house).text
    assert house.tickets() == []


def test_threat_9_codes_for_errands_cannot_be_guessed_for_long_and_the_agent_hears_of_it_once(
    house: TestHouse,
) -> None:
    writes(house, FORWARD)
    right = code(house)
    wrong = [one for one in (f"0000-{n:04}" for n in range(WRONG_CODES_AT_MOST + 1)) if one != right]
    for one in wrong[:WRONG_CODES_AT_MOST]:
        writes(house, one)
        assert "não confere" in told(house).text
    letters = len(house.letters())
    for _ in range(3):
        writes(house, right)
    assert house.tickets() == []
    assert "códigos errados demais" in told(house).text
    assert len(house.letters()) == letters + 1


def test_threat_9_the_code_of_one_agent_confirms_nothing_of_another(house: TestHouse) -> None:
    writes(house, FORWARD)
    right = code(house)
    writes(house, "#abertos", sender="bruno@example.com.br")
    writes(house, right, sender="bruno@example.com.br")
    assert house.tickets() == []
    assert "não confere" in told(house).text


def test_threat_9_forged_errands_by_the_hundred_do_not_hide_the_agents_own(house: TestHouse) -> None:
    """Beyond the two hundredth its right code was called wrong."""
    writes(house, FORWARD)
    genuine = code(house)
    for number in range(210):
        writes(house, f"{FORWARD}\nPedido {number}")
    writes(house, f"CONFIRMO {genuine}")
    assert len(house.tickets()) == 1


def test_what_cannot_be_done_is_told_without_asking_for_a_code(house: TestHouse) -> None:
    writes(house, "#abrir\nUm cliente ligou.")
    assert "Não encontramos o endereço do cliente" in told(house).text
    assert "CONFIRMO" not in told(house).text


def test_a_restart_between_the_code_and_what_it_confirms_loses_nothing(house: TestHouse) -> None:
    writes(house, FORWARD)
    house.receive(mail(code(house), subject="x", sender=ANA, verified=False))
    house.reopen()
    while _pending(house):
        house.process()
    assert [one.requester.address for one in house.tickets()] == ["maria@cliente.example"]


# --- where a server does vouch for staff -----------------------------------------------------------------------


def test_threat_9_a_forwarded_request_that_comes_again_under_another_id_opens_no_second_ticket(
    tmp_path: Path,
) -> None:
    with TestHouse(tmp_path) as house:
        raw = mail(FORWARD, subject="ENC: pedido", sender=ANA, message_id="first")
        assert house.receive(raw) is MailOutcome.TICKET
        assert house.receive(raw.replace(b"<first@", b"<second@")) is MailOutcome.DUPLICATE
        assert len(house.tickets()) == 1
        # The same request, forwarded once more by hand, is another one.
        assert house.receive(mail(FORWARD, subject="ENC: pedido", sender=ANA)) is MailOutcome.TICKET


def test_threat_9_a_thousand_errands_in_an_agents_name_are_one_letter_a_day(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        for text in (FORWARD, "#abertos", "#abrir\nE-mail: x@cliente.example", "#ajuda"):
            writes(house, text)
        assert [one.recipient.address for one in house.letters()] == ["ana@example.com.br"]
        house.clock.advance(timedelta(days=1, minutes=1))
        writes(house, "#abertos")
        assert len(house.letters()) == 2
