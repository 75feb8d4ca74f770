"""A Maildir as a MailSource: the base name before ``:`` is the UID, the file's time the time of arrival."""

from __future__ import annotations

import base64
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mailbot.domain.errors import ServerAway
from mailbot.domain.exchange import FolderState, MailEntry
from mailbot.domain.mail import FetchedMail
from mailbot.domain.mailbox import Settle

_SCAN_SECONDS = 1.0
_HEADER_LIMIT_BYTES = 1 << 20
_HEADER_END = re.compile(rb"\r?\n\r?\n")
# File times advance in steps of the kernel's tick: younger than this, a folder may change unseen.
_UNCERTAIN_NANOSECONDS = 20_000_000


class MaildirSource:
    """One Maildir (:class:`mailbot.flows.ports.MailSource`), for one thread.

    ``Settle.MOVE`` moves files into the Maildir++ folder ``processed_folder`` beside ``new`` and ``cur``, made
    if missing. A Maildir has no keywords: ``KEYWORD`` does nothing, like ``NONE``. ``folder`` is only the name
    that fetched mails carry.
    """

    def __init__(
        self,
        *,
        mailbox: str,
        path: Path,
        settle: Settle,
        processed_folder: str = "Processados",
        folder: str = "INBOX",
        scan_seconds: float = _SCAN_SECONDS,
    ) -> None:
        self._mailbox = mailbox
        self._path = path
        self._settle = settle
        self._processed = path / folder_name(processed_folder)
        self._folder = folder
        self._scan_seconds = scan_seconds
        self._interrupted = threading.Event()
        # When new/ last changed before it was listed; None where a change may have gone unseen.
        self._listed_at: int | None = None

    def open(self) -> FolderState:
        """Look whether the Maildir is there. ``uid_validity`` is 0 and ``uid_next`` 1, always."""
        with disk_errors(self._path):
            times = [entry.stat().st_mtime for _, entry in self._entries()]
        return FolderState(uid_validity=0, uid_next=1, newest_received_at=_utc(max(times)) if times else None)

    def list_mails(self, first_uid: int) -> list[MailEntry]:  # noqa: ARG002  # a Maildir has no order of UIDs
        """All mails in ``new`` and ``cur`` except those flagged as trashed (T), oldest first."""
        with disk_errors(self._path):
            self._listed_at = self._changed_at()
            found: dict[str, MailEntry] = {}
            for uid, entry in self._entries():
                # Another program may move or remove it while we look.
                try:
                    facts = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                found[uid] = MailEntry(uid=uid, received_at=_utc(facts.st_mtime), size_bytes=facts.st_size)
        return sorted(found.values(), key=lambda mail: (mail.received_at, mail.uid))

    def fetch(self, uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        """The files' bytes as they are, line ends too; what is gone meanwhile is left out.

        With ``header_only`` the bytes up to the first empty line (1 MiB at most) and ``oversize_bytes`` with
        the file's size.
        """
        with disk_errors(self._path):
            mails: dict[str, FetchedMail] = {}
            # A second look finds what another program renamed (new → cur, other flags) during the first.
            for _ in range(2):
                places = self._places({uid for uid in uids if uid not in mails})
                for uid, path in places.items():
                    mail = self._read(uid, path, header_only=header_only)
                    if mail is not None:
                        mails[uid] = mail
                if len(mails) == len(places):
                    break
        return [mails[uid] for uid in uids if uid in mails]

    def settle(self, uids: Sequence[str]) -> None:
        """Move the mails out of the way, or do nothing at all; mails that are gone are no error."""
        if self._settle is not Settle.MOVE or not uids:
            return
        with disk_errors(self._path):
            self._make_processed()
            for uid, path in self._places(set(uids)).items():
                info = path.name.partition(":")[2] or "2,"
                try:
                    path.rename(self._free_name(uid, info))
                except FileNotFoundError:
                    continue

    def wait(self, timeout_seconds: float) -> bool:
        """Look at ``new`` once a second until it changed since the last listing, or the time is over."""
        give_up_at = time.monotonic() + timeout_seconds
        try:
            while True:
                with disk_errors(self._path):
                    if self._listed_at is None or self._changed_at() != self._listed_at:
                        return True
                remaining = give_up_at - time.monotonic()
                if remaining <= 0 or self._interrupted.wait(min(remaining, self._scan_seconds)):
                    return False
        finally:
            self._interrupted.clear()

    def interrupt(self) -> None:
        """Make a ``wait`` that runs in another thread, or the next one, return soon."""
        self._interrupted.set()

    def close(self) -> None:
        """Nothing is held open."""

    def _entries(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        for name in ("new", "cur"):
            with os.scandir(self._path / name) as entries:
                for entry in entries:
                    uid, _, info = entry.name.partition(":")
                    if not uid.startswith(".") and not _trashed(info) and entry.is_file(follow_symlinks=False):
                        yield uid, entry

    def _places(self, wanted: set[str]) -> dict[str, Path]:
        return {uid: Path(entry.path) for uid, entry in self._entries() if uid in wanted} if wanted else {}

    def _changed_at(self) -> int | None:
        return self._settled_time((self._path / "new").stat().st_mtime_ns)

    @staticmethod
    def _settled_time(changed_at: int) -> int | None:
        return changed_at if abs(time.time_ns() - changed_at) > _UNCERTAIN_NANOSECONDS else None

    def _read(self, uid: str, path: Path, *, header_only: bool) -> FetchedMail | None:
        try:
            with path.open("rb") as file:
                facts = os.fstat(file.fileno())
                raw = _header(file.read(_HEADER_LIMIT_BYTES)) if header_only else file.read()
        except FileNotFoundError:
            return None
        return FetchedMail(
            mailbox=self._mailbox,
            folder=self._folder,
            uid=uid,
            uid_validity=0,
            received_at=_utc(facts.st_mtime),
            raw=raw,
            oversize_bytes=facts.st_size if header_only else None,
        )

    def _make_processed(self) -> None:
        if (self._processed / "maildirfolder").exists():
            return
        for name in ("", "tmp", "new", "cur"):
            (self._processed / name).mkdir(mode=0o700, exist_ok=True)
        # Maildir++: delivery agents know a subfolder by this file.
        (self._processed / "maildirfolder").touch(mode=0o600)

    def _free_name(self, uid: str, info: str) -> Path:
        """A name in ``cur`` that takes nobody's place: a copy dragged back may bear a known one."""
        target = self._processed / "cur" / f"{uid}:{info}"
        taken = {entry.name.partition(":")[0] for entry in os.scandir(target.parent)} if target.exists() else ()
        number = 1
        name = uid
        while name in taken:
            number += 1
            name = f"{uid}.{number}"
        return target.with_name(f"{name}:{info}")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """A Maildir that cannot be read or written is a server that is away."""
    try:
        yield
    except OSError as error:
        # The error itself holds the whole path, which often has an address in it.
        raise ServerAway(f"Maildir {path.name}: {error.strerror or type(error).__name__}") from None


def folder_name(name: str) -> str:
    """Name on disk of a Maildir++ folder: a dot before each level, letters beyond ASCII in modified UTF-7."""
    if not name.strip("/.") or "\0" in name:
        raise ValueError("the folder for processed mails needs a name")
    encoded = re.sub(r"[^\x20-\x7e]+|&", lambda match: _modified_utf7(match[0]), name)
    return "." + encoded.strip("/").replace("/", ".")


def _modified_utf7(text: str) -> str:
    """RFC 3501 §5.1.3."""
    if text == "&":
        return "&-"
    coded = base64.b64encode(text.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
    return f"&{coded.decode('ascii')}-"


def _trashed(info: str) -> bool:
    return info.startswith("2,") and "T" in info


def _header(beginning: bytes) -> bytes:
    end = _HEADER_END.search(beginning)
    return beginning[: end.end()] if end else beginning


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
