"""Deliver letters to a submission server: one envelope in, what became of it out.

``SmtpTransport`` implements the flows' ``LetterTransport`` with aiosmtplib, over a few kept connections. It
never retries a letter by itself, with one exception: a kept connection that turns out to be closed before the
server has seen anything of the letter is replaced once.

What a lost connection means hangs on one moment: the final dot. The dot is handed to the socket only after
the operating system has taken every byte before it; whatever breaks earlier cannot have delivered the letter
(``NotReached``), whatever breaks later may have (``OutcomeUnknown``, RFC 1047).
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import aiosmtplib

from mailbot.adapters.oauth import AccessToken, TokenProvider
from mailbot.adapters.server_url import is_loopback_address
from mailbot.adapters.smtp_answers import Stage, readable, refusal
from mailbot.domain.errors import CredentialsRefused, LoginExpired, ServerAway
from mailbot.domain.exchange import Delivered, Envelope, NotReached, OutcomeUnknown, Refused, SendOutcome
from mailbot.domain.mailbox import Security, ServerAddress

# An address literal, as mail programs send it: the host's own name may need seconds of DNS and is nobody's
# business (RFC 5321 §4.1.4 lets a submission client do so).
_EHLO_NAME = "[127.0.0.1]"
_CHUNK_BYTES = 65536
_QUIT_SECONDS = 5.0
# Servers slow down or hang up on a session with many errors (Postfix: 10 and 20).
_REFUSALS_PER_CONNECTION = 5
_SERVICE_CLOSES = 421
_GO_AHEAD = 354

_Answer = TypeVar("_Answer")

_ENVELOPE_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x20\x7f]+@[^\s<>()\\,;\"@\x00-\x20\x7f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpLimits:
    """How long to wait and how long to keep a connection.

    RFC 5321 §4.5.3.2 asks for ten minutes after the final dot, where impatience makes duplicates. Before DATA
    giving up costs nothing, and a letter's lease is two minutes, so ``command_seconds`` is shorter than its
    five minutes. ``block_seconds`` is for each 64 kB of a letter that the server is slow to take.
    """

    connect_seconds: float = 15
    command_seconds: float = 60
    block_seconds: float = 180
    final_dot_seconds: float = 600
    idle_seconds: float = 60
    letters_per_connection: int = 100


class _NotBegun(Exception):
    """The server has seen nothing of the letter; ``outcome`` is what to say if nobody tries again."""

    def __init__(self, outcome: NotReached | Refused) -> None:
        self.outcome = outcome
        super().__init__()


class _Lost(Exception):
    """The connection broke, stayed silent for too long, or the server talked nonsense."""


class SmtpTransport:
    """Brings letters to one submission server, over at most ``max_connections`` connections at a time.

    All methods are called on one event loop. ``tokens`` takes the password's place (XOAUTH2).
    ``ssl_context`` is for servers with an authority of their own; without it the system's authorities count.
    ``on_progress`` hears, in the task that sends, of every step and every piece that the server has taken.
    """

    def __init__(
        self,
        server: ServerAddress,
        *,
        tokens: TokenProvider | None = None,
        max_connections: int = 2,
        limits: SmtpLimits | None = None,
        ssl_context: ssl.SSLContext | None = None,
        on_progress: Callable[[], object] = lambda: None,
    ) -> None:
        self._server = server
        self._on_progress = on_progress
        self._tokens = tokens
        self._limits = limits or SmtpLimits()
        self._ssl_context = ssl_context
        self._permits = asyncio.Semaphore(max_connections)
        self._idle: list[_Connection] = []
        self._farewells: set[asyncio.Task[None]] = set()
        self._closed = False

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        """Try once; see ``LetterTransport.send``. Raises only what ``before_data`` raises."""
        objection = _objection_to(envelope)
        if objection is not None:
            return objection
        async with self._permits:
            if self._closed:
                return NotReached(reason="the transport is closed")
            try:
                return await self._send(envelope, before_data)
            except _NotBegun as error:
                return error.outcome

    async def close(self) -> None:
        """Quit every connection; one that is in use is let finish its letter. Never raises."""
        self._closed = True
        while self._idle:
            self._say_farewell(self._idle.pop())
        await self._farewells_said()

    async def _send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        kept = self._kept_connection()
        if kept is not None:
            try:
                return await self._send_over(kept, envelope, before_data)
            except _NotBegun:
                # Servers hang up on idle clients when they like: that is no attempt.
                pass
        # So that the server never sees more connections than it allows.
        await self._farewells_said()
        return await self._send_over(await self._open(), envelope, before_data)

    async def _send_over(
        self, connection: _Connection, envelope: Envelope, before_data: Callable[[], Awaitable[None]]
    ) -> SendOutcome:
        try:
            return await connection.send(envelope, before_data)
        except asyncio.CancelledError:
            # Stopped in the middle: nobody knows what the server waits for.
            connection.abort()
            raise
        finally:
            self._put_back(connection)

    def _kept_connection(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            connection.stop_idling()
            if connection.is_usable and not connection.has_old_login:
                return connection
            if connection.is_usable:
                self._say_farewell(connection)
            else:
                connection.abort()
        return None

    def _put_back(self, connection: _Connection) -> None:
        if not connection.is_usable:
            connection.abort()
        elif self._closed or connection.is_worn:
            self._say_farewell(connection)
        else:
            self._idle.append(connection)
            connection.start_idling(self._limits.idle_seconds, self._idled_too_long)

    def _idled_too_long(self, connection: _Connection) -> None:
        self._idle.remove(connection)
        self._say_farewell(connection)

    def _say_farewell(self, connection: _Connection) -> None:
        connection.stop_idling()
        task = asyncio.get_running_loop().create_task(connection.quit())
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def _farewells_said(self) -> None:
        if self._farewells:
            await asyncio.wait(self._farewells)

    # --- opening -----------------------------------------------------------------------------------------

    async def _open(self) -> _Connection:
        """A fresh connection, encrypted and logged in as the server's address says. Raises ``_NotBegun``."""
        smtp = await self._client()
        try:
            return await self._establish(smtp)
        except BaseException:
            _hang_up(smtp)
            raise

    async def _client(self) -> aiosmtplib.SMTP:
        if self._ssl_context is None and self._server.security is not Security.PLAIN:
            # Reading the system's authorities takes tens of milliseconds.
            self._ssl_context = await asyncio.to_thread(ssl.create_default_context)
        return aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.security is Security.TLS,
            # Never left to the server to offer: that is how STARTTLS gets stripped.
            start_tls=False,
            tls_context=self._ssl_context,
            local_hostname=_EHLO_NAME,
            timeout=self._limits.command_seconds,
        )

    async def _establish(self, smtp: aiosmtplib.SMTP) -> _Connection:
        stage = Stage.CONNECT
        try:
            await smtp.connect(timeout=self._limits.connect_seconds)
            await self._greet(smtp)
            if self._server.security is Security.STARTTLS:
                await self._upgrade(smtp)
            stage = Stage.LOGIN
            token = await self._log_in(smtp)
        except aiosmtplib.SMTPResponseException as error:
            raise _NotBegun(refusal(error.code, error.message, stage)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _NotBegun(NotReached(reason=f"{stage}: {_described(error)}")) from error
        return _Connection(smtp, self._limits, token, self._on_progress)

    async def _greet(self, smtp: aiosmtplib.SMTP) -> None:
        try:
            await smtp.ehlo()
        except aiosmtplib.SMTPHeloError:
            if not smtp.is_connected:
                raise
            await smtp.helo()

    async def _upgrade(self, smtp: aiosmtplib.SMTP) -> None:
        try:
            # Raises if the server does not offer it.
            await smtp.starttls(timeout=self._limits.connect_seconds)
        except aiosmtplib.SMTPResponseException as error:
            raise _NotBegun(refusal(error.code, error.message, Stage.STARTTLS)) from error
        # What the server offered in the open may have been somebody else's words (RFC 3207 §4.2).
        await self._greet(smtp)

    async def _log_in(self, smtp: aiosmtplib.SMTP) -> AccessToken | None:
        """Log in as the server's address says; the token, if it was one."""
        username = self._server.username
        if username is None:
            return None
        if not self._may_log_in(smtp):
            raise _NotBegun(NotReached(reason="we do not log in without TLS"))
        offered = smtp.server_auth_methods
        if self._tokens is not None:
            if "xoauth2" not in offered:
                raise _NotBegun(NotReached(reason="the server does not offer XOAUTH2"))
            return await self._present_token(smtp, username, self._tokens)
        password = self._server.password or ""
        # One method, one try: guessing on with the same password gets an account locked.
        if "plain" in offered:
            await smtp.auth_plain(username, password)
        elif "login" in offered:
            await smtp.auth_login(username, password)
        elif "cram-md5" in offered:
            await smtp.auth_crammd5(username, password)
        else:
            raise _NotBegun(NotReached(reason="the server offers no log-in with a password"))
        return None

    async def _present_token(self, smtp: aiosmtplib.SMTP, username: str, tokens: TokenProvider) -> AccessToken:
        """Log in by token, with another one if the first is refused although it should be good."""
        token = await _without_blocking(tokens.token)
        try:
            await smtp.auth_xoauth2(username, token.value)
        except aiosmtplib.SMTPAuthenticationError as error:
            refused = error.code >= 500
            another = await _without_blocking(lambda: tokens.replace(token)) if refused else None
            if another is None:
                raise
            token = another
            await smtp.auth_xoauth2(username, token.value)
        return token

    def _may_log_in(self, smtp: aiosmtplib.SMTP) -> bool:
        if self._server.plain_allowed or smtp.get_transport_info("sslcontext") is not None:
            return True
        peer = smtp.get_transport_info("peername")
        return bool(peer) and is_loopback_address(str(peer[0]))


async def _without_blocking(ask: Callable[[], _Answer]) -> _Answer:
    """Ask a token provider on a thread. Raises ``_NotBegun``."""
    try:
        return await asyncio.to_thread(ask)
    except ServerAway as error:
        outcome = NotReached(
            reason=readable(str(error)),
            credentials_refused=isinstance(error, CredentialsRefused),
            login_expired=isinstance(error, LoginExpired),
        )
        raise _NotBegun(outcome) from error


class _Connection:
    """One open session: sends letters one after the other and knows when it is spent."""

    def __init__(
        self,
        smtp: aiosmtplib.SMTP,
        limits: SmtpLimits,
        token: AccessToken | None,
        on_progress: Callable[[], object] = lambda: None,
    ) -> None:
        self._smtp = smtp
        self._limits = limits
        self._token = token
        self._on_progress = on_progress
        self._letters = 0
        self._refusals = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        protocol, transport = smtp.protocol, cast("asyncio.WriteTransport | None", smtp.transport)
        if protocol is None or transport is None:
            raise _NotBegun(NotReached(reason="the server closed the connection"))
        self._protocol = protocol
        # Kept as long as the connection, for it would close the transport when it goes.
        self._writer = asyncio.StreamWriter(transport, protocol, None, asyncio.get_running_loop())
        # Draining then means: the operating system has everything.
        transport.set_write_buffer_limits(high=1, low=0)

    @property
    def is_usable(self) -> bool:
        """Whether the server has not hung up, as far as we know."""
        return self._smtp.is_connected

    @property
    def is_worn(self) -> bool:
        """Whether the next letter should have a fresh connection."""
        return self._letters >= self._limits.letters_per_connection or self._refusals >= _REFUSALS_PER_CONNECTION

    @property
    def has_old_login(self) -> bool:
        """Whether the token that opened it is due: no session can log in twice (RFC 4954 §4)."""
        return self._token is not None and time.monotonic() >= self._token.renew_at

    def start_idling(self, seconds: float, on_end: Callable[[_Connection], None]) -> None:
        """Call ``on_end`` when the connection was not used for so long."""
        self._idle_timer = asyncio.get_running_loop().call_later(seconds, on_end, self)

    def stop_idling(self) -> None:
        """Back to work."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    async def quit(self) -> None:
        """Take leave politely, within seconds; never raises."""
        try:
            await self._smtp.quit(timeout=_QUIT_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the connection at once."""
        _hang_up(self._smtp)
        self._writer.transport.abort()

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        """One transaction. Raises ``_NotBegun`` if the server is gone before it has seen anything of it, and
        what ``before_data`` raises, after a reset."""
        objection = self._objection_to(envelope)
        if objection is not None:
            return objection
        self._letters += 1
        refused = await self._mail(envelope) or await self._rcpt(envelope)
        if refused is not None:
            await self._reset()
            return refused
        try:
            await before_data()
        except Exception:
            await self._reset()
            raise
        outcome = await self._data(envelope.message)
        if isinstance(outcome, Refused):
            self._refusals += 1
        return outcome

    def _objection_to(self, envelope: Envelope) -> Refused | None:
        """What this server is known not to take, said before it is troubled (RFC 1870, 6152, 6531)."""
        size = len(envelope.message)
        limit = self._smtp.esmtp_extensions.get("size", "").strip()
        if limit.isdecimal() and 0 < int(limit) < size:
            return _refused_by_us(552, f"the letter has {size} bytes, the server takes {limit}")
        if _needs_utf8(envelope) and not self._smtp.supports_extension("smtputf8"):
            return _refused_by_us(553, "an address beyond ASCII, and the server does not offer SMTPUTF8")
        if not envelope.message.isascii() and not self._smtp.supports_extension("8bitmime"):
            return _refused_by_us(554, "the letter has 8-bit text, and the server does not offer 8BITMIME")
        return None

    async def _mail(self, envelope: Envelope) -> Refused | NotReached | None:
        parameters = []
        if self._smtp.supports_extension("size"):
            parameters.append(f"SIZE={len(envelope.message)}".encode())
        if not envelope.message.isascii():
            parameters.append(b"BODY=8BITMIME")
        if _needs_utf8(envelope):
            parameters.append(b"SMTPUTF8")
        try:
            answer = await self._command(b"MAIL", f"FROM:<{envelope.sender}>".encode(), *parameters)
        except _Lost as lost:
            raise _NotBegun(NotReached(reason=f"{Stage.MAIL}: {lost}")) from lost
        refused = self._judged(answer, Stage.MAIL)
        if refused is not None and answer.code == _SERVICE_CLOSES:
            raise _NotBegun(refused)
        if isinstance(refused, NotReached) and self._token is not None:
            # The token has ended in the middle of the session.
            self.abort()
            raise _NotBegun(refused)
        return refused

    async def _rcpt(self, envelope: Envelope) -> Refused | NotReached | None:
        try:
            answer = await self._command(b"RCPT", f"TO:<{envelope.recipient}>".encode())
        except _Lost as lost:
            return NotReached(reason=f"{Stage.RCPT}: {lost}", letter_offered=True)
        return self._judged(answer, Stage.RCPT)

    async def _data(self, message: bytes) -> SendOutcome:
        try:
            answer = await self._command(b"DATA")
        except _Lost as lost:
            return NotReached(reason=f"{Stage.DATA}: {lost}", letter_offered=True)
        if answer.code != _GO_AHEAD:
            await self._reset()
            return refusal(answer.code, answer.message, Stage.DATA)
        # Listening while we talk: a server may refuse, or go, in the middle of the letter.
        listener = asyncio.ensure_future(self._protocol.read_response())
        try:
            dot_sent = await self._write_up_to_the_dot(_stuffed(message), listener)
            return await self._final_answer(listener, dot_sent)
        except _Lost as lost:
            self.abort()
            return NotReached(reason=f"{Stage.DATA}: {lost}", letter_offered=True)
        finally:
            _forget(listener)

    async def _write_up_to_the_dot(
        self, stuffed: bytes, listener: asyncio.Future[aiosmtplib.SMTPResponse]
    ) -> bool:
        """Write the letter and, when everything before it has left, the dot.

        ``False`` if the server answered before the dot, which is then not sent. Raises ``_Lost`` if the
        connection is lost before the dot; what is lost after it shows in the answer.
        """
        for start in range(0, len(stuffed), _CHUNK_BYTES):
            self._write(stuffed[start : start + _CHUNK_BYTES])
            if self._writer.transport.get_write_buffer_size() > 0:
                await self._drain(listener)
            elif len(stuffed) > _CHUNK_BYTES:
                # A network that takes everything at once must not keep us from hearing the server.
                await asyncio.sleep(0)
            if listener.done():
                return False
        self._write(b".\r\n")
        self._on_progress()
        return True

    def _write(self, chunk: bytes) -> None:
        try:
            self._protocol.write(chunk)
        except aiosmtplib.SMTPServerDisconnected as error:
            raise _Lost(_described(error)) from error

    async def _drain(self, listener: asyncio.Future[aiosmtplib.SMTPResponse]) -> None:
        """Wait until the operating system has taken everything, or the server says something."""
        self._on_progress()
        drained = asyncio.ensure_future(self._writer.drain())
        try:
            either: set[asyncio.Future[Any]] = {drained, listener}
            done, _ = await asyncio.wait(
                either,
                timeout=self._limits.block_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                raise _Lost("the server stopped reading")
            error = drained.exception() if drained in done else None
            if error is not None:
                raise _Lost(_described(error)) from error
        finally:
            _forget(drained)

    async def _final_answer(
        self, listener: asyncio.Future[aiosmtplib.SMTPResponse], dot_sent: bool
    ) -> SendOutcome:
        try:
            answer = await asyncio.wait_for(listener, self._limits.final_dot_seconds)
        except (aiosmtplib.SMTPException, OSError) as error:
            if not dot_sent:
                raise _Lost(_described(error)) from error
            self.abort()
            return OutcomeUnknown(reason=f"{Stage.FINAL_DOT}: {_described(error)}")
        if not dot_sent or answer.code == _SERVICE_CLOSES:
            self.abort()
        if answer.code >= 400:
            return refusal(answer.code, answer.message, Stage.FINAL_DOT)
        if dot_sent and 200 <= answer.code < 300:
            return Delivered(response=readable(answer.message))
        self.abort()
        return OutcomeUnknown(reason=f"{Stage.FINAL_DOT}: {answer.code} {readable(answer.message)}")

    def _judged(self, answer: aiosmtplib.SMTPResponse, stage: Stage) -> Refused | NotReached | None:
        if 200 <= answer.code < 300:
            return None
        self._refusals += 1
        return refusal(answer.code, answer.message, stage)

    async def _reset(self) -> None:
        """Make the session ready for the next letter, or drop it."""
        if not self.is_usable:
            return
        try:
            answer = await self._command(b"RSET")
        except _Lost:
            return
        if answer.code // 100 != 2:
            self.abort()

    async def _command(self, *words: bytes) -> aiosmtplib.SMTPResponse:
        self._on_progress()
        try:
            return await self._smtp.execute_command(*words)
        except (aiosmtplib.SMTPException, OSError) as error:
            self.abort()
            raise _Lost(_described(error)) from error


def _hang_up(smtp: aiosmtplib.SMTP) -> None:
    transport = cast("asyncio.WriteTransport | None", smtp.transport)
    smtp.close()
    if transport is not None:
        transport.abort()


def _forget(future: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more, whether it is done or not."""
    if not future.cancel() and not future.cancelled():
        future.exception()


def _objection_to(envelope: Envelope) -> Refused | None:
    """Why an envelope can be given to no server at all."""
    addresses = [envelope.recipient, *([envelope.sender] if envelope.sender else [])]
    if not all(_ENVELOPE_ADDRESS.fullmatch(address) for address in addresses):
        return _refused_by_us(553, "an address of the envelope is not one mailbox")
    line_ends = {envelope.message.count(end) for end in (b"\r\n", b"\r", b"\n")}
    if len(line_ends) > 1:
        # What the next server takes for a line end could end the letter early (THREATS 21).
        return _refused_by_us(554, "a bare CR or LF stands in the letter")
    return None


def _refused_by_us(code: int, text: str) -> Refused:
    return Refused(code=code, response=f"not sent: {text}", permanent=True)


def _needs_utf8(envelope: Envelope) -> bool:
    header, _, _ = envelope.message.partition(b"\r\n\r\n")
    return not (envelope.sender.isascii() and envelope.recipient.isascii() and header.isascii())


def _stuffed(message: bytes) -> bytes:
    """The letter with its dots doubled at line starts (RFC 5321 §4.5.2), ending with a line end."""
    ended = message if message.endswith(b"\r\n") else message + b"\r\n"
    dotted = b"." + ended if ended.startswith(b".") else ended
    return dotted.replace(b"\r\n.", b"\r\n..")


def _described(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return readable(f"{error.code} {error.message}")
    return readable(str(error)) or type(error).__name__
