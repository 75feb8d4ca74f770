"""What an attempt to deliver a letter comes to: ``(outcome, letter) -> LetterResult``. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from mailbot.domain.events import LetterStatus, OutboundLetter
from mailbot.domain.exchange import Delivered, NotReached, OutcomeUnknown, Refused, SendOutcome, Throttle
from mailbot.domain.outbox import LetterResult

MINUTE = timedelta(minutes=1)
# RFC 5321 §4.5.4.1: wait longer with each try, give up after four to five days.
LADDER = (MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE, 120 * MINUTE, 240 * MINUTE)
_GIVE_UP_AFTER = timedelta(days=5)
AWAY_LADDER = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 40, 80, 160, 300))
# How long a whole mailbox pauses after a throttling answer, longer with each one in a row: a provider that is
# asked on and on while its limit lasts may lengthen it.
THROTTLE_LADDERS = {
    Throttle.RATE: (MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE),
    Throttle.HOURLY: (15 * MINUTE, 30 * MINUTE, 60 * MINUTE),
    Throttle.DAILY: (60 * MINUTE,),
    Throttle.BLOCKED: (60 * MINUTE,),
}
_UNKNOWN_RETRY_AFTER = timedelta(minutes=2)
UNKNOWN_OUTCOMES_AT_MOST = 2
# After so many errors of our own with one letter a person must look.
_ERRORS_AT_MOST = 3


def result_of(outcome: SendOutcome, letter: OutboundLetter, *, now: datetime, jitter: float) -> LetterResult:
    """What an attempt comes to. ``jitter`` is a factor around 1 for waiting times."""
    match outcome:
        case Delivered():
            return LetterResult(status=LetterStatus.SENT, sent_at=now)
        case Refused() | NotReached() if _is_given_up(outcome, letter, now):
            said = outcome.reason if isinstance(outcome, NotReached) else f"{outcome.code} {outcome.response}"
            return LetterResult(status=LetterStatus.FAILED, error=said)
        case Refused() if outcome.throttled is not None:
            wait = step(THROTTLE_LADDERS[outcome.throttled], 0) * jitter
            return LetterResult(
                status=LetterStatus.RETRY,
                error=outcome.response,
                retry_at=now + wait,
                counts_as_attempt=False,
            )
        case Refused():
            wait = step(LADDER, letter.attempts) * jitter
            return LetterResult(status=LetterStatus.RETRY, error=outcome.response, retry_at=now + wait)
        case NotReached():
            wait = step(AWAY_LADDER, letter.attempts) * jitter
            return LetterResult(status=LetterStatus.RETRY, error=outcome.reason, retry_at=now + wait)
        case OutcomeUnknown():
            return _after_unknown_outcome(outcome.reason, letter.unknown_outcomes + 1, now)
        case _:
            assert_never(outcome)


def _is_given_up(outcome: Refused | NotReached, letter: OutboundLetter, now: datetime) -> bool:
    """After five days a letter is given up, for whatever reason it did not leave, but for one: a server that is
    away or refuses our log-in before it hears of any letter. That is nothing of the letter's, ends for all letters
    when an administrator (who is alarmed) acts, and would otherwise cost every one of them."""
    if isinstance(outcome, Refused) and outcome.permanent:
        return True
    # From when it could leave: a letter may have been held for weeks.
    overdue = now - letter.not_before > _GIVE_UP_AFTER
    return overdue and (isinstance(outcome, Refused) or outcome.letter_offered)


def _after_unknown_outcome(reason: str, unknown_outcomes: int, now: datetime) -> LetterResult:
    if unknown_outcomes > UNKNOWN_OUTCOMES_AT_MOST:
        return LetterResult(status=LetterStatus.NEEDS_PERSON, error=reason, outcome_unknown=True)
    retry_at = now + _UNKNOWN_RETRY_AFTER
    return LetterResult(status=LetterStatus.RETRY, error=reason, retry_at=retry_at, outcome_unknown=True)


def after_error(letter: OutboundLetter, cause: str, now: datetime) -> LetterResult:
    """An error of our own before the letter was transmitted: it harms this letter and no other."""
    if letter.attempts + 1 >= _ERRORS_AT_MOST:
        return LetterResult(status=LetterStatus.NEEDS_PERSON, error=cause)
    return LetterResult(status=LetterStatus.RETRY, error=cause, retry_at=now + step(LADDER, letter.attempts))


def step(ladder: tuple[timedelta, ...], attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return ladder[min(attempts, len(ladder) - 1)]
