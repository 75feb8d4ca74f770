"""What an SMTP server's answer means: (code, text, where it came) → Refused or NotReached.

Pure. The words of throttling are those that Exchange Online, Gmail, Zoho, Amazon SES, cPanel, Postfix and Exim
use; where they were found stands beside the answers in ``tests/adapters/test_smtp_answers.py``. Those that may
also come in a bounce are in ``domain/sending_limits.py``.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mailbot.domain.exchange import NotReached, Refused, Throttle
from mailbot.domain.sending_limits import limit_spoken_of

_LONGEST_TEXT = 500


class Stage(StrEnum):
    """Which part of the dialogue was answered."""

    CONNECT = "connect"
    STARTTLS = "STARTTLS"
    LOGIN = "log-in"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"
    FINAL_DOT = "final dot"


# RFC 4954 §6. An answer of this kind to a letter says that we are not logged in (well enough).
_CREDENTIAL_CODES = frozenset({530, 534, 535, 538})
_CREDENTIALS = re.compile(r"\b5\.7\.(?:30|57|139)\b")
_WANTS_TLS = re.compile(r"starttls|encryption required", re.IGNORECASE)

# "For now" answers that speak of how much we send.
_THROTTLED = re.compile(
    r"too (?:many|much)|too fast|\brate\b|throttl|concurrent|limit (?:exceeded|reached)|server busy"
    r"|try again later, closing",
    re.IGNORECASE,
)
_THROTTLED_STATUS = re.compile(r"\b4\.7\.(?:0|28|500)\b|\b4\.3\.2\b")
# X.2.N is about the recipient's mailbox (RFC 3463 §3.3), not about ours; X.2.0 is used for anything.
_ABOUT_THE_RECIPIENT = re.compile(r"\b[45]\.2\.[1-4]\b|\btoo many recipients\b", re.IGNORECASE)
_SIZE_LIMIT = re.compile(r"\b[45]\.3\.4\b|\bsize\b", re.IGNORECASE)
_ABOUT_THE_SENDER = re.compile(
    r"sender address rejected|sendasdenied|send ?as|\b5\.1\.[78]\b|\b5\.7\.60\b", re.IGNORECASE
)


def readable(text: str) -> str:
    """An answer on one line, at most 500 characters, without control characters and broken bytes."""
    shown = "".join(character if character.isprintable() else " " for character in text[: 4 * _LONGEST_TEXT])
    return " ".join(shown.split())[:_LONGEST_TEXT]


def refusal(code: int, text: str, stage: Stage) -> Refused | NotReached:
    """What an answer that is no consent means for the letter.

    Wrong credentials and a server that is not ready for anybody are not the letter's fault: ``NotReached``.
    What speaks of a limit of the whole mailbox is ``throttled`` wherever it comes; where it is a 5xx the code
    stays, but the refusal is not permanent.
    """
    response = readable(text)
    throttle = _throttle(code, response, stage)
    if throttle is not None:
        return Refused(code=code, response=response, permanent=False, throttled=throttle)
    if stage in (Stage.CONNECT, Stage.STARTTLS, Stage.LOGIN):
        refused = stage is Stage.LOGIN and code >= 500
        return NotReached(reason=f"{stage}: {code} {response}", credentials_refused=refused)
    if stage is not Stage.FINAL_DOT and (code in _CREDENTIAL_CODES or _CREDENTIALS.search(response)):
        wants_tls = _WANTS_TLS.search(response) is not None
        return NotReached(reason=f"{stage}: {code} {response}", credentials_refused=not wants_tls)
    return Refused(
        code=code,
        response=response,
        permanent=code >= 500,
        sender_refused=_is_about_the_sender(code, response, stage),
    )


def _throttle(code: int, response: str, stage: Stage) -> Throttle | None:
    if stage is Stage.STARTTLS or _SIZE_LIMIT.search(response):
        return None
    limit = limit_spoken_of(response)
    if limit is not None and (limit is not Throttle.RATE or _speaks_of_us(response)):
        return limit
    if code >= 500 or _ABOUT_THE_RECIPIENT.search(response):
        return None
    # A log-in service that is down answers with the status of throttling (Postfix).
    by_status = stage is not Stage.LOGIN and _THROTTLED_STATUS.search(response) is not None
    return Throttle.RATE if by_status or _THROTTLED.search(response) is not None else None


def _speaks_of_us(response: str) -> bool:
    """Gmail gives the relay limit of a customer of its own the status of a recipient who gets too much."""
    return "relay limit" in response.lower() or _ABOUT_THE_RECIPIENT.search(response) is None


def _is_about_the_sender(code: int, response: str, stage: Stage) -> bool:
    # Postfix checks the sender only at RCPT TO, Exchange Online only after the final dot.
    if _ABOUT_THE_SENDER.search(response) is not None:
        return True
    # 552 (too large) and 555 (a parameter not known) answer the parameters, 421 and 45x the hour.
    return stage is Stage.MAIL and code in (501, 521, 550, 551, 553, 554) and not _SIZE_LIMIT.search(response)
