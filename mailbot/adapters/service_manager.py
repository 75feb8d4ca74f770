"""Words with systemd: sd_notify(3) over the socket that ``NOTIFY_SOCKET`` names; silence where there is none.

By hand, for it is one datagram: the library for it is a source package of 2017.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """What supervises this process, if something does. No method raises or waits."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """``environment`` as sd_notify(3) and sd_watchdog_enabled(3) describe it."""
        name = environment.get("NOTIFY_SOCKET", "")
        # A leading "@" stands for the zero byte of an abstract socket.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self.watchdog_seconds = _watchdog_seconds(environment) if self._address else None
        """How often it wants to hear that we are alive; ``None`` if it does not."""

    def ready(self) -> None:
        """The start is over; this counts as the first sign of life."""
        self._send("READY=1\nWATCHDOG=1")

    def alive(self) -> None:
        """A sign of life: without one it ends this process and starts another."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun; from now on its time limit for a stop counts."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={' '.join(text.split())}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # Nobody who listens is no reason to fail.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    microseconds, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    # Set for another process: an inheritance that is not ours.
    if process and process != str(os.getpid()):
        return None
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) > 0 else None
