"""How servers say that a mailbox has sent all that it may for now: ``text → Throttle | None``.

They say so in an answer to the submission, some with a 5xx; cPanel takes the letter and returns it. Only words
count that cannot be about the recipient's mailbox or a large mail, and only the server's own: addresses, which
senders choose, and what another server said, which they may run, are cut away first.
"""

from __future__ import annotations

import re

from mailbot.domain.exchange import Throttle

# A quoted local part may hold blanks and ">" (RFC 5321 §4.1.2); an answer may end within an address.
_ADDRESS = re.compile(r'<(?:"(?:\\.|[^"\\])*"@|[^>])*(?:>|$)|"(?:\\.|[^"\\])*"@\S+|\S*@\S*')
# Postfix ("host mx.example said:"), Exim ("SMTP error from remote mail server", a callout's "Response:"),
# Exchange ("Remote Server returned"), sendmail (">>> RCPT TO").
_ANOTHERS_WORDS = re.compile(
    r"\bsaid\b|\brespon(?:se|ded)\b|\bremote (?:mail )?(?:host|server|mta)\b|\bhost \S+ ?\[|\bcall(?:out|back)\b"
    r"|unverified address|>>>",
    re.IGNORECASE,
)
# What stands before an enhanced code (RFC 2034) in the diagnosis of a bounce (RFC 3464 §2.3.6).
_REPLY_CODE = re.compile(r"\s*(?:smtp;\s*)?(?:[245]\d\d[ -])?\s*", re.IGNORECASE)

_LIMITS: tuple[tuple[Throttle, re.Pattern[str]], ...] = (
    (
        Throttle.BLOCKED,
        re.compile(
            # Exchange stores what it sends: with a full mailbox nothing leaves. The same class name with
            # another prefix stands for the recipient's.
            r"STOREDRV\.Submission[^ ]{0,40}:QuotaExceeded"
            r"|unusual sending activity|outgoing blocked|bad outbound sender"
            r"|\A5\.1\.8 .{0,40}sender address blocked|envio (?:bloqueado|suspenso)",
            re.IGNORECASE,
        ),
    ),
    (
        Throttle.DAILY,
        re.compile(
            r"STOREDRV\.Submission[^ ]{0,40}:SubmissionQuota|submission quota|daily (?:\w+ ){0,4}(?:limit|quota)"
            r"|(?:mails?|messages?|recipients?) per day|limite di\wrio|\A5\.(?:4\.5|1\.90)(?![\w.-])",
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


def own_words(text: str) -> str:
    """What the server itself says, from its enhanced code on: an answer or the diagnosis of a bounce without
    addresses and without what it passes on of another server's words."""
    # Addresses first: "said" may be part of one.
    without_addresses = _ADDRESS.sub(" ", _REPLY_CODE.sub("", text, count=1))
    return _ANOTHERS_WORDS.split(without_addresses, maxsplit=1)[0]


def limit_spoken_of(text: str) -> Throttle | None:
    """The limit that the writer of ``text``, an answer or the diagnosis of a bounce, names in words of its own."""
    words = own_words(text)
    return next((kind for kind, pattern in _LIMITS if pattern.search(words)), None)
