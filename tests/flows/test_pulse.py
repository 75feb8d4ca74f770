"""Promises of the loops, and who broke theirs."""

from __future__ import annotations

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from mailbot.flows.pulse import Pulse
from mailbot.flows.watchdog import Watchdog

_WITHIN_SECONDS = 60.0
"""How long is waited for what is sure to come, also on a machine that stands still for a while."""


class Moments:
    """Monotonic seconds that only move when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    made = Moments()
    # Of the pulse alone: other threads of this process go by the true time.
    monkeypatch.setattr("mailbot.flows.pulse.time", made)
    monkeypatch.setattr("mailbot.flows.pulse.STEP_SECONDS", 0.0)
    return made


def test_a_loop_that_is_late_is_named_and_one_in_time_is_not(moments: Moments) -> None:
    pulse = Pulse()
    pulse.promise("intake", after_seconds=10)
    pulse.promise("deliver 0", after_seconds=30)
    moments.now += 20
    assert pulse.overdue() == ["intake"]
    pulse.promise("intake", after_seconds=10)
    assert pulse.overdue() == []


def test_a_loop_that_ended_is_never_late(moments: Moments) -> None:
    pulse = Pulse()
    pulse.promise("collect default/INBOX", after_seconds=10)
    pulse.end("collect default/INBOX")
    pulse.end("never begun")
    moments.now += 1000
    assert pulse.overdue() == []


def test_what_goes_on_has_its_whole_time_again(moments: Moments) -> None:
    pulse = Pulse()
    pulse.promise("collect default/INBOX", after_seconds=10)
    for _ in range(5):
        moments.now += 9
        pulse.renew("collect default/INBOX")
    assert pulse.overdue() == []
    moments.now += 11
    assert pulse.overdue() == ["collect default/INBOX"]


def test_to_renew_what_was_never_promised_promises_nothing(moments: Moments) -> None:
    pulse = Pulse()
    pulse.renew("doctor")
    moments.now += 1e9
    assert pulse.overdue() == []


def test_a_step_has_its_time_beyond_the_wait_before_it(moments: Moments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.flows.pulse.STEP_SECONDS", 600.0)
    pulse = Pulse()
    pulse.promise("collect default/INBOX", after_seconds=540)
    moments.now += 1139
    assert pulse.overdue() == []
    moments.now += 2
    assert pulse.overdue() == ["collect default/INBOX"]


def test_a_task_renews_the_promise_under_its_own_name(moments: Moments) -> None:
    pulse = Pulse()
    pulse.promise("deliver 0", after_seconds=10)
    pulse.promise("deliver 1", after_seconds=10)
    moments.now += 9

    async def main() -> None:
        await asyncio.create_task(renew(), name="deliver 1")

    async def renew() -> None:
        pulse.renew_task()

    asyncio.run(main())
    moments.now += 9
    assert pulse.overdue() == ["deliver 0"]


class Supervisor:
    """Counts signs of life."""

    def __init__(self, watchdog_seconds: float | None = None) -> None:
        self.watchdog_seconds = watchdog_seconds
        self.signs = threading.Semaphore(0)
        self.said: list[str] = []
        self.count = 0

    def alive(self) -> None:
        self.count += 1
        self.signs.release()

    def status(self, text: str) -> None:
        self.said.append(text)


def test_the_supervisor_hears_nothing_while_a_loop_hangs_and_the_log_says_which_once(moments: Moments) -> None:
    pulse, supervisor = Pulse(), Supervisor()
    listed: list[int] = []
    watchdog = Watchdog(pulse, supervisor, list_threads=lambda: listed.append(supervisor.count))
    pulse.promise("intake", after_seconds=10)
    watchdog.look()
    assert supervisor.count == 1
    moments.now += 11
    with capture_logs() as logs:
        watchdog.look()
        watchdog.look()
    assert supervisor.count == 1
    assert [(line["action"], line["loops"]) for line in logs] == [("daemon.loop_hangs", ["intake"])]
    assert listed == [1]
    pulse.promise("intake", after_seconds=10)
    with capture_logs() as logs:
        watchdog.look()
    assert supervisor.count == 2
    assert [line["action"] for line in logs] == ["daemon.loop_goes_on"]
    assert supervisor.said == ["hangs: intake", "running"]


@pytest.mark.parametrize("watchdog_seconds", [0.04, None])
def test_signs_of_life_come_well_within_the_supervisors_time(
    watchdog_seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.flows.watchdog._LOOK_SECONDS", 0.01)
    supervisor, end = Supervisor(watchdog_seconds), threading.Event()
    thread = threading.Thread(target=Watchdog(Pulse(), supervisor, list_threads=list).run, args=(end,))
    thread.start()
    for _ in range(3):
        assert supervisor.signs.acquire(timeout=_WITHIN_SECONDS)
    end.set()
    thread.join(_WITHIN_SECONDS)
    assert not thread.is_alive()
