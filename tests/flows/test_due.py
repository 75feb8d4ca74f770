"""What is promised, by priority and with its pauses, and what staff hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ticket import Priority, Status
from tests.flows.house import TestHouse, mail, reply_to
from tests.flows.staffing import ANA, BRUNO, CARLA, config

BY_PRIORITY = {"answer_within_business_hours": {"high": 8, "medium": 24, "low": 48}}


@contextmanager
def open_house(folder: Path, **changes: Any) -> Iterator[TestHouse]:
    with TestHouse(folder, config_dir=config(folder, **changes)) as house:
        yield house


def ask(house: TestHouse, text: str = "Uma pergunta") -> None:
    house.receive(mail(text, subject="Dúvida"))


def warnings(house: TestHouse) -> list[tuple[str, bool]]:
    """(to whom, whether it is late) of every warning."""
    found = [one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.LATE_WARNING]
    return [(one.recipient.address, "VENCEU" in one.text) for one in found]


def notice(house: TestHouse) -> OutboundLetter:
    return next(one for one in house.letters() if one.letter is LetterKind.TICKET_READY)


def at(day: int, hour: int) -> datetime:
    """Local time in November 2026."""
    return datetime(2026, 11, day, hour + 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "priority", "due"),
    [
        ("Alta", Priority.HIGH, at(23, 20)),
        ("Média", Priority.MEDIUM, at(24, 12)),
        ("Baixa", Priority.LOW, at(25, 12)),
    ],
)
def test_r002_17_the_priority_of_the_mail_says_when_it_is_due(
    tmp_path: Path, said: str, priority: Priority, due: datetime
) -> None:
    with open_house(tmp_path, kind=BY_PRIORITY | {"priority": "requester"}) as house:
        ask(house, f"A pia vaza.\nPrioridade: {said}")
        (ticket,) = house.tickets()
        assert (ticket.priority, ticket.due_at) == (priority, due)


def test_r004_06_high_without_a_cause_is_kept_as_asked_for_until_an_agent_says_so(tmp_path: Path) -> None:
    with open_house(tmp_path, kind=BY_PRIORITY | {"priority": "default_medium"}) as house:
        ask(house, "Quero um relatório.\nPrioridade: Alta")
        (ticket,) = house.tickets()
        assert (ticket.priority, ticket.priority_asked) == (Priority.MEDIUM, Priority.HIGH)
        assert "#prioridade alta" in notice(house).text
        house.receive(reply_to(notice(house), "#prioridade alta"))
        (ticket,) = house.tickets()
        assert (ticket.priority, ticket.priority_asked) == (Priority.HIGH, None)
        assert ticket.due_at == at(23, 20)


def test_r004_05_high_with_a_cause_is_high(tmp_path: Path) -> None:
    kind = BY_PRIORITY | {"priority": "default_medium", "urgent_words": ["site fora do ar"]}
    with open_house(tmp_path, kind=kind) as house:
        ask(house, "O SITE fora do ar!\nPrioridade: alta")
        assert house.tickets()[0].priority is Priority.HIGH


def test_r001_26_nobody_sets_a_priority_that_is_automatic(tmp_path: Path) -> None:
    with open_house(tmp_path, kind={"priority": "automatic"}) as house:
        ask(house, "Prioridade: alta")
        (ticket,) = house.tickets()
        assert (ticket.priority, ticket.priority_asked) == (Priority.MEDIUM, None)


def test_the_clock_stands_still_while_the_requester_is_asked(tmp_path: Path) -> None:
    with open_house(tmp_path, kind={"answer_within_business_hours": 24}) as house:
        ask(house)
        house.clock.advance(timedelta(hours=4))
        house.receive(reply_to(notice(house), "#pedir foto do painel"))
        (ticket,) = house.tickets()
        assert (ticket.status, ticket.due_at) == (Status.AWAITING_REQUESTER, None)
        house.clock.advance(timedelta(days=3))
        letter = house.letters(Audience.REQUESTER)[-1]
        house.receive(reply_to(letter, "Aqui está."))
        house.receive(reply_to(notice(house), "#reabrir")) if house.tickets()[
            0
        ].status is Status.RESOLVED else None
        (ticket,) = house.tickets()
        assert ticket.status is Status.OPEN
        # Of 24 hours 4 had passed: Thursday 16:00 and 20 business hours.
        assert ticket.due_at == at(27, 12)


def test_r002_17_the_priority_that_an_answer_states_counts_and_what_is_usual_takes_nothing_back(
    tmp_path: Path,
) -> None:
    with open_house(tmp_path) as house:
        house.receive(mail("Minha pia vaza muito.\nPrioridade: Alta", subject="MANUTENÇÃO"))
        letter = house.letters(Audience.REQUESTER)[-1]
        house.receive(reply_to(letter, "CPF: 529.982.247-25"))
        assert house.tickets()[0].priority is Priority.HIGH
        house.receive(reply_to(letter, "Prioridade: Baixa"))
        assert house.tickets()[0].priority is Priority.LOW


@pytest.mark.parametrize(("stops", "due"), [(True, None), (False, at(24, 12))])
def test_on_hold_the_clock_stands_still_where_the_type_says_so(
    tmp_path: Path, stops: bool, due: datetime | None
) -> None:
    kind = {"answer_within_business_hours": 24, "stop_clock_on_hold": stops}
    with open_house(tmp_path, kind=kind) as house:
        ask(house)
        house.receive(reply_to(notice(house), "#espera"))
        assert house.tickets()[0].due_at == due


def test_agents_are_warned_once_before_and_once_when_it_is_late(tmp_path: Path) -> None:
    kind = {"answer_within_business_hours": 24, "warn_before_hours": 2}
    with open_house(tmp_path, queue={"notify": [ANA], "escalate_to": [CARLA]}, kind=kind) as house:
        ask(house)
        house.app.upkeep.tick()
        assert warnings(house) == []
        house.clock.advance(timedelta(hours=22, minutes=30))
        for _ in range(2):
            house.app.upkeep.tick()
        assert warnings(house) == [(ANA, False)]
        house.clock.advance(timedelta(hours=2))
        for _ in range(2):
            house.app.upkeep.tick()
        assert warnings(house) == [(ANA, False), (ANA, True), (CARLA, True)]
        house.reopen()
        house.app.upkeep.tick()
        assert len(warnings(house)) == 3


def test_nobody_is_warned_at_night_nor_of_what_is_done(tmp_path: Path) -> None:
    with open_house(tmp_path, kind={"answer_within_business_hours": 12}) as house:
        ask(house)
        house.clock.advance(timedelta(hours=12, minutes=1))
        house.app.upkeep.tick()
        assert warnings(house) == []
        house.receive(reply_to(notice(house), "#resolver Pronto."))
        house.clock.advance(timedelta(hours=10))
        house.app.upkeep.tick()
        assert warnings(house) == []


def test_a_warning_carries_a_handle_by_which_the_ticket_is_answered(tmp_path: Path) -> None:
    with open_house(tmp_path, kind={"answer_within_business_hours": 24}) as house:
        ask(house)
        house.clock.advance(timedelta(hours=25))
        house.app.upkeep.tick()
        letter = [one for one in house.letters() if one.letter is LetterKind.LATE_WARNING][1]
        assert letter.recipient.address == BRUNO
        house.receive(reply_to(letter, "#resolver Agora sim."))
        assert house.tickets()[0].status is Status.RESOLVED
