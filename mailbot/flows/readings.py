"""What the files of one mail say, read when somebody asks: ``files -> DocumentReading``.

What need not be opened is told at once; the rest goes to a reading desk, up to so many files a mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mailbot.domain.events import StoredFile
from mailbot.domain.evidence import DocumentKind, DocumentReading
from mailbot.domain.mail import Attachment, InboundMail
from mailbot.evidence.assess import FileToAssess, is_decoration
from mailbot.evidence.opened_types import is_opened
from mailbot.evidence.reading import is_to_be_kept, not_read, read_document
from mailbot.flows.reading_desk import FileToRead, file_to_read

MOST_FILES = 40
"""So many files of a mail are opened."""


class FileReadings(Protocol):
    """Reads files, each with its limits."""

    def read_all(self, files: Sequence[FileToRead]) -> Sequence[DocumentReading]:
        """The readings of ``files``, in any order; what could not be read is ``NOT_CHECKED``.

        Raises nothing but, where mails can be parked, ``WaitsForReading``.
        """
        ...


class PastReadings(Protocol):
    """What was read before."""

    def readings(self, digests: Sequence[str]) -> Sequence[DocumentReading]:
        """The readings of these files that are kept."""
        ...

    def close_for_now(self) -> None:
        """Whatever is open from one question to the next is closed: now files are read, which may take long."""
        ...


class MailReadings:
    """Reads a mail's files, each once; what is kept in ``past`` is not read again.

    ``files`` are the mail's attachments as stored, in order. One of more than ``most_bytes``, which no request
    type takes, is not opened: it is refused for its size whatever is in it.
    """

    def __init__(
        self,
        mail: InboundMail,
        files: Sequence[StoredFile],
        *,
        past: PastReadings,
        most_bytes: int,
        file_readings: FileReadings,
    ) -> None:
        self._pairs = tuple(zip(mail.attachments, files, strict=True))
        self._past = past
        self._most_bytes = most_bytes
        self._file_readings = file_readings
        self._by_digest: dict[str, DocumentReading] = {}
        self._made: list[DocumentReading] = []

    @property
    def made(self) -> tuple[DocumentReading, ...]:
        """New readings that are worth keeping."""
        return tuple(reading for reading in self._made if is_to_be_kept(reading))

    @property
    def can_tell_kinds(self) -> bool:
        """Whether any file is of a sort that can be told what it is."""
        return any(self._is_to_be_opened(attachment) for attachment, _ in self._pairs)

    def kinds(self) -> frozenset[DocumentKind]:
        """What the files certainly are."""
        self._read_all()
        found = {reading.kind for reading in self._by_digest.values()}
        found |= {part.kind for reading in self._by_digest.values() for part in reading.parts}
        return frozenset(found - {DocumentKind.UNKNOWN, DocumentKind.OTHER})

    def files(self, *, read: bool, most_bytes: int | None = None) -> tuple[FileToAssess, ...]:
        """The files with their readings. Where nothing asks for documents they stay unread, and so does what has
        more than ``most_bytes``: the type of the request does not take it."""
        if read:
            self._read_all(most_bytes)
        return tuple(
            FileToAssess(
                digest=file.digest,
                attachment=attachment,
                reading=self._by_digest.get(file.digest),
            )
            for attachment, file in self._pairs
        )

    def _read_all(self, most_bytes: int | None = None) -> None:
        missing = {
            file.digest: attachment
            for attachment, file in self._pairs
            if file.digest not in self._by_digest and (most_bytes is None or attachment.size_bytes <= most_bytes)
        }
        if not missing:
            return
        for reading in self._past.readings(list(missing)):
            self._by_digest[reading.digest] = reading
            del missing[reading.digest]
        for reading in self._read(missing):
            self._by_digest[reading.digest] = reading
            self._made.append(reading)

    def _read(self, missing: dict[str, Attachment]) -> list[DocumentReading]:
        to_open = [digest for digest, attachment in missing.items() if self._is_to_be_opened(attachment)]
        asked = [_to_read(digest, missing[digest]) for digest in to_open[:MOST_FILES]]
        if asked:
            self._past.close_for_now()
        return [
            *(_told_at_once(digest, missing[digest]) for digest in missing if digest not in set(to_open)),
            *(self._file_readings.read_all(asked) if asked else ()),
            *(not_read(digest) for digest in to_open[MOST_FILES:]),
        ]

    def _is_to_be_opened(self, attachment: Attachment) -> bool:
        """Logos of signatures and tracking pixels are no documents whatever is on them."""
        is_small_enough = attachment.size_bytes <= self._most_bytes
        is_readable = is_small_enough and is_opened(attachment.content, attachment.media_type)
        return is_readable and not is_decoration(attachment)


def _to_read(digest: str, attachment: Attachment) -> FileToRead:
    return file_to_read(digest, attachment.content, attachment.media_type, attachment.filename)


def _told_at_once(digest: str, attachment: Attachment) -> DocumentReading:
    if is_opened(attachment.content, attachment.media_type):
        return not_read(digest)
    return read_document(digest, attachment.content, attachment.media_type, attachment.filename)
