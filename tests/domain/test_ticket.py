"""The one table of what may follow what, and the one way through it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailbot.domain.errors import TransitionNotAllowed
from mailbot.domain.mail import Address
from mailbot.domain.ticket import TRANSITIONS, Status, Ticket, moved

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def ticket(status: Status) -> Ticket:
    return Ticket(
        number="2026-000001",
        mailbox="default",
        request_type="general",
        requester=Address(address="maria@cliente.example"),
        subject="x",
        title="x",
        status=status,
        opened_at=NOW,
        updated_at=NOW,
    )


@pytest.mark.parametrize(("old", "new"), list(itertools.product(Status, Status)))
def test_a_ticket_moves_only_as_the_table_says(old: Status, new: Status) -> None:
    before = ticket(old)
    if new is old or new in TRANSITIONS[old]:
        assert moved(before, new) == replace(before, status=new)
    else:
        with pytest.raises(TransitionNotAllowed, match=f"from {old} to {new}"):
            moved(before, new)
