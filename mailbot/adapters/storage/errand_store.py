"""Mails about no ticket in agents' names: which wait for a code, what they opened, what their agents were told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select, text, update

from mailbot.adapters.storage.tables import inbound_mails, outbox
from mailbot.domain.ledger import OPENED_FOR_CUSTOMER, MailWithCode
from mailbot.domain.staff_words import Refusal

_T, _O = inbound_mails.c, outbox.c
# A code in an agent's mail is held against so many; whoever writes more in their name within hours is a flood.
_AT_MOST = 5_000
# Literals, not parameters: only so does SQLite see that the partial indexes apply.
_WITH_CODE = text("(reason IN ('needs_code', 'code_wrong') OR confirmed)")
_OPENED = _T.reason == literal_column(f"'{OPENED_FOR_CUSTOMER}'")


class ErrandStore:
    """Questions about ``inbound_mails`` that came in the name of an agent, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def opened_before(self, identity: str, *, mail_id: int) -> str | None:
        """The ticket that another mail of the same content opened in a customer's name, under whatever
        Message-ID."""
        query = select(_T.ticket_number).where(_OPENED, _T.identity == identity, _T.id != mail_id).limit(1)
        number: str | None = self._connection.scalar(query)
        return number

    def with_codes(self, agent: str) -> list[MailWithCode]:
        """The mails in an agent's name that were to be confirmed, or brought a wrong code; newest first."""
        query = (
            select(_T.id, _T.identity, _T.reason, _T.confirmed, func.min(_O.created_at).label("told_at"))
            .join(outbox, _O.mail_id == _T.id)
            .where(_WITH_CODE, _T.conversation_key == agent)
            .group_by(_T.id, _T.identity, _T.reason, _T.confirmed)
            .order_by(_T.id.desc())
            .limit(_AT_MOST)
        )
        return [
            MailWithCode(
                id=row.id,
                identity=row.identity,
                told_at=row.told_at,
                waits=row.reason == Refusal.NEEDS_CODE and not row.confirmed,
                confirmed=row.confirmed,
            )
            for row in self._connection.execute(query)
        ]

    def confirm(self, mail_id: int) -> bool:
        """Note that the code of a mail has come; false if it does not wait for one, or not any more."""
        waiting = (_T.id == mail_id, _T.reason == Refusal.NEEDS_CODE.value, _T.confirmed.is_(False))
        return self._connection.execute(update(inbound_mails).where(*waiting).values(confirmed=True)).rowcount == 1

    def told_since(self, agent: str, reason: str, *, since: datetime) -> bool:
        """Whether an agent was told since then that a mail about no ticket did nothing for this reason."""
        query = (
            select(_T.id)
            .join(outbox, _O.mail_id == _T.id)
            .where(
                _O.recipient_address == agent,
                _O.created_at > since,
                _O.ticket_number.is_(None),
                _T.reason == reason,
            )
        )
        return self._connection.scalar(query.limit(1)) is not None
