"""What ``MailStore`` asks the database: statements made once, so that they are compiled once."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, case, func, insert, literal_column, or_, select, text, update

from mailbot.adapters.storage.tables import inbound_mails
from mailbot.domain.ledger import TOO_LARGE, UNVERIFIED_COPY, MailOutcome

MAILS = inbound_mails.c
# A literal, not a parameter: only so does SQLite see that the partial index applies.
PENDING = MAILS.outcome == literal_column("'pending'")
QUARANTINED = MAILS.outcome == literal_column("'quarantined'")
CLAIM = (
    select(inbound_mails)
    .where(
        MAILS.ready_at.is_not(None),
        MAILS.ready_at <= bindparam("now"),
        # With nothing appended SQLite would go through all mails of a mailbox by the unique index.
        MAILS.mailbox.concat("").in_(bindparam("of_mailboxes", expanding=True)),
        or_(MAILS.lease_until.is_(None), MAILS.lease_until < bindparam("real_now")),
    )
    .order_by(MAILS.ready_at, MAILS.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
CLAIM_SMALL = CLAIM.where(MAILS.size_bytes <= bindparam("at_most_bytes"))
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
TAKE = (
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
FINISH = (
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
PROMOTE = (
    update(inbound_mails)
    .where(MAILS.id == OLDEST_PENDING, MAILS.ready_at.is_(None))
    .values(ready_at=bindparam("now"))
)
SEEN_BEFORE = (
    select(MAILS.id)
    .where(
        MAILS.message_id == bindparam("message_id_seen"),
        MAILS.identity == bindparam("identity_seen"),
        MAILS.id != bindparam("not_id"),
        # What was discarded in silence does not count: a copy that a forwarding program marked as its answer says
        # nothing of the one that the sender wrote, and to discard a mail twice does no harm.
        or_(
            # Literally: a list of parameters would be laid out anew for every mail.
            text("outcome IN ('ticket', 'message', 'query', 'bounce')"),
            and_(MAILS.outcome == MailOutcome.DISCARDED.value, MAILS.reason == TOO_LARGE),
        ),
    )
    .limit(1)
)
SEEN_IN_EARNEST = SEEN_BEFORE.where(MAILS.reason != UNVERIFIED_COPY)
COPY_UNVERIFIED = SEEN_BEFORE.where(MAILS.reason == UNVERIFIED_COPY)
OTHER_CONTENT = (
    select(MAILS.id)
    .where(
        MAILS.message_id == bindparam("message_id_seen"),
        MAILS.identity != bindparam("identity_seen"),
        MAILS.identity != "",
        MAILS.id != bindparam("not_id"),
    )
    .limit(1)
)
