"""Letters to the administrator and summaries for agents: ``facts -> PlannedLetter``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from mailbot.correspondence.alert_views import (
    AlertLettersHeldView,
    AlertLettersStuckView,
    AlertLoginExpiresView,
    AlertQuarantineView,
    AlertServerAwayView,
    QuarantinedMail,
)
from mailbot.correspondence.context import LetterView, first_name
from mailbot.correspondence.planned import PlannedLetter
from mailbot.correspondence.staff_views import NoticeLine, NoticesSummaryView
from mailbot.correspondence.words import Words, phrase
from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ledger import InboundRow
from mailbot.domain.logins import LoginExpiry
from mailbot.domain.mail import Address
from mailbot.domain.troubles import Trouble

_LISTED_AT_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDesk:
    """Who is told, in whose name, and how dates are written."""

    admin: Address
    brand_name: str
    mailbox_address: str
    language: str
    words: Words
    zone: tzinfo

    def moment(self, at: datetime) -> str:
        """Day and time in local time."""
        return self.words.moment(at, self.zone)


def quarantine_alert(mails: Sequence[InboundRow], desk: AlertDesk) -> PlannedLetter:
    """Mails were quarantined; one letter for all of them."""
    listed = mails[:_LISTED_AT_MOST]
    view = AlertQuarantineView(
        brand_name=desk.brand_name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        count=str(len(mails)),
        mails=tuple(
            QuarantinedMail(
                mail_id=str(mail.id),
                received_at=desk.moment(mail.received_at),
                mailbox=mail.mailbox,
                attempts=str(mail.attempts),
                cause=mail.reason,
                sender=mail.from_address,
            )
            for mail in listed
        ),
        left_out=_left_out(len(mails)),
    )
    return _to_admin(LetterKind.ALERT_QUARANTINE, view, desk)


def server_away_alert(trouble: Trouble, desk: AlertDesk) -> PlannedLetter:
    """A server has been away, or held us to a limit, for a while."""
    view = AlertServerAwayView(
        brand_name=desk.brand_name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        service=phrase(f"service.{trouble.kind}"),
        server=str(trouble.key),
        mailbox=trouble.mailbox,
        since=desk.moment(trouble.since),
        last_error=trouble.error,
        limited=trouble.is_limit,
    )
    return _to_admin(LetterKind.ALERT_SERVER_AWAY, view, desk)


def login_expires_alert(login: LoginExpiry, now: datetime, desk: AlertDesk, *, error: str = "") -> PlannedLetter:
    """What a mailbox logs in with ends soon; has ended, where ``error`` says so or its day is over."""
    end = login.expires_at
    expired = bool(error) or (end is not None and end <= now)
    view = AlertLoginExpiresView(
        brand_name=desk.brand_name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        mailbox=login.mailbox,
        credential=phrase(f"login.{login.credential}"),
        renewal=phrase(f"login.renewal.{login.credential}"),
        expired=expired,
        expires_on="" if end is None else desk.moment(end),
        days_left="" if expired or end is None else str(max(1, math.ceil((end - now) / timedelta(days=1)))),
        last_error=error,
    )
    return _to_admin(LetterKind.ALERT_LOGIN_EXPIRES, view, desk)


def letters_held_alert(count: int, reason: str, desk: AlertDesk) -> PlannedLetter:
    """Letters wait for the administrator's word."""
    view = AlertLettersHeldView(
        brand_name=desk.brand_name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        count=str(count),
        reason=phrase(reason),
    )
    return _to_admin(LetterKind.ALERT_LETTERS_HELD, view, desk)


def letters_stuck_alert(count: int, desk: AlertDesk) -> PlannedLetter:
    """Letters need a person, or notices to agents came back."""
    view = AlertLettersStuckView(
        brand_name=desk.brand_name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        count=str(count),
    )
    return _to_admin(LetterKind.ALERT_LETTERS_STUCK, view, desk)


def notices_summary(agent: Address, notices: Sequence[OutboundLetter], desk: AlertDesk) -> PlannedLetter:
    """More notices than an agent is sent singly, in one letter."""
    view = NoticesSummaryView(
        brand_name=desk.brand_name,
        mailbox_address=desk.mailbox_address,
        reply_address=desk.mailbox_address,
        agent_name=first_name(agent.name),
        count=str(len(notices)),
        notices=tuple(
            NoticeLine(
                at=desk.moment(notice.created_at),
                ticket_number=notice.ticket_number or "",
                ticket_title=notice.subject,
                what=phrase(f"notice.{notice.letter}"),
            )
            for notice in notices[:_LISTED_AT_MOST]
        ),
        left_out=_left_out(len(notices)),
    )
    return PlannedLetter(
        letter=LetterKind.NOTICES_SUMMARY,
        audience=Audience.STAFF,
        purpose=None,
        recipient=agent,
        sender_name=desk.brand_name,
        view=view,
        language=desk.language,
        automatic=False,
        auto_submitted="auto-generated",
        verified_recipient=True,
    )


def _to_admin(letter: LetterKind, view: LetterView, desk: AlertDesk) -> PlannedLetter:
    return PlannedLetter(
        letter=letter,
        audience=Audience.ADMIN,
        purpose=None,
        recipient=desk.admin,
        sender_name=desk.brand_name,
        view=view,
        language=desk.language,
        automatic=True,
        auto_submitted="auto-generated",
        verified_recipient=True,
    )


def _left_out(count: int) -> str:
    return str(count - _LISTED_AT_MOST) if count > _LISTED_AT_MOST else ""
