"""What the flows need from the outside, as Protocols: mail servers, clock, files, child process, storage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from mailbot.domain.exchange import Envelope, FolderState, MailEntry, SendOutcome
from mailbot.domain.mail import FetchedMail, InboundMail


class Clock(Protocol):
    """The business clock."""

    def now(self) -> datetime:
        """Aware UTC time."""
        ...


class MailSource(Protocol):
    """One folder of one mailbox, on IMAP or as a Maildir. Used by one thread only.

    Every method raises :class:`mailbot.domain.errors.ServerAway` (or ``CredentialsRefused``) when the server
    cannot be reached, breaks off or stays silent beyond the socket's time limit; afterwards ``open`` starts
    anew. No method sends a string that a sender of mail controls.
    """

    def open(self) -> FolderState:
        """Connect if needed, select the folder (again) and say how it stands now."""
        ...

    def list_mails(self, first_uid: int) -> list[MailEntry]:
        """All mails with a UID of at least ``first_uid``, oldest first, those already settled left out."""
        ...

    def fetch(self, uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        """The mails' bytes, without touching any flag; mails that are gone meanwhile are left out.

        A literal shorter than announced is never returned.
        """
        ...

    def settle(self, uids: Sequence[str]) -> None:
        """Mark the mails as taken (move, keyword or nothing, as configured); to do it twice does no harm."""
        ...

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep until the server rings (IDLE) or the time is over; ``True`` if it rang."""
        ...

    def interrupt(self) -> None:
        """Make a ``wait`` that runs in another thread return soon. The one method for other threads."""
        ...

    def close(self) -> None:
        """Log out politely if possible; never raises."""
        ...


class LetterTransport(Protocol):
    """Brings one envelope to the submission server over one of a few kept connections."""

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> SendOutcome:
        """Try once. ``before_data`` is awaited after the server took sender and recipient, just before DATA;
        if it raises, the transaction is reset, nothing is transmitted and its exception passes through."""
        ...

    async def close(self) -> None:
        """Quit every connection; never raises."""
        ...


class MailReader(Protocol):
    """Bytes to values, with limits."""

    def read(self, raw: bytes) -> InboundMail:
        """Raises ``UnreadableMail`` or ``MailTooLarge``; never anything else for whatever bytes."""
        ...


class BlobStore(Protocol):
    """Files named by a keyed digest."""

    def put(self, content: bytes) -> str:
        """Store durably (fsynced) and return the digest; storing the same bytes twice keeps one file."""
        ...

    def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """Like ``put`` for several, durable together."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes; raises ``StorageUnavailable`` if they cannot be read."""
        ...
