"""What the files of one mail say, read when somebody asks: ``files -> DocumentReading``, within a budget.

A mail with many slow files must not keep others waiting: what the budget does not reach is *not checked*, for a
person, and is read another time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from mailbot.domain.events import StoredFile
from mailbot.domain.evidence import DocumentKind, DocumentReading
from mailbot.domain.mail import Attachment, InboundMail
from mailbot.evidence.assess import FileToAssess
from mailbot.evidence.reading import is_opened, is_to_be_kept, not_read
from mailbot.flows.ports import DocumentReader

MOST_PDFS = 40
LAST_BEGIN_SECONDS = 20.0
"""So long new files are begun; with the reader's limit of 30 s for the last one, a mail takes at most 50 s."""


class MailReadings:
    """Reads a mail's files, each once; kept readings are not made again.

    ``files`` are the mail's attachments as stored, in order; ``kept`` gives the readings of these digests that
    are kept.
    """

    def __init__(
        self,
        mail: InboundMail,
        files: Sequence[StoredFile],
        *,
        kept: Callable[[Sequence[str]], Sequence[DocumentReading]],
        reader: DocumentReader,
    ) -> None:
        self._pairs = tuple(zip(mail.attachments, files, strict=True))
        self._kept = kept
        self._reader = reader
        self._budget = _Budget()
        self._by_digest: dict[str, DocumentReading] = {}
        self._made: list[DocumentReading] = []

    @property
    def made(self) -> tuple[DocumentReading, ...]:
        """New readings that are worth keeping."""
        return tuple(reading for reading in self._made if is_to_be_kept(reading))

    @property
    def can_tell_kinds(self) -> bool:
        """Whether any file is of a sort that can be told what it is."""
        return any(is_opened(attachment.content, attachment.media_type) for attachment, _ in self._pairs)

    def kinds(self) -> frozenset[DocumentKind]:
        """What the files certainly are."""
        self._read_all()
        found = {reading.kind for reading in self._by_digest.values()}
        return frozenset(found - {DocumentKind.UNKNOWN, DocumentKind.OTHER})

    def files(self, *, read: bool) -> tuple[FileToAssess, ...]:
        """The files with their readings; where nothing asks for documents they stay unread."""
        if read:
            self._read_all()
        return tuple(
            FileToAssess(
                digest=file.digest,
                attachment=attachment,
                reading=self._by_digest.get(file.digest),
            )
            for attachment, file in self._pairs
        )

    def _read_all(self) -> None:
        missing = [file.digest for _, file in self._pairs if file.digest not in self._by_digest]
        if not missing:
            return
        for reading in self._kept(missing):
            self._by_digest[reading.digest] = reading
        for attachment, file in self._pairs:
            if file.digest not in self._by_digest:
                reading = self._read(file.digest, attachment)
                self._by_digest[file.digest] = reading
                self._made.append(reading)

    def _read(self, digest: str, attachment: Attachment) -> DocumentReading:
        if is_opened(attachment.content, attachment.media_type) and not self._budget.take():
            return not_read(digest)
        return self._reader.read(digest, attachment.content, attachment.media_type, attachment.filename)


class _Budget:
    """PDFs that may still be read for one mail; its time begins with the first."""

    def __init__(self) -> None:
        self._left = MOST_PDFS
        self._began: float | None = None

    def take(self) -> bool:
        """Whether one more may be begun now."""
        now = monotonic()
        if self._began is None:
            self._began = now
        if self._left <= 0 or now - self._began >= LAST_BEGIN_SECONDS:
            return False
        self._left -= 1
        return True
