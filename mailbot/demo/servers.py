"""Embedded IMAP and SMTP servers on loopback, for the demo and for tests: ``with EmbeddedServers() as servers:``.

Real sockets and real protocols, mail in memory. Nothing ever leaves the machine: recipients of other domains
are refused.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from types import TracebackType

from mailbot.demo.background_loop import BackgroundLoop
from mailbot.demo.imap_server import EmbeddedImap
from mailbot.demo.post_office import AUTHSERV_ID, Delivery, Dmarc, PostOffice
from mailbot.demo.smtp_server import HELO_OF_SIGNER, EmbeddedSmtp

__all__ = ["AUTHSERV_ID", "Delivery", "EmbeddedServers"]

_SOCKET_LIMIT_SECONDS = 60.0


class EmbeddedServers:
    """One IMAP server and two SMTP listeners. The methods are for the thread that entered the context.

    ``imap_port`` takes a login by address and password; ``smtp_port`` is the submission listener, with password
    only; ``mx_port`` takes mail from outside, without password, for our own recipients.
    """

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.imap_port = 0
        self.smtp_port = 0
        self.mx_port = 0
        self._office = PostOffice()
        self._background = BackgroundLoop("demo mail servers")
        self._imap = EmbeddedImap()
        self._smtp = EmbeddedSmtp(self._office, self._imap.append, self._background.loop)

    def __enter__(self) -> EmbeddedServers:
        self._background.start()
        self._background.run(self._start())
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._background.run(self._stop())
        self._background.stop()

    # --- accounts and mail ---------------------------------------------------------------------------------

    def add_account(self, address: str, password: str) -> None:
        """A mailbox, and its domain as one of ours."""
        address = address.lower()
        self._office.open_account(address, password)
        self._background.run(self._imap.add_account(address, password))

    def deliver(
        self,
        raw: bytes,
        *,
        to: str,
        authenticated_as: str | None = None,
        envelope_from: str | None = None,
        dmarc: Dmarc | None = None,
    ) -> None:
        """Send ``raw`` to ``to`` over SMTP.

        With ``authenticated_as`` (the address of an account) through the submission listener, else as mail from
        outside, where ``dmarc`` is what the receiving server will find. ``envelope_from`` is by default
        ``authenticated_as`` or a neutral address; an empty string is the null sender. Raises
        ``smtplib.SMTPException`` where the server refuses.
        """
        sender = authenticated_as or "sender@example.com.br" if envelope_from is None else envelope_from
        port = self.smtp_port if authenticated_as else self.mx_port
        helo = HELO_OF_SIGNER[None if authenticated_as else dmarc]
        with smtplib.SMTP(self.host, port, local_hostname=helo, timeout=_SOCKET_LIMIT_SECONDS) as client:
            if authenticated_as:
                client.login(authenticated_as, self._office.password_of(authenticated_as))
            client.sendmail(sender, [to], raw, mail_options=["BODY=8BITMIME"])

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """The mails that lie in a folder now, oldest first; none where there is no such folder."""
        return self._background.run(self._imap.messages(address.lower(), folder))

    # --- waiting -------------------------------------------------------------------------------------------

    def deliveries(self, *, after: int = 0) -> tuple[Delivery, ...]:
        """Everything that was laid into any INBOX, in order, from number ``after`` + 1 on."""
        return self._office.deliveries(after=after)

    def wait_until(self, condition: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until ``condition`` holds, looking whenever a mail was delivered; ``False`` if it never did."""
        return self._office.wait_until(condition, timeout_seconds)

    # --- on the loop ---------------------------------------------------------------------------------------

    async def _start(self) -> None:
        self.imap_port = await self._imap.start(self.host)
        self.smtp_port = await self._smtp.listen(self.host, needs_password=True)
        self.mx_port = await self._smtp.listen(self.host, needs_password=False)

    async def _stop(self) -> None:
        await self._smtp.stop()
        await self._imap.stop()
