"""Everything that came, as it was stored: rows, files, and a ticket's mails read again from their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailbot.domain.errors import MailTooLarge, UnreadableMail
from mailbot.domain.events import AuthorRole, StoredFile, TicketMessage, Visibility
from mailbot.domain.ledger import InboundRow
from mailbot.domain.mail import InboundMail
from mailbot.domain.ticket import Ticket
from mailbot.flows.case import KeptMail
from mailbot.flows.mail_as_cause import stored_files
from mailbot.flows.ports import BlobStore, MailReader, Storage, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Where everything that came is kept: rows, files, and who can read them."""

    storage: Storage
    blobs: BlobStore
    reader: MailReader

    def read(self, row: InboundRow) -> InboundMail:
        """The mail, from its stored bytes. Raises ``UnreadableMail``, ``MailTooLarge``, ``StorageUnavailable``."""
        return self.reader.read(self.blobs.get(row.raw_digest))

    def files(self, mail: InboundMail, stored: Mapping[str, str], *, store: bool) -> tuple[StoredFile, ...]:
        """The attachments with the names under which they are kept: ``stored``, by SHA-256. What an earlier
        reader did not find is kept now, or, without ``store``, called by its plain digest."""
        names = dict(stored)
        new = [one for one in mail.attachments if one.sha256 not in names]
        if store:
            digests = self.blobs.put_many([one.content for one in new])
            names.update({one.sha256: digest for one, digest in zip(new, digests, strict=True)})
        return stored_files(mail, [names.get(one.sha256, one.sha256) for one in mail.attachments])


def rows_that_count(work: UnitOfWork, messages: Sequence[TicketMessage]) -> list[InboundRow]:
    """The mails of a ticket's ``messages`` that can have brought evidence, oldest first."""
    # The first opened the ticket, whoever wrote it.
    counting = [one for number, one in enumerate(messages) if number == 0 or _counts(one)]
    return [row for one in counting if one.mail_id and (row := work.mails.get(one.mail_id))]


def _counts(message: TicketMessage) -> bool:
    """Whether a message can have brought evidence: no agent's, and none that only staff may read: a sector's,
    a program's that answers our notices, or that of another requester whose ticket was merged into this one."""
    return message.role is not AuthorRole.AGENT and message.visibility is Visibility.PUBLIC


def kept_mails(
    archive: Archive,
    rows: Sequence[InboundRow],
    ticket: Ticket,
    messages: Sequence[TicketMessage],
    *,
    store: bool,
    skip_unreadable: bool = False,
) -> Iterator[KeptMail]:
    """The mails of these rows, read again, with their files as stored: one after the other, since together they
    may be larger than memory. Raises as :meth:`Archive.read`; with ``skip_unreadable`` what is gone is left
    out."""
    names = {finding.sha256: finding.digest for finding in ticket.documents}
    names |= {file.sha256: file.digest for message in messages for file in message.files}
    for row in rows:
        try:
            mail = archive.read(row)
        except (UnreadableMail, MailTooLarge):
            if skip_unreadable:
                continue
            raise
        yield KeptMail(mail=mail, arrived_at=row.mailbox, files=archive.files(mail, names, store=store))
