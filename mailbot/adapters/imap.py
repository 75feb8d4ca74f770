"""A folder on an IMAP server as a MailSource: what lies there, the mails' bytes, the mark that they are taken.

What is durable is decided elsewhere; here nothing is remembered over a broken connection. No command holds a
string that a sender of mail controls (THREATS 19), and nothing of a mail but its bytes is believed: neither
ENVELOPE nor BODYSTRUCTURE is asked for.
"""

from __future__ import annotations

import imaplib
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from imapclient.exceptions import ProtocolError

from mailbot.adapters.doorbell import Doorbell
from mailbot.adapters.imap_connection import (
    FAILURES,
    ImapTiming,
    connect,
    discard,
    explain,
    log_out,
    readable_reply,
)
from mailbot.adapters.imap_folders import make_folder, server_name, succeeds
from mailbot.adapters.imap_news import FolderNews, pause
from mailbot.adapters.oauth import TokenProvider
from mailbot.domain.errors import MailbotError, ServerAway
from mailbot.domain.exchange import FolderState, MailEntry
from mailbot.domain.mail import FetchedMail
from mailbot.domain.mailbox import ServerAddress, Settle

# The keyword of settled mails (RFC 9051 §2.3.2: keywords of applications begin with $).
DONE = "$MailbotDone"
# Command lines of some 8,000 octets are what servers take for certain (RFC 7162 §4).
_CHUNK = 500
_LARGEST_UID = 2**32 - 1
# How soon a token is asked for again that could not be had for a connection which goes on without.
_RENEW_AGAIN_SECONDS = 30.0

_log = structlog.get_logger("mailbot.imap")


class ImapSource:
    """One folder on one IMAP server (:class:`mailbot.flows.ports.MailSource`), for one thread.

    ``mailbox`` is the mailbox's name in the configuration. ``folder`` and ``processed_folder`` are written with
    ``/`` between levels and without the server's prefix; both are translated. With ``Settle.NONE`` the folder
    is opened by EXAMINE and nothing is ever written. ``tokens`` takes the password's place. ``ssl_context`` is
    for a private certificate authority.
    """

    def __init__(
        self,
        *,
        mailbox: str,
        server: ServerAddress,
        folder: str,
        settle: Settle,
        processed_folder: str = "Processados",
        tokens: TokenProvider | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timing: ImapTiming | None = None,
    ) -> None:
        self._mailbox = mailbox
        self._server = server
        self._folder = folder
        self._settle = settle
        self._processed_folder = processed_folder
        self._tokens = tokens
        self._ssl_context = ssl_context
        self._timing = timing or ImapTiming()
        self.on_progress: Callable[[], object] = lambda: None
        """Hears of every piece that arrives: a mail of 40 MB on a slow line takes an hour, and is no failure."""
        self._doorbell = Doorbell()
        self._client: Any = None
        self._uid_validity = 0
        self._news = FolderNews(self._timing)
        # What was listed before, where mails stay in the folder: neither date nor size of a UID ever changes.
        self._listed: dict[int, MailEntry] = {}
        # UIDs that we flagged \Deleted where they cannot be expunged singly.
        self._flagged_deleted: set[int] = set()
        self._keyword_allowed = False
        self._keyword_kept: bool | None = None
        self._keyword_warned = False
        self._target: str | None = None

    # --- the protocol ------------------------------------------------------------------------------------

    def open(self) -> FolderState:
        """Connect if needed, select the folder (again) and say how it stands now.

        A connection whose token is near its end is replaced: the server would hang up, in the middle of anything.
        """
        self._renew_login()
        if self._client is None:
            self._client = connect(
                self._server, tokens=self._tokens, context=self._ssl_context, timing=self._timing
            )
            self._client._imap.on_progress = self.on_progress
            self._news.idle_refused = False
            self._target = None
        with self._conversation() as client:
            return self._state(client, self._select(client))

    def list_mails(self, first_uid: int) -> list[MailEntry]:
        """All mails with a UID of at least ``first_uid``, oldest first, those already settled left out.

        Mails flagged ``\\Deleted`` count as gone: somebody threw them away, or we did and cannot expunge them.
        """
        if first_uid > _LARGEST_UID:
            return []
        with self._conversation() as client:
            # A first SEARCH may answer from before another session's delivery; NOOP brings the view up to date.
            client.noop()
            self._news.heard(client)
            client._imap.untagged_responses.clear()
            criteria = ["UID", f"{max(first_uid, 1)}:*", "UNDELETED"]
            if self._settle is Settle.KEYWORD and self._keyword_allowed and self._keyword_kept is not False:
                criteria += ["UNKEYWORD", DONE]
            # "n:*" names the last mail even where its UID is below n (RFC 9051 §9, seq-range).
            uids = sorted({uid for uid in self._search(client, *criteria) if uid >= first_uid})
            known = {uid: self._listed[uid] for uid in uids if uid in self._listed}
            unknown = [uid for uid in uids if uid not in known]
            found = {int(one.uid): one for chunk in _chunks(unknown) for one in self._entries(client, chunk)}
            self._listed = known | found
            return [self._listed[uid] for uid in uids if uid in self._listed]

    def fetch(self, uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        """The mails' bytes in the order of ``uids``, no flag touched; what is gone meanwhile is left out.

        With ``header_only`` the header alone, and ``oversize_bytes`` holds the size that the server announces.
        Raises ``ServerAway``, and returns nothing, if the connection ends before the answer is complete. A
        single mail that the server refuses to hand over is left out with a warning as long as others come.
        """
        numbers = [int(uid) for uid in uids]
        if not numbers:
            return []
        section = "HEADER" if header_only else ""
        items = ["INTERNALDATE", f"BODY.PEEK[{section}]", *(["RFC822.SIZE"] if header_only else [])]
        key = f"BODY[{section}]".encode()
        with self._conversation() as client:
            answer = self._fetch_items(client, numbers, items)
            refused = [uid for uid in numbers if uid in answer and answer[uid].get(key, b"") is None]
            # A mail that a person deleted since the listing is handed over as nothing at all.
            refused = self._still_there(client, refused)
            if refused:
                self._warn("mail_not_handed_over", uids=refused)
            found = [uid for uid in numbers if isinstance(answer.get(uid, {}).get(key), bytes)]
            if refused and not found:
                raise ServerAway(f"IMAP server {self._server.host}: hands over none of {len(refused)} mails")
            return [self._fetched(uid, answer[uid], key, header_only) for uid in found]

    def settle(self, uids: Sequence[str]) -> None:
        """Mark the mails as taken: move, keyword or nothing. Twice does no harm.

        A crash between copying and expunging leaves the mail flagged ``\\Deleted``: it is not copied again,
        only expunged. A crash between copying and flagging copies it twice, which IMAP without MOVE cannot
        prevent.
        """
        numbers = sorted({int(uid) for uid in uids})
        if self._settle is Settle.NONE or not numbers:
            return
        with self._conversation() as client:
            for chunk in _chunks(numbers):
                client._imap.allow(self._timing.command_seconds)
                if self._settle is Settle.KEYWORD:
                    self._flag(client, chunk)
                else:
                    self._move(client, chunk)

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep until the server rings (IDLE) or the time is over; ``True`` if it rang.

        Returns after ``idle_seconds`` at the latest, or ``poll_seconds`` where IDLE is missing, and soon after
        :meth:`interrupt`. Only a change in the number of mails is a ring.
        """
        with self._doorbell.listening() as interrupted, self._conversation() as client:
            if self._news.heard(client):
                return True
            if client.token is not None:
                timeout_seconds = min(timeout_seconds, max(client.token.renew_at - time.monotonic(), 0))
            if not self._news.idle_refused and client.has_capability("IDLE"):
                return self._news.idle(client, interrupted, min(timeout_seconds, self._timing.idle_seconds))
            return pause(interrupted, min(timeout_seconds, self._timing.poll_seconds))

    def interrupt(self) -> None:
        """Make a ``wait`` that runs in another thread, or the next one, return soon."""
        self._doorbell.ring()

    def close(self) -> None:
        """Log out politely if possible; never raises."""
        client, self._client = self._client, None
        if client is not None:
            log_out(client)

    def _renew_login(self) -> None:
        """Give up a connection whose token is due, once there is another token: until then it is still good."""
        client, tokens = self._client, self._tokens
        if client is None or tokens is None or client.token is None:
            return
        if time.monotonic() < client.token.renew_at:
            return
        try:
            token = tokens.token()
        except ServerAway as error:
            self._warn("login_not_renewed", error=str(error))
            # Servers differ in whether they hang up then; this one tells us if it does.
            client.token = replace(client.token, renew_at=time.monotonic() + _RENEW_AGAIN_SECONDS)
            return
        if token.value == client.token.value:
            client.token = token
        else:
            self.close()

    # --- errors ------------------------------------------------------------------------------------------

    @contextmanager
    def _conversation(self) -> Iterator[Any]:
        """Yield the client. Whatever goes wrong, the connection is in an unknown state and is given up."""
        client = self._client
        if client is None:
            raise ServerAway(f"IMAP server {self._server.host}: not connected")
        client._imap.allow(self._timing.command_seconds)
        try:
            yield client
        except BaseException as error:
            self._client = None
            discard(client)
            if isinstance(error, FAILURES) and not isinstance(error, MailbotError):
                client._imap.heed_farewell()
                if not isinstance(error, (imaplib.IMAP4.abort, ProtocolError)):
                    client._imap.heed(str(error))
                # The cause may quote a mail or an address: it goes no further.
                raise ServerAway(f"IMAP server {self._server.host}: {self._cause(client, error)}") from None
            raise

    def _cause(self, client: Any, error: BaseException) -> str:
        farewell = client._imap.untagged_responses.get("BYE")
        if farewell and isinstance(error, imaplib.IMAP4.error):
            return f"says goodbye: {readable_reply(farewell[-1].decode('latin-1'), self._server)}"
        return explain(error)

    def _warn(self, action: str, **ids: object) -> None:
        text, ids = action.replace("_", " "), {"mailbox": self._mailbox, "folder": self._folder, **ids}
        _log.warning(text, action=f"imap.{action}", **ids)

    # --- opening -----------------------------------------------------------------------------------------

    def _select(self, client: Any) -> dict[bytes, Any]:
        """Select the folder under the server's name for it; read-only where nothing may be written."""
        read_only = self._settle is Settle.NONE
        try:
            answer: dict[bytes, Any] = client.select_folder(self._folder, readonly=read_only)
        except imaplib.IMAP4.readonly:
            if self._settle is Settle.MOVE:
                raise ServerAway(f"IMAP server {self._server.host}: folder is read-only, no move") from None
            answer = client.select_folder(self._folder, readonly=True)
            self._keyword_kept = False
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            name = server_name(client, self._folder)
            if name == self._folder:
                reply = readable_reply(str(error), self._server)
                raise ServerAway(f"IMAP server {self._server.host}: folder not opened: {reply}") from None
            answer = client.select_folder(name, readonly=read_only)
        return answer

    def _state(self, client: Any, answer: dict[bytes, Any]) -> FolderState:
        exists, uid_validity, uid_next = (answer.get(key) for key in (b"EXISTS", b"UIDVALIDITY", b"UIDNEXT"))
        if not isinstance(exists, int) or not isinstance(uid_validity, int):
            raise ServerAway(f"IMAP server {self._server.host}: folder without EXISTS or UIDVALIDITY")
        if uid_validity != self._uid_validity:
            self._flagged_deleted.clear()
            self._listed.clear()
        self._uid_validity = uid_validity
        self._news.told = exists
        client._imap.untagged_responses.pop("EXISTS", None)
        # Where PERMANENTFLAGS is missing, everything can be stored (RFC 9051 §7.1).
        flags = {flag.lower() for flag in answer.get(b"PERMANENTFLAGS", (b"\\*",))}
        self._keyword_allowed = b"\\*" in flags or DONE.lower().encode() in flags
        newest = self._newest(client, exists) if exists else {}
        return FolderState(
            uid_validity=uid_validity,
            uid_next=uid_next if isinstance(uid_next, int) else int(newest.get(b"UID", 0)) + 1,
            newest_received_at=_received_at(newest) if exists else None,
            keeps_keywords=self._keyword_allowed and self._keyword_kept is not False,
        )

    @staticmethod
    def _newest(client: Any, exists: int) -> dict[bytes, Any]:
        """UID and INTERNALDATE of the last mail, by its number: no command of ours can have changed it yet."""
        client.use_uid = False
        try:
            answer: dict[int, dict[bytes, Any]] = client.fetch([exists], ["UID", "INTERNALDATE"])
        finally:
            client.use_uid = True
        return answer.get(exists, {})

    # --- reading -----------------------------------------------------------------------------------------

    def _search(self, client: Any, *criteria: str) -> list[int]:
        """UIDs that fit. Several SEARCH lines, or a MODSEQ at the end (RFC 7162), do no harm."""
        client._imap.allow(self._timing.command_seconds)
        status, lines = client._imap.uid("SEARCH", *criteria)
        if status != "OK":
            raise imaplib.IMAP4.error("SEARCH")
        words = [word for line in lines if line for word in line.partition(b"(")[0].split()]
        return [int(word) for word in words]

    def _entries(self, client: Any, uids: list[int]) -> Iterator[MailEntry]:
        answer = self._fetch_items(client, uids, ["INTERNALDATE", "RFC822.SIZE"])
        for uid in uids:
            size = answer.get(uid, {}).get(b"RFC822.SIZE")
            # Without a size it was expunged since the search.
            if isinstance(size, int):
                yield MailEntry(uid=str(uid), received_at=_received_at(answer[uid]), size_bytes=size)

    def _fetch_items(self, client: Any, uids: list[int], items: list[str]) -> dict[int, dict[bytes, Any]]:
        """One FETCH for all. Where the server says NO to it, one by one, so that one bad mail stops no other.

        A refused mail's items are all ``None``; if every mail is refused, the server's NO goes up. Mails that are
        gone meanwhile are left out.
        """
        try:
            return self._fetch_at_once(client, uids, items)
        except imaplib.IMAP4.error as error:
            if isinstance(error, (imaplib.IMAP4.abort, ProtocolError)):
                raise
        uids = self._still_there(client, uids)
        found: dict[int, dict[bytes, Any]] = {}
        keys = [item.replace(".PEEK", "").encode() for item in items]
        refused = 0
        for uid in uids:
            try:
                found |= self._fetch_at_once(client, [uid], items)
            except imaplib.IMAP4.error as error:
                refused += 1
                if isinstance(error, (imaplib.IMAP4.abort, ProtocolError)) or refused == len(uids):
                    raise
                found[uid] = dict.fromkeys(keys)
        return found

    def _still_there(self, client: Any, uids: Sequence[int]) -> list[int]:
        """Which of these mails nobody has expunged or moved away."""
        if not uids:
            return []
        # What it tells of new mail stays to be noted by whoever waits next.
        client.noop()
        return sorted(set(uids) & set(self._search(client, "UID", _uid_set(uids))))

    def _fetch_at_once(self, client: Any, uids: list[int], items: list[str]) -> dict[int, dict[bytes, Any]]:
        client._imap.allow(self._timing.command_seconds)
        answer: dict[int, dict[bytes, Any]] = client.fetch(uids, items)
        return answer

    def _fetched(self, uid: int, items: dict[bytes, Any], key: bytes, header_only: bool) -> FetchedMail:
        size = items.get(b"RFC822.SIZE")
        return FetchedMail(
            mailbox=self._mailbox,
            folder=self._folder,
            uid=str(uid),
            uid_validity=self._uid_validity,
            received_at=_received_at(items),
            raw=items[key],
            oversize_bytes=int(size) if header_only and size is not None else None,
        )

    # --- settling ----------------------------------------------------------------------------------------

    def _flag(self, client: Any, uids: list[int]) -> None:
        """Set the keyword, and look once whether it stays: servers exist that say OK and drop it."""
        if self._keyword_allowed and self._keyword_kept is not False:
            try:
                client.add_flags(uids, [DONE.encode()], silent=True)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error:
                self._keyword_kept = False
        if self._keyword_kept is None and self._keyword_allowed:
            marked = self._search(client, "UID", _uid_set(uids), "KEYWORD", DONE)
            # Mails that are gone prove nothing.
            if marked or self._search(client, "UID", _uid_set(uids)):
                self._keyword_kept = bool(marked)
        if not (self._keyword_allowed and self._keyword_kept is not False) and not self._keyword_warned:
            self._keyword_warned = True
            self._warn("keyword_not_kept")

    def _move(self, client: Any, uids: list[int]) -> None:
        self._news.told = None
        if client.has_capability("MOVE"):
            self._into_processed_folder(client, client.move, uids)
            return
        # What is flagged already was copied before a crash, or thrown away by a person.
        present = self._search(client, "UID", _uid_set(uids), "UNDELETED")
        if present:
            self._into_processed_folder(client, client.copy, present)
            client.add_flags(present, [rb"\Deleted"], silent=True)
        flagged = self._search(client, "UID", _uid_set(uids), "DELETED")
        if flagged and client.has_capability("UIDPLUS"):
            client.uid_expunge(flagged)
        elif flagged:
            self._flagged_deleted.update(flagged)
            # EXPUNGE takes everything that is flagged: only where all of it is ours.
            if set(self._search(client, "DELETED")) <= self._flagged_deleted:
                client.expunge()
                self._flagged_deleted.clear()

    def _into_processed_folder(
        self, client: Any, act: Callable[[Sequence[int], str], object], uids: Sequence[int]
    ) -> None:
        """Move or copy. Where the server refuses, the folder may be missing: make it and try again. If it still
        refuses, some mails may be gone, for which Exchange refuses them all: try with those that are there."""
        target = self._target or server_name(client, self._processed_folder)
        self._target = target
        if succeeds(partial(act, uids, target)):
            return
        self._target = make_folder(client, target)
        if succeeds(partial(act, uids, self._target)):
            return
        present = self._still_there(client, uids)
        if present:
            act(present, self._target)


def _received_at(items: dict[bytes, Any]) -> datetime:
    """INTERNALDATE in UTC. A date that cannot be read counts as now: a mail must not look older than it is."""
    date = items.get(b"INTERNALDATE")
    if isinstance(date, datetime):
        with suppress(ValueError, OverflowError):
            return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    return datetime.now(UTC)


def _uid_set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def _chunks(uids: list[int]) -> Iterator[list[int]]:
    return (uids[start : start + _CHUNK] for start in range(0, len(uids), _CHUNK))
