"""How fast a mailbox may send: ``Pace.turn(letter, now) -> None | when``. Pure but for what it remembers."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from mailbot.domain.exchange import Throttle
from mailbot.flows.attempts import AWAY_LADDER, MINUTE, THROTTLE_LADDERS, step

_REFUSED_LOGIN_LADDER = (MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE)
# A slot that was missed by so much is taken anew, or all that piled up meanwhile would leave at once.
SLOT_KEPT_FOR = timedelta(seconds=5)


class Pace:
    """How fast one mailbox may send: at most so many letters in any minute, and a pause after throttling or an
    absent server.

    A letter that has to wait is promised a slot of its own, so that a crowd of letters is looked at once each
    and not all of them whenever one may leave.
    """

    def __init__(self, max_per_minute: int | None) -> None:
        # When the last letters left or are promised to, at most as many as may leave in a minute.
        self._slots: deque[datetime] | None = deque(maxlen=max_per_minute) if max_per_minute else None
        self._promised: dict[int, datetime] = {}
        self._paused_until: datetime | None = None
        self._absences = 0
        self._throttles = 0
        # Two of those to whom a limit was answered since a letter was last taken.
        self._limited_recipients: set[str] = set()

    def turn(self, letter: int, now: datetime) -> datetime | None:
        """``None`` if the letter may leave now, else when it may."""
        if self._paused_until is not None and now < self._paused_until:
            return self._paused_until
        slot = self._promised.pop(letter, None)
        if slot is None or slot < now - SLOT_KEPT_FOR:
            slot = self._next_slot(now)
        if slot <= now:
            return None
        self._promised[letter] = slot
        return slot

    def next_promise(self) -> datetime | None:
        """When the first of the letters that were promised a slot may leave."""
        return next(iter(self._promised.values()), None)

    def forget_promises(self, before: datetime) -> None:
        """Letters that were cancelled or taken over by another process do not come for their slots."""
        while (first := self.next_promise()) is not None and first < before:
            del self._promised[next(iter(self._promised))]

    def _next_slot(self, now: datetime) -> datetime:
        self.forget_promises(now - SLOT_KEPT_FOR)
        if self._slots is None:
            return now
        full = len(self._slots) == self._slots.maxlen
        slot = max(now, self._slots[0] + MINUTE) if full else now
        self._slots.append(slot)
        return slot

    def pause_until(self, moment: datetime, now: datetime) -> None:
        """Nothing leaves before ``moment``; what was promised is void."""
        self._paused_until = max(moment, self._paused_until or moment)
        self._promised.clear()
        if self._slots is not None:
            self._slots = deque((slot for slot in self._slots if slot <= now), self._slots.maxlen)

    def server_is_away(self, now: datetime, *, login_refused: bool) -> None:
        """A growing pause, however many letters wait: each would begin at the foot of its own ladder, and a
        log-in that is tried again and again gets an account locked."""
        pause = step(_REFUSED_LOGIN_LADDER if login_refused else AWAY_LADDER, self._absences)
        self._absences += 1
        self.pause_until(now + pause, now)

    def is_throttled(self, limit: Throttle, now: datetime, *, jitter: float) -> None:
        """A pause as the limit asks for, growing until a letter is taken."""
        self._absences = 0
        pause = step(THROTTLE_LADDERS[limit], self._throttles) * jitter
        # Answers to letters that were under way already say the same thing once more.
        if self._paused_until is None or now >= self._paused_until:
            self._throttles += 1
        self.pause_until(now + pause, now)

    def limit_is_ours(self, recipient: str) -> bool:
        """Whether a limit that was answered to ``recipient`` is the mailbox's: another got it too, and since then
        no letter was taken. One recipient's alone may be of their own making, and must not stop the others."""
        if len(self._limited_recipients) < 2:
            self._limited_recipients.add(recipient)
        return bool(self._limited_recipients - {recipient})

    def letter_was_taken(self) -> None:
        """A letter left: there is no limit, or it is over."""
        self._limited_recipients.clear()
        self.server_is_there()

    def server_is_there(self) -> None:
        """It answered, and about the letter itself."""
        self._absences = self._throttles = 0

    @property
    def throttles(self) -> int:
        """How many times in a row the answer was a limit."""
        return self._throttles
