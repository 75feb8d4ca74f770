"""The relay is away in each of its ways, and there again when it is told to."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tests.peers.process import LOOPBACK, Ports
from tests.soak.relay import Relay, Way

_SOON_SECONDS = 60.0
_SILENCE_SECONDS = 0.3


class _Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)


@pytest.fixture
def relay() -> Iterator[Relay]:
    """Before a server that says what it hears."""
    with socketserver.ThreadingTCPServer((LOOPBACK, 0), _Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Relay(int(server.server_address[1])) as relay:
            yield relay
        server.shutdown()


def connected(relay: Relay) -> socket.socket:
    return socket.create_connection((LOOPBACK, relay.port), timeout=_SOON_SECONDS)


def echoes(connection: socket.socket) -> bool:
    connection.sendall(b"olha\n")
    return connection.recv(10) == b"olha\n"


def is_dropped(connection: socket.socket) -> bool:
    try:
        return connection.recv(10) == b""
    except ConnectionError:
        return True


def test_it_passes_what_is_said_both_ways(relay: Relay) -> None:
    with connected(relay) as one, connected(relay) as another:
        assert echoes(one)
        assert echoes(another)
        assert echoes(one)


def test_refusing_it_drops_who_is_there_and_takes_nobody_until_it_is_back(relay: Relay) -> None:
    with connected(relay) as one:
        assert echoes(one)
        relay.cut(Way.REFUSING)
        assert is_dropped(one)
    with pytest.raises(ConnectionRefusedError):
        connected(relay)
    relay.restore()
    with connected(relay) as one:
        assert echoes(one)


def test_silent_it_takes_everybody_and_passes_nothing_and_drops_them_at_the_end(relay: Relay) -> None:
    with connected(relay) as old:
        assert echoes(old)
        relay.cut(Way.SILENT)
        with connected(relay) as new:
            for one in (old, new):
                one.settimeout(_SILENCE_SECONDS)
                with pytest.raises(TimeoutError):
                    echoes(one)
                one.settimeout(_SOON_SECONDS)
            relay.restore()
            assert is_dropped(old)
            assert is_dropped(new)
    with connected(relay) as one:
        assert echoes(one)


def test_stumbling_it_drops_each_after_a_moment(relay: Relay) -> None:
    relay.cut(Way.STUMBLING)
    with connected(relay) as one:
        assert is_dropped(one)
    with connected(relay) as one:
        assert is_dropped(one)
    relay.restore()
    with connected(relay) as one:
        assert echoes(one)


def test_a_server_that_is_away_itself_is_away_behind_it_too(relay: Relay) -> None:
    ports = Ports()
    with Relay(ports.take()) as lonely, connected(lonely) as one:
        assert is_dropped(one)
    ports.close()
