"""The daemon as a process for benchmarks, a submission server that knows when, and looks into its database."""

from __future__ import annotations

import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.benchmarks.household import environment
from tests.peers.process import PeerError, wait_until

_STOP_SECONDS = 90.0


@contextmanager
def running_daemon(settings: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``mailbot run`` until the block is left; its log is ``daemon.log`` in ``folder``."""
    with (folder / "daemon.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mailbot", "run"],
            cwd=folder,
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def processed(folder: Path) -> int:
    """How many mails are done with; 0 before there is a database."""
    path = folder / "mailbot.db"
    if not path.exists():
        return 0
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        query = "SELECT count(*) FROM inbound_mails WHERE outcome <> 'pending'"
        return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        # The tables are still to be made.
        return 0
    finally:
        connection.close()


def wait_for_processed(process: subprocess.Popen[bytes], folder: Path, count: int, *, seconds: float) -> None:
    """Return when ``count`` mails are done with; raises ``PeerError`` when they are not in time or it dies."""

    def done() -> bool:
        if process.poll() is not None:
            end_of_log = (folder / "daemon.log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise PeerError(f"the daemon ended with {process.returncode}\n{end_of_log}")
        # Looking must not be what is measured.
        time.sleep(0.2)
        return processed(folder) >= count

    wait_until(done, f"{count} processed mails", seconds=seconds)


class Recorder:
    """A submission server that takes every letter and notes when it accepted the first for each recipient."""

    def __init__(self) -> None:
        recorder = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                recorder.serve(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._lock = threading.Lock()
        self.accepted_at: dict[str, float] = {}

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, handler: socketserver.StreamRequestHandler) -> None:
        """One connection."""
        recipients: list[str] = []

        def answer(line: bytes) -> None:
            handler.wfile.write(line + b"\r\n")

        answer(b"220 recorder.example ESMTP")
        while line := handler.rfile.readline():
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                answer(b"250-recorder.example\r\n250-8BITMIME\r\n250 SIZE 60000000")
            elif verb == b"RCPT":
                recipients.append(line.partition(b"<")[2].partition(b">")[0].decode("ascii", "replace"))
                answer(b"250 2.1.5 OK")
            elif verb == b"DATA":
                answer(b"354 go ahead")
                while handler.rfile.readline() not in (b".\r\n", b""):
                    pass
                answer(b"250 2.0.0 taken")
                self._note(recipients)
                recipients = []
            elif verb == b"QUIT":
                answer(b"221 2.0.0 bye")
                return
            else:
                recipients = [] if verb in (b"RSET", b"MAIL") else recipients
                answer(b"250 2.0.0 OK")

    def _note(self, recipients: list[str]) -> None:
        now = time.perf_counter()
        with self._lock:
            for recipient in recipients:
                self.accepted_at.setdefault(recipient, now)
