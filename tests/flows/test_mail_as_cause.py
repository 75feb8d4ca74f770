"""A mail as the cause of a change, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.flows.mail_as_cause import cause_for, stored_files
from mailbot.flows.roster import registered
from mailbot.triage.change_log import Cause
from mailbot.triage.decide import decide
from mailbot.triage.situation import Situation
from tests.flows.house import TestHouse
from tests.triage.situations import ANA, agent_writes, attachment, requester_writes, ticket


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def cause_of(house: TestHouse, situation: Situation, drawn: list[int]) -> Cause:
    def draw(year: int) -> str:
        drawn.append(year)
        return f"{year}-000031"

    return cause_for(
        decide(situation),
        situation,
        house.app.mailboxes["default"],
        (),
        mail_id=7,
        agent=registered(house.app.catalogue.staff, situation.sender),
        calendar=house.app.calendar,
        next_number=draw,
    )


def test_a_number_is_drawn_only_for_a_ticket_that_is_opened(house: TestHouse) -> None:
    drawn: list[int] = []
    assert cause_of(house, requester_writes("Oi"), drawn).number == "2026-000031"
    assert cause_of(house, requester_writes("Oi", ticket()), drawn).number == ""
    assert drawn == [2026]


def test_an_agent_goes_by_the_roster_and_a_requester_does_not(house: TestHouse) -> None:
    found = cause_of(house, agent_writes("#resolve", ticket()), []).agent
    assert found is not None and found.address == ANA.address
    assert cause_of(house, requester_writes("Oi"), []).agent is None


def test_every_attachment_has_its_own_digest_or_it_is_an_error() -> None:
    mail = requester_writes("Oi").mail
    files = (attachment("a.pdf", content=b"a"), attachment("b.pdf", content=b"b"))
    mail = replace(mail, attachments=files)
    assert [(one.digest, one.filename) for one in stored_files(mail, ["1", "2"])] == [
        ("1", "a.pdf"),
        ("2", "b.pdf"),
    ]
    with pytest.raises(ValueError, match="longer"):
        stored_files(mail, ["1"])
