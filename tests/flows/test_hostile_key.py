"""Another MAILBOT_SECRET_KEY is told at the start; no mail is quarantined for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.domain.errors import ConfigurationError
from mailbot.domain.ledger import MailOutcome
from mailbot.round import run_once
from tests.flows.house import TestHouse, mail


def test_a_changed_secret_key_stops_the_start_and_quarantines_no_mail(tmp_path: Path) -> None:
    (tmp_path / "Maildir" / "new").mkdir(parents=True)
    (tmp_path / "Maildir" / "cur").mkdir()
    with TestHouse(tmp_path) as house:
        right = house.environment["MAILBOT_SECRET_KEY"]
        house.collect(mail("Qual o prazo?", subject="Dúvida"))
        house.environment["MAILBOT_SECRET_KEY"] = "another key, also of 32 bytes and more"
        house.reopen()
        for _ in range(3):
            with pytest.raises(ConfigurationError, match="Put the old key back"):
                run_once(house.app)
        assert [(row.outcome, row.attempts) for row in house.mails()] == [(MailOutcome.PENDING, 0)]
        house.environment["MAILBOT_SECRET_KEY"] = right
        house.reopen()
        run_once(house.app)
        assert [row.outcome for row in house.mails()] == [MailOutcome.TICKET]


def test_the_database_does_not_give_the_key_away(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house:
        house.collect(mail("Qual o prazo?", subject="Dúvida"))
        with house.app.storage.read() as work:
            kept = work.house.key_check()
        assert kept is not None
        assert house.environment["MAILBOT_SECRET_KEY"] not in kept
