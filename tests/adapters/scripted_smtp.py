"""An SMTP server that misbehaves on order, at any step of the dialogue; one thread per connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class Step(StrEnum):
    """Where in the dialogue the server can be told to do something else than its duty."""

    GREETING = "greeting"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    # After the go-ahead, with the first part of the letter read.
    BODY = "body"
    DOT = "dot"
    RSET = "RSET"
    QUIT = "QUIT"


@dataclass(frozen=True)
class Say:
    """Answer with this line and go on; ``then_close`` hangs up after it."""

    line: str
    then_close: bool = False


@dataclass(frozen=True)
class Close:
    """Hang up without an answer: with FIN, or with RST. ``keep`` takes the letter first."""

    reset: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Silent:
    """Say nothing more until the client gives up; meanwhile ``on_silence`` is called again and again."""


Action = Say | Close | Silent


@dataclass
class Kept:
    """A letter that the server took."""

    sender: str
    recipient: str
    message: bytes


@dataclass
class Log:
    """What the server saw; read it when the client is done."""

    commands: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, verb: str) -> int:
        """How many commands began with ``verb``."""
        return sum(command.upper().startswith(verb) for command in self.commands)


class _HungUp(Exception):
    """The dialogue is over."""


class ScriptedSmtp:
    """A server on loopback. ``script`` holds for each step what is done instead of its duty, one after the
    other, then duty again. ``extensions`` are the lines of the EHLO answer. With ``tls`` set, STARTTLS (or TLS
    from the first byte, ``implicit_tls``) is spoken with it. ``answer_seconds`` is how long it thinks about a
    letter, and about QUIT."""

    def __init__(
        self,
        script: Mapping[Step, Sequence[Action]] | None = None,
        *,
        extensions: Sequence[str] = ("SIZE 10000000", "8BITMIME", "AUTH PLAIN LOGIN"),
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        answer_seconds: float = 0.0,
        host: str = "127.0.0.1",
    ) -> None:
        self.log = Log()
        self.on_silence: Callable[[], object] = lambda: None
        self.host = host
        self._script = {step: list(actions) for step, actions in (script or {}).items()}
        self._extensions = extensions
        self._tls = tls
        self._implicit_tls = implicit_tls
        self._answer_seconds = answer_seconds
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server((self.host, 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up_on_all()
        for thread in list(self._threads):
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in self._threads)
        assert self.log.problems == []

    def hang_up_on_all(self) -> None:
        """Close every connection, as a server does that is tired of idle clients; returns when they are closed."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        limit = time.monotonic() + 60
        while self.log.open_now and time.monotonic() < limit:
            time.sleep(0.002)

    def take_bit_by_bit(self) -> None:
        """Have the system keep little of a letter that is not read yet; for connections to come."""
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)

    def then(self, step: Step, *actions: Action) -> None:
        """Change the script while the server runs."""
        with self._lock:
            self._script[step] = list(actions)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.log.connections += 1
                self.log.open_now += 1
                self.log.most_open = max(self.log.most_open, self.log.open_now)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(120)
        session = _Session(self, connection)
        try:
            session.run(self._implicit_tls)
        except (_HungUp, OSError):
            pass
        except Exception as error:
            self.log.problems.append(repr(error))
        finally:
            session.close()
            session.leave()


class _Session:
    def __init__(self, server: ScriptedSmtp, connection: socket.socket) -> None:
        self._server = server
        self._socket = connection
        self._buffer = b""
        self._sender = self._recipient = ""
        self._is_counted = True
        self._track(connection)

    def _track(self, connection: socket.socket) -> None:
        with self._server._lock:
            self._server._connections.discard(self._socket)
            self._server._connections.add(connection)
        self._socket = connection

    def close(self) -> None:
        with self._server._lock:
            self._server._connections.discard(self._socket)
        with contextlib.suppress(OSError):
            self._socket.close()

    def leave(self) -> None:
        """Count no more among the open connections."""
        with self._server._lock:
            self._server.log.open_now -= self._is_counted
            self._is_counted = False

    def run(self, implicit_tls: bool) -> None:
        if implicit_tls:
            self._wrap()
        self._answer(Step.GREETING, "220 scripted.example.com.br ESMTP")
        while True:
            command = self._line()
            self._server.log.commands.append(command)
            self._obey(command, command.split(" ", 1)[0].upper())

    def _obey(self, command: str, verb: str) -> None:
        argument = command.partition("<")[2].partition(">")[0]
        match verb:
            case "EHLO":
                lines = ["scripted.example.com.br", *self._server._extensions]
                text = "".join(f"250-{line}\r\n" for line in lines[:-1])
                self._answer(Step.EHLO, f"{text}250 {lines[-1]}")
            case "STARTTLS":
                if self._answer(Step.STARTTLS, "220 go ahead"):
                    self._wrap()
            case "AUTH":
                self._answer(Step.AUTH, "235 welcome")
            case "MAIL":
                self._sender = argument
                self._answer(Step.MAIL, "250 sender ok")
            case "RCPT":
                self._recipient = argument
                self._answer(Step.RCPT, "250 recipient ok")
            case "DATA":
                if self._answer(Step.DATA, "354 go ahead"):
                    self._data()
            case "RSET":
                self._answer(Step.RSET, "250 reset")
            case "QUIT":
                time.sleep(self._server._answer_seconds)
                # Before the answer: who reads it may connect anew before this thread has gone.
                self.leave()
                self._answer(Step.QUIT, "221 bye")
                raise _HungUp
            case _:
                self._write("500 what?")

    def _data(self) -> None:
        self._do(Step.BODY)
        received = bytearray(b"\r\n" + self._buffer)
        # From a little before what came last: the letter may be long.
        searched = 0
        while (end := received.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(0, len(received) - 4)
            received += self._receive()
        raw, self._buffer = bytes(received[:end]), bytes(received[end + 5 :])
        message = raw.replace(b"\r\n..", b"\r\n.").removeprefix(b"\r\n") + b"\r\n"
        kept = Kept(self._sender, self._recipient, message)
        time.sleep(self._server._answer_seconds)
        if self._answer(Step.DOT, "250 taken", kept):
            self._server.log.kept.append(kept)

    def _answer(self, step: Step, duty: str, kept: Kept | None = None) -> bool:
        """Do what the script says, or else the duty; ``True`` if it was the duty."""
        if self._do(step, kept):
            return False
        self._write(duty)
        return True

    def _do(self, step: Step, kept: Kept | None = None) -> bool:
        with self._server._lock:
            waiting = self._server._script.get(step, [])
            action = waiting.pop(0) if waiting else None
        if action is None:
            return False
        if step is Step.BODY:
            self._read()
        match action:
            case Say(line=line, then_close=then_close):
                self._write(line)
                if then_close:
                    raise _HungUp
            case Close(reset=reset, keep=keep):
                if keep and kept is not None:
                    self._server.log.kept.append(kept)
                if reset:
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise _HungUp
            case Silent():
                while not self._has_hung_up():
                    self._server.on_silence()
                raise _HungUp
        return True

    def _has_hung_up(self) -> bool:
        """Wait without reading until the other side is gone."""
        time.sleep(0.005)
        return bool(self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x01")

    def _wrap(self) -> None:
        assert self._server._tls is not None
        self._track(self._server._tls.wrap_socket(self._socket, server_side=True))

    def _line(self) -> str:
        while b"\r\n" not in self._buffer:
            self._read()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode("utf-8")

    def _read(self) -> None:
        self._buffer += self._receive()

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise _HungUp
        return data

    def _write(self, line: str) -> None:
        self._socket.sendall(line.encode("utf-8") + b"\r\n")
