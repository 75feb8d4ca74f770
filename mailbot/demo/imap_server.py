"""The embedded IMAP server: pymap's in-memory backend, one set of folders an account.

The one module that knows pymap. Pinned to the release it was tried with: its inside is used here.
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from asyncio import StreamReader, StreamWriter
from datetime import UTC, datetime
from uuid import uuid4

from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Login, Session
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Event, Subsystem
from pymap.exceptions import MailboxNotFound
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement
from pymap.parsing.specials.flag import Flag, Wildcard
from pymap.selected import SelectedMailbox
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

_LINE_BYTES_AT_MOST = 1 << 20


class _Config(Config):
    """The backend's settings, without a look at the machine's own name, which may ask a name server."""

    @property
    def greeting(self) -> bytes:
        return b"Demo mail server ready"


class _Mailbox(MailboxData):
    """A folder that keeps keywords: the library's own answers OK and drops them. It tells whoever begins to idle
    what came since the last command; the library's own waits for the next change and keeps this one to itself."""

    @property
    def permanent_flags(self) -> frozenset[Flag]:
        return super().permanent_flags | {Wildcard}

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        is_behind = selected.mod_sequence is not None and selected.mod_sequence < self._mod_sequences.highest
        if wait_on is not None and (is_behind or wait_on.is_set()):
            wait_on = None
        return await super().update_selected(selected, wait_on=wait_on)


class _Mailboxes(MailboxSet):
    """The folders of one account."""

    def __init__(self) -> None:
        super().__init__()
        self._inbox = _Mailbox(self._content_cache, self._thread_cache)

    async def add_mailbox(self, name: str) -> object:  # type: ignore[override]
        if name in self._set:
            raise ValueError(name)
        self._set[name] = mailbox = _Mailbox(self._content_cache, self._thread_cache)
        return mailbox.mailbox_id


class EmbeddedImap:
    """All methods are for the loop's own thread."""

    def __init__(self) -> None:
        subsystem = Subsystem.for_asyncio()
        self._config = _Config(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=None,
            port=0,
            demo_data=False,
            demo_user="",
            demo_password="",
            subsystem=subsystem,
            cpu_subsystem=subsystem,
            tls_enabled=False,
            reject_dnsbl=False,
            invalid_user_sleep=0.0,
            # Passwords of a demo live as long as its process; hashing them would only cost its start a second.
            hash_context=Cleartext(),
        )
        self._login = Login(self._config)
        self._imap = IMAPServer(self._login, self._config)
        self._writers: set[StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str) -> int:
        """Listen on a free port of ``host`` and return it."""
        self._server = await asyncio.start_server(self._serve, host, 0, limit=_LINE_BYTES_AT_MOST)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            # Not `async with`: from 3.12 on that waits until the clients go by themselves.
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def add_account(self, address: str, password: str) -> None:
        """A new account with an empty INBOX."""
        self._login.users_dict[address] = UserMetadata(self._config, address, password=password)
        self._config.set_cache[address] = (_Mailboxes(), FilterSet())

    async def append(self, address: str, raw: bytes) -> None:
        """Lay a mail into the account's INBOX; connections that idle are told."""
        session = self._session(address)
        await session.append_messages("INBOX", [AppendMessage(raw, datetime.now(UTC))])

    async def messages(self, address: str, folder: str) -> list[bytes]:
        """All mails of a folder, oldest first; none where there is no such folder."""
        session = self._session(address)
        try:
            mailbox = await session.mailbox_set.get_mailbox(folder)
        except (KeyError, MailboxNotFound):
            return []
        found = [message async for message in mailbox.messages()]
        return [bytes((await one.load_content(FetchRequirement.CONTENT)).get_body()) for one in found]

    def _session(self, address: str) -> Session:
        folders, filters = self._config.set_cache[address]
        return Session(address, self._config, folders, filters)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._imap(reader, writer, SocketInfo.get(writer, None, unique_id=uuid4().bytes))
        finally:
            self._writers.discard(writer)
            writer.close()
