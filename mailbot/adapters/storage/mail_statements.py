"""What ``MailStore`` asks the database: statements made once, those of every mail compiled once."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import bindparam, case, false, func, insert, literal_column, or_, select, text, update

from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.tables import inbound_mails
from mailbot.domain.ledger import TOO_LARGE, UNVERIFIED_COPY, MailOutcome

MAILS = inbound_mails.c
# A literal, not a parameter: only so does SQLite see that the partial index applies.
PENDING = MAILS.outcome == literal_column("'pending'")
QUARANTINED = MAILS.outcome == literal_column("'quarantined'")
WAITING = select(func.count()).select_from(
    select(MAILS.id)
    .where(
        MAILS.ready_at.is_not(None),
        MAILS.ready_at <= bindparam("now"),
        MAILS.mailbox.concat("").in_(bindparam("of_mailboxes", expanding=True)),
        MAILS.lease_until.is_(None),
    )
    .limit(bindparam("at_most"))
    .subquery()
)
TAKE = CompiledStatement(
    update(inbound_mails)
    .where(MAILS.id == bindparam("mail_id"))
    .values(
        owner=bindparam("new_owner"),
        fence=bindparam("new_fence"),
        lease_until=bindparam("until"),
        begun_at=bindparam("begun"),
        deaths=bindparam("new_deaths"),
    )
)
# In one statement; the ids come in the order of the mails.
INSERT = insert(inbound_mails).returning(MAILS.id, sort_by_parameter_order=True)
NEW_MESSAGE_ID = bindparam("new_message_id", type_=MAILS.message_id.type)
FINISH = CompiledStatement(
    update(inbound_mails)
    .where(MAILS.id == bindparam("mail_id"), MAILS.fence == bindparam("our_fence"), MAILS.owner.is_not(None))
    .values(
        outcome=bindparam("new_outcome"),
        reason=bindparam("new_reason"),
        ticket_number=bindparam("new_ticket"),
        message_id=case((NEW_MESSAGE_ID == "", MAILS.message_id), else_=NEW_MESSAGE_ID),
        identity=bindparam("new_identity"),
        finished_at=bindparam("now"),
        ready_at=None,
        owner=None,
        lease_until=None,
        begun_at=None,
    )
)
OLDEST_PENDING = (
    select(func.min(MAILS.id)).where(PENDING, MAILS.conversation_key == bindparam("key")).scalar_subquery()
)
PROMOTE = CompiledStatement(
    update(inbound_mails)
    .where(MAILS.id == OLDEST_PENDING, MAILS.ready_at.is_(None))
    .values(ready_at=bindparam("now"))
)
# What is known of a mail in hand.
_CLAIMED = (
    MAILS.id,
    MAILS.mailbox,
    MAILS.folder,
    MAILS.received_at,
    MAILS.raw_digest,
    MAILS.conversation_key,
    MAILS.fence,
    MAILS.attempts,
    MAILS.deaths,
    MAILS.suspect,
    MAILS.oversize_bytes,
    MAILS.answer,
    MAILS.released,
    MAILS.confirmed,
)


@lru_cache(maxsize=64)
def claim_of(mailboxes: tuple[str, ...], *, only_small: bool) -> CompiledStatement:
    """Takes the mail of these mailboxes that has waited longest and has no owner that lives."""
    # With nothing appended SQLite would go through all mails of a mailbox by the unique index.
    of_mailboxes = or_(false(), *(MAILS.mailbox.concat("") == mailbox for mailbox in mailboxes))
    longest_waiting = (
        select(MAILS.id)
        .where(
            MAILS.ready_at.is_not(None),
            MAILS.ready_at <= bindparam("now"),
            of_mailboxes,
            or_(MAILS.lease_until.is_(None), MAILS.lease_until < bindparam("real_now")),
        )
        .order_by(MAILS.ready_at, MAILS.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if only_small:
        longest_waiting = longest_waiting.where(MAILS.size_bytes <= bindparam("at_most_bytes"))
    return CompiledStatement(
        update(inbound_mails)
        .where(MAILS.id == longest_waiting.scalar_subquery())
        .values(
            owner=bindparam("new_owner"),
            fence=MAILS.fence + 1,
            lease_until=bindparam("until"),
            # Whoever had it begun died with it, or hangs.
            deaths=MAILS.deaths + case((MAILS.begun_at.is_(None), 0), else_=1),
            begun_at=bindparam("real_now"),
        )
        .returning(*_CLAIMED)
    )


_SEEN_BEFORE = (
    select(MAILS.id)
    .where(
        MAILS.message_id == bindparam("message_id_seen"),
        MAILS.identity == bindparam("identity_seen"),
        MAILS.id != bindparam("not_id"),
        # What was discarded in silence does not count: a copy that a forwarding program marked as its answer says
        # nothing of the one that the sender wrote, and to discard a mail twice does no harm.
        # Literally: SQLite would plan anew for every mail what is compared in a partial index.
        text(
            "(outcome IN ('ticket', 'message', 'query', 'bounce') "
            f"OR outcome = '{MailOutcome.DISCARDED}' AND reason = '{TOO_LARGE}')"
        ),
    )
    .limit(1)
)
SEEN_BEFORE = CompiledStatement(_SEEN_BEFORE)
SEEN_IN_EARNEST = CompiledStatement(_SEEN_BEFORE.where(MAILS.reason != UNVERIFIED_COPY))
COPY_UNVERIFIED = CompiledStatement(_SEEN_BEFORE.where(MAILS.reason == UNVERIFIED_COPY))
OTHER_CONTENT = CompiledStatement(
    select(MAILS.id)
    .where(
        MAILS.message_id == bindparam("message_id_seen"),
        MAILS.identity != bindparam("identity_seen"),
        MAILS.identity != "",
        MAILS.id != bindparam("not_id"),
    )
    .limit(1)
)
ON_TICKET = CompiledStatement(
    select(MAILS.id)
    .where(
        MAILS.ticket_number == bindparam("of_ticket"),
        MAILS.identity == bindparam("identity_seen"),
        MAILS.identity != "",
        MAILS.id != bindparam("not_id"),
    )
    .limit(1)
)
