"""A Sent folder in memory, as IMAP has them, and mails that people write from the shared mailbox."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage

from mailbot.domain.errors import CopyRefused, FolderMissing, ServerAway
from mailbot.domain.exchange import FolderState, MailEntry, SentCopy
from mailbot.domain.mail import FetchedMail
from mailbot.flows.compositor import Compositor
from mailbot.flows.pulse import Pulse
from mailbot.flows.sent_folder import SentFolderKeeper, SentPlan
from tests.flows.house import CUSTOMER, MAILBOX, TestHouse

_NUMBERS = itertools.count(1)


def written(
    text: str = "Pode mandar a CNH por foto mesmo.",
    *,
    to: str = CUSTOMER,
    cc: str = "",
    sender: str = f"Central <{MAILBOX}>",
    subject: str = "Re: ALTERAÇÃO DE LOCAL",
    replies_to: str = "",
    message_id: str = "",
    files: Sequence[tuple[str, bytes]] = (),
    headers: Sequence[tuple[str, str]] = (),
) -> bytes:
    """What a webmail keeps of a mail that somebody wrote from the shared mailbox."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    if cc:
        message["Cc"] = cc
    message["Subject"] = subject
    message["Date"] = "Mon, 23 Nov 2026 12:05:00 -0300"
    message["Message-ID"] = f"<{message_id or f'webmail.{next(_NUMBERS)}@example.com.br'}>"
    if replies_to:
        message["In-Reply-To"] = f"<{replies_to}>"
        message["References"] = f"<{replies_to}>"
    for name, value in headers:
        message[name] = value
    message.set_content(text)
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()


class FakeSentFolder:
    """Mails by UID. ``fails`` is raised by the next call of the named method; ``refuses`` by every save."""

    def __init__(self) -> None:
        self.uid_validity = 7
        self.mails: dict[int, tuple[bytes, datetime]] = {}
        self.fetched: list[tuple[tuple[str, ...], bool]] = []
        self.saved: list[SentCopy] = []
        self.missing = False
        self.refuses = ""
        self.away = False
        self.is_open = False
        self.size_bytes: int | None = None

    # --- people ---

    def add(self, raw: bytes, *, at: datetime | None = None) -> str:
        """Somebody sends a mail, or drags one in; its UID."""
        uid = max(self.mails, default=0) + 1
        self.mails[uid] = (raw, at or datetime.now(UTC))
        return str(uid)

    # --- the protocol ---

    @property
    def name(self) -> str:
        """Its name."""
        return "Sent"

    def open(self) -> FolderState:
        """See ``ports.py``, like all that follows."""
        if self.away:
            raise ServerAway("IMAP server mail.example.com.br: no answer in time")
        if self.missing:
            raise FolderMissing("IMAP server mail.example.com.br: no folder")
        self.is_open = True
        return FolderState(uid_validity=self.uid_validity, uid_next=max(self.mails, default=0) + 1)

    def list_mails(self, first_uid: int) -> list[MailEntry]:
        return [
            MailEntry(uid=str(uid), received_at=at, size_bytes=self.size_bytes or len(raw))
            for uid, (raw, at) in sorted(self.mails.items())
            if uid >= first_uid
        ]

    def fetch(self, uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        self.fetched.append((tuple(uids), header_only))
        return [
            FetchedMail(
                mailbox="default",
                folder="Sent",
                uid=uid,
                uid_validity=self.uid_validity,
                received_at=self.mails[int(uid)][1],
                raw=self._part(self.mails[int(uid)][0], header_only),
                oversize_bytes=len(self.mails[int(uid)][0]) if header_only else None,
            )
            for uid in uids
            if int(uid) in self.mails
        ]

    @staticmethod
    def _part(raw: bytes, header_only: bool) -> bytes:
        return raw.partition(b"\n\n")[0] + b"\n\n" if header_only else raw

    def settle(self, uids: Sequence[str]) -> None:
        raise AssertionError(f"nothing in the Sent folder is settled: {uids}")

    def save(self, copy: SentCopy) -> bool:
        if self.away:
            raise ServerAway("IMAP server mail.example.com.br: connection broke off")
        if self.refuses:
            raise CopyRefused(self.refuses)
        if any(copy.message_id.encode() in raw.partition(b"\r\n\r\n")[0] for raw, _ in self.mails.values()):
            return False
        self.saved.append(copy)
        self.add(copy.message, at=copy.sent_at)
        return True

    def wait(self, timeout_seconds: float) -> bool:
        del timeout_seconds
        return False

    def interrupt(self) -> None:
        return

    def close(self) -> None:
        self.is_open = False


def keeper_of(
    house: TestHouse,
    folder: FakeSentFolder,
    *,
    watches: bool = True,
    saves: bool = True,
    owner: str = "me",
    pulse: Pulse | None = None,
) -> SentFolderKeeper:
    """Looks after ``folder`` for the house's mailbox; what lies there at first contact counts."""
    app = house.app
    return SentFolderKeeper(
        plan=SentPlan(
            owner=owner,
            mailbox=app.mailboxes["default"],
            watches=watches,
            saves=saves,
            inbound_folders=("INBOX",),
            since="all",
        ),
        folder=folder,
        storage=app.storage,
        blobs=app.blobs,
        reader=app.reader,
        shared_mailbox=app.shared_mailbox,
        compositor=Compositor(blobs=app.blobs, secret_key=app.settings.require_secret_key()),
        pulse=pulse,
    )
