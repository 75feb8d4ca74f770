"""What the files of one mail say, read when somebody asks: ``files -> DocumentReading``.

What need not be opened is told at once; the rest goes to a reading desk, up to so many files a mail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from mailbot.domain.events import StoredFile
from mailbot.domain.evidence import DocumentKind, DocumentReading
from mailbot.domain.mail import Attachment, InboundMail
from mailbot.evidence.assess import FileToAssess, is_decoration
from mailbot.evidence.reading import is_opened, is_to_be_kept, not_read, read_document
from mailbot.flows.reading_desk import FileToRead, file_to_read

MOST_FILES = 40
"""So many files of a mail are opened."""


class FileReadings(Protocol):
    """Reads files, each with its limits."""

    def read_all(self, files: Sequence[FileToRead]) -> Sequence[DocumentReading]:
        """The readings of ``files``, in any order; what could not be read is ``NOT_CHECKED``.

        Raises nothing but, where mails can be put aside, ``WaitsForReading``.
        """
        ...


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
        reader: FileReadings,
    ) -> None:
        self._pairs = tuple(zip(mail.attachments, files, strict=True))
        self._kept = kept
        self._reader = reader
        self._by_digest: dict[str, DocumentReading] = {}
        self._made: list[DocumentReading] = []

    @property
    def made(self) -> tuple[DocumentReading, ...]:
        """New readings that are worth keeping."""
        return tuple(reading for reading in self._made if is_to_be_kept(reading))

    @property
    def can_tell_kinds(self) -> bool:
        """Whether any file is of a sort that can be told what it is."""
        return any(_is_to_be_opened(attachment) for attachment, _ in self._pairs)

    def kinds(self) -> frozenset[DocumentKind]:
        """What the files certainly are."""
        self._read_all()
        found = {reading.kind for reading in self._by_digest.values()}
        found |= {part.kind for reading in self._by_digest.values() for part in reading.parts}
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
        missing = {
            file.digest: attachment for attachment, file in self._pairs if file.digest not in self._by_digest
        }
        if not missing:
            return
        for reading in self._kept(list(missing)):
            self._by_digest[reading.digest] = reading
            missing.pop(reading.digest, None)
        for reading in self._read(missing):
            self._by_digest[reading.digest] = reading
            self._made.append(reading)

    def _read(self, missing: dict[str, Attachment]) -> list[DocumentReading]:
        to_open = [digest for digest, attachment in missing.items() if _is_to_be_opened(attachment)]
        asked = [
            file_to_read(digest, missing[digest].content, missing[digest].media_type, missing[digest].filename)
            for digest in to_open[:MOST_FILES]
        ]
        return [
            *(_told_at_once(digest, missing[digest]) for digest in missing if digest not in set(to_open)),
            *(self._reader.read_all(asked) if asked else ()),
            *(not_read(digest) for digest in to_open[MOST_FILES:]),
        ]


def _is_to_be_opened(attachment: Attachment) -> bool:
    """Logos of signatures and tracking pixels are no documents whatever is on them."""
    return is_opened(attachment.content, attachment.media_type) and not is_decoration(attachment)


def _told_at_once(digest: str, attachment: Attachment) -> DocumentReading:
    if is_opened(attachment.content, attachment.media_type):
        return not_read(digest)
    return read_document(digest, attachment.content, attachment.media_type, attachment.filename)
