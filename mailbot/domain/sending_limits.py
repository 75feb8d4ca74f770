"""How servers say that a mailbox has sent all that it may for now: ``text → Throttle | None``.

They say so in an answer to the submission, some with a 5xx; cPanel takes the letter and returns it. Only words
count that cannot be about the recipient's mailbox or a large mail.
"""

from __future__ import annotations

import re

from mailbot.domain.exchange import Throttle

_LIMITS: tuple[tuple[Throttle, re.Pattern[str]], ...] = (
    (
        Throttle.BLOCKED,
        re.compile(
            # Exchange stores what it sends: with a full mailbox nothing leaves. The same class name with
            # another prefix stands for the recipient's.
            r"STOREDRV\.Submission[^ ]{0,40}:QuotaExceeded"
            r"|unusual sending activity|outgoing blocked|bad outbound sender"
            r"|\b5\.1\.8\b.{0,40}sender address blocked|envio (?:bloqueado|suspenso)",
            re.IGNORECASE,
        ),
    ),
    (
        Throttle.DAILY,
        re.compile(
            r"submission ?quota|daily (?:\w+ ){0,4}(?:limit|quota)|(?:mails?|messages?|recipients?) per day"
            r"|limite di\wrio|\b5\.4\.5\b|\b5\.1\.90\b",
            re.IGNORECASE,
        ),
    ),
    (
        Throttle.HOURLY,
        re.compile(
            r"hourly (?:\w+ ){0,3}(?:limit|quota)|(?:mails?|messages?|failures|recipients?) per hour"
            r"|for this hour\b|(?:mensage(?:m|ns)|e-?mails?) por hora",
            re.IGNORECASE,
        ),
    ),
    (
        Throttle.RATE,
        re.compile(
            r"(?:sending|submission|sender) (?:\w+ ){0,3}(?:limit|quota)|(?:rate|concurrent \w+) limit"
            r"|relay limit exceeded|limite de envio",
            re.IGNORECASE,
        ),
    ),
)


def limit_spoken_of(text: str) -> Throttle | None:
    """The limit that ``text``, an answer or the diagnosis of a bounce, names."""
    return next((kind for kind, words in _LIMITS if words.search(text)), None)
