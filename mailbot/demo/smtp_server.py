"""The embedded SMTP server: a listener for mail from outside and one for people and programs with a password.

The one module that knows aiosmtpd. Plain text over loopback only, so that the demo needs no certificate.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailbot.demo.post_office import PostOffice, domain_of_sender, stamp

SIZE_LIMIT_BYTES = 60 * 1024 * 1024

HELO_OF_SIGNER = {
    "pass": "signed.mta.example",
    "fail": "forger.mta.example",
    None: "unsigned.mta.example",
}
"""How machines outside introduce themselves. There is no name server on loopback to ask for SPF and DKIM keys:
the receiving server takes the DMARC result of a mail from the name of the machine that brings it."""

_DMARC_OF_HELO = {helo: dmarc for dmarc, helo in HELO_OF_SIGNER.items()}

Append = Callable[[str, bytes], Awaitable[None]]


class _Handler:
    """What happens on RCPT and DATA, for one of the two listeners."""

    def __init__(self, office: PostOffice, append: Append, *, needs_password: bool) -> None:
        self._office = office
        self._append = append
        self._needs_password = needs_password

    async def handle_EHLO(  # noqa: N802 - the library finds its hooks by these names
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # The library announces AUTH even where it has no mechanism left.
        return [line for line in responses if self._needs_password or not line.startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._needs_password and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._office.is_local(address):
            return "550 5.7.1 Relay access denied"
        if self._office.mailbox_for(address) is None:
            return "550 5.1.1 User unknown"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.original_content or b""
        login = _login_of(session) if self._needs_password else None
        client = session.host_name or "unknown"
        for recipient in envelope.rcpt_tos:
            mailbox = self._office.mailbox_for(recipient)
            if mailbox is None:
                continue
            stamped = stamp(
                raw,
                recipient=recipient,
                envelope_from=envelope.mail_from or "",
                client=client,
                protocol="ESMTPA" if login else "ESMTP",
                results=_results(raw, login, client),
            )
            await self._append(mailbox, stamped)
            self._office.record(
                mailbox=mailbox, envelope_from=envelope.mail_from or "", authenticated_as=login, raw=stamped
            )
        return "250 2.0.0 OK delivered"


def _results(raw: bytes, login: str | None, client: str) -> list[str]:
    """What our server found: who logged in, or whether the domain of the From address vouches for the mail."""
    if login:
        return [f"auth=pass smtp.auth={login}"]
    dmarc = _DMARC_OF_HELO.get(client)
    domain = domain_of_sender(raw)
    return [f"dmarc={dmarc} header.from={domain}" if dmarc and domain else "dmarc=none"]


def _login_of(session: Session) -> str:
    data = session.auth_data
    return data.login.decode("ascii", "replace").lower() if isinstance(data, LoginPassword) else ""


class EmbeddedSmtp:
    """All methods are for the loop's own thread. ``append`` lays a mail into an account's INBOX."""

    def __init__(self, office: PostOffice, append: Append, loop: asyncio.AbstractEventLoop) -> None:
        self._office = office
        self._append = append
        self._loop = loop
        self._servers: list[asyncio.Server] = []
        self._sessions: set[SMTP] = set()
        # The library logs to a logger without handlers, which would print its warnings on the terminal.
        logging.getLogger("mail.log").addHandler(logging.NullHandler())

    async def listen(self, host: str, *, needs_password: bool) -> int:
        """Open a listener on a free port of ``host`` and return the port."""
        handler = _Handler(self._office, self._append, needs_password=needs_password)
        server = await self._loop.create_server(lambda: self._new_session(handler, needs_password), host, 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        for server in self._servers:
            server.close()
        for session in list(self._sessions):
            if isinstance(session.transport, asyncio.WriteTransport):
                session.transport.abort()

    def _new_session(self, handler: _Handler, needs_password: bool) -> SMTP:
        self._sessions = {one for one in self._sessions if one.transport is not None}
        session = SMTP(
            handler,
            data_size_limit=SIZE_LIMIT_BYTES,
            hostname="mx.demo.example.com.br",
            ident="demo",
            # Not `auth_required`, which warns where there is no TLS: the handler asks for the password itself.
            auth_require_tls=False,
            auth_exclude_mechanism=() if needs_password else ("PLAIN", "LOGIN"),
            authenticator=self._authenticate,
            loop=self._loop,
        )
        self._sessions.add(session)
        return session

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        ok = isinstance(data, LoginPassword) and self._office.knows(
            data.login.decode("utf-8", "replace"), data.password.decode("utf-8", "replace")
        )
        return AuthResult(success=ok, handled=False, auth_data=data if ok else None)
