"""What is asked about a mail again and again is found out once in an examination."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from mailbot.domain.events import Audience
from mailbot.domain.ledger import MailOutcome
from mailbot.evidence.fields import mail_text
from mailbot.flows.remember import StoredKnowledge
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def test_an_agents_thread_is_looked_up_once_for_errand_and_ticket(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    (notice,) = house.letters(Audience.STAFF)
    with patch.object(StoredKnowledge, "of_clues", autospec=True, side_effect=StoredKnowledge.of_clues) as asked:
        assert house.agent_reply(notice, "Fica para amanhã.") is MailOutcome.MESSAGE
    assert asked.call_count == 1


def test_a_mail_is_taken_into_lines_once_for_all_open_requests_of_its_sender(house: TestHouse) -> None:
    for wanted in ("Rio Verde", "Jataí", "Anápolis"):
        house.receive(mail(f"Novo local: {wanted}\n"))
    with (
        # A mail that is parked while its file is read is looked at again afterwards.
        patch("mailbot.flows.reading_desk._QUICK_SECONDS", 60),
        patch("mailbot.flows.weighing.mail_text", side_effect=mail_text) as taken,
    ):
        house.receive(mail("Bom dia,\nsegue o documento.", subject="Documento", files=[BOLETO]))
    assert taken.call_count == 1
