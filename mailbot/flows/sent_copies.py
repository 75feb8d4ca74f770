"""Letters that left are put into the mailbox's Sent folder: ``sent_copies ─▶ SentFolder``.

A copy is looked for before it is saved, so that a crash after saving saves none twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from mailbot.domain.errors import CopyRefused, LetterError, UnreadableMail
from mailbot.domain.exchange import SentCopy
from mailbot.domain.outbox import DueCopy
from mailbot.flows.compositor import Compositor
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import SentFolder, Storage

_log = structlog.get_logger("mailbot.sent")

_COPIES_AT_ONCE = 50
_REFUSALS_AT_MOST = 5
_TRY_COPY_AGAIN_AFTER = timedelta(minutes=10)
_COPY_GIVEN_UP_AFTER = timedelta(days=5)
_FAILURE_IS_OLD_AFTER = timedelta(days=30)


class SentCopies:
    """Saves one mailbox's letters in its Sent folder."""

    def __init__(
        self,
        *,
        mailbox: ServedMailbox,
        folder: SentFolder,
        storage: Storage,
        compositor: Compositor,
        now: Callable[[], datetime],
    ) -> None:
        self._mailbox = mailbox
        self._folder = folder
        self._storage = storage
        self._compositor = compositor
        self._now = now

    def due(self) -> list[DueCopy]:
        """The next letters to be saved."""
        with self._storage.read() as work:
            return work.sent.due_copies(self._mailbox.key, now=self._now(), limit=_COPIES_AT_ONCE)

    def save_due(self, *, on_progress: Callable[[], None]) -> int:
        """Save all that is due in the open folder; returns how many letters were put there.

        ``on_progress`` is called before each. Raises ``ServerAway`` when the server breaks off; what was not
        saved is tried again.
        """
        saved = 0
        while copies := self.due():
            there: list[int] = []
            try:
                for copy in copies:
                    on_progress()
                    if self._save(copy):
                        there.append(copy.letter_id)
                        saved += 1
            finally:
                with self._storage.write() as work:
                    work.sent.copies_are_there(there)
        return saved

    def forget(self) -> int:
        """There is no folder to save them in; returns how many copies that concerns."""
        with self._storage.write() as work:
            if self._mailbox.spec.save_sent == "always":
                return work.sent.give_up_copies(self._mailbox.key, "there is no Sent folder")
            return work.sent.forget_copies(self._mailbox.key)

    def _save(self, copy: DueCopy) -> bool:
        """Whether the copy lies in the folder now; if not, it is noted why and whether to try again."""
        letter = copy.letter
        sent_at = letter.sent_at or letter.created_at
        try:
            envelope = self._compositor.compose(letter, self._mailbox, now=sent_at)
            self._folder.save(SentCopy(message_id=letter.message_id, sent_at=sent_at, message=envelope.message))
        except (LetterError, UnreadableMail) as error:
            self._note_refusal(copy, str(error), again=False)
            return False
        except CopyRefused as error:
            is_young = self._now() - sent_at < _COPY_GIVEN_UP_AFTER
            self._note_refusal(copy, str(error), again=is_young and copy.attempts + 1 < _REFUSALS_AT_MOST)
            return False
        return True

    def _note_refusal(self, copy: DueCopy, error: str, *, again: bool) -> None:
        now = self._now()
        _log.warning(
            "letter not saved in the Sent folder",
            action="sent.copy_refused" if again else "sent.copy_given_up",
            mailbox=self._mailbox.key,
            letter=copy.letter_id,
            error=error,
        )
        retry_at = now + _TRY_COPY_AGAIN_AFTER if again else None
        with self._storage.write() as work:
            work.sent.copy_refused(copy.letter_id, error[:500], retry_at=retry_at)
            work.sent.forget_failed_copies(self._mailbox.key, sent_before=now - _FAILURE_IS_OLD_AFTER)
