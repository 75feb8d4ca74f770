"""What ``OutboxStore`` asks the database: statements made once, so that they are compiled once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    and_,
    bindparam,
    false,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    text,
    update,
)

from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.tables import letter_texts, outbox
from mailbot.domain.events import Audience, LetterKind, LetterStatus
from mailbot.domain.outbox import HELD_FOR_SUMMARY

LETTERS = outbox.c
UNSENT = (LetterStatus.QUEUED.value, LetterStatus.HELD.value, LetterStatus.RETRY.value)
# Word for word as the partial indexes have it: only so does SQLite see that they apply. (A literal column of
# boolean type would be written "= 1" there; a list of parameters would be laid out anew for every letter.)
ON_ITS_WAY = text("status NOT IN ('held', 'cancelled')")
AUTOMATIC = text("(automatic AND audience = 'requester')")
# A parameter here would have SQLite plan the claim anew for every letter, for the index below.
IS_QUEUED = LETTERS.status == literal_column(f"'{LetterStatus.QUEUED}'")
IN_SIGHT = text("status IN ('held', 'needs_person', 'failed')")
IS_HELD = and_(IN_SIGHT, LETTERS.status == LetterStatus.HELD.value)
IS_STUCK = and_(
    IN_SIGHT,
    or_(
        and_(LETTERS.status == LetterStatus.NEEDS_PERSON.value, LETTERS.audience != Audience.ADMIN.value),
        and_(LETTERS.status == LetterStatus.FAILED.value, LETTERS.audience == Audience.STAFF.value),
    ),
)
# A letter with what it says.
WHOLE = select(
    outbox, letter_texts.c.text, letter_texts.c.html, letter_texts.c.calendar, letter_texts.c.pages
).join(letter_texts)
FREE = and_(
    text("NOT awaits_pages"), or_(LETTERS.lease_until.is_(None), LETTERS.lease_until < bindparam("real_now"))
)
IS_DUE = LETTERS.due_at <= bindparam("now")


def _claim(may_leave: ColumnElement[bool]) -> CompiledStatement:
    return CompiledStatement(
        WHOLE.where(LETTERS.due_at.is_not(None), may_leave, FREE)
        .order_by(LETTERS.due_at, LETTERS.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=outbox)
    )


CLAIM = _claim(IS_DUE)
# ``run --once`` counts quiet and undo time as over, but not the wait before a retry.
CLAIM_EARLY = _claim(or_(IS_DUE, IS_QUEUED))
TAKE = CompiledStatement(
    update(outbox)
    .where(LETTERS.id == bindparam("letter_id"))
    .values(
        status=LetterStatus.SENDING.value,
        owner=bindparam("new_owner"),
        fence=bindparam("new_fence"),
        lease_until=bindparam("until"),
        unknown_outcomes=bindparam("new_unknown"),
    )
)
MINE = and_(
    LETTERS.id == bindparam("letter_id"),
    LETTERS.fence == bindparam("our_fence"),
    LETTERS.owner == bindparam("our_owner"),
)
TRANSMITTING = CompiledStatement(
    update(outbox)
    # Twice is fine: a server may refuse at DATA for its sender's sake, and is asked again at once.
    .where(MINE, text("status IN ('sending', 'transmitting')"))
    .values(status=LetterStatus.TRANSMITTING.value, lease_until=bindparam("until"))
)
RECORD = CompiledStatement(
    update(outbox)
    .where(MINE)
    .values(
        status=bindparam("new_status"),
        hold_reason=bindparam("new_hold_reason"),
        last_error=bindparam("new_error"),
        sent_at=bindparam("new_sent_at"),
        due_at=bindparam("new_due_at"),
        attempts=LETTERS.attempts + bindparam("more_attempts", type_=Integer),
        unknown_outcomes=LETTERS.unknown_outcomes + bindparam("more_unknown", type_=Integer),
        # What was told of it was that it was held.
        alerted=False,
        owner=None,
        lease_until=None,
    )
)


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(outbox).where(*conditions, ON_ITS_WAY, AUTOMATIC).scalar_subquery()


# One statement, made once: it is asked for every letter.
HOUR = LETTERS.created_at > bindparam("hour")
DAY = LETTERS.created_at > bindparam("day")
TO = LETTERS.recipient_address == bindparam("to")
OF_TICKET = LETTERS.ticket_number == bindparam("of_ticket")
LAST_HOUR = (
    select(LETTERS.verified_recipient.label("verified"))
    .where(HOUR, ON_ITS_WAY, AUTOMATIC)
    .limit(bindparam("cap", type_=Integer))
    .subquery()
)
COUNTS = CompiledStatement(
    select(
        _count(TO, HOUR).label("to_address_last_hour"),
        _count(TO, DAY).label("to_address_last_day"),
        func.count().filter(not_(LAST_HOUR.c.verified)).label("unverified_last_hour"),
        _count(OF_TICKET, DAY).label("on_ticket_last_day"),
        func.count(LAST_HOUR.c.verified).label("automatic_last_hour"),
        _count(OF_TICKET, LETTERS.auto_submitted == "auto-replied").label("acknowledgements_on_ticket"),
    )
)
NOTICES = CompiledStatement(
    select(func.count()).select_from(
        select(LETTERS.id)
        .where(TO, HOUR, LETTERS.audience == Audience.STAFF.value, ON_ITS_WAY)
        .limit(bindparam("cap", type_=Integer))
        .subquery()
    )
)
INSERT = CompiledStatement(insert(outbox).returning(LETTERS.id))
INSERT_TEXT = CompiledStatement(insert(letter_texts))


@lru_cache(maxsize=64)
def replaced(kinds: tuple[LetterKind, ...]) -> tuple[CompiledStatement, CompiledStatement]:
    """Of the unsent letters of these kinds that somebody gets on a ticket: when the earliest is due and how many
    there are, and that they leave no more."""
    those = and_(
        OF_TICKET,
        TO,
        or_(false(), *(LETTERS.letter == kind.value for kind in kinds)),
        or_(*(LETTERS.status == status for status in UNSENT)),
    )
    look = select(func.min(LETTERS.due_at).label("earliest"), func.count().label("count")).where(those)
    cancelled: dict[str, Any] = {
        "status": LetterStatus.CANCELLED.value,
        "due_at": None,
        "last_error": bindparam("why"),
    }
    return (
        CompiledStatement(look),
        CompiledStatement(update(outbox).where(those).values(cancelled)),
    )


THREAD_IDS = CompiledStatement(
    select(LETTERS.message_id)
    .where(OF_TICKET, TO, LETTERS.status != LetterStatus.CANCELLED.value)
    .order_by(LETTERS.id)
)
KEPT_BACK = and_(IN_SIGHT, LETTERS.status == LetterStatus.HELD.value, LETTERS.hold_reason == HELD_FOR_SUMMARY)
