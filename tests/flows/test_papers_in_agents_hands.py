"""What staff do to papers: asked for again they are not lost, and of a merged ticket they count in the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, EventKind, LetterKind, OutboundLetter
from mailbot.domain.evidence import Finding
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.flows.reprocess import tasks_for
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REQUEST, TestHouse, mail

LICENCE_KEY = "driver_licence"
OTHER_LICENCE = ("cnh2.pdf", LICENCE[1] + b"\n% photographed again\n")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as one:
        yield one


def notice(house: TestHouse, at: int = 0) -> OutboundLetter:
    letters = house.letters(Audience.STAFF, ticket=house.tickets()[at].number)
    return [one for one in letters if one.letter is LetterKind.TICKET_READY][-1]


def told_of(house: TestHouse, at: int) -> OutboundLetter:
    """The newest letter to staff about a ticket."""
    return house.letters(Audience.STAFF, ticket=house.tickets()[at].number)[-1]


def names(findings: tuple[Finding, ...]) -> list[str]:
    return sorted(one.filename for one in findings)


def asked_again(house: TestHouse) -> Ticket:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    house.agent_reply(notice(house), "#pedir cnh\nEstá ilegível.")
    return house.tickets()[0]


def read_again(house: TestHouse) -> list[bool]:
    flow = house.app.reprocess()
    return [flow.do(task).changed for task in tasks_for(house.mails())]


# --- asked for again -------------------------------------------------------------------------------------------


def test_what_is_asked_for_again_lacks_and_is_not_lost(house: TestHouse) -> None:
    ticket = asked_again(house)
    assert (ticket.status, ticket.missing) == (Status.AWAITING_REQUESTER, (LICENCE_KEY,))
    assert (names(ticket.documents), names(ticket.set_aside)) == (["boleto.pdf", "comprovante.pdf"], ["cnh.pdf"])
    letter = house.letters(Audience.REQUESTER)[-1]
    house.requester_reply(letter, "Segue de novo.", files=[OTHER_LICENCE])
    ticket = house.tickets()[0]
    assert (ticket.status, ticket.missing) == (Status.OPEN, ())
    told = notice(house).text
    assert "cnh2.pdf" in told
    assert "Já veio antes; foi pedido de novo." in told


def test_the_same_file_sent_again_counts_and_stands_there_once(house: TestHouse) -> None:
    asked_again(house)
    house.requester_reply(house.letters(Audience.REQUESTER)[-1], "É essa mesma.", files=[LICENCE])
    ticket = house.tickets()[0]
    assert (ticket.status, ticket.missing) == (Status.OPEN, ())
    assert "foi pedido de novo" not in notice(house).text


def test_thanks_or_a_question_does_not_bring_it_back(house: TestHouse) -> None:
    asked_again(house)
    house.requester_reply(house.letters(Audience.REQUESTER)[-1], "Mas eu já mandei, não chegou?")
    ticket = house.tickets()[0]
    assert (ticket.status, ticket.missing) == (Status.AWAITING_REQUESTER, (LICENCE_KEY,))


def test_waiving_it_lets_the_earlier_one_count_again(house: TestHouse) -> None:
    asked_again(house)
    house.agent_reply(notice(house), "#dispensar cnh")
    ticket = house.tickets()[0]
    assert (ticket.status, ticket.missing, ticket.set_aside) == (Status.OPEN, (), ())
    assert names(ticket.documents) == ["boleto.pdf", "cnh.pdf", "comprovante.pdf"]


def test_reading_its_mails_again_does_not_undo_what_the_agent_asked_for(house: TestHouse) -> None:
    before = asked_again(house)
    assert not any(read_again(house))
    assert house.tickets()[0] == before


# --- merged ----------------------------------------------------------------------------------------------------


def test_papers_of_the_merged_ticket_complete_the_one_that_goes_on(house: TestHouse) -> None:
    first = asked_again(house)
    second = opened_beside(house)
    assert first.missing == (LICENCE_KEY,)
    told = {one.message_id for one in house.letters()}
    house.agent_reply(told_of(house, 1), f"#juntar {first.number}")
    first, second = house.tickets()
    assert (second.resolution, second.merged_into) == (Resolution.DUPLICATE, first.number)
    assert (first.status, first.missing) == (Status.OPEN, ())
    assert "cnh2.pdf" in names(first.documents)
    to_maria = house.letters(Audience.REQUESTER, ticket=first.number)
    assert [one.letter for one in to_maria if one.message_id not in told] == [LetterKind.EVIDENCE_COMPLETE]
    assert "cnh2.pdf" in notice(house).text
    with house.app.storage.read() as work:
        merged = [one for one in work.tickets.events(first.number) if one.kind is EventKind.MERGED]
    assert [one.old for one in merged] == [second.number]
    # A look at its own mails alone would lose what came with the other.
    assert not any(read_again(house))
    assert house.tickets()[0] == first
    house.agent_reply(notice(house), "#originais")
    sent = house.letters(Audience.STAFF)[-1]
    assert "cnh2.pdf" in [file.filename for file in sent.files]


def opened_beside(house: TestHouse, *, sender: str = CUSTOMER) -> Ticket:
    """Another whole request, opened by Ana in the sender's name while the first waits."""
    text = f"#abrir\nCliente: {sender}\n{REQUEST}"
    ana = "Ana <ana@example.com.br>"
    house.receive(mail(text, subject="telefone", sender=ana, files=[BOLETO, RECEIPT, OTHER_LICENCE]))
    return house.tickets()[1]


def test_papers_of_another_requester_stay_with_them(house: TestHouse) -> None:
    asked_again(house)
    opened_beside(house, sender="joao@cliente.example")
    first, _ = house.tickets()
    house.agent_reply(told_of(house, 1), f"#juntar {first.number} mesmo assim")
    first, second = house.tickets()
    assert second.merged_into == first.number
    assert (first.missing, names(first.documents)) == ((LICENCE_KEY,), ["boleto.pdf", "comprovante.pdf"])


def test_two_mergings_at_once_lose_no_paper(house: TestHouse) -> None:
    asked_again(house)
    opened_beside(house)
    first = house.tickets()[0]
    merging = told_of(house, 1)
    house.requester_reply(house.letters(Audience.REQUESTER, ticket=first.number)[-1], "Segue.", files=[LICENCE])
    house.agent_reply(merging, f"#juntar {first.number}")
    assert {"cnh.pdf", "cnh2.pdf"} <= set(names(house.tickets()[0].documents))


def test_what_the_other_ticket_still_asks_for_is_still_asked(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    first = house.tickets()[0]
    text = f"#abrir\nCliente: {CUSTOMER}\n{REQUEST}"
    house.receive(mail(text, subject="telefone", sender="Ana <ana@example.com.br>", files=[RECEIPT]))
    house.agent_reply(told_of(house, 1), f"#juntar {first.number}")
    first = house.tickets()[0]
    assert (first.status, first.missing) == (Status.AWAITING_REQUESTER, (LICENCE_KEY,))
    assert LetterKind.EVIDENCE_REQUESTED in {one.letter for one in house.letters(ticket=first.number)}
