"""The Sent folder on an IMAP server: found by its attribute or by name, read, and given copies of our letters."""

from __future__ import annotations

import imaplib
import re
import ssl
from datetime import timedelta
from typing import Any

from imapclient.exceptions import ProtocolError

from mailbot.adapters.imap import ImapSource
from mailbot.adapters.imap_connection import ImapTiming, readable_reply
from mailbot.adapters.imap_folders import server_name
from mailbot.adapters.oauth import TokenProvider
from mailbot.domain.errors import CopyRefused, FolderMissing
from mailbot.domain.exchange import SentCopy
from mailbot.domain.mailbox import SENT_FOLDER, ServerAddress, Settle

_SEEN = rb"\Seen"
# SEARCH goes by days of the server's own zone.
_DAYS_DIFFER = timedelta(days=1)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Our own Message-IDs are made of these; nothing else becomes part of a command (THREATS 19).
_HARMLESS = re.compile(r"[A-Za-z0-9.@_-]{1,320}")
# How people's mail programs call the folder where the server does not say which it is.
_USUAL_NAME = re.compile(r"\bsent\b|enviad|gesendet|envoy", re.IGNORECASE)


class ImapSentFolder(ImapSource):
    """The Sent folder of one account (:class:`mailbot.flows.ports.SentFolder`), for one thread.

    Opened by EXAMINE: no flag is ever set and nothing is moved. ``folder`` is a name as in :class:`ImapSource`;
    ``None`` is the folder with the attribute ``\\Sent`` (RFC 6154), which servers also name in a plain LIST.
    """

    def __init__(
        self,
        *,
        mailbox: str,
        server: ServerAddress,
        folder: str | None,
        tokens: TokenProvider | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timing: ImapTiming | None = None,
    ) -> None:
        super().__init__(
            mailbox=mailbox,
            server=server,
            folder=folder or SENT_FOLDER,
            settle=Settle.NONE,
            tokens=tokens,
            ssl_context=ssl_context,
            timing=timing,
        )
        self._wanted = folder
        # The connection on which the folder was found: LIST is long where there are many folders.
        self._found_on: Any = None

    @property
    def name(self) -> str:
        """The server's name for the folder; to be asked once it is open."""
        return self._folder

    def _select(self, client: Any) -> dict[bytes, Any]:
        if self._found_on is not client:
            self._folder = self._found(client)
            self._found_on = client
        return super()._select(client)

    def _found(self, client: Any) -> str:
        listed = [
            ({flag.lower() for flag in flags if isinstance(flag, bytes)}, str(name))
            for flags, _, name in client.list_folders()
        ]
        names = [name for flags, name in listed if rb"\noselect" not in flags]
        if self._wanted is None:
            found = [name for flags, name in listed if SENT_FOLDER.lower().encode() in flags]
        else:
            translated = server_name(client, self._wanted)
            found = [name for name in (self._wanted, translated) if name in names]
        if not found:
            lookalikes = tuple(name for name in names if _USUAL_NAME.search(name))[:5]
            which = f"folder {self._wanted}" if self._wanted else "folder with the attribute \\Sent"
            raise FolderMissing(f"IMAP server {self._server.host}: no {which}", lookalikes=lookalikes)
        return found[0]

    def save(self, copy: SentCopy) -> bool:
        """Put the copy in, marked as read, unless it lies there; true if it was put in. Raises ``CopyRefused``."""
        refusal = ""
        with self._conversation() as client:
            # Without it a SEARCH may answer from before what another session, or the provider, has put there.
            client.noop()
            if self._lies_there(client, copy):
                return False
            client._imap.allow(self._timing.command_seconds)
            try:
                client.append(self._folder, copy.message, flags=(_SEEN,), msg_time=copy.sent_at)
            except (imaplib.IMAP4.abort, imaplib.IMAP4.readonly, ProtocolError):
                raise
            except imaplib.IMAP4.error as error:
                refusal = readable_reply(str(error), self._server) or "no reason given"
        if refusal:
            raise CopyRefused(f"IMAP server {self._server.host}: copy not taken: {refusal}")
        return True

    def _lies_there(self, client: Any, copy: SentCopy) -> bool:
        if _HARMLESS.fullmatch(copy.message_id) is None:
            return False
        day = (copy.sent_at - _DAYS_DIFFER).date()
        since = f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"
        return bool(self._search(client, "SINCE", since, "HEADER", "Message-ID", f'"{copy.message_id}"'))
