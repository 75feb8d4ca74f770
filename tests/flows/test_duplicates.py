"""Two tickets of one requester about the same boleto: agents are told, and one button makes one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.evidence import DocumentKind, Finding, Remark, Verdict
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.traces import USED_ELSEWHERE
from mailbot.evidence.uses import same_payment_on
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail
from tests.flows.test_notice_buttons import buttons, filled_in

ALL_PAPERS = (BOLETO, RECEIPT, LICENCE)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as one:
        yield one


def asked_twice(house: TestHouse, *, again: str = CUSTOMER) -> tuple[Ticket, Ticket]:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    house.receive(mail(REQUEST, sender=again, files=ALL_PAPERS))
    first, second = house.tickets()
    return first, second


def notice_of(house: TestHouse, ticket: Ticket) -> OutboundLetter:
    letters = house.letters(Audience.STAFF, ticket=ticket.number)
    return next(one for one in letters if one.letter is LetterKind.TICKET_READY)


def test_the_notice_of_the_second_names_the_first_and_its_button_merges_them(house: TestHouse) -> None:
    first, second = asked_twice(house)
    told = notice_of(house, second)
    assert f"já tem um chamado aberto com este boleto: {first.number}" in told.text
    assert f"#juntar {first.number}" in told.text
    house.receive(filled_in(buttons(told)[f"Juntar ao {first.number}"]))
    merged = house.tickets()[1]
    assert (merged.resolution, merged.merged_into) == (Resolution.DUPLICATE, first.number)
    assert house.tickets()[0].status is Status.OPEN


def test_who_opens_one_in_the_customers_name_hears_of_the_other_at_once(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    text = f"#abrir\nCliente: {CUSTOMER}\n{REQUEST}"
    house.receive(mail(text, subject="telefone", sender="Ana <ana@example.com.br>", files=[BOLETO]))
    first, second = house.tickets()
    assert second.status is Status.AWAITING_REQUESTER
    told = house.letters(Audience.STAFF)[-1]
    assert told.letter is LetterKind.TRANSCRIPT
    assert f"#juntar {first.number}" in told.text


def test_of_another_requesters_ticket_only_the_papers_remark_tells(house: TestHouse) -> None:
    first, second = asked_twice(house, again="joao@example.com.br")
    told = notice_of(house, second)
    assert first.number in told.text
    assert "#juntar" not in told.text


def test_a_finished_ticket_is_no_duplicate_to_merge_with(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    house.agent_reply(notice_of(house, house.tickets()[0]), "#negar não é possível")
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    assert "#juntar" not in notice_of(house, house.tickets()[1]).text


@pytest.mark.parametrize(
    ("kind", "fact", "numbers"),
    [
        (DocumentKind.DRIVER_LICENCE, "", ()),
        (DocumentKind.BOLETO, "", ("2026-000001", "2026-000003")),
        (DocumentKind.UNKNOWN, "boleto_line", ("2026-000001", "2026-000003")),
    ],
)
def test_somebodys_licence_goes_with_all_their_requests(
    kind: DocumentKind, fact: str, numbers: tuple[str, ...]
) -> None:
    finding = Finding(
        digest="d",
        sha256="s",
        filename="a.pdf",
        media_type="application/pdf",
        size_bytes=1,
        kind=kind,
        confidence=1.0,
        verdict=Verdict.ACCEPTED,
        remarks=(Remark(fact=fact, reason=USED_ELSEWHERE, value="2026-000001, 2026-000003"),),
    )
    assert same_payment_on([finding]) == numbers
