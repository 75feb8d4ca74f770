"""sd_notify: what goes over the socket, and that nothing depends on who listens."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.adapters.service_manager import ServiceManager


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Systemd's end, and its name as NOTIFY_SOCKET holds it."""
    path = str(tmp_path / "notify")
    abstract = request.param == "abstract"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.settimeout(5)
        made.bind("\0" + path if abstract else path)
        yield made, "@" + path if abstract else path


def test_everything_is_said_in_systemds_words(listener: tuple[socket.socket, str]) -> None:
    server, name = listener
    manager = ServiceManager({"NOTIFY_SOCKET": name})
    manager.ready()
    manager.alive()
    manager.status("hangs:\nintake")
    manager.stopping()
    assert [server.recv(512) for _ in range(4)] == [
        b"READY=1\nWATCHDOG=1",
        b"WATCHDOG=1",
        b"STATUS=hangs: intake",
        b"STOPPING=1\nSTATUS=stopping",
    ]


def test_nobody_who_listens_is_no_error(tmp_path: Path) -> None:
    for environment in (
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": str(tmp_path / "gone")},
        {"NOTIFY_SOCKET": "@"},
    ):
        manager = ServiceManager(environment)
        manager.ready()
        manager.stopping()


def test_a_listener_that_does_not_read_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        manager = ServiceManager({"NOTIFY_SOCKET": path})
        for _ in range(2000):
            manager.alive()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "120000000"}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdogs_time_is_read_where_it_is_meant_for_this_process(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert ServiceManager({"NOTIFY_SOCKET": "/run/notify", **environment}).watchdog_seconds == seconds
    assert ServiceManager(environment).watchdog_seconds is None
