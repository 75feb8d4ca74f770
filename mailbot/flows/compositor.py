"""A letter's bytes, the same whenever they are made: ``OutboundLetter -> Envelope``."""

from __future__ import annotations

from datetime import datetime

from mailbot.domain.events import OutboundLetter
from mailbot.domain.exchange import Envelope
from mailbot.domain.handles import loop_mark
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import BlobStore
from mailbot.mime.compose import compose


class Compositor:
    """Sets letters with their files and our mark."""

    def __init__(self, *, blobs: BlobStore, secret_key: bytes) -> None:
        self._blobs = blobs
        self._secret_key = secret_key

    def compose(
        self, letter: OutboundLetter, mailbox: ServedMailbox, *, now: datetime, null_sender: bool = False
    ) -> Envelope:
        """The letter as it leaves at ``now``, or left then. Raises ``LetterError``, ``UnreadableMail`` and
        ``StorageUnavailable``."""
        return compose(
            letter,
            mailbox_address=mailbox.address,
            reply_addressing=mailbox.reply_addressing,
            null_sender=null_sender,
            loop_mark=loop_mark(self._secret_key, letter.handle, mailbox.address, letter.recipient.address),
            files=[(file, self._blobs.get(file.digest)) for file in letter.files],
            now=_dated(letter, now),
            id_may_change=mailbox.provider.rewrites_message_ids,
        )


def _dated(letter: OutboundLetter, now: datetime) -> datetime:
    """When the letter was ready to leave: a second copy after an unknown outcome is the same to the last byte."""
    return letter.not_before if letter.not_before <= now else letter.created_at
