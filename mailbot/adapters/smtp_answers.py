"""What an SMTP server's answer means: (code, text, where it came) → Refused or NotReached.

Pure. Servers echo the recipient, whom the sender of a mail chose, and the words of the recipient's server: only
what the answering server says itself is searched, and an enhanced code counts only at its start (RFC 2034 §4).
The words of throttling are those that Exchange Online, Gmail, Zoho, Amazon SES, cPanel, Postfix and Exim
use; where they were found stands beside the answers in ``tests/adapters/test_smtp_answers.py``. Those that may
also come in a bounce are in ``domain/throttle_answers.py``.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mailbot.domain.exchange import NotReached, Refused, Throttle
from mailbot.domain.throttle_answers import limit_spoken_of, own_words

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
_CREDENTIALS = re.compile(r"5\.7\.(?:30|57|139)(?![\w.-])")
_WANTS_TLS = re.compile(r"starttls|encryption required", re.IGNORECASE)

# "For now" answers that speak of how much we send.
_THROTTLED = re.compile(
    r"too (?:many|much)|too fast|(?:sending|submission|unusual|mail|message|connection) rate\b"
    r"|\brate (?:of|limit|exceeded)|(?:is|are|been|being) throttled|throttling \w|concurrent \w+ connections"
    r"|limit (?:exceeded|reached)|server busy|try again later, closing",
    re.IGNORECASE,
)
_THROTTLED_STATUS = re.compile(r"4\.(?:7\.(?:0|28|500)|3\.2)(?![\w.-])")
# X.2.N is about the recipient's mailbox (RFC 3463 §3.3), not about ours; X.2.0 is used for anything.
_ABOUT_THE_RECIPIENT = re.compile(r"\A[45]\.2\.[1-4](?![\w.-])|\btoo many recipients\b", re.IGNORECASE)
_SIZE_LIMIT = re.compile(r"\A[45]\.3\.4(?![\w.-])|\bsize\b", re.IGNORECASE)
_ABOUT_THE_SENDER = re.compile(
    r"sender address rejected|\A5\.2\.252 sendasdenied|:SendAsDenied|\bsend as\b|\A5\.(?:1\.[78]|7\.60)(?![\w.-])",
    re.IGNORECASE,
)
# How an answer begins that refuses a recipient for good and yet speaks of us.
_BEGINS_WITH_US = re.compile(
    r"(?:5\.\d{1,3}\.\d{1,3} )?(?:domain \S+ has exceeded|(?:your?|sender|daily|hourly|maximum|peak|limite)\b)",
    re.IGNORECASE,
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
    words = own_words(response)
    throttle = _throttle(code, words, stage)
    if throttle is not None:
        to_one = stage is Stage.RCPT
        return Refused(code=code, response=response, permanent=False, throttled=throttle, at_recipient=to_one)
    if stage in (Stage.CONNECT, Stage.STARTTLS, Stage.LOGIN):
        refused = stage is Stage.LOGIN and code >= 500
        return NotReached(reason=f"{stage}: {code} {response}", credentials_refused=refused)
    if stage is not Stage.FINAL_DOT and (code in _CREDENTIAL_CODES or _CREDENTIALS.match(words)):
        return NotReached(
            reason=f"{stage}: {code} {response}",
            credentials_refused=_WANTS_TLS.search(words) is None,
            letter_offered=stage is not Stage.MAIL,
        )
    return Refused(
        code=code,
        response=response,
        permanent=code >= 500,
        sender_refused=_is_about_the_sender(code, words, stage),
    )


def _throttle(code: int, words: str, stage: Stage) -> Throttle | None:
    if stage is Stage.STARTTLS or _SIZE_LIMIT.search(words):
        return None
    if stage is Stage.RCPT and code >= 500 and _BEGINS_WITH_US.match(words) is None:
        return None
    limit = limit_spoken_of(words)
    if limit is not None and (limit is not Throttle.RATE or _speaks_of_us(words)):
        return limit
    if code >= 500 or _ABOUT_THE_RECIPIENT.search(words):
        return None
    # A log-in service that is down answers with the status of throttling (Postfix).
    by_status = stage is not Stage.LOGIN and _THROTTLED_STATUS.match(words) is not None
    return Throttle.RATE if by_status or _THROTTLED.search(words) is not None else None


def _speaks_of_us(words: str) -> bool:
    """Gmail gives the relay limit of a customer of its own the status of a recipient who gets too much."""
    return "relay limit" in words.lower() or _ABOUT_THE_RECIPIENT.search(words) is None


def _is_about_the_sender(code: int, words: str, stage: Stage) -> bool:
    # Postfix checks the sender only at RCPT TO, Exchange Online only after the final dot.
    if _ABOUT_THE_SENDER.search(words) is not None:
        return True
    # 552 (too large) and 555 (a parameter not known) answer the parameters, 421 and 45x the hour.
    return stage is Stage.MAIL and code in (501, 521, 550, 551, 553, 554) and not _SIZE_LIMIT.search(words)
