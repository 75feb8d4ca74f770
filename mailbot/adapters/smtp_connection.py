"""One open session with a submission server: sends letters over it one after the other.

What a lost connection means hangs on one moment: the final dot. The dot is handed to the socket only after
the operating system has taken every byte before it; whatever breaks earlier cannot have delivered the letter
(``NotReached``), whatever breaks later may have (``OutcomeUnknown``, RFC 1047).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import aiosmtplib

from mailbot.adapters.oauth import AccessToken
from mailbot.adapters.smtp_answers import Stage, readable, refusal
from mailbot.domain.exchange import Delivered, Envelope, NotReached, OutcomeUnknown, Refused, SendOutcome

_CHUNK_BYTES = 65536
_QUIT_SECONDS = 5.0
# Servers slow down or hang up on a session with many errors (Postfix: 10 and 20).
_REFUSALS_PER_CONNECTION = 5
_SERVICE_CLOSES = 421
_GO_AHEAD = 354
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


class NotBegun(Exception):
    """The server has seen nothing of the letter; ``outcome`` is what to say if nobody tries again."""

    def __init__(self, outcome: NotReached | Refused) -> None:
        self.outcome = outcome
        super().__init__()


class _Lost(Exception):
    """The connection broke, stayed silent for too long, or the server talked nonsense."""


class SmtpConnection:
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
            raise NotBegun(NotReached(reason="the server closed the connection"))
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

    def start_idling(self, seconds: float, on_end: Callable[[SmtpConnection], None]) -> None:
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
        hang_up(self._smtp)
        self._writer.transport.abort()

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        """One transaction. Raises ``NotBegun`` if the server is gone before it has seen anything of it, and
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
            raise NotBegun(NotReached(reason=f"{Stage.MAIL}: {lost}")) from lost
        refused = self._judged(answer, Stage.MAIL)
        if refused is not None and answer.code == _SERVICE_CLOSES:
            raise NotBegun(refused)
        if isinstance(refused, NotReached) and self._token is not None:
            # The token has ended in the middle of the session.
            self.abort()
            raise NotBegun(refused)
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
            raise _Lost(described(error)) from error

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
                raise _Lost(described(error)) from error
        finally:
            _forget(drained)

    async def _final_answer(
        self, listener: asyncio.Future[aiosmtplib.SMTPResponse], dot_sent: bool
    ) -> SendOutcome:
        try:
            answer = await asyncio.wait_for(listener, self._limits.final_dot_seconds)
        except (aiosmtplib.SMTPException, OSError) as error:
            if not dot_sent:
                raise _Lost(described(error)) from error
            self.abort()
            return OutcomeUnknown(reason=f"{Stage.FINAL_DOT}: {described(error)}")
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
            raise _Lost(described(error)) from error


def hang_up(smtp: aiosmtplib.SMTP) -> None:
    """Close the connection without a word to the server."""
    transport = cast("asyncio.WriteTransport | None", smtp.transport)
    smtp.close()
    if transport is not None:
        transport.abort()


def _forget(future: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more, whether it is done or not."""
    if not future.cancel() and not future.cancelled():
        future.exception()


def objection_to(envelope: Envelope) -> Refused | None:
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


def described(error: BaseException) -> str:
    """The server's own words where it said any."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return readable(f"{error.code} {error.message}")
    return readable(str(error)) or type(error).__name__
