"""A TCP relay between mailbot and a server, which refuses, drops or keeps silent when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Coroutine
from enum import StrEnum
from typing import Self

from tests.peers.process import LOOPBACK, Ports

_CHUNK_BYTES = 65_536
_STUMBLES_AFTER_SECONDS = 2.0
_TOLD_SECONDS = 60.0


class Way(StrEnum):
    """How a server is away."""

    REFUSING = "refuses and drops"
    SILENT = "accepts and keeps silent"
    STUMBLING = "drops within two seconds"


class Relay:
    """Passes bytes between its own ``port`` and the server's, until it is told otherwise."""

    def __init__(self, server_port: int) -> None:
        self._ports = Ports()
        self.port = self._ports.take()
        self._server_port = server_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._listener: asyncio.Server | None = None
        self._way: Way | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._tell(self._restore())
        return self

    def __exit__(self, *_: object) -> None:
        self._tell(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._ports.close()

    def cut(self, way: Way) -> None:
        """Be away in this way; returns when it is so."""
        self._tell(self._cut(way))

    def restore(self) -> None:
        """Serve again. What was connected before is dropped."""
        self._tell(self._restore())

    def _tell(self, order: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(order, self._loop).result(_TOLD_SECONDS)

    async def _cut(self, way: Way) -> None:
        self._way = way
        if way is Way.REFUSING and self._listener is not None:
            self._listener.close()
            self._listener = None
        if way is Way.SILENT:
            self._passing.clear()
        else:
            self._drop_all()
        # What was dropped is told to its other end before we say that we are away.
        await asyncio.sleep(0)

    async def _restore(self) -> None:
        self._way = None
        self._drop_all()
        self._passing.set()
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def _end(self) -> None:
        """Nobody is served any more when this returns."""
        await self._cut(Way.REFUSING)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _drop_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        there: asyncio.StreamWriter | None = None
        try:
            from_server, there = await asyncio.open_connection(LOOPBACK, self._server_port)
            self._writers.add(there)
            if self._way is Way.STUMBLING:
                self._loop.call_later(random.uniform(0, _STUMBLES_AFTER_SECONDS), writer.transport.abort)
            await asyncio.gather(self._pass(reader, there), self._pass(from_server, writer))
        except OSError:
            # The server itself is away, or one of both ends was dropped.
            pass
        finally:
            self._serving.discard(task)
            for one in (writer, there):
                if one is not None:
                    self._writers.discard(one)
                    one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            await self._passing.wait()
            writer.write(chunk)
            await writer.drain()
        await self._passing.wait()
        with contextlib.suppress(OSError):
            writer.close()
