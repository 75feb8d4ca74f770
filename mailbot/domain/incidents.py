"""What is wrong with the house itself, and what of it was told to the administrator outside of mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IncidentKind(StrEnum):
    """What may keep mail from being answered, or an alarm from being read."""

    DATABASE_AWAY = "database_away"
    DISK_LOW = "disk_low"
    SERVER_AWAY = "server_away"
    LOGIN_REFUSED = "login_refused"
    PROVIDER_LIMIT = "provider_limit"
    ALERT_NOT_SENT = "alert_not_sent"
    QUARANTINE = "quarantine"
    LETTERS_STUCK = "letters_stuck"
    LETTERS_WAIT = "letters_wait"
    MAILS_WAIT = "mails_wait"
    LOOP_HANGS = "loop_hangs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that is, or lately was, wrong. ``about`` is a server, "" where there is only one of the kind.

    ``since``: first seen (real time), ``None`` while it is over. ``told_at``: when it was last told. ``is_open``:
    the administrator takes it for lasting, so that its end must be told.
    """

    kind: IncidentKind
    about: str = ""
    text: str
    since: datetime | None
    told_at: datetime | None = None
    is_open: bool = False

    @property
    def key(self) -> tuple[IncidentKind, str]:
        """What makes two sightings the same incident."""
        return self.kind, self.about


@dataclass(slots=True)
class Remembered:
    """The incidents that are known; assigned anew to be kept."""

    incidents: list[Incident]


class NoticeState(StrEnum):
    """What a notice is: something is wrong, nothing told of is wrong any more, or a trial."""

    ALARM = "alarm"
    RECOVERED = "recovered"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the administrator is told at once: a line, and a line for each incident. Nothing of customers."""

    state: NoticeState
    subject: str
    lines: tuple[str, ...]
