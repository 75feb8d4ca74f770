"""What the Sent folder has to do with letters: copies still to be saved there, and Message-IDs learnt from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, exists, func, select, text, update

from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.mapping import letter_from_row, understood
from mailbot.adapters.storage.tables import letter_texts, other_message_ids, outbox, sent_copies
from mailbot.domain.outbox import DueCopy, FailedCopies
from mailbot.domain.threads import KnownMessageId

_C = sent_copies.c
_O = other_message_ids.c
# No provider makes a longer one, and no database's index has room for any length.
_LONGEST_ID = 500
# Two processes may learn it at once. Word for word the same in SQLite and PostgreSQL.
_LEARN = text(
    "INSERT INTO other_message_ids (message_id, letter_id) VALUES (:message_id, :letter_id) ON CONFLICT DO NOTHING"
).bindparams(bindparam("message_id", type_=_O.message_id.type))
_ASK_FOR_COPY = CompiledStatement(
    text(
        "INSERT INTO sent_copies (letter_id, mailbox, due_at, attempts, error)"
        " VALUES (:letter_id, :mailbox, :due_at, 0, '') ON CONFLICT DO NOTHING"
    ).bindparams(bindparam("due_at", type_=_C.due_at.type))
)


class SentStore:
    """Rows of ``sent_copies`` and ``other_message_ids`` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- copies to be saved ---

    def ask_for_copy(self, letter_id: int, mailbox: str, *, due_at: datetime) -> None:
        """A letter left, and the Sent folder lacks it; asked twice, it is saved once."""
        row = {"letter_id": letter_id, "mailbox": mailbox, "due_at": due_at}
        _ASK_FOR_COPY.run(self._connection, row)

    def due_copies(self, mailbox: str, *, now: datetime, limit: int) -> list[DueCopy]:
        """Letters whose copy is due, in the order in which they left."""
        query = (
            select(
                outbox,
                letter_texts.c.text,
                letter_texts.c.html,
                letter_texts.c.calendar,
                _C.attempts.label("copy_attempts"),
            )
            .join(letter_texts)
            .join(sent_copies, _C.letter_id == outbox.c.id)
            .where(_C.mailbox == mailbox, _C.due_at <= now)
            .order_by(_C.due_at, _C.letter_id)
            .limit(limit)
        )
        return understood(
            self._connection.execute(query).mappings(),
            lambda row: DueCopy(letter_id=row["id"], letter=letter_from_row(row), attempts=row["copy_attempts"]),
            key="id",
        )

    def copies_are_there(self, letter_ids: Sequence[int]) -> None:
        """These lie in the Sent folder: nothing is left to do for them."""
        self._connection.execute(delete(sent_copies).where(_C.letter_id.in_(letter_ids)))

    def copy_refused(self, letter_id: int, error: str, *, retry_at: datetime | None) -> None:
        """The server did not take the copy; without ``retry_at`` nobody tries again."""
        self._connection.execute(
            update(sent_copies)
            .where(_C.letter_id == letter_id)
            .values(attempts=_C.attempts + 1, error=error, due_at=retry_at)
        )

    def give_up_copies(self, mailbox: str, error: str) -> int:
        """Try no more to save what waits; returns how many."""
        waiting = (_C.mailbox == mailbox, _C.due_at.is_not(None))
        return self._connection.execute(
            update(sent_copies).where(*waiting).values(due_at=None, error=error)
        ).rowcount

    def forget_copies(self, mailbox: str) -> int:
        """Nothing is saved for this mailbox (any more): what waits is forgotten; returns how many."""
        waiting = (_C.mailbox == mailbox, _C.due_at.is_not(None))
        return self._connection.execute(delete(sent_copies).where(*waiting)).rowcount

    def forget_failed_copies(self, mailbox: str, *, sent_before: datetime) -> None:
        """What failed so long ago is no news."""
        is_old = exists().where(outbox.c.id == _C.letter_id, outbox.c.sent_at < sent_before)
        failed = (_C.mailbox == mailbox, _C.due_at.is_(None), is_old)
        self._connection.execute(delete(sent_copies).where(*failed))

    def failed_copies(self, mailbox: str) -> FailedCopies:
        """What will not be saved."""
        failed = (_C.mailbox == mailbox, _C.due_at.is_(None))
        count = self._connection.scalar(select(func.count()).select_from(sent_copies).where(*failed)) or 0
        newest = select(_C.error).where(*failed).order_by(_C.letter_id.desc()).limit(1)
        return FailedCopies(count=count, last_error=self._connection.scalar(newest) or "")

    # --- what providers make of our Message-IDs ---

    def learn_message_id(self, handle: str, message_id: str) -> bool:
        """The letter with this handle goes by another Message-ID as well; true if that is news."""
        letter = self._connection.execute(
            select(outbox.c.id, outbox.c.message_id).where(outbox.c.handle == handle)
        ).one_or_none()
        if letter is None or letter.message_id == message_id or len(message_id) > _LONGEST_ID:
            return False
        learnt = {"message_id": message_id, "letter_id": letter.id}
        return self._connection.execute(_LEARN, learnt).rowcount == 1

    def other_message_ids(self, message_ids: Sequence[str]) -> list[KnownMessageId]:
        """Which of these a provider gave to letters of ours, and to whom they went."""
        if not message_ids:
            return []
        query = (
            select(_O.message_id, outbox.c.ticket_number, outbox.c.recipient_address)
            .join(outbox, outbox.c.id == _O.letter_id)
            .where(_O.message_id.in_(message_ids), outbox.c.ticket_number.is_not(None))
        )
        return [
            KnownMessageId(
                message_id=row.message_id, ticket_number=row.ticket_number, recipient=row.recipient_address
            )
            for row in self._connection.execute(query)
        ]
