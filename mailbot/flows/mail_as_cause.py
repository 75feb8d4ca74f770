"""A mail as what causes a change: its files as stored, and what carrying its decision out needs to know of it.

The same for intake, for a trial of it and for an explanation; only where the number comes from differs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable

from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.events import StoredFile
from mailbot.domain.mail import Address, InboundMail
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.triage.carry_out import opens_a_ticket, opens_one_beside
from mailbot.triage.change_log import Cause
from mailbot.triage.decisions import Decision
from mailbot.triage.situation import Situation

_DIGITS = 6

CONFLICTS_AT_MOST = 5
"""How often a change is worked out anew because somebody else changed its ticket meanwhile."""


def stored_files(mail: InboundMail, digests: Iterable[str]) -> tuple[StoredFile, ...]:
    """The mail's attachments under the names by which they are kept: one digest each, in order."""
    return tuple(
        StoredFile(
            digest=digest,
            filename=attachment.filename,
            media_type=attachment.media_type,
            size_bytes=attachment.size_bytes,
            sha256=attachment.sha256,
        )
        for digest, attachment in zip(digests, mail.attachments, strict=True)
    )


def nobodys_number(year: int) -> str:
    """The number of a ticket that is not opened: real ones begin at 1."""
    return f"{year}-000000"


def placeholder_number() -> str:
    """As long as a ticket's number, of a year that has none, and not to be guessed: it keeps the place of a number
    that is still to be drawn, and no words of anybody's are taken for it."""
    return f"0000-{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"


def year_of(situation: Situation, calendar: BusinessCalendar) -> int:
    """The year of whose numbers a ticket gets one that is opened now."""
    return situation.now.astimezone(calendar.zone).year


def cause_for(
    decision: Decision,
    situation: Situation,
    mailbox: ServedMailbox,
    files: tuple[StoredFile, ...],
    *,
    mail_id: int,
    agent: Address | None,
    calendar: BusinessCalendar,
    next_number: Callable[[int], str] = nobodys_number,
) -> Cause:
    """``agent`` is the roster's entry of who wrote the mail, if it is one. ``next_number`` draws the number of a
    new ticket for a year of the ``calendar``'s zone; asked only where ``decision`` opens one, and once more where
    one is opened beside it."""
    year = year_of(situation, calendar)
    return Cause(
        mail_id=mail_id,
        mailbox=mailbox.key,
        language=mailbox.spec.language,
        files=files,
        calendar=calendar,
        number=next_number(year) if opens_a_ticket(decision) else "",
        number_beside=next_number(year) if opens_one_beside(decision, situation) else "",
        agent=agent,
    )
