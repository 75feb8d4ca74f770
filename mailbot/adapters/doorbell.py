"""Wakes a thread that waits on sockets: ring from any thread, listen on one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Doorbell:
    """Wakes one waiting thread from any other. A ring while nobody waits makes the next wait return at once."""

    def __init__(self) -> None:
        # Reentrant: a signal handler may ring in the middle of a ring.
        self._lock = threading.RLock()
        self._sender: socket.socket | None = None
        self._rung = False

    def ring(self) -> None:
        """Wake who waits, or will wait next."""
        with self._lock:
            self._rung = True
            if self._sender is not None:
                # A full buffer means that it rings already.
                with suppress(OSError):
                    self._sender.send(b"\0")

    @contextmanager
    def listening(self) -> Iterator[socket.socket]:
        """Yield a socket that becomes readable when it rings; afterwards the ring is used up."""
        receiver, sender = socket.socketpair()
        sender.setblocking(False)
        with self._lock:
            self._sender = sender
            if self._rung:
                sender.send(b"\0")
        try:
            yield receiver
        finally:
            with self._lock:
                self._sender = None
                self._rung = False
            receiver.close()
            sender.close()
