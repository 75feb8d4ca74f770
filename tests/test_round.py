"""What several processes on one database have in common: who ticks, and who takes over from the dead."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot import leases
from mailbot.bootstrap import App
from mailbot.housework import tick
from mailbot.leases import leases_kept
from mailbot.round import run_once
from tests.flows.house import TestHouse, mail
from tests.peers.process import wait_until

_SAY_NAME = "from mailbot.adapters.processes import this_process; print(this_process())"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def count_ticks(app: App, monkeypatch: pytest.MonkeyPatch) -> list[App]:
    ticks: list[App] = []
    monkeypatch.setattr(app.upkeep, "tick", lambda: ticks.append(app))
    return ticks


def test_what_time_does_is_done_by_one_process_until_it_ends(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = house.app, house.open()
    first_ticks, second_ticks = count_ticks(first, monkeypatch), count_ticks(second, monkeypatch)
    for _ in range(3):
        tick(first)
        tick(second)
    assert (len(first_ticks), len(second_ticks)) == (3, 0)
    with first.storage.write() as work:
        work.house.release_leases(first.owner)
    tick(second)
    tick(first)
    assert (len(first_ticks), len(second_ticks)) == (3, 1)


def test_whoever_comes_after_a_round_takes_it_for_no_process_that_died(house: TestHouse) -> None:
    for name in ("cur", "new", "tmp"):
        (house.folder / "Maildir" / name).mkdir(parents=True)
    run_once(house.app)
    with house.app.storage.read() as work:
        assert work.house.lease_owners() == set()


def test_a_process_at_work_takes_over_what_one_of_its_host_held_that_died(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = subprocess.run([sys.executable, "-c", _SAY_NAME], check=True, capture_output=True, text=True)
    house.collect(mail("Qual o prazo?", subject="Dúvida"))
    dead, now = said.stdout.strip(), datetime.now(UTC)
    with house.app.storage.write() as work:
        assert work.house.take_lease("collect:default:INBOX", dead, real_now=now)
        assert work.house.take_lease("upkeep", "a process of another host", real_now=now)
        assert work.mails.claim(owner=dead, mailboxes=["default"], now=now, real_now=now)
    assert house.app.intake.process_next() is None
    monkeypatch.setattr(leases, "LEASE_RENEWAL_SECONDS", 0.05)

    def owners() -> set[str]:
        with house.app.storage.read() as work:
            return work.house.lease_owners() | work.mails.owners()

    with leases_kept(house.app, [], on_hanging=lambda _: None, died=lambda _: None):
        wait_until(lambda: dead not in owners(), "the take-over")
    assert owners() == {"a process of another host"}
    assert house.app.intake.process_next() == "ticket"
    assert [row.deaths for row in house.mails()] == [1]
