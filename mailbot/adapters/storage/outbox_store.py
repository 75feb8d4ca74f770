"""The outbox: letters fully written, claimed one by one, each with its handle."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    or_,
    select,
    update,
)

from mailbot.adapters.storage.mapping import (
    NOT_UNDERSTOOD,
    letter_from_row,
    letter_row_from,
    letter_text_to_row,
    letter_to_row,
    understood,
)
from mailbot.adapters.storage.outbox_statements import (
    CLAIM,
    CLAIM_EARLY,
    COUNTS,
    IN_SIGHT,
    INSERT,
    INSERT_TEXT,
    IS_HELD,
    IS_STUCK,
    KEPT_BACK,
    LETTERS,
    NOTICES,
    RECORD,
    TAKE,
    THREAD_IDS,
    TRANSMITTING,
    UNSENT,
    WHOLE,
    replaced,
)
from mailbot.adapters.storage.tables import outbox
from mailbot.domain.errors import LeaseLost
from mailbot.domain.events import Audience, HandlePurpose, LetterKind, LetterStatus, OutboundLetter
from mailbot.domain.ledger import LEASE_TIME
from mailbot.domain.outbox import (
    HELD_FOR_SUMMARY,
    ClaimedLetter,
    HoldReason,
    LetterCounts,
    LetterResult,
    LetterRow,
)
from mailbot.domain.threads import KnownHandle, KnownMessageId

_RETURNED = "returned for a limit on sending"


class OutboxStore:
    """Rows of ``outbox`` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- writing letters ---

    def add(self, letter: OutboundLetter, *, handle_expires_at: datetime | None) -> None:
        """Enqueue a letter in the ticket's own transaction."""
        added = INSERT.run(self._connection, letter_to_row(letter, handle_expires_at=handle_expires_at))
        INSERT_TEXT.run(self._connection, letter_text_to_row(letter, letter_id=added.scalar_one()))

    def supersede(
        self,
        ticket_number: str,
        recipient: str,
        letters: Sequence[LetterKind],
        *,
        why: str = "superseded by a newer letter",
    ) -> datetime | None:
        """Cancel unsent letters of these kinds that a newer one replaces.

        Returns the earliest time at which one of them would have left (a replacement leaves no later than
        what it replaces), ``None`` if there was none on its way.
        """
        look, cancel = replaced(tuple(letters))
        those = {"of_ticket": ticket_number, "to": recipient}
        found = look.row(self._connection, those)
        assert found is not None
        if found["count"]:
            cancel.run(self._connection, {**those, "why": why})
        return cast("datetime | None", found["earliest"])

    def stop_waiting(self, ticket_number: str, recipient: str, letters: Sequence[LetterKind]) -> int:
        """Take back letters of these kinds that have not left, for whatever they wait: time to be taken back in,
        another try, or leave. What is being delivered is not touched.

        Of one that is to be tried again because nobody knows whether it left, a person must know: it leaves no
        more, but is not said not to have left. Returns how many of both there were.
        """
        may_have_left = LETTERS.unknown_outcomes > 0
        result = self._connection.execute(
            update(outbox)
            .where(
                LETTERS.ticket_number == ticket_number,
                LETTERS.recipient_address == recipient,
                LETTERS.letter.in_([kind.value for kind in letters]),
                LETTERS.status.in_(UNSENT),
            )
            .values(
                status=case((may_have_left, LetterStatus.NEEDS_PERSON.value), else_=LetterStatus.CANCELLED.value),
                due_at=None,
                last_error=case(
                    (may_have_left, "the ticket was reopened; whether this letter left is not known"),
                    else_="the ticket was reopened",
                ),
                alerted=False,
            )
        )
        return result.rowcount

    def counts(self, *, recipient: str, ticket_number: str | None, now: datetime, cap: int) -> LetterCounts:
        """What the caps are held against; of the last hour's letters no more than ``cap`` are looked at."""
        row = COUNTS.row(
            self._connection,
            {
                "to": recipient,
                "of_ticket": ticket_number,
                "hour": now - timedelta(hours=1),
                "day": now - timedelta(days=1),
                "cap": cap,
            },
        )
        assert row is not None
        return LetterCounts(**row)

    def notices_last_hour(self, recipient: str, *, now: datetime, cap: int) -> int:
        """How many notices an agent was sent in the last hour, counted up to ``cap``."""
        parameters = {"to": recipient, "hour": now - timedelta(hours=1), "cap": cap}
        return int(NOTICES.run(self._connection, parameters).scalar_one())

    def written_since(self, since: datetime, *, recipient: str, letter: LetterKind) -> bool:
        """Whether this recipient was written a letter of this kind after ``since``."""
        condition = and_(
            LETTERS.recipient_address == recipient, LETTERS.created_at > since, LETTERS.letter == letter.value
        )
        return self._connection.scalar(select(LETTERS.id).where(condition).limit(1)) is not None

    def notices_to_gather(self) -> list[OutboundLetter]:
        """Notices that were kept back and stand in no summary yet, oldest first."""
        query = WHOLE.where(KEPT_BACK, LETTERS.alerted.is_(False)).order_by(LETTERS.id)
        return understood(self._connection.execute(query).mappings(), letter_from_row, key="id")

    def mark_gathered(self, message_ids: Sequence[str]) -> None:
        """These notices stand in a summary now."""
        for message_id in message_ids:
            self._connection.execute(update(outbox).where(LETTERS.message_id == message_id).values(alerted=True))

    def let_go_of_notices(self, recipients_to_spare: Collection[str], *, now: datetime) -> set[str]:
        """Let the oldest gathered notice of every other recipient leave after all; returns who gets one."""
        query = (
            select(func.min(LETTERS.id), LETTERS.recipient_address)
            .where(
                KEPT_BACK, LETTERS.alerted.is_(True), LETTERS.recipient_address.not_in(list(recipients_to_spare))
            )
            .group_by(LETTERS.recipient_address)
        )
        oldest = {row[0]: row[1] for row in self._connection.execute(query)}
        self._connection.execute(
            update(outbox)
            .where(LETTERS.id.in_(list(oldest)))
            .values(status=LetterStatus.QUEUED.value, hold_reason="", due_at=now, not_before=now)
        )
        return set(oldest.values())

    # --- delivering ---

    def claim(self, *, owner: str, now: datetime, real_now: datetime, early: bool) -> ClaimedLetter | None:
        """Take the letter that is due longest; its ``letter.status`` is the one it had before.

        A stale ``transmitting`` letter (its process died past DATA) comes back with one more unknown outcome.
        ``early`` takes queued letters before their time as well.
        """
        query = CLAIM_EARLY if early else CLAIM
        while row := query.row(self._connection, {"now": now, "real_now": real_now}):
            unknown = row["unknown_outcomes"] + (row["status"] == LetterStatus.TRANSMITTING.value)
            try:
                letter = letter_from_row({**row, "unknown_outcomes": unknown})
            except NOT_UNDERSTOOD as error:
                self._leave_to_a_person(row["id"], f"this version does not understand the letter: {error}")
                continue
            fence = row["fence"] + 1
            TAKE.run(
                self._connection,
                {
                    "letter_id": row["id"],
                    "new_owner": owner,
                    "new_fence": fence,
                    "until": real_now + LEASE_TIME,
                    "new_unknown": unknown,
                },
            )
            return ClaimedLetter(id=row["id"], letter=letter, fence=fence)
        return None

    def _leave_to_a_person(self, letter_id: int, error: str) -> None:
        """A letter that cannot even be read must not keep those behind it from leaving."""
        self._connection.execute(
            update(outbox)
            .where(LETTERS.id == letter_id)
            .values(
                status=LetterStatus.NEEDS_PERSON.value,
                due_at=None,
                last_error=error,
                owner=None,
                lease_until=None,
                alerted=False,
            )
        )

    def mark_transmitting(self, claimed: ClaimedLetter, *, owner: str, real_now: datetime) -> None:
        """Note, just before DATA, that from now on the outcome may be unknown. Raises ``LeaseLost``."""
        result = TRANSMITTING.run(
            self._connection,
            {
                "letter_id": claimed.id,
                "our_fence": claimed.fence,
                "our_owner": owner,
                "until": real_now + LEASE_TIME,
            },
        )
        if result.rowcount != 1:
            raise LeaseLost(f"letter {claimed.letter.message_id} is in other hands")

    def record(self, claimed: ClaimedLetter, result: LetterResult, *, owner: str) -> None:
        """Write what an attempt came to. Raises ``LeaseLost``."""
        changed = RECORD.run(
            self._connection,
            {
                "letter_id": claimed.id,
                "our_fence": claimed.fence,
                "our_owner": owner,
                "new_status": result.status.value,
                "new_hold_reason": result.hold_reason,
                "new_error": result.error,
                "new_sent_at": result.sent_at,
                "new_due_at": result.retry_at,
                "more_attempts": int(result.counts_as_attempt),
                "more_unknown": int(result.outcome_unknown),
            },
        )
        if changed.rowcount != 1:
            raise LeaseLost(f"letter {claimed.letter.message_id} is in other hands")

    def renew(self, owner: str, letter_ids: Collection[int], *, real_now: datetime) -> int:
        """Lengthen the leases of these letters, as far as they are ``owner``'s."""
        if not letter_ids:
            return 0
        result = self._connection.execute(
            update(outbox)
            .where(LETTERS.owner == owner, LETTERS.id.in_(letter_ids))
            .values(lease_until=real_now + LEASE_TIME)
        )
        return result.rowcount

    def owners(self) -> set[str]:
        """Everybody who has a letter in hand."""
        found = self._connection.scalars(select(LETTERS.owner).where(LETTERS.owner.is_not(None)).distinct())
        return {owner for owner in found if owner is not None}

    def release(self, owner: str, *, real_now: datetime) -> int:
        """Let go of what a dead ``owner`` had in hand; the status stays and tells how far it was."""
        result = self._connection.execute(
            update(outbox).where(LETTERS.owner == owner).values(lease_until=real_now, owner=None)
        )
        return result.rowcount

    # --- threading and bounces ---

    def handles(self, handles: Sequence[str], *, now: datetime) -> list[KnownHandle]:
        """What we know of these reply tokens."""
        if not handles:
            return []
        query = select(
            LETTERS.handle,
            LETTERS.ticket_number,
            LETTERS.recipient_address,
            LETTERS.purpose,
            LETTERS.handle_expires_at,
            LETTERS.handle_revoked_at,
            LETTERS.created_at,
        ).where(LETTERS.handle.in_(handles), LETTERS.purpose.is_not(None), LETTERS.ticket_number.is_not(None))
        return [
            KnownHandle(
                handle=row.handle,
                ticket_number=row.ticket_number,
                recipient=row.recipient_address,
                purpose=HandlePurpose(row.purpose),
                expired=row.handle_expires_at is not None and row.handle_expires_at < now,
                revoked=row.handle_revoked_at is not None,
                created_at=row.created_at,
            )
            for row in self._connection.execute(query)
        ]

    def message_ids(self, message_ids: Sequence[str]) -> list[KnownMessageId]:
        """Which of these Message-IDs are our letters', and to whom they went."""
        if not message_ids:
            return []
        query = select(LETTERS.message_id, LETTERS.ticket_number, LETTERS.recipient_address).where(
            LETTERS.message_id.in_(message_ids), LETTERS.ticket_number.is_not(None)
        )
        return [
            KnownMessageId(
                message_id=row.message_id, ticket_number=row.ticket_number, recipient=row.recipient_address
            )
            for row in self._connection.execute(query)
        ]

    def by_message_id(self, message_id: str) -> OutboundLetter | None:
        """A letter by its Message-ID."""
        row = self._connection.execute(WHOLE.where(LETTERS.message_id == message_id)).mappings().first()
        return letter_from_row(row) if row else None

    def by_handle(self, handle: str) -> OutboundLetter | None:
        """A letter by its handle."""
        row = self._connection.execute(WHOLE.where(LETTERS.handle == handle)).mappings().first()
        return letter_from_row(row) if row else None

    def mark_bounced(self, message_id: str, error: str) -> bool:
        """A letter that left came back: final. False if it was failed already."""
        result = self._connection.execute(
            update(outbox)
            .where(LETTERS.message_id == message_id, LETTERS.status != LetterStatus.FAILED.value)
            .values(status=LetterStatus.FAILED.value, due_at=None, last_error=error, alerted=False)
        )
        return result.rowcount == 1

    def send_again(self, message_id: str, *, at: datetime) -> bool:
        """A letter that left was thrown away on its way: it leaves again at ``at``, the same to the last byte but
        its date. False if it is not one that left."""
        result = self._connection.execute(
            update(outbox)
            .where(LETTERS.message_id == message_id, LETTERS.status == LetterStatus.SENT.value)
            .values(status=LetterStatus.RETRY.value, due_at=at, sent_at=None, last_error=_RETURNED)
        )
        return result.rowcount == 1

    def thread_ids(self, ticket_number: str, recipient: str) -> list[str]:
        """Message-IDs of the letters that this recipient got on this ticket, oldest first."""
        found = THREAD_IDS.run(self._connection, {"of_ticket": ticket_number, "to": recipient})
        return [message_id for (message_id,) in found.rows]

    def letters_for_mail(self, mail_id: int) -> list[OutboundLetter]:
        """The letters that a mail caused."""
        query = WHOLE.where(LETTERS.mail_id == mail_id).order_by(LETTERS.id)
        return understood(self._connection.execute(query).mappings(), letter_from_row, key="id")

    def letters_of_ticket(self, number: str) -> list[LetterRow]:
        """The letters of a ticket, oldest first."""
        query = select(outbox).where(LETTERS.ticket_number == number).order_by(LETTERS.id)
        return understood(self._connection.execute(query).mappings(), letter_row_from, key="id")

    # --- administrators ---

    def browse(
        self,
        *,
        status: LetterStatus | None = None,
        ticket_number: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[LetterRow]:
        """Letters, newest first."""
        query = select(outbox).order_by(LETTERS.id.desc())
        if status is not None:
            query = query.where(LETTERS.status == status.value)
        if ticket_number is not None:
            query = query.where(LETTERS.ticket_number == ticket_number)
        if since is not None:
            query = query.where(LETTERS.created_at >= since)
        if limit is not None:
            query = query.limit(limit)
        return understood(self._connection.execute(query).mappings(), letter_row_from, key="id")

    def release_held(
        self,
        *,
        now: datetime,
        message_id: str | None = None,
        ticket_number: str | None = None,
        since: datetime | None = None,
    ) -> int:
        """Let held letters leave; all of them unless narrowed down. Returns how many.

        Notices that wait for a summary stay there unless named: the summary tells them.
        """
        conditions: list[ColumnElement[bool]] = [IS_HELD]
        if message_id is not None:
            conditions.append(LETTERS.message_id == message_id)
        else:
            conditions.append(LETTERS.hold_reason != HELD_FOR_SUMMARY)
        if ticket_number is not None:
            conditions.append(LETTERS.ticket_number == ticket_number)
        if since is not None:
            conditions.append(LETTERS.created_at >= since)
        result = self._connection.execute(
            update(outbox)
            .where(*conditions)
            .values(status=LetterStatus.QUEUED.value, due_at=now, not_before=now, hold_reason="", released=True)
        )
        return result.rowcount

    def retry(self, message_id: str, *, now: datetime) -> bool:
        """Try a failed or doubtful letter again, under the same Message-ID."""
        result = self._connection.execute(
            update(outbox)
            .where(
                LETTERS.message_id == message_id,
                LETTERS.status.in_(
                    (LetterStatus.FAILED.value, LetterStatus.NEEDS_PERSON.value, LetterStatus.RETRY.value)
                ),
            )
            .values(
                status=LetterStatus.QUEUED.value,
                due_at=now,
                not_before=now,
                attempts=0,
                unknown_outcomes=0,
                released=True,
            )
        )
        return result.rowcount == 1

    def cancel(self, message_id: str) -> bool:
        """Do not send a letter that has not left; false if it is on its way or gone."""
        result = self._connection.execute(
            update(outbox)
            .where(
                LETTERS.message_id == message_id,
                LETTERS.status.in_((*UNSENT, LetterStatus.NEEDS_PERSON.value)),
            )
            .values(status=LetterStatus.CANCELLED.value, due_at=None, last_error="cancelled by an administrator")
        )
        return result.rowcount == 1

    def untold_held(self) -> dict[str, int]:
        """Held letters of which the administrator does not know, by reason; not those kept for a summary.

        An alarm that is held itself (no address of the allowlist) is no reason for another.
        """
        query = (
            select(LETTERS.hold_reason, func.count())
            .where(
                IS_HELD,
                LETTERS.alerted.is_(False),
                LETTERS.hold_reason != HELD_FOR_SUMMARY,
                LETTERS.audience != Audience.ADMIN.value,
            )
            .group_by(LETTERS.hold_reason)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def mark_held_told(self) -> None:
        """The administrator has been told of all letters held now."""
        self._connection.execute(update(outbox).where(IS_HELD, LETTERS.alerted.is_(False)).values(alerted=True))

    def tell_of_stuck(self) -> int:
        """How many letters got stuck of which the administrator has not heard; from now on they count as told.

        Stuck are letters that need a person and notices to agents that failed: of a failed letter to a requester
        the agents hear.
        """
        untold = and_(IS_STUCK, LETTERS.alerted.is_(False))
        return self._connection.execute(update(outbox).where(untold).values(alerted=True)).rowcount

    def alerts_not_sent(self, *, written_before: datetime, failed_since: datetime) -> list[LetterKind]:
        """Kinds of letters to the administrator that should have left by now, and of those that failed lately.

        While nothing leaves by the administrator's own word (``MAILBOT_SEND=hold``) no alert should.
        """
        stands = and_(
            IN_SIGHT,
            or_(
                LETTERS.status == LetterStatus.NEEDS_PERSON.value,
                and_(LETTERS.status == LetterStatus.HELD.value, LETTERS.hold_reason != HoldReason.SEND_HOLD.value),
                and_(LETTERS.status == LetterStatus.FAILED.value, LETTERS.created_at >= failed_since),
            ),
        )
        to_admin = and_(LETTERS.audience == Audience.ADMIN.value, LETTERS.created_at <= written_before)
        # One by one, each with its own partial index: for either of two SQLite would go through the whole outbox.
        found = {
            word
            for unsent in (LETTERS.due_at.is_not(None), stands)
            for word in self._connection.scalars(select(LETTERS.letter).where(unsent, to_admin).distinct())
        }
        return [LetterKind(word) for word in sorted(found)]

    def count_status(self, status: LetterStatus) -> int:
        """How many letters have this status."""
        query = select(func.count()).select_from(outbox).where(LETTERS.status == status.value)
        if status in (LetterStatus.HELD, LetterStatus.NEEDS_PERSON, LetterStatus.FAILED):
            query = query.where(IN_SIGHT)
        return self._connection.scalar(query) or 0

    def oldest_waiting(self) -> datetime | None:
        """When the oldest letter that is due or in delivery was written."""
        query = select(func.min(LETTERS.created_at)).where(LETTERS.due_at.is_not(None))
        oldest: datetime | None = self._connection.scalar(query)
        return oldest

    def not_leaving(self, *, since: datetime) -> set[str]:
        """Mailboxes of which a letter could have left before ``since``, and none left after.

        One that only its own recipient's server refuses, or that waits behind many, is not meant.
        """
        # A letter that left once before could do so long ago.
        waits = and_(LETTERS.due_at.is_not(None), LETTERS.not_before <= since, LETTERS.last_error != _RETURNED)
        waiting = set(self._connection.scalars(select(LETTERS.mailbox).where(waits).distinct()))
        if not waiting:
            return waiting
        return {mailbox for mailbox in waiting if not self._has_left(mailbox, since)}

    def _has_left(self, mailbox: str, since: datetime) -> bool:
        # The newest first: where letters leave, one of them did.
        left = select(LETTERS.id).where(LETTERS.mailbox == mailbox, LETTERS.sent_at > since)
        return self._connection.scalar(left.order_by(LETTERS.id.desc()).limit(1)) is not None
