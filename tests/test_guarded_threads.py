"""Threads whose end somebody hears of, however early it comes."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mailbot.guarded_threads import DeliveryThread
from tests.peers.process import wait_until


def test_nobody_waits_for_an_event_loop_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes descriptors, of which there may be none left."""
    errors: list[Exception] = []
    made: list[DeliveryThread[None]] = []

    def no_loop(main: object) -> None:
        assert asyncio.iscoroutine(main)
        main.close()
        raise OSError("Too many open files")

    async def deliver(_stop: asyncio.Event, _bell: asyncio.Event) -> None:
        pytest.fail("without a loop")

    monkeypatch.setattr("mailbot.guarded_threads.asyncio.run", no_loop)
    making = threading.Thread(target=lambda: made.append(DeliveryThread(deliver, errors.append)), daemon=True)
    making.start()
    wait_until(lambda: bool(made), "the delivery thread to be made")
    [thread] = made
    thread.ring()
    thread.stop()
    thread.join()
    assert [str(error) for error in errors] == ["Too many open files"]
