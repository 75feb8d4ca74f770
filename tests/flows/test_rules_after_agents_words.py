"""What an agent says of a ticket and what the bot would say: the rules are asked anew, nobody is told anew.

Goiânia to Aparecida de Goiânia is nothing that a change of location is needed for; a boleto that was not paid is
cancelled by a ticket beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.customer import CustomerKind
from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.evidence import FieldOrigin
from mailbot.domain.guidance import RulingAction
from mailbot.domain.ticket import Status, Ticket
from tests.flows import test_work_orders as work_orders
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail, reply_to
from tests.flows.test_customers import enter, record
from tests.flows.test_reprocess import reprocess

LOCATION = "inspection_location_change"
TO_GOIANIA = REQUEST.replace("Jataí", "Goiânia")
UNPAID = TO_GOIANIA.replace("mudança de cidade", "boleto não pago")
TOO_NEAR = "Aparecida de Goiânia"
FROM_GOIANIA = REQUEST.replace("Rio Verde", "Goiânia").replace("Novo local: Jataí\n", "")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def ticket(house: TestHouse) -> Ticket:
    return house.tickets()[0]


def to_client(house: TestHouse) -> OutboundLetter:
    return house.letters(Audience.REQUESTER)[-1]


def order(house: TestHouse, words: str) -> Ticket:
    """An administrator orders it, as an agent would by mail."""
    assert house.app.staff_desk.order(ticket(house), words, dry_run=False).refusal is None
    return ticket(house)


# --- a ticket beside ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_client", [False, True])
def test_the_ticket_beside_is_opened_once_whatever_type_the_ticket_was_meanwhile(
    house: TestHouse, by_client: bool
) -> None:
    house.receive(mail(UNPAID))
    (_, beside) = house.tickets()
    house.requester_reply(to_client(house), "E agora? Não entendi.")
    if by_client:
        house.requester_reply(to_client(house), "TIPO: Atendimento geral")
        assert ticket(house).request_type != LOCATION
        house.requester_reply(to_client(house), "TIPO: Alteração de local da vistoria")
    else:
        order(house, "#tipo general")
        order(house, f"#tipo {LOCATION}")
    assert ticket(house).request_type == LOCATION
    order(house, "#pedir boleto\nMande o boleto, por favor.")
    house.requester_reply(to_client(house), "Não entendi, o boleto não foi pago mesmo.")
    ruling = ticket(house).ruling
    assert ruling is not None and ruling.linked_ticket == beside.number
    assert [one.number for one in house.tickets()] == [ticket(house).number, beside.number]


# --- whose record ---------------------------------------------------------------------------------------------


def test_a_record_answers_nobody_who_did_not_write_from_its_address(house: TestHouse) -> None:
    tax_id = "44.555.666/0001-81"
    told = {
        "company": "Padaria Exemplo",
        "cnpj": tax_id,
        "email": "marta@padaria.example",
        "mobile": "62 98888-0000",
    }
    known = record(house, enter(house, kind=CustomerKind.COMPANY, first_name="", cpf="", **told))
    stranger = "Ze <estranho@example.net>"
    house.receive(work_orders.order({"CNPJ": "", "Telefone": "(62) 99999-1111"}, sender=stranger, verified=False))
    house.app.staff_desk.say_whose(ticket(house), known)
    after = order(house, "#campo UF: GO")
    assert after.customer.customer_id == known.id
    assert FieldOrigin.RECORD not in {one.origin for one in after.fields}
    house.receive(
        reply_to(to_client(house), "Segue telefone: (62) 95555-4444").replace(b"dmarc=pass", b"dmarc=none")
    )
    reprocess(house)
    assert FieldOrigin.RECORD not in {one.origin for one in ticket(house).fields}
    assert not [one for one in house.letters(Audience.REQUESTER) if tax_id in one.text]


# --- who answers ----------------------------------------------------------------------------------------------


def test_what_an_agent_stated_is_answered_by_an_agent(house: TestHouse) -> None:
    """Not by the bot: neither at once, nor when the mails are looked at again, nor when the client writes."""
    house.receive(mail(FROM_GOIANIA, files=[RECEIPT, BOLETO]))
    asked = to_client(house)
    house.requester_reply(asked, "Podem olhar?")
    stated = order(house, f"#campo Novo local: {TOO_NEAR}")
    assert stated.ruling is not None and stated.ruling.action is RulingAction.SUGGEST
    assert stated.status is Status.AWAITING_REQUESTER
    letters = house.letters()
    assert [one.changed for one in reprocess(house)] == [False]
    assert house.letters() == letters
    house.requester_reply(asked, "Segue a CNH.", files=[LICENCE])
    assert ticket(house).status is Status.OPEN
    assert LetterKind.GUIDANCE not in {one.letter for one in house.letters(Audience.REQUESTER)}


def test_what_ended_a_ticket_stays_whatever_an_agent_states_of_it_afterwards(house: TestHouse) -> None:
    house.receive(mail(f"{FROM_GOIANIA}Novo local: {TOO_NEAR}\n"))
    ended = ticket(house)
    assert ended.is_guided
    after = order(house, "#campo Novo local: Rio Verde")
    assert (after.status, after.ruling, after.missing) == (ended.status, ended.ruling, ())
    letters = house.letters()
    assert [one.changed for one in reprocess(house)] == [False]
    assert (ticket(house), house.letters()) == (after, letters)


# --- what was waived ------------------------------------------------------------------------------------------


def test_what_was_waived_is_not_asked_for_by_the_rules(house: TestHouse) -> None:
    house.receive(mail(TO_GOIANIA.replace("Motivo: mudança de cidade\n", ""), files=[RECEIPT, BOLETO, LICENCE]))
    assert ticket(house).missing == ("reason",)
    assert order(house, "#dispensar Motivo").missing == ()
    letters = house.letters(Audience.REQUESTER)
    house.requester_reply(letters[0], "Obrigada. Telefone: (62) 98888-7777")
    assert ticket(house).missing == ()
    assert LetterKind.EVIDENCE_REQUESTED not in {
        one.letter for one in house.letters(Audience.REQUESTER)[len(letters) :]
    }
    assert [one.changed for one in reprocess(house)] == [False]


def test_what_was_waived_is_not_missed_when_the_ticket_is_its_type_again(house: TestHouse) -> None:
    house.receive(mail(TO_GOIANIA, files=[RECEIPT, BOLETO]))
    order(house, "#dispensar cnh")
    order(house, "#tipo general")
    assert order(house, f"#tipo {LOCATION}").missing == ()
