"""Deliver letters to a submission server: one envelope in, what became of it out.

``SmtpTransport`` implements the flows' ``LetterTransport`` with aiosmtplib, over a few kept connections. It
never retries a letter by itself, with one exception: a kept connection that turns out to be closed before the
server has seen anything of the letter is replaced once. One session is ``smtp_connection.py``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiosmtplib

from mailbot.adapters.oauth import AccessToken, TokenProvider
from mailbot.adapters.server_url import is_loopback_address
from mailbot.adapters.smtp_answers import Stage, readable, refusal
from mailbot.adapters.smtp_connection import NotBegun, SmtpConnection, SmtpLimits, described, hang_up, objection_to
from mailbot.domain.errors import CredentialsRefused, LoginExpired, ServerAway
from mailbot.domain.exchange import Envelope, NotReached, SendOutcome
from mailbot.domain.mailbox import Security, ServerAddress

# An address literal, as mail programs send it: the host's own name may need seconds of DNS and is nobody's
# business (RFC 5321 §4.1.4 lets a submission client do so).
_EHLO_NAME = "[127.0.0.1]"

_Answer = TypeVar("_Answer")


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
        self._idle: list[SmtpConnection] = []
        self._farewells: set[asyncio.Task[None]] = set()
        self._closed = False

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        """Try once; see ``LetterTransport.send``. Raises only what ``before_data`` raises."""
        objection = objection_to(envelope)
        if objection is not None:
            return objection
        async with self._permits:
            if self._closed:
                return NotReached(reason="the transport is closed")
            try:
                return await self._send(envelope, before_data)
            except NotBegun as error:
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
            except NotBegun:
                # Servers hang up on idle clients when they like: that is no attempt.
                pass
        # So that the server never sees more connections than it allows.
        await self._farewells_said()
        return await self._send_over(await self._open(), envelope, before_data)

    async def _send_over(
        self, connection: SmtpConnection, envelope: Envelope, before_data: Callable[[], Awaitable[None]]
    ) -> SendOutcome:
        try:
            return await connection.send(envelope, before_data)
        except asyncio.CancelledError:
            # Stopped in the middle: nobody knows what the server waits for.
            connection.abort()
            raise
        finally:
            self._put_back(connection)

    def _kept_connection(self) -> SmtpConnection | None:
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

    def _put_back(self, connection: SmtpConnection) -> None:
        if not connection.is_usable:
            connection.abort()
        elif self._closed or connection.is_worn:
            self._say_farewell(connection)
        else:
            self._idle.append(connection)
            connection.start_idling(self._limits.idle_seconds, self._idled_too_long)

    def _idled_too_long(self, connection: SmtpConnection) -> None:
        self._idle.remove(connection)
        self._say_farewell(connection)

    def _say_farewell(self, connection: SmtpConnection) -> None:
        connection.stop_idling()
        task = asyncio.get_running_loop().create_task(connection.quit())
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def _farewells_said(self) -> None:
        if self._farewells:
            await asyncio.wait(self._farewells)

    # --- opening -----------------------------------------------------------------------------------------

    async def _open(self) -> SmtpConnection:
        """A fresh connection, encrypted and logged in as the server's address says. Raises ``NotBegun``."""
        smtp = await self._client()
        try:
            return await self._establish(smtp)
        except BaseException:
            hang_up(smtp)
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

    async def _establish(self, smtp: aiosmtplib.SMTP) -> SmtpConnection:
        stage = Stage.CONNECT
        try:
            await smtp.connect(timeout=self._limits.connect_seconds)
            await self._greet(smtp)
            if self._server.security is Security.STARTTLS:
                await self._upgrade(smtp)
            stage = Stage.LOGIN
            token = await self._log_in(smtp)
        except aiosmtplib.SMTPResponseException as error:
            raise NotBegun(refusal(error.code, error.message, stage)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotBegun(NotReached(reason=f"{stage}: {described(error)}")) from error
        return SmtpConnection(smtp, self._limits, token, self._on_progress)

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
            raise NotBegun(refusal(error.code, error.message, Stage.STARTTLS)) from error
        # What the server offered in the open may have been somebody else's words (RFC 3207 §4.2).
        await self._greet(smtp)

    async def _log_in(self, smtp: aiosmtplib.SMTP) -> AccessToken | None:
        """Log in as the server's address says; the token, if it was one."""
        username = self._server.username
        if username is None:
            return None
        if not self._may_log_in(smtp):
            raise NotBegun(NotReached(reason="we do not log in without TLS"))
        offered = smtp.server_auth_methods
        if self._tokens is not None:
            if "xoauth2" not in offered:
                raise NotBegun(NotReached(reason="the server does not offer XOAUTH2"))
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
            raise NotBegun(NotReached(reason="the server offers no log-in with a password"))
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
    """Ask a token provider on a thread. Raises ``NotBegun``."""
    try:
        return await asyncio.to_thread(ask)
    except ServerAway as error:
        outcome = NotReached(
            reason=readable(str(error)),
            credentials_refused=isinstance(error, CredentialsRefused),
            login_expired=isinstance(error, LoginExpired),
        )
        raise NotBegun(outcome) from error
