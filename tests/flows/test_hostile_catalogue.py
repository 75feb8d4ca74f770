"""Tickets that are older than the catalogue is now: their request type is gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailbot.cli.checkup import State, check_types_in_use
from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Resolution, Status
from mailbot.flows.reprocess import tasks_for
from mailbot.housework import warn_of_types_that_are_gone
from tests.cli.command import drop_request_type
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail

TYPE = "inspection_location_change"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def lose_the_type(house: TestHouse) -> None:
    """The program starts again without the request type's file."""
    config = house.folder / "config"
    shutil.copytree(REPOSITORY / "config", config)
    drop_request_type(config, TYPE)
    house.reopen(config_dir=config)


def incomplete(house: TestHouse) -> OutboundLetter:
    """The letter that asks for what lacks."""
    house.receive(mail(REQUEST, files=[BOLETO]))
    (asked,) = house.letters()
    return asked


def test_a_ticket_whose_type_is_gone_is_never_called_complete(house: TestHouse) -> None:
    asked = incomplete(house)
    (before,) = house.tickets()
    lose_the_type(house)
    house.requester_reply(asked, "Oi, ainda vou mandar o resto.", files=[RECEIPT])
    (after,) = house.tickets()
    assert (after.status, after.missing, after.title) == (before.status, before.missing, before.title)
    assert (after.fields, after.documents, after.request_type) == (before.fields, before.documents, TYPE)
    assert house.letters(Audience.REQUESTER) == [asked]
    assert [one.letter for one in house.letters(Audience.STAFF)] == [LetterKind.REQUESTER_REPLIED]


def test_a_fresh_mail_does_not_complete_a_ticket_whose_type_is_gone(house: TestHouse) -> None:
    incomplete(house)
    lose_the_type(house)
    assert house.receive(mail("Seguem os papéis.", subject="Documentos", files=[LICENCE])) is MailOutcome.TICKET
    assert house.tickets()[0].missing == ("payment_receipt", "driver_licence")


def test_nobody_is_reminded_of_what_nobody_knows_any_more(house: TestHouse) -> None:
    asked = incomplete(house)
    lose_the_type(house)
    for _ in range(12):
        house.clock.advance(timedelta(days=1))
        house.app.upkeep.tick()
    assert house.letters() == [asked]
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER


def test_an_expired_ticket_whose_type_is_gone_comes_back_to_a_person(house: TestHouse) -> None:
    asked = incomplete(house)
    house.clock.advance(timedelta(days=10, hours=1))
    house.app.upkeep.tick()
    assert house.tickets()[0].resolution is Resolution.EXPIRED
    count = len(house.letters(Audience.REQUESTER))
    lose_the_type(house)
    house.requester_reply(asked, "Desculpem a demora, ainda vou mandar.")
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing) == (Status.OPEN, ("payment_receipt", "driver_licence"))
    assert len(house.letters(Audience.REQUESTER)) == count
    assert len(house.letters(Audience.STAFF)) == 1


def test_what_follows_a_ticket_whose_type_is_gone_goes_to_a_person(house: TestHouse) -> None:
    asked = incomplete(house)
    house.clock.advance(timedelta(days=10, hours=1))
    house.app.upkeep.tick()
    house.clock.advance(timedelta(days=15))
    house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.CLOSED
    lose_the_type(house)
    house.requester_reply(asked, "Preciso de novo.")
    follow_up = house.tickets()[-1]
    assert (follow_up.status, follow_up.request_type) == (Status.OPEN, "general")
    assert [one.letter for one in house.letters(ticket=follow_up.number)] == [
        LetterKind.TICKET_OPENED,
        LetterKind.TICKET_READY,
    ]


def test_a_recount_leaves_a_ticket_whose_type_is_gone_as_it_is(house: TestHouse) -> None:
    asked = incomplete(house)
    (before,) = house.tickets()
    lose_the_type(house)
    (result,) = [house.app.reprocess().do(task) for task in tasks_for(house.mails())]
    assert (result.changed, result.problem) == (False, f"its request type {TYPE} is not in the catalogue")
    assert house.tickets() == [before]
    assert house.letters() == [asked]


def test_a_start_warns_of_types_that_are_gone_and_of_no_others(house: TestHouse) -> None:
    incomplete(house)
    with capture_logs() as logs:
        warn_of_types_that_are_gone(house.app)
    assert logs == []
    lose_the_type(house)
    with capture_logs() as logs:
        warn_of_types_that_are_gone(house.app)
    assert [(one["action"], one["request_types"]) for one in logs] == [("daemon.types_gone", [TYPE])]


def test_the_doctor_names_types_that_are_gone_and_no_others(house: TestHouse) -> None:
    incomplete(house)
    assert list(check_types_in_use(house.app.settings, house.app.catalogue)) == []
    lose_the_type(house)
    (finding,) = check_types_in_use(house.app.settings, house.app.catalogue)
    assert (finding.check, finding.state) == ("catalogue", State.PROBLEM)
    assert TYPE in finding.message
