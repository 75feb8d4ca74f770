"""The loop in a thread: it keeps its tasks, hands back results and errors, and ends."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from mailbot.demo.background_loop import BackgroundLoop


@pytest.fixture
def background() -> Iterator[BackgroundLoop]:
    loop = BackgroundLoop("test loop")
    loop.start()
    yield loop
    loop.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "test loop"]


def test_a_task_that_nobody_holds_is_not_collected(background: BackgroundLoop) -> None:
    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    async def begin() -> weakref.ref[asyncio.Task[None]]:
        task = weakref.ref(asyncio.create_task(wait_for_ever()))
        await asyncio.sleep(0)
        return task

    task = background.run(begin())
    gc.collect()
    assert task() is not None


def test_stopping_cancels_what_still_runs() -> None:
    ended = threading.Event()

    async def wait_for_ever() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    async def begin() -> None:
        asyncio.create_task(wait_for_ever())  # noqa: RUF006 - the loop holds it, which is the point
        await asyncio.sleep(0)

    loop = BackgroundLoop("test loop")
    loop.start()
    loop.run(begin())
    loop.stop()
    assert ended.is_set()
    assert loop.loop.is_closed()


def test_errors_reach_the_caller(background: BackgroundLoop) -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        background.run(fail())
