"""Whoever takes too long is ended, however many were in time before, and nobody else."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from mailbot.isolation import deadline
from mailbot.isolation.deadline import Deadline, wait_for_end
from tests.peers.process import wait_until


class StoppedClock:
    """Stands for the module ``time``: its seconds pass when a test says so, however long that takes."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    stopped = StoppedClock()
    monkeypatch.setattr(deadline, "time", stopped)
    return stopped


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_one_that_is_late_is_ended(child: subprocess.Popen[bytes]) -> None:
    with Deadline().of(child, 0.05) as is_late:
        assert child.wait(60) != 0
        assert is_late()


def test_one_that_was_in_time_is_left_alone_however_long_ago(
    child: subprocess.Popen[bytes], clock: StoppedClock
) -> None:
    watch = Deadline()
    with watch.of(child, 0.05) as is_late:
        wait_until(lambda: watch._wakes_at == 0.05, "the watch to begin")
    clock.now = 600
    wait_until(lambda: watch._thread is None, "the watch to wake, find nothing to do, and go")
    assert not is_late()
    assert child.poll() is None


def test_a_short_question_after_a_long_one_is_watched_in_time(child: subprocess.Popen[bytes]) -> None:
    watch = Deadline()
    with watch.of(child, 600):
        pass
    with watch.of(child, 0.05):
        child.wait(60)


def test_a_long_question_after_a_short_one_has_its_time(
    child: subprocess.Popen[bytes], clock: StoppedClock
) -> None:
    watch = Deadline()
    with watch.of(child, 0.05):
        wait_until(lambda: watch._wakes_at == 0.05, "the watch to begin")
    with watch.of(child, 600) as is_late:
        clock.now = 599
        wait_until(lambda: watch._wakes_at == 600, "the watch to wake when the short one would have been due")
        assert not is_late()
    assert child.poll() is None


def test_a_question_after_an_idle_time_is_watched(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_IDLE_SECONDS", 0.05)
    watch = Deadline()
    with watch.of(child, 0.02 + 600):
        running = watch._thread
    assert running is not None
    # It sleeps until that question was due: another one wakes it, then it has nothing to do and goes.
    with watch.of(child, 500):
        pass
    with watch.of(child, 0.05) as is_late:
        child.wait(60)
        assert is_late()
    wait_until(lambda: watch._thread is None and not running.is_alive(), "the thread to go")


def test_one_thread_watches_over_many_questions(child: subprocess.Popen[bytes]) -> None:
    watch, threads = Deadline(), set[threading.Thread | None]()
    for _ in range(50):
        with watch.of(child, 600):
            threads.add(watch._thread)
    assert len(threads) == 1


def test_a_child_that_is_slow_to_go_after_it_was_killed_is_no_error(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine at a standstill, or where a disk keeps it: the question is answered as failed, and it goes."""
    monkeypatch.setattr(deadline, "_END_SECONDS", 0.01)
    wait_for_end(child)
    assert child.poll() is None
