"""View models of letters to the administrator; their common parts stand in ``context.py``."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailbot.correspondence.context import THEIRS, LetterView
from mailbot.correspondence.words import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedMail:
    """A mail that was quarantined. ``cause`` is technical and in the program's own words."""

    mail_id: str
    received_at: str
    mailbox: str
    attempts: str
    cause: str = field(metadata=THEIRS)
    sender: str = field(default="", metadata=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuarantineView(LetterView):
    """Mails were quarantined; the others go on. ``left_out`` counts those not listed."""

    count: str
    mails: tuple[QuarantinedMail, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertServerAwayView(LetterView):
    """A server cannot be reached. ``server`` is host and port, ``service`` a phrase (IMAP, SMTP …). With
    ``limited`` it answers, and takes no more letters for now."""

    service: Phrase
    server: str
    mailbox: str
    since: str
    attempts: str = ""
    last_error: str = field(default="", metadata=THEIRS)
    credentials_refused: bool = False
    limited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLoginExpiresView(LetterView):
    """What a mailbox logs in with ends soon, or has ended: a person must renew it.

    ``credential`` names it and ``renewal`` says how it is renewed. ``expires_on`` is the day where it is known,
    ``days_left`` is empty when it is over; ``last_error`` is what the provider said.
    """

    mailbox: str
    credential: Phrase
    renewal: Phrase
    expired: bool
    expires_on: str = ""
    days_left: str = ""
    last_error: str = field(default="", metadata=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLetter:
    """A letter that waits for an administrator's word."""

    ticket_number: str
    letter_name: Phrase
    recipient: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLettersHeldView(LetterView):
    """Letters are held back and why. ``left_out`` counts those not listed."""

    count: str
    reason: Phrase
    letters: tuple[HeldLetter, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLettersStuckView(LetterView):
    """Letters that did not arrive, or of which nobody knows it, and that no agent hears of."""

    count: str
