"""Letters that wait for pages to be drawn: claimed for that like letters that leave, and made whole."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, or_, select, text, update

from mailbot.adapters.storage.file_mapping import file_to_json, without_nul
from mailbot.adapters.storage.mapping import NOT_UNDERSTOOD, letter_from_row
from mailbot.adapters.storage.tables import letter_texts, outbox
from mailbot.domain.errors import LeaseLost
from mailbot.domain.events import LetterStatus, OutboundLetter
from mailbot.domain.ledger import LEASE_TIME
from mailbot.domain.outbox import ClaimedLetter

_T = outbox.c
_S = LetterStatus
# Word for word as the partial index has it: only so does SQLite see that it applies.
_WAITS = and_(
    text("awaits_pages"),
    _T.due_at.is_not(None),
    or_(_T.lease_until.is_(None), _T.lease_until < bindparam("real_now")),
)
_DUE = _T.due_at <= bindparam("now")


_OR_EARLY = or_(_DUE, _T.status == _S.QUEUED.value)
_WAITING = select(_T.id).where(_WAITS, _DUE).limit(1)
_WAITING_EARLY = select(_T.id).where(_WAITS, _OR_EARLY).limit(1)
_WHOLE = select(
    outbox, letter_texts.c.text, letter_texts.c.html, letter_texts.c.calendar, letter_texts.c.pages
).join(letter_texts)
_CLAIM = (
    _WHOLE.where(_WAITS, _DUE).order_by(_T.due_at, _T.id).limit(1).with_for_update(skip_locked=True, of=outbox)
)
_CLAIM_EARLY = (
    _WHOLE.where(_WAITS, _OR_EARLY)
    .order_by(_T.due_at, _T.id)
    .limit(1)
    .with_for_update(skip_locked=True, of=outbox)
)


class NoticeStore:
    """Rows of ``outbox`` that await pages, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def waits(self, *, now: datetime, real_now: datetime, early: bool) -> bool:
        """Whether there is a letter to be claimed."""
        query = _WAITING_EARLY if early else _WAITING
        return self._connection.scalar(query, {"now": now, "real_now": real_now}) is not None

    def claim(self, *, owner: str, now: datetime, real_now: datetime, early: bool) -> ClaimedLetter | None:
        """Take the letter that is due longest, before which nobody delivers it; ``early`` also one not due yet."""
        query = _CLAIM_EARLY if early else _CLAIM
        while row := self._connection.execute(query, {"now": now, "real_now": real_now}).mappings().first():
            try:
                letter = letter_from_row(row)
            except NOT_UNDERSTOOD:
                # Delivery meets it next, and leaves it to a person.
                self._connection.execute(update(outbox).where(_T.id == row["id"]).values(awaits_pages=False))
                continue
            fence = row["fence"] + 1
            self._connection.execute(
                update(outbox)
                .where(_T.id == row["id"])
                .values(owner=owner, fence=fence, lease_until=real_now + LEASE_TIME)
            )
            return ClaimedLetter(id=row["id"], letter=letter, fence=fence)
        return None

    def complete(self, claimed: ClaimedLetter, whole: OutboundLetter, *, owner: str) -> None:
        """Write the letter as it leaves: text, HTML and files; from now on it may. Raises ``LeaseLost``."""
        changed = self._connection.execute(
            update(outbox)
            .where(_T.id == claimed.id, _T.fence == claimed.fence, _T.owner == owner)
            .values(
                awaits_pages=False,
                files=[file_to_json(file) for file in whole.files],
                owner=None,
                lease_until=None,
            )
        )
        if changed.rowcount != 1:
            raise LeaseLost(f"letter {claimed.letter.message_id} is in other hands")
        self._connection.execute(
            update(letter_texts)
            .where(letter_texts.c.letter_id == claimed.id)
            .values(text=without_nul(whole.text), html=without_nul(whole.html))
        )
