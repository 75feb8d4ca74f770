"""What every peer needs: free ports, a folder, a certificate, a supervised process, waiting by condition."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_FIRST_PORT = 10240
_POLL_SECONDS = 0.01
LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 120.0
"""How long to wait for what takes a moment: a busy machine, or one that stands still for a while, is no defect."""


class PeerError(Exception):
    """A peer did not start, died, or did not do in time what was waited for."""


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as the condition holds.

    Raises PeerError naming `what` when it does not within the given seconds.
    """
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise PeerError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(_POLL_SECONDS)


def answers(port: int, greeting: bytes = b"") -> bool:
    """Say whether a server on loopback accepts a connection and its first bytes are the greeting."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            return not greeting or connection.recv(512).startswith(greeting)
    except OSError:
        return False


class Ports:
    """Loopback ports that no other test process on this machine takes while they are held.

    They lie below the kernel's ephemeral range, so that no outgoing connection gets one by chance. An
    abstract Unix socket named after the port is the lock: it vanishes with the process that holds it.
    """

    def __init__(self) -> None:
        self._locks: list[socket.socket] = []

    def take(self) -> int:
        """Return a port that is free for TCP and UDP, and reserve it until `close`."""
        ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
        last = max(int(ephemeral[0]), _FIRST_PORT + 4096)
        for port in random.sample(range(_FIRST_PORT, last), 2000):
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                lock.bind(f"\0mailbot-test-port-{port}")
            except OSError:
                lock.close()
                continue
            if _is_free(port):
                self._locks.append(lock)
                return port
            lock.close()
        raise PeerError("no free loopback port")

    def close(self) -> None:
        """Let go of all ports."""
        while self._locks:
            self._locks.pop().close()


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True


class Supervised:
    """One server process under a supervisor; its output goes to `log`."""

    def __init__(self, command: list[str], *, folder: Path, log: Path) -> None:
        self._command = command
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SUPERVISOR), str(folder), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(
        self, condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait for the condition; raise PeerError with the log's end if the server ends or time is up."""

        def ready() -> bool:
            if self._process.poll() is not None:
                raise PeerError(f"{self._command[0]} ended with {self._process.returncode}")
            return condition()

        try:
            wait_until(ready, what, seconds=seconds)
        except PeerError as error:
            end_of_log = self._log.read_text(encoding="utf-8", errors="replace")[-4000:]
            self.stop(at_once=True)
            raise PeerError(f"{error}\n{end_of_log}") from None

    def stop(self, *, at_once: bool = False) -> None:
        """End the server and everything it started, politely or at once; return when they are gone."""
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        with contextlib.suppress(BrokenPipeError), pipe:
            pipe.write(b"k" if at_once else b"s")
        self._process.wait(timeout=PATIENCE_SECONDS)


class Peer:
    """A server started privately: a folder of its own, reserved ports, `start` and `stop` as often as wished.

    Subclasses write their configuration in `_configure` (once) and say in `_launch` how to start. Used as a
    context manager; leaving it ends all processes and removes the folder.
    """

    name = "peer"
    host = "localhost"

    def __init__(self) -> None:
        self.ports = Ports()
        self.folder = Path()
        self._running: Supervised | None = None

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix=f"mailbot-{self.name}-"))
        # The servers drop to their own users and must be able to walk through.
        self.folder.chmod(0o755)
        try:
            self._configure()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.stop(at_once=True)
            self._running = None
        self.ports.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> Path:
        """The file with what the server wrote."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start the server on its ports, unless it runs; return when it answers."""
        if self._running is None:
            self._running = self._launch()

    def stop(self) -> None:
        """Stop the server, its ports and data kept, unless it is stopped already."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Have the server away within the block; it is back, at the same ports, when the block is left."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _configure(self) -> None:
        raise NotImplementedError

    def _launch(self) -> Supervised:
        raise NotImplementedError


_CERTIFICATE_CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def make_certificate(folder: Path) -> tuple[Path, Path, Path]:
    """Make an authority and a certificate for localhost and 127.0.0.1 in the folder.

    Returns the files of the authority, the certificate and its key. The extensions satisfy the strict checks
    that Python 3.13 makes by default.
    """
    folder.mkdir()
    configuration = folder / "openssl.cnf"
    configuration.write_text(_CERTIFICATE_CONFIGURATION, encoding="ascii")
    authority, authority_key = folder / "ca.pem", folder / "ca.key"
    certificate, key = folder / "cert.pem", folder / "key.pem"
    common = ["openssl", "req", "-x509", "-config", str(configuration), "-nodes", "-days", "2"]
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    for command in (
        [*common, *new_key, "-subj", "/CN=Test authority", "-extensions", "authority",
         "-keyout", str(authority_key), "-out", str(authority)],
        [*common, *new_key, "-extensions", "server", "-CA", str(authority), "-CAkey", str(authority_key),
         "-keyout", str(key), "-out", str(certificate)],
    ):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    return authority, certificate, key
