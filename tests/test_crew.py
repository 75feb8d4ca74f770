"""In a rush other processes help: nothing is lost or doubled, and one that breaks costs nobody a mail."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot import crew, round
from mailbot.bootstrap import App
from mailbot.crew import Crew, helpers_by_default, helpers_wanted
from mailbot.daemon import Daemon
from mailbot.domain.ledger import MailOutcome
from mailbot.flows.delivery import DeliveryCount
from mailbot.isolation import fork_server
from mailbot.isolation.fork_server import ForkedProcess
from mailbot.round import run_once
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail
from tests.flows.test_delivery import DELIVERED, FakeTransport
from tests.peers.process import wait_until
from tests.spawned import HELPER, SpawnedHelpers

SENDERS = 40
RUSH = 5
"""Mails that call in one more helper, for tests."""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestHouse]:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    monkeypatch.setattr(crew, "MAILS_PER_HELPER", RUSH)
    # A program takes longer to start, and to end, than what is forked off a fork server.
    monkeypatch.setattr(crew, "MAIL_IN_HAND_SECONDS", 60.0)
    monkeypatch.setattr(fork_server, "_TOLD_SECONDS", 60.0)
    with TestHouse(tmp_path, send="hold", workers="2") as opened:
        monkeypatch.setattr(App, "fork_server", SpawnedHelpers(HELPER, lambda: opened.environment))
        yield opened


def fill(house: TestHouse) -> None:
    for number in range(SENDERS):
        sender, first = f"cliente{number}@example.com.br", f"rush{number}"
        house.collect(mail("Qual o prazo?", subject="Dúvida", sender=sender, message_id=first))
        house.collect(
            mail("E aos sábados?", subject="Dúvida", sender=sender, in_reply_to=f"{first}@example.com.br")
        )


def is_helped(called: Crew) -> bool:
    called.call_in_if_needed()
    return called.is_at_work


def helpers_called_in(captured: str) -> int:
    return captured.count("crew.called_in")


@pytest.mark.parametrize(("waiting", "wanted"), [(0, 0), (99, 0), (100, 1), (250, 2), (10_000, 3)])
def test_one_more_helper_comes_for_every_hundred_mails_up_to_a_limit(waiting: int, wanted: int) -> None:
    assert helpers_wanted(waiting, 3) == wanted


def test_all_mail_of_a_rush_is_worked_off_once_and_in_each_senders_order(
    house: TestHouse, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(house)
    count = run_once(house.app)
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 2
    assert (count.processed, count.tickets_opened, count.quarantined) == (2 * SENDERS, SENDERS, 0)
    assert Counter(row.outcome for row in house.mails()) == {
        MailOutcome.TICKET: SENDERS,
        MailOutcome.MESSAGE: SENDERS,
    }
    tickets = house.tickets()
    assert Counter(ticket.requester.address for ticket in tickets) == {
        f"cliente{number}@example.com.br": 1 for number in range(SENDERS)
    }
    with house.app.storage.read() as work:
        for ticket in tickets:
            texts = [message.text.strip() for message in work.tickets.messages(ticket.number)]
            assert texts == ["Qual o prazo?", "E aos sábados?"]


def test_a_few_mails_call_nobody_in(house: TestHouse, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(RUSH - 1):
        house.collect(mail("Qual o prazo?", subject="Dúvida", sender=f"cliente{number}@example.com.br"))
    run_once(house.app)
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 0


def test_many_mails_of_one_sender_call_nobody_in(house: TestHouse, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(4 * RUSH):
        house.collect(mail(f"Pergunta {number}", subject="Dúvida"))
    run_once(house.app)
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 0


def test_a_round_goes_on_alone_where_helpers_cannot_start(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(App, "fork_server", SpawnedHelpers((*HELPER[:-1], "mailbot.nothing_of_that_name")))
    fill(house)
    assert run_once(house.app).tickets_opened == SENDERS
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 2, "one that broke is not called again at once"


def come_at_second_call(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> list[MailOutcome]:
    """A helper is at work from the second time on that it is asked for, and takes mails from the third on; what it
    did."""
    helper = house.open().intake
    done: list[MailOutcome] = []
    calls: list[None] = []

    def call_in_if_needed(_crew: Crew) -> None:
        calls.append(None)
        while len(calls) > 2 and (outcome := helper.process_next()) is not None:
            done.append(outcome)

    monkeypatch.setattr(Crew, "call_in_if_needed", call_in_if_needed)
    monkeypatch.setattr(Crew, "is_at_work", property(lambda _crew: len(calls) > 1))
    return done


def test_a_daemon_keeps_no_mail_from_its_helpers(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        house.collect(mail("Qual o prazo?", subject="Dúvida", sender=f"cliente{number}@example.com.br"))
    done = come_at_second_call(house, monkeypatch)
    # It opens sockets, and is not run.
    monkeypatch.setattr("mailbot.daemon._Awakening", object)
    daemon, called = Daemon(house.app), Crew(house.app, heard=lambda _outcome: None)
    for _ in range(3):
        daemon._process_next(called)
    assert done == [MailOutcome.TICKET, MailOutcome.TICKET]


def test_a_round_keeps_no_mail_from_its_helpers(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        house.collect(mail("Qual o prazo?", subject="Dúvida", sender=f"cliente{number}@example.com.br"))
    done = come_at_second_call(house, monkeypatch)
    run_once(house.app)
    assert done == [MailOutcome.TICKET, MailOutcome.TICKET]


def test_while_helpers_work_a_round_draws_the_pages_of_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestHouse(tmp_path, quiet_seconds="0", undo_minutes="0", workers="2") as house:
        for name in ("new", "cur", "tmp"):
            (tmp_path / "Maildir" / name).mkdir(parents=True)
        monkeypatch.setattr("mailbot.adapters.smtp.SmtpTransport", lambda *_args, **_how: FakeTransport(DELIVERED))
        house.receive(mail(REQUEST, files=(BOLETO, RECEIPT, LICENCE)))
        left_to_draw: list[bool] = []

        def waits() -> bool:
            return any(letter.awaits_pages for letter in house.letters())

        give_up_at = time.monotonic() + 60
        monkeypatch.setattr(Crew, "is_at_work", True)
        monkeypatch.setattr(Crew, "waiting", lambda _self: int(waits() and time.monotonic() < give_up_at))
        monkeypatch.setattr(house.app.notice_pages, "complete_all", lambda: left_to_draw.append(waits()))
        assert waits()
        assert run_once(house.app).letters_sent
    assert left_to_draw == [False]


def test_where_helpers_can_come_from_nowhere_nobody_is_called_in(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(App, "fork_server", None)
    fill(house)
    assert not is_helped(Crew(house.app, heard=lambda _outcome: None))
    assert run_once(house.app).helpers_broken == 0
    assert len(house.tickets()) == SENDERS


def test_where_the_system_tells_no_processors_of_ours_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert helpers_by_default() == 2


@pytest.mark.parametrize(("processors", "helpers"), [(1, 0), (2, 2), (3, 3), (4, 3), (64, 3)])
def test_as_many_may_help_as_there_are_processors_and_nobody_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, processors: int, helpers: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(processors)), raising=False)
    assert helpers_by_default() == helpers


# --- helpers that are not what they should be -------------------------------------------------------------------


@pytest.fixture
def helper_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program in the place of helpers."""

    def put(program: str) -> None:
        file = tmp_path / "helper_of_a_test.py"
        file.write_text(f"import sys, time\n{program}\n", encoding="utf-8")
        monkeypatch.setattr(App, "fork_server", SpawnedHelpers((sys.executable, str(file))))

    return put


def both_are_broken(called: Crew) -> Callable[[], bool]:
    def looked() -> bool:
        called.call_in_if_needed()
        return called.broken == 2

    return looked


def test_while_helpers_start_the_rush_is_left_to_them_but_not_for_long(
    house: TestHouse, helper_is: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    helper_is("print('somebody', flush=True); sys.stdin.read()")
    monkeypatch.setattr(crew, "_SILENT_SECONDS", 0.5)
    fill(house)
    with Crew(house.app, heard=lambda _outcome: None) as called:
        assert is_helped(called)
        wait_until(lambda: not is_helped(called), "us to work ourselves")


def test_a_helper_is_called_in_for_mails_that_are_only_about_to_come(
    tmp_path: Path, house: TestHouse, helper_is: Callable[[str], None]
) -> None:
    written = tmp_path / "called in"
    helper_is(f"open({str(written)!r}, 'wb')")
    house.environment["MAILBOT_WORKERS"] = "1"
    house.reopen()
    few = RUSH - 1
    with Crew(house.app, heard=lambda _outcome: None, coming=lambda: few) as called:
        called.call_in_if_needed()
    assert not written.exists()
    with Crew(house.app, heard=lambda _outcome: None, coming=lambda: few + 1) as called:
        called.call_in_if_needed()
        wait_until(written.exists, "the helper")


def test_what_is_known_to_come_calls_helpers_in_without_waiting_for_the_next_count(
    house: TestHouse, helper_is: Callable[[str], None]
) -> None:
    helper_is("sys.stdin.read()")
    coming = [0]
    with Crew(house.app, heard=lambda _outcome: None, coming=lambda: coming[0]) as called:
        assert not is_helped(called)
        coming[0] = 2 * RUSH
        assert is_helped(called)


def test_a_helper_that_talks_nonsense_is_ended_and_counts_as_broken(
    house: TestHouse, helper_is: Callable[[str], None]
) -> None:
    helper_is("print('somebody'); print('a good deal', flush=True); time.sleep(60)")
    fill(house)
    with Crew(house.app, heard=lambda _outcome: None) as called:
        wait_until(both_are_broken(called), "the helpers to be ended")


def test_a_helper_that_stands_still_is_ended_in_the_end(
    house: TestHouse, helper_is: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    helper_is("print('somebody', flush=True); time.sleep(60)")
    monkeypatch.setattr(crew, "_STANDS_STILL_SECONDS", 0.5)
    fill(house)
    with Crew(house.app, heard=lambda _outcome: None) as called:
        wait_until(both_are_broken(called), "the helpers to be ended")


def test_a_helper_that_could_not_begin_is_not_held_to_be_broken_and_is_not_asked_for_again_at_once(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Barren(SpawnedHelpers):
        """No process is to be had, and nobody says so but by silence."""

        def begin(self) -> ForkedProcess:
            (orders, our_orders), (our_reports, reports), (our_state, state) = os.pipe(), os.pipe(), os.pipe()
            for end in (orders, reports, state):
                os.close(end)
            return ForkedProcess(orders=our_orders, reports=our_reports, state=our_state, end_server=self.close)

    monkeypatch.setattr(App, "fork_server", Barren(()))
    fill(house)
    count = run_once(house.app)
    assert (count.tickets_opened, count.helpers_broken) == (SENDERS, 0)
    captured = capfd.readouterr()
    assert helpers_called_in(captured.err + captured.out) == 2
    assert "crew.not_started" in captured.err + captured.out


def test_a_helper_that_finds_another_key_goes_and_says_so(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    another_key = {"MAILBOT_SECRET_KEY": "another key that only this test knows, of 32 bytes"}
    monkeypatch.setattr(App, "fork_server", SpawnedHelpers(HELPER, lambda: house.environment | another_key))
    fill(house)
    count = run_once(house.app)
    assert (count.tickets_opened, count.helpers_broken) == (SENDERS, 0)
    captured = capfd.readouterr()
    assert "worker.wrong_configuration" in captured.err + captured.out


def test_a_helper_that_does_not_heed_its_orders_is_ended_in_its_time_and_is_not_held_to_be_broken(
    house: TestHouse, helper_is: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    helper_is("time.sleep(60)")
    monkeypatch.setattr(crew, "MAIL_IN_HAND_SECONDS", 0.3)
    fill(house)
    called = Crew(house.app, heard=lambda _outcome: None)
    called.call_in_if_needed()
    called.dismiss()
    assert isinstance(house.app.fork_server, SpawnedHelpers)
    assert [helper.poll() for helper in house.app.fork_server.begun] == [-signal.SIGKILL] * 2
    assert called.broken == 0


def test_a_round_goes_on_alone_where_no_process_is_to_be_had(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def no_more(_self: SpawnedHelpers) -> ForkedProcess:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(SpawnedHelpers, "begin", no_more)
    fill(house)
    assert run_once(house.app).tickets_opened == SENDERS
    captured = capfd.readouterr()
    assert "crew.not_started" in captured.err + captured.out


def test_a_round_that_breaks_off_awaits_the_letters_in_hand_and_no_others(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[bool] = []

    class Slow:
        """Has a letter in hand when the round breaks off."""

        async def run_round(
            self, stop: asyncio.Event, _bell: asyncio.Event, *, broken_off: Callable[[], bool]
        ) -> DeliveryCount:
            await stop.wait()
            await asyncio.sleep(0.2)
            ends.append(broken_off())
            return DeliveryCount()

    def broken(_app: object) -> None:
        raise RuntimeError("a misfortune made for a test")

    monkeypatch.setattr(Crew, "is_at_work", True)
    monkeypatch.setattr(house.app, "delivery", Slow)
    monkeypatch.setattr(round, "tick", broken)
    with pytest.raises(RuntimeError):
        run_once(house.app)
    assert ends == [True]
