"""A logged-in IMAP connection: certificates verified, every wait limited, failures told apart.

Server address → connected, protected and logged-in client, or ``ServerAway`` / ``CredentialsRefused``. This
module knows how to get in and what can go wrong on the wire; what is said afterwards stands in ``imap.py``.
"""

from __future__ import annotations

import contextlib
import imaplib
import io
import json
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError, ProtocolError

from mailbot.adapters.imap_answers import patience_asked_for
from mailbot.adapters.oauth import AccessToken, TokenProvider
from mailbot.adapters.server_url import is_loopback_address
from mailbot.domain.errors import CredentialsRefused, ServerAway, ServerThrottles
from mailbot.domain.mailbox import LONGEST_WAIT_SECONDS, Security, ServerAddress

# One SEARCH answer is one line: enough for a million UIDs.
_MAX_LINE_BYTES = 16 << 20
# What the server announces is allocated bit by bit and only up to here.
_MAX_LITERAL_BYTES = 256 << 20
_READ_BYTES = 256 << 10
# A command's time limit grows with what arrives, so that a big mail on a slow line is no failure.
_SLOWEST_BYTES_PER_SECOND = 10_000
_LOGOUT_SECONDS = 5.0

# What imaplib, imapclient and the socket raise; the second line is what their parsers do to garbage.
FAILURES = (
    *(imaplib.IMAP4.error, OSError, EOFError, MemoryError),
    *(ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError, RecursionError),
)

# Codes by which a server says that a log-in would be welcome at another time (RFC 9051 §7.1, RFC 5530 §3).
_TRY_LATER = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b|command error: BAD")
# So Exchange Online says that the log-in was good and the mailbox is not ours to open.
_NOT_CONNECTED = re.compile(r"User is authenticated but not connected", re.IGNORECASE)
_RESPONSE_CODE = re.compile(r"\[([A-Z][A-Z0-9-]{2,30})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapTiming:
    """Time limits of a connection, all in seconds.

    ``connect_seconds`` and ``read_seconds`` are for one socket operation, ``command_seconds`` for a whole
    command without the bytes of its mails. ``idle_seconds`` is the longest IDLE: servers end it after 29
    minutes (RFC 2177), the big providers earlier. ``poll_seconds`` is the pause where IDLE is missing.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    command_seconds: float = 300.0
    idle_seconds: float = LONGEST_WAIT_SECONDS
    poll_seconds: float = 30.0


class LimitedConnection(imaplib.IMAP4):
    """imaplib's connection, which by itself waits for ever and trusts every announced length.

    ``deadline`` (monotonic seconds) ends whatever is read; :meth:`allow` sets it before a command.
    ``on_progress`` is called whenever something has arrived.
    """

    def __init__(self, server: ServerAddress, context: ssl.SSLContext | None, timing: ImapTiming) -> None:
        self._server = server
        self._context = context
        self._timing = timing
        self.on_progress: Callable[[], object] = _nothing
        self.deadline = 0.0
        self.allow(timing.command_seconds)
        super().__init__(server.host, server.port, timing.connect_seconds)

    def allow(self, seconds: float) -> None:
        """Give what is read from now on this much time."""
        self.deadline = time.monotonic() + seconds

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        # Certificate checks and the loopback rule come before the first byte.
        connected = socket.create_connection((self._server.host, self._server.port), timeout)
        try:
            # imaplib sends a log-in in pieces, each of which would wait for the acknowledgement of the last.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _keep_alive(connected)
            if self._context is not None and self._server.security is Security.TLS:
                return self._context.wrap_socket(connected, server_hostname=self._server.host)
            self._refuse_plain_text_over_the_network(connected)
        except BaseException:
            connected.close()
            raise
        return connected

    def _refuse_plain_text_over_the_network(self, connected: socket.socket) -> None:
        """A name such as localhost may resolve to anything: what counts is who is at the other end."""
        plain = self._server.security is Security.PLAIN and not self._server.plain_allowed
        if plain and not is_loopback_address(str(connected.getpeername()[0])):
            raise ServerAway(f"{_place(self._server)}: not this machine, so no log-in without TLS")

    @property
    def _reader(self) -> io.BufferedReader:
        return cast("io.BufferedReader", self.file)

    def readline(self) -> bytes:
        """One line with its end; shorter only where the connection ended."""
        line = bytearray()
        while not line.endswith(b"\n"):
            self._check_time()
            chunk = self._reader.peek(1)
            if not chunk:
                break
            line += self._reader.read(chunk.find(b"\n") + 1 or len(chunk))
            if len(line) > _MAX_LINE_BYTES:
                raise self.abort("line too long")
        return bytes(line)

    def read(self, size: int) -> bytes:
        """A literal of exactly ``size`` bytes; half a literal is never returned (THREATS 34)."""
        if size > _MAX_LITERAL_BYTES:
            raise self.abort("literal too long")
        parts: list[bytes] = []
        missing = size
        while missing:
            self._check_time()
            part = self._reader.read1(min(missing, _READ_BYTES))
            if not part:
                raise self.abort("socket error: EOF")
            self.deadline += len(part) / _SLOWEST_BYTES_PER_SECOND
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)

    def has_input(self, *, readable: bool, line_seconds: float) -> bool:
        """Whether a line has begun to arrive, asked without waiting.

        Looks into imaplib's and TLS's buffers, which no ``select`` sees. ``readable`` is what ``select`` said
        about the socket; ``line_seconds`` is how long the rest of the line may take. Raises ``abort`` when the
        connection has ended.
        """
        self.sock.setblocking(False)
        try:
            found = bool(self._reader.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        finally:
            self.sock.settimeout(line_seconds)
        if readable and not found:
            raise self.abort("socket error: EOF")
        return found

    def heed(self, said: str) -> None:
        """Raise ``ServerThrottles`` if the server asks to be left alone for a while."""
        seconds = patience_asked_for(said)
        if seconds is not None:
            reply = readable_reply(said, self._server)
            message = f"{_place(self._server)}: asks for patience: {reply}"
            # The cause may quote a mail or an address: it goes no further.
            raise ServerThrottles(message, retry_after_seconds=seconds) from None

    def heed_farewell(self) -> None:
        """Like :meth:`heed` for what the server said as it hung up, if it did."""
        farewell = self.untagged_responses.get("BYE")
        if farewell and isinstance(farewell[-1], bytes):
            self.heed(farewell[-1].decode("latin-1"))

    def _connect(self) -> None:
        try:
            super()._connect()  # type: ignore[misc]  # no stub has it
        except imaplib.IMAP4.error:
            self.heed_farewell()
            raise

    def _command_complete(self, name: str, tag: bytes) -> tuple[str, list[Any]]:
        # Here every command's end comes by, before anybody takes a NO for a word about a mail or a folder.
        try:
            kind, data = super()._command_complete(name, tag)  # type: ignore[misc]
        except imaplib.IMAP4.abort:
            self.heed_farewell()
            raise
        except imaplib.IMAP4.error as error:
            self.heed(str(error))
            raise
        if kind == "NO":
            self.heed(b" ".join(part for part in data if isinstance(part, bytes)).decode("latin-1"))
        return kind, data

    def _check_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise TimeoutError
        self.on_progress()


class _Client(IMAPClient):  # type: ignore[misc]  # the library has no types
    """imapclient on a :class:`LimitedConnection`."""

    def __init__(self, server: ServerAddress, context: ssl.SSLContext | None, timing: ImapTiming) -> None:
        # With what we logged in, where it was a token: the connection should not outlast it.
        self.token: AccessToken | None = None
        self._make_connection: Callable[[], LimitedConnection] = lambda: LimitedConnection(server, context, timing)
        super().__init__(
            server.host,
            server.port,
            ssl=server.security is Security.TLS,
            timeout=SocketTimeout(timing.connect_seconds, timing.read_seconds),
        )
        # imapclient sets it to 5, and imaplib then formats every literal for a logger that is off.
        self._imap.debug = 0
        # Aware times instead of naive local ones.
        self.normalise_times = False

    def _create_IMAP4(self) -> LimitedConnection:  # noqa: N802  # imapclient's name
        return self._make_connection()


def connect(
    server: ServerAddress, *, tokens: TokenProvider | None, context: ssl.SSLContext | None, timing: ImapTiming
) -> Any:
    """Connect, protect the connection and log in; return the imapclient.

    Certificates are verified against the system's authorities unless another ``context`` is given. Where
    STARTTLS is chosen, a server that does not do it gets no log-in. Raises ``CredentialsRefused`` or
    ``ServerAway``.
    """
    if context is None and server.security is not Security.PLAIN:
        context = ssl.create_default_context()
    client = None
    try:
        client = _Client(server, context, timing)
        if server.security is Security.STARTTLS and context is not None:
            _start_tls(client, context, server)
        _log_in(client, server, tokens)
    except BaseException as error:
        if client is not None:
            discard(client)
        if isinstance(error, FAILURES):
            raise ServerAway(f"{_place(server)}: {explain(error)}") from None
        raise
    return client


def _nothing() -> None:
    return


def discard(client: Any) -> None:
    """Close the socket without a word; never raises."""
    with contextlib.suppress(Exception):
        client.shutdown()
    with contextlib.suppress(Exception):
        client._imap.sock.close()


def log_out(client: Any) -> None:
    """Say goodbye within a few seconds and close; never raises."""
    with contextlib.suppress(Exception):
        client._imap.sock.settimeout(_LOGOUT_SECONDS)
        client._imap.allow(_LOGOUT_SECONDS)
        client.logout()
    discard(client)


def explain(error: BaseException) -> str:
    """What went wrong, for a log line: never what a mail says, never an address."""
    said = f"answer is not IMAP ({type(error).__name__})"
    match error:
        case ssl.SSLCertVerificationError():
            said = f"certificate refused: {error.verify_message}"
        case ssl.SSLError():
            said = f"TLS failed: {error.reason or 'connection ended'}"
        case TimeoutError():
            said = "no answer in time"
        case socket.gaierror():
            said = "host name not found"
        case OSError():
            said = error.strerror or type(error).__name__
        case imaplib.IMAP4.readonly():
            said = "folder became read-only"
        case imaplib.IMAP4.abort():
            said = "connection broke off"
        case imaplib.IMAP4.error() if not isinstance(error, ProtocolError):
            code = _RESPONSE_CODE.search(str(error))
            said = f"command refused ({code[1]})" if code else "command refused"
            if _NOT_CONNECTED.search(str(error)):
                said = "command refused: User is authenticated but not connected"
    return said


def readable_reply(text: str, server: ServerAddress) -> str:
    """A server's own words, shortened, without addresses and without what we logged in with."""
    for secret in (server.password, server.username):
        if secret:
            text = text.replace(secret, "…")
    text = re.sub(r"\S{1,200}@\S{1,200}", "…", text[:500])
    return "".join(character for character in text if " " <= character <= "~" or character == "…")[:160]


def _place(server: ServerAddress) -> str:
    return f"IMAP server {server.host}:{server.port}"


def _keep_alive(connected: socket.socket) -> None:
    """A peer that vanished during IDLE is noticed within about two minutes, where the system can do it."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds_or_count in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds_or_count)


def _start_tls(client: Any, context: ssl.SSLContext, server: ServerAddress) -> None:
    """Upgrade the connection or give it up: the offer may have been cut out on the way (CVE-2016-0772)."""
    try:
        client.starttls(context)
    except imaplib.IMAP4.error:
        raise ServerAway(f"{_place(server)}: no STARTTLS, so no log-in") from None


def _log_in(client: Any, server: ServerAddress, tokens: TokenProvider | None) -> None:
    if client._imap.state == "AUTH":
        return
    try:
        _present_credentials(client, server, tokens)
    except LoginError as error:
        raise _log_in_failure(error, server) from None


def _present_credentials(client: Any, server: ServerAddress, tokens: TokenProvider | None) -> None:
    offered = client._imap.capabilities
    if server.username is None:
        raise CredentialsRefused(f"{_place(server)}: asks for a log-in, and no user name is set")
    if tokens is not None:
        _present_token(client, server, tokens)
        return
    if server.password is None:
        raise CredentialsRefused(f"{_place(server)}: asks for a log-in, and no password is set")
    # LOGIN carries ASCII only (RFC 9051 §6.2.3), and is forbidden where LOGINDISABLED is said (§6.2.3).
    if (server.username + server.password).isascii() and "LOGINDISABLED" not in offered:
        client.login(_quoted(server.username), server.password)
    elif "AUTH=PLAIN" in offered:
        client.plain_login(server.username, server.password)
    else:
        raise CredentialsRefused(f"{_place(server)}: offers no way to log in with this password")


def _present_token(client: Any, server: ServerAddress, tokens: TokenProvider) -> None:
    """Log in by token, with another one if the first is refused although it should be good."""
    token = tokens.token()
    try:
        _say_token(client, server, token)
    except CredentialsRefused:
        another = tokens.replace(token)
        if another is None:
            raise
        token = another
        _say_token(client, server, token)
    client.token = token


def _say_token(client: Any, server: ServerAddress, token: AccessToken) -> None:
    """AUTHENTICATE with XOAUTH2, else OAUTHBEARER (RFC 7628).

    A server that refuses the token says why in a challenge, as JSON, and waits for an empty answer (XOAUTH2) or
    a single %x01 (RFC 7628 §3.2.3) before its NO. imapclient would send the token once more.
    """
    offered = client._imap.capabilities
    bearer = f"\x01auth=Bearer {token.value}\x01\x01"
    if "AUTH=XOAUTH2" in offered or "AUTH=OAUTHBEARER" not in offered:
        mechanism, first, farewell = "XOAUTH2", f"user={server.username}{bearer}", b""
    else:
        escaped = str(server.username).replace("=", "=3D").replace(",", "=2C")
        mechanism, first, farewell = "OAUTHBEARER", f"n,a={escaped},{bearer}", b"\x01"
    challenges: list[bytes] = []

    def answer(challenge: bytes) -> bytes:
        challenges.append(challenge)
        return first.encode() if len(challenges) == 1 else farewell

    try:
        client.sasl_login(mechanism, answer)
    except LoginError as error:
        failure, reason = _log_in_failure(error, server), _token_refusal(challenges[1:])
        raise (type(failure)(f"{failure} ({reason})") if reason else failure) from None


def _token_refusal(challenges: list[bytes]) -> str:
    """What a refusing challenge says, in short: its status and scope."""
    try:
        said = json.loads(challenges[0])
        parts = [f"{key} {said[key]}" for key in ("status", "scope") if isinstance(said.get(key), str)]
    except (LookupError, ValueError, TypeError, AttributeError):
        return ""
    return ", ".join(parts)


def _quoted(username: str) -> str:
    """imaplib quotes the password and forgets the user name."""
    escaped = username.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _log_in_failure(error: LoginError, server: ServerAddress) -> ServerAway:
    """imapclient calls everything a failed log-in: tell a refusal from a connection that broke."""
    cause = error.__context__ or error
    if isinstance(cause, imaplib.IMAP4.abort):
        return ServerAway(f"{_place(server)}: {explain(cause)} during log-in")
    said = cause.args[0] if cause.args else ""
    text = said.decode("latin-1") if isinstance(said, bytes) else str(said)
    reply = readable_reply(text, server)
    if _TRY_LATER.search(text):
        return ServerAway(f"{_place(server)}: no log-in now: {reply}")
    return CredentialsRefused(f"{_place(server)}: log-in refused: {reply}")
