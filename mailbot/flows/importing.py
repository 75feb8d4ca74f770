"""IMPORT. Kept mails come into the ledger as if collected, then through the same intake: ``bytes ─▶ outcomes``.

A mail is known by its bytes and, at intake, by its Message-ID and content, so that importing again, after an
interruption or by mistake, does nothing twice and takes up what is not finished.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mailbot.domain.ledger import MailOutcome, NewInboundMail, conversation_key
from mailbot.flows.intake import Intake
from mailbot.flows.ports import BlobStore, Storage
from mailbot.mime.parse import header_summary

IMPORT_FOLDER = "import"
"""The folder that imported mails are said to lie in."""

_PENDING = MailOutcome.PENDING
_POLL_SECONDS = 0.2
# Longer than a claim lasts: what a dead process of another host had in hand is free by then.
_GIVE_UP_SECONDS = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailToImport:
    """A mail's bytes; ``oversize_bytes`` is its true size where they are only its header."""

    raw: bytes
    received_at: datetime
    oversize_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCount:
    """What an import came to. ``imported``: came in anew; ``processed``: brought to an end in this run, known
    ones of other Message-IDs among them."""

    imported: int
    duplicates: int
    processed: int
    quarantined: int
    tickets_opened: int


class Importer:
    """Imports into one mailbox. ``answer``: whether letters may follow."""

    def __init__(self, *, storage: Storage, blobs: BlobStore, intake: Intake, mailbox: str, answer: bool) -> None:
        self._storage = storage
        self._blobs = blobs
        self._intake = intake
        self._mailbox = mailbox
        self._answer = answer
        self._new: dict[int, None] = {}
        self._resumed: dict[int, None] = {}
        self._known = 0

    def keep(self, mails: Sequence[MailToImport]) -> None:
        """Store mails durably; each gets its place in the line. Raises ``StorageUnavailable``."""
        digests = self._blobs.put_many([mail.raw for mail in mails])
        rows = [self._row(mail, digest) for mail, digest in zip(mails, digests, strict=True)]
        with self._storage.write() as work:
            added = set(work.mails.add(rows, now=datetime.now(UTC)))
            ids = work.mails.ids_of(self._mailbox, IMPORT_FOLDER, 0, digests)
            outcomes = work.mails.outcomes(list(ids.values()))
        self._new.update(dict.fromkeys(sorted(added)))
        for digest in digests:
            mail_id = ids[digest]
            if mail_id in added:
                # Met for the first time; the same bytes once more are a duplicate.
                added.remove(mail_id)
            elif mail_id not in self._new and mail_id not in self._resumed and outcomes[mail_id] is _PENDING:
                self._resumed[mail_id] = None
            else:
                self._known += 1

    def _row(self, mail: MailToImport, digest: str) -> NewInboundMail:
        header = header_summary(mail.raw)
        return NewInboundMail(
            mailbox=self._mailbox,
            folder=IMPORT_FOLDER,
            uid_validity=0,
            uid=digest,
            received_at=mail.received_at,
            raw_digest=digest,
            size_bytes=len(mail.raw),
            oversize_bytes=mail.oversize_bytes,
            conversation_key=conversation_key(header.sender.address, header.message_id, digest),
            message_id=header.message_id,
            from_address=header.sender.address,
            subject=header.subject,
            answer=self._answer,
        )

    @property
    def to_process(self) -> int:
        """How many mails wait for :meth:`process`."""
        return len(self._new) + len(self._resumed)

    def process(self, done: Callable[[int], None]) -> ImportCount:
        """Bring all kept mails to their end, in order; ``done`` is told of each. Raises ``StorageUnavailable``.

        What a running daemon takes is waited for; what stays in its hands is left to it.
        """
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < _GIVE_UP_SECONDS:
            if self._intake.process_next(early=True) is not None:
                done(1)
                quiet_since = time.monotonic()
            elif self.left_over():
                threading.Event().wait(_POLL_SECONDS)
            else:
                break
        self._intake.stop()
        return self._count()

    def left_over(self) -> int:
        """How many of the kept mails another process still has in hand. Raises ``StorageUnavailable``."""
        return list(self._outcomes().values()).count(_PENDING)

    def _outcomes(self) -> dict[int, MailOutcome]:
        with self._storage.read() as work:
            return work.mails.outcomes([*self._new, *self._resumed])

    def _count(self) -> ImportCount:
        outcomes = self._outcomes()
        ends = [outcome for outcome in outcomes.values() if outcome is not _PENDING]
        again = {one for one, outcome in outcomes.items() if outcome is MailOutcome.DUPLICATE}
        return ImportCount(
            imported=sum(one not in again for one in self._new),
            duplicates=self._known + len(again),
            processed=len(ends),
            quarantined=ends.count(MailOutcome.QUARANTINED),
            tickets_opened=ends.count(MailOutcome.TICKET),
        )
