"""The house that other tests live in: one request from the first mail to the decision."""

from __future__ import annotations

from pathlib import Path

from mailbot.domain.events import Audience, LetterKind
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Resolution, Status
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail


def test_a_request_goes_from_the_first_mail_to_the_decision(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        assert house.receive(mail("Meu carro faz barulho.", subject="Socorro")) is MailOutcome.TICKET
        (ticket,) = house.tickets()
        assert ticket.status is Status.OPEN
        (notice,) = house.letters(Audience.STAFF)
        assert house.agent_reply(notice, "#resolver Pronto.") is MailOutcome.MESSAGE
        (ticket,) = house.tickets()
        assert (ticket.status, ticket.resolution) == (Status.RESOLVED, Resolution.DONE)
        assert [letter.letter for letter in house.letters(Audience.REQUESTER)] == [
            LetterKind.TICKET_OPENED,
            LetterKind.AGENT_ANSWER,
        ]


def test_a_request_with_all_papers_goes_to_its_queue(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        house.receive(mail(REQUEST, files=[BOLETO, RECEIPT]))
        (asked,) = house.letters(Audience.REQUESTER)
        assert (asked.letter, house.tickets()[0].missing) == (LetterKind.EVIDENCE_REQUESTED, ("driver_licence",))
        house.requester_reply(asked, "Segue a CNH.", files=[LICENCE])
        (ticket,) = house.tickets()
        assert (ticket.status, ticket.missing, ticket.queue) == (Status.OPEN, (), "sau")
