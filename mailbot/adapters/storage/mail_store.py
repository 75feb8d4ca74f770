"""The ledger of inbound mail: what was collected, who works on it, what became of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)

from mailbot.adapters.storage.locks import Line, stand_in_line
from mailbot.adapters.storage.mail_statements import (
    COPY_UNVERIFIED,
    FINISH,
    INSERT,
    MAILS,
    ON_TICKET,
    OTHER_CONTENT,
    PENDING,
    PROMOTE,
    QUARANTINED,
    SEEN_BEFORE,
    SEEN_IN_EARNEST,
    TAKE,
    WAITING,
    claim_of,
)
from mailbot.adapters.storage.mapping import (
    claimed_from_row,
    inbound_row_from,
    inbound_to_row,
    unique,
)
from mailbot.adapters.storage.tables import inbound_mails
from mailbot.domain.errors import LeaseLost
from mailbot.domain.ledger import (
    LEASE_TIME,
    ClaimedMail,
    InboundRow,
    MailOutcome,
    MailResult,
    NewInboundMail,
)

_CHUNK = 500


def _still_held(claimed: ClaimedMail) -> tuple[ColumnElement[bool], ...]:
    return MAILS.id == claimed.id, MAILS.fence == claimed.fence, MAILS.owner.is_not(None), PENDING


class MailStore:
    """Rows of ``inbound_mails`` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- collect ---

    def known_uids(self, mailbox: str, folder: str, uid_validity: int, uids: Sequence[str]) -> set[str]:
        """Which of these UIDs the ledger has."""
        known: set[str] = set()
        for start in range(0, len(uids), _CHUNK):
            query = select(MAILS.uid).where(
                MAILS.mailbox == mailbox,
                MAILS.folder == folder,
                MAILS.uid_validity == uid_validity,
                MAILS.uid.in_(uids[start : start + _CHUNK]),
            )
            known.update(self._connection.scalars(query))
        return known

    def add(self, mails: Sequence[NewInboundMail], *, now: datetime) -> list[int]:
        """Write ledger rows; a row that exists already is left as it is. Returns the new rows' ids."""
        if not mails:
            return []
        stand_in_line(self._connection, Line.LEDGER)
        fresh = self._without_known(mails)
        if not fresh:
            return []
        rows = [inbound_to_row(mail, now) for mail in fresh]
        waiting = self._conversations_in_hand([row["conversation_key"] for row in rows])
        for row in rows:
            # Only the oldest unfinished mail of a conversation can be taken (ARCHITECTURE *Order*).
            row["ready_at"] = None if row["conversation_key"] in waiting else now
            waiting.add(row["conversation_key"])
        return list(self._connection.scalars(INSERT, rows))

    def _without_known(self, mails: Sequence[NewInboundMail]) -> list[NewInboundMail]:
        groups: dict[tuple[str, str, int], list[str]] = {}
        for mail in mails:
            groups.setdefault((mail.mailbox, mail.folder, mail.uid_validity), []).append(mail.uid)
        known = {(*place, uid) for place, uids in groups.items() for uid in self.known_uids(*place, unique(uids))}
        fresh: list[NewInboundMail] = []
        for mail in mails:
            key = (mail.mailbox, mail.folder, mail.uid_validity, mail.uid)
            if key not in known:
                known.add(key)
                fresh.append(mail)
        return fresh

    def _conversations_in_hand(self, keys: Iterable[str]) -> set[str]:
        """Which of these conversations have unfinished mails; none of them is finished before our commit.

        Whoever finishes one makes the next ready, and would not see those that we are about to write. In the order
        of their ids, as they are finished, so that nobody waits for each other.
        """
        wanted = unique(list(keys))
        found: set[str] = set()
        for start in range(0, len(wanted), _CHUNK):
            query = (
                select(MAILS.conversation_key)
                .where(PENDING, MAILS.conversation_key.in_(wanted[start : start + _CHUNK]))
                .order_by(MAILS.id)
                .with_for_update()
            )
            found.update(self._connection.scalars(query))
        return found

    # --- intake ---

    def claim(
        self,
        *,
        owner: str,
        mailboxes: Collection[str],
        now: datetime,
        real_now: datetime,
        at_most_bytes: int | None = None,
    ) -> ClaimedMail | None:
        """Take the mail of these mailboxes that has waited longest and note durably that work on it begins.

        With ``at_most_bytes`` larger ones are left where they are.

        A row whose lease ran out was in the hands of somebody who died or hangs: that counts as a death.
        """
        claim = claim_of(tuple(sorted(mailboxes)), only_small=at_most_bytes is not None)
        row = claim.row(
            self._connection,
            {
                "now": now,
                "real_now": real_now,
                "until": real_now + LEASE_TIME,
                "new_owner": owner,
                "at_most_bytes": at_most_bytes,
            },
        )
        return None if row is None else claimed_from_row(row, fence=row["fence"])

    def claim_by_id(self, mail_id: int, *, owner: str, real_now: datetime) -> ClaimedMail | None:
        """Take one mail whatever its outcome (for ``mails reprocess``); ``None`` if it is in other hands, or
        waits for an older one of its sender."""
        query = select(inbound_mails).where(MAILS.id == mail_id).with_for_update()
        row = self._connection.execute(query).mappings().first()
        if row is not None and row["outcome"] == MailOutcome.PENDING.value and row["ready_at"] is None:
            return None
        if row is None or (row["lease_until"] is not None and row["lease_until"] >= real_now):
            return None
        parameters = {
            "mail_id": mail_id,
            "new_owner": owner,
            "new_fence": row["fence"] + 1,
            "until": real_now + LEASE_TIME,
            "begun": real_now,
            "new_deaths": row["deaths"],
        }
        TAKE.run(self._connection, parameters)
        return claimed_from_row(row, fence=row["fence"] + 1)

    def park(self, claimed: ClaimedMail) -> bool:
        """Note that work on a mail rests while its files are read: it stays its owner's as long as that one lives,
        and nobody's death counts against it. False if it is in other hands."""
        result = self._connection.execute(update(inbound_mails).where(*_still_held(claimed)).values(begun_at=None))
        return result.rowcount == 1

    def resume(self, claimed: ClaimedMail, *, real_now: datetime) -> bool:
        """Note durably that work on a parked mail goes on. False if it is in other hands."""
        result = self._connection.execute(
            update(inbound_mails)
            .where(*_still_held(claimed))
            .values(begun_at=real_now, lease_until=real_now + LEASE_TIME)
        )
        return result.rowcount == 1

    def finish(self, claimed: ClaimedMail, result: MailResult, *, now: datetime) -> None:
        """Write the outcome and let the next mail of the conversation come forward. Raises ``LeaseLost``."""
        changed = FINISH.run(
            self._connection,
            {
                "mail_id": claimed.id,
                "our_fence": claimed.fence,
                "new_outcome": result.outcome.value,
                "new_reason": result.reason,
                "new_ticket": result.ticket_number,
                "new_message_id": result.message_id,
                "new_identity": result.identity,
                "now": now,
            },
        )
        if changed.rowcount != 1:
            raise LeaseLost(f"mail {claimed.id} is in other hands")
        PROMOTE.run(self._connection, {"key": claimed.conversation_key, "now": now})

    def give_back(self, claimed: ClaimedMail, *, ready_at: datetime, attempt: bool, reason: str = "") -> bool:
        """Return an unfinished mail; ``attempt`` counts an exception against it.

        False, and nothing is written, if it is no longer ours: in other hands, given back, or finished after
        all by a commit that was thought to have failed.
        """
        result = self._connection.execute(
            update(inbound_mails)
            .where(MAILS.id == claimed.id, MAILS.fence == claimed.fence, MAILS.owner.is_not(None), PENDING)
            .values(
                owner=None,
                lease_until=None,
                begun_at=None,
                ready_at=ready_at,
                reason=reason,
                attempts=MAILS.attempts + (1 if attempt else 0),
            )
        )
        return result.rowcount == 1

    def give_back_all(self, owner: str, *, ready_at: datetime, but: Collection[int] = ()) -> int:
        """Return everything that ``owner`` has in hand ``but`` these, without counting anything against it."""
        result = self._connection.execute(
            update(inbound_mails)
            .where(MAILS.owner == owner, MAILS.id.not_in(but))
            .values(owner=None, lease_until=None, begun_at=None, ready_at=ready_at)
        )
        return result.rowcount

    def quarantine(self, claimed: ClaimedMail, cause: str, *, now: datetime) -> None:
        """Quarantine a mail that was given back; the next one of the conversation comes forward."""
        self._connection.execute(
            update(inbound_mails)
            .where(MAILS.id == claimed.id, MAILS.fence == claimed.fence, PENDING)
            .values(outcome=MailOutcome.QUARANTINED.value, reason=cause, finished_at=now, ready_at=None)
        )
        PROMOTE.run(self._connection, {"key": claimed.conversation_key, "now": now})

    def renew(self, owner: str, *, real_now: datetime, begun_after: datetime) -> int:
        """Lengthen the leases of what ``owner`` has in hand and began after ``begun_after``, or has parked."""
        result = self._connection.execute(
            update(inbound_mails)
            .where(MAILS.owner == owner, or_(MAILS.begun_at > begun_after, MAILS.begun_at.is_(None)))
            .values(lease_until=real_now + LEASE_TIME)
        )
        return result.rowcount

    def waiting(self, mailboxes: Collection[str], *, now: datetime, at_most: int) -> int:
        """How many mails of these mailboxes could be taken now and are in no hands, counted to ``at_most``."""
        wanted = {"now": now, "of_mailboxes": sorted(mailboxes), "at_most": at_most}
        return self._connection.scalar(WAITING, wanted) or 0

    def owners(self) -> set[str]:
        """Everybody who has a mail in hand."""
        found = self._connection.scalars(select(MAILS.owner).where(MAILS.owner.is_not(None)).distinct())
        return {owner for owner in found if owner is not None}

    def release(self, owner: str, *, real_now: datetime) -> int:
        """Let go of what a dead ``owner`` had in hand: its leases end now (the death is counted at claim)."""
        result = self._connection.execute(
            update(inbound_mails).where(MAILS.owner == owner).values(lease_until=real_now, owner=None)
        )
        return result.rowcount

    def seen_before(
        self, message_id: str, identity: str, *, mail_id: int, unverified_copies: bool = True
    ) -> int | None:
        """Another mail with the same Message-ID and the same content of which something came, if there is one.

        Without ``unverified_copies`` one of which only a note came does not count.
        """
        seen = {"message_id_seen": message_id, "identity_seen": identity, "not_id": mail_id}
        statement = SEEN_BEFORE if unverified_copies else SEEN_IN_EARNEST
        earlier: int | None = statement.run(self._connection, seen).scalar()
        return earlier

    def unverified_copy(self, message_id: str, identity: str, *, mail_id: int) -> int | None:
        """Another mail with the same Message-ID and the same content of which a note came, if there is one."""
        seen = {"message_id_seen": message_id, "identity_seen": identity, "not_id": mail_id}
        copy: int | None = COPY_UNVERIFIED.run(self._connection, seen).scalar()
        return copy

    def same_id_other_content(self, message_id: str, identity: str, *, mail_id: int) -> bool:
        """Whether another mail came with this Message-ID and different content (THREATS 32)."""
        seen = {"message_id_seen": message_id, "identity_seen": identity, "not_id": mail_id}
        return OTHER_CONTENT.run(self._connection, seen).scalar() is not None

    def is_on_ticket(self, ticket_number: str, identity: str, *, mail_id: int) -> bool:
        """Whether another mail with the same content came to this ticket, under whatever Message-ID."""
        seen = {"of_ticket": ticket_number, "identity_seen": identity, "not_id": mail_id}
        return ON_TICKET.run(self._connection, seen).scalar() is not None

    # --- import ---

    def ids_of(self, mailbox: str, folder: str, uid_validity: int, uids: Sequence[str]) -> dict[str, int]:
        """The ids of the rows with these UIDs; unknown ones are left out."""
        found: dict[str, int] = {}
        for start in range(0, len(uids), _CHUNK):
            query = select(MAILS.uid, MAILS.id).where(
                MAILS.mailbox == mailbox,
                MAILS.folder == folder,
                MAILS.uid_validity == uid_validity,
                MAILS.uid.in_(uids[start : start + _CHUNK]),
            )
            found.update((uid, mail_id) for uid, mail_id in self._connection.execute(query))
        return found

    def outcomes(self, mail_ids: Sequence[int]) -> dict[int, MailOutcome]:
        """What became of these mails."""
        found: dict[int, MailOutcome] = {}
        for start in range(0, len(mail_ids), _CHUNK):
            query = select(MAILS.id, MAILS.outcome).where(MAILS.id.in_(mail_ids[start : start + _CHUNK]))
            found.update((mail_id, MailOutcome(word)) for mail_id, word in self._connection.execute(query))
        return found

    # --- administrators ---

    def get(self, mail_id: int) -> InboundRow | None:
        """One row."""
        row = self._connection.execute(select(inbound_mails).where(MAILS.id == mail_id)).mappings().first()
        return inbound_row_from(row) if row else None

    def browse(
        self,
        *,
        outcome: MailOutcome | None = None,
        ticket_number: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[InboundRow]:
        """Rows, newest first."""
        query = select(inbound_mails).order_by(MAILS.id.desc())
        if outcome is not None:
            query = query.where(MAILS.outcome == outcome.value)
        if ticket_number is not None:
            query = query.where(MAILS.ticket_number == ticket_number)
        if since is not None:
            query = query.where(MAILS.received_at >= since)
        if limit is not None:
            query = query.limit(limit)
        return [inbound_row_from(row) for row in self._connection.execute(query).mappings()]

    def reopen(self, mail_id: int, *, now: datetime, released: bool) -> bool:
        """Put a finished mail back in line (``mails release``, ``reprocess``); false if it is not finished.

        Should it be quarantined again, the administrator hears of it again.
        """
        stand_in_line(self._connection, Line.LEDGER)
        key = self._connection.scalar(select(MAILS.conversation_key).where(MAILS.id == mail_id))
        self._conversations_in_hand([] if key is None else [key])
        earlier = inbound_mails.alias("earlier")
        waits = (
            select(earlier.c.id)
            .where(
                earlier.c.outcome == literal_column("'pending'"),
                earlier.c.conversation_key == MAILS.conversation_key,
                earlier.c.id < MAILS.id,
            )
            .correlate(inbound_mails)
            .exists()
        )
        result = self._connection.execute(
            update(inbound_mails)
            .where(MAILS.id == mail_id, MAILS.outcome != MailOutcome.PENDING.value)
            .values(
                outcome=MailOutcome.PENDING.value,
                reason="",
                attempts=0,
                deaths=0,
                # Once let in, a mail stays so.
                released=True if released else MAILS.released,
                # Only the oldest unfinished mail of a conversation can be taken; the others come forward later.
                ready_at=case((waits, None), else_=now),
                finished_at=None,
                alerted=False,
            )
        )
        return result.rowcount == 1

    def untold_quarantines(self) -> list[InboundRow]:
        """Quarantined mails of which the administrator has not heard."""
        query = select(inbound_mails).where(QUARANTINED, MAILS.alerted.is_(False)).order_by(MAILS.id)
        return [inbound_row_from(row) for row in self._connection.execute(query).mappings()]

    def suspects_pending(self, mailboxes: Collection[str]) -> bool:
        """Whether mails of these mailboxes are on their way into quarantine."""
        suspect = and_(PENDING, MAILS.suspect != "", MAILS.released.is_(False))
        query = select(MAILS.id).where(suspect, MAILS.mailbox.concat("").in_(mailboxes))
        return self._connection.scalar(query.limit(1)) is not None

    def mark_told(self, mail_ids: Sequence[int]) -> None:
        """The administrator has been told of these."""
        for start in range(0, len(mail_ids), _CHUNK):
            self._connection.execute(
                update(inbound_mails).where(MAILS.id.in_(mail_ids[start : start + _CHUNK])).values(alerted=True)
            )

    def count_quarantined(self) -> int:
        """How many mails wait in quarantine."""
        return self._connection.scalar(select(func.count()).select_from(inbound_mails).where(QUARANTINED)) or 0

    def has_pending(self, conversation_key: str) -> bool:
        """Whether a mail of this conversation is not finished."""
        query = select(MAILS.id).where(PENDING, MAILS.conversation_key == conversation_key).limit(1)
        return self._connection.scalar(query) is not None

    def any_pending(self, message_ids: Sequence[str]) -> bool:
        """Whether a mail with one of these Message-IDs came and is not finished."""
        query = select(MAILS.id).where(PENDING, MAILS.message_id.in_(message_ids)).limit(1)
        return bool(message_ids) and self._connection.scalar(query) is not None

    def oldest_pending(self) -> datetime | None:
        """When the oldest unfinished mail was received."""
        oldest: datetime | None = self._connection.scalar(select(func.min(MAILS.received_at)).where(PENDING))
        return oldest

    def not_taken(self, *, since: datetime) -> set[str]:
        """Mailboxes of which a mail could have been taken since then, and was not."""
        query = select(MAILS.mailbox).where(MAILS.ready_at.is_not(None), MAILS.ready_at <= since).distinct()
        return set(self._connection.scalars(query))
