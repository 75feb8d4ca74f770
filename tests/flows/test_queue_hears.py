"""From when on the people of a queue hear of a request that is not complete (R000-14, R000-23)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind
from mailbot.domain.ticket import Status
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail


def house_where_the_queue_hears(tmp_path: Path, when: str) -> TestHouse:
    config = Path(shutil.copytree(REPOSITORY / "config", tmp_path / "config"))
    file = config / "catalogue" / "inspection_location_change.yaml"
    file.write_text(file.read_text("utf-8").replace("queue: sau\n", f"queue: sau\nqueue_hears: {when}\n"), "utf-8")
    return TestHouse(tmp_path / "house", config_dir=config)


@pytest.mark.parametrize(
    ("when", "at_opening", "in_the_end"),
    [
        ("when_complete", [], [LetterKind.TICKET_READY]),
        ("when_opened", [LetterKind.TICKET_READY], [LetterKind.TICKET_READY, LetterKind.REQUESTER_REPLIED]),
    ],
)
def test_r000_14_and_23_a_queue_hears_of_an_incomplete_request_when_its_type_says_so(
    tmp_path: Path, when: str, at_opening: list[LetterKind], in_the_end: list[LetterKind]
) -> None:
    with house_where_the_queue_hears(tmp_path, when) as house:
        house.receive(mail(REQUEST, files=[BOLETO, RECEIPT]))
        assert house.tickets()[0].status is Status.AWAITING_REQUESTER
        notices = house.letters(Audience.STAFF)
        assert [one.letter for one in notices] == at_opening
        assert all("✘ CNH do responsável pela emissão do boleto" in one.text for one in notices)
        house.requester_reply(house.letters(Audience.REQUESTER)[-1], "Segue.", files=[LICENCE])
        assert house.tickets()[0].status is Status.OPEN
        assert [one.letter for one in house.letters(Audience.STAFF)] == in_the_end
