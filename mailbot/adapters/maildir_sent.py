"""The Sent folder of a Maildir: the Maildir++ folder ``.Sent`` or another, read, and given our letters' copies."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mailbot.adapters.maildir import MaildirSource, disk_errors, folder_name
from mailbot.domain.errors import FolderMissing
from mailbot.domain.exchange import FolderState, SentCopy
from mailbot.domain.mailbox import SENT_FOLDER, Settle

_USUAL_NAME = "Sent"


class MaildirSentFolder(MaildirSource):
    """The Sent folder below one Maildir (:class:`mailbot.flows.ports.SentFolder`), for one thread.

    ``folder`` is its name with ``/`` between levels, ``None`` is ``Sent``. Nothing that lies in it is touched.
    """

    def __init__(self, *, mailbox: str, path: Path, folder: str | None, scan_seconds: float = 1.0) -> None:
        self._name = folder or _USUAL_NAME
        super().__init__(
            mailbox=mailbox,
            path=path / folder_name(self._name),
            settle=Settle.NONE,
            folder=SENT_FOLDER,
            scan_seconds=scan_seconds,
        )

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._name

    def open(self) -> FolderState:
        """Look whether the folder is there. Raises ``FolderMissing``."""
        if not (self._path / "cur").is_dir():
            raise FolderMissing(f"Maildir: no folder {self._name}")
        return super().open()

    def save(self, copy: SentCopy) -> bool:
        """Put the copy in, marked as read, unless it lies there; true if it was put in.

        The file is named after the letter, so that a second copy would be the same file.
        """
        name = (
            f"{int(copy.sent_at.timestamp())}.mailbot-{hashlib.sha256(copy.message_id.encode()).hexdigest()[:32]}"
        )
        with disk_errors(self._path):
            if any(uid == name for uid, _ in self._entries()):
                return False
            temporary = self._path / "tmp" / name
            temporary.parent.mkdir(mode=0o700, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(copy.message)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o600)
            os.utime(temporary, (copy.sent_at.timestamp(),) * 2)
            temporary.rename(self._path / "cur" / f"{name}:2,S")
        return True

    def _changed_at(self) -> int | None:
        """Mail programs put what they sent into ``cur`` at once; what we put there ourselves is no news."""
        return self._settled_time(max((self._path / name).stat().st_mtime_ns for name in ("new", "cur")))
