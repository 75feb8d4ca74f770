"""What programs send, or people in a program's name: forwarders that mark what they pass on, made-up bounces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.ledger import MailOutcome
from tests.flows.house import REQUEST, TestHouse, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def test_a_copy_that_a_forwarder_marked_as_its_answer_does_not_swallow_the_customers_own_mail(
    house: TestHouse,
) -> None:
    copy = mail(REQUEST, message_id="pedido", headers=[("Auto-Submitted", "auto-replied")])
    assert house.receive(copy) is MailOutcome.DISCARDED
    assert house.receive(mail(REQUEST, message_id="pedido")) is MailOutcome.TICKET
    assert house.receive(mail(REQUEST, message_id="pedido")) is MailOutcome.DUPLICATE
