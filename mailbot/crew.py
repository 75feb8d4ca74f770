"""Helpers in a rush: more processes that work off mail, called in while much is waiting.

One process works off one mail after the other, and a second thread of it would mostly wait for the first. So
when a hundred mails wait, other processors are asked to help; when nothing waits, the helpers go. They are daemons
without mailbox and outbox: each claims for itself, as a second daemon on the same database would, so that the
order of a sender's mails, and everything that holds for a killed process, hold for them. They are forked off a
process that was forked off the daemon before it began (``isolation/fork_server.py``): so they have its settings,
its configuration, its clock and its program, whatever has changed on the disk since. This is the daemon's side;
``helper.py`` is theirs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Self

import structlog

from mailbot.adapters.processes import processors
from mailbot.bootstrap import App
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.ledger import LEASE_TIME, WORK_LIMIT, MailOutcome
from mailbot.flows.collect import Collector
from mailbot.isolation.fork_server import ForkedProcess, ForkServer
from mailbot.settings import Settings

_log = structlog.get_logger("mailbot.crew")

MAILS_PER_HELPER = 100
"""So many waiting mails call one more helper in."""
HELPERS_AT_MOST = 3
"""Where the settings name no number (``MAILBOT_WORKERS``)."""
START_SECONDS = 0.5
"""How long a helper takes to start on a busy machine where the fork server is not ready yet."""
MAIL_IN_HAND_SECONDS = 8.0
"""How long a helper that is to go has for the mail in its hand: less than a daemon that stops gives its own."""

_LOOK_EVERY_SECONDS = 0.05
# A helper that has said nothing for so long is slow to start, hangs or is about to go: we had better work.
_SILENT_SECONDS = 1.0
# One that broke is likely to break again: the daemon goes on alone for a while.
_ALONE_SECONDS = 60.0
# One that was silent for so long did not even end itself because of a mail that hangs: it stands still.
_STANDS_STILL_SECONDS = (WORK_LIMIT + LEASE_TIME).total_seconds()
_END_SECONDS = 10.0


class HelperExit(IntEnum):
    """Exit codes by which a helper says that it went of its own accord, with no mail to blame."""

    WORK_IS_DONE = 0
    STORAGE_AWAY = 3
    WRONG_CONFIGURATION = 4


def helpers_by_default() -> int:
    """As many as there are processors, up to :data:`HELPERS_AT_MOST`: while a helper waits for its turn to write
    there is time to collect and to deliver. Where there is one processor nobody can help it."""
    ours = processors()
    return min(HELPERS_AT_MOST, ours) if ours > 1 else 0


def helpers_allowed(settings: Settings) -> int:
    """How many helpers these settings allow."""
    return helpers_by_default() if settings.workers is None else settings.workers


def helpers_wanted(waiting: int, most: int) -> int:
    """How many helpers so many waiting mails call for."""
    return min(most, waiting // MAILS_PER_HELPER)


class Crew:
    """Calls helpers in and lets them go; a context that nobody outlives.

    ``heard`` is told, on a thread of its own, of each mail that a helper brought to an end. ``coming`` says how
    many will be in the ledger by the time a helper that is called in now has started. What a helper left in its
    hands is free again at once: as a death against the mail if the helper broke, as nothing if it was asked to go.
    """

    def __init__(
        self,
        app: App,
        *,
        heard: Callable[[MailOutcome], None],
        coming: Callable[[], int] = lambda: 0,
    ) -> None:
        self._app = app
        self._heard = heard
        self._coming = coming
        self._fork_server = app.fork_server
        self._most = helpers_allowed(app.settings)
        # Helpers are asked to go by another thread than the one that calls them in.
        self._lock = threading.Lock()
        self._helpers: list[_Helper] = []
        self._left_behind: list[_LeftBehind] = []
        self._look_at = 0.0
        self._alone_until = 0.0
        self._gone_by: float | None = None
        self.broken = 0
        """How many helpers broke: what each finished last may be missing among what was heard."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()
        try:
            self.take_over()
        except StorageUnavailable as error:
            _log.warning("nothing taken over", action="crew.storage_away", error=str(error))

    def call_in_if_needed(self) -> None:
        """Part with helpers that have ended, free what they left, and call others in if many mails wait.

        Cheap enough to be done before every mail. Raises ``StorageUnavailable``.
        """
        now = time.monotonic()
        self._part_with_the_ended()
        self.take_over()
        if self._fork_server is not None and len(self._helpers) < self._most and now >= self._alone_until:
            self._call_in(self._fork_server, self._wanted(now))

    @property
    def is_at_work(self) -> bool:
        """Whether helpers work, or are about to, so that we need not."""
        now = time.monotonic()
        return any(now - helper.heard_at < _SILENT_SECONDS for helper in self._helpers)

    def _wanted(self, now: float) -> int:
        """How many helpers there should be. What is coming is known at once, what waits counted now and then."""
        coming = self._coming()
        wanted = helpers_wanted(coming, self._most)
        if wanted < self._most and now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_SECONDS
            wanted = helpers_wanted(self.waiting() + coming, self._most)
        return wanted

    def waiting(self) -> int:
        """How many mails could be worked on now, counted up to what calls everybody in."""
        at_most = MAILS_PER_HELPER * max(1, self._most)
        with self._app.storage.read() as work:
            return work.mails.waiting(self._app.mailboxes.keys(), now=datetime.now(UTC), at_most=at_most)

    def ask_to_go(self) -> None:
        """No helper takes a further mail, and none is called in any more; returns at once."""
        with self._lock:
            if self._gone_by is None:
                self._gone_by = time.monotonic() + MAIL_IN_HAND_SECONDS
            for helper in self._helpers:
                helper.ask_to_go()

    def dismiss(self) -> None:
        """Let all finish the mail in hand and go; one that does not go in its time is ended."""
        self.ask_to_go()
        with self._lock:
            helpers, gone_by = list(self._helpers), self._gone_by or 0.0
        for helper in helpers:
            helper.join(until=gone_by)
        for helper in helpers:
            helper.end()
        end_by = time.monotonic() + _END_SECONDS
        for helper in helpers:
            helper.join(until=end_by)
        self._part_with_the_ended()

    def take_over(self) -> None:
        """Free at once what helpers that are gone left in their hands. Raises ``StorageUnavailable``."""
        left = list(self._left_behind)
        if not left:
            return
        now = datetime.now(UTC)
        with self._app.storage.write() as work:
            for one in left:
                if one.mail_to_blame:
                    mails = work.mails.release(one.owner, real_now=now)
                else:
                    mails = work.mails.give_back_all(one.owner, ready_at=now)
                if mails:
                    _log.info("took over from a helper", action="crew.took_over", mails=mails)
        del self._left_behind[: len(left)]

    def _call_in(self, fork_server: ForkServer, wanted: int) -> None:
        with self._lock:
            if self._gone_by is not None:
                return
            for _ in range(wanted - len(self._helpers)):
                try:
                    self._helpers.append(_Helper(fork_server.begin(), self._heard))
                except OSError as error:
                    self._go_on_alone(str(error))
                    return
                _log.info("helper called in", action="crew.called_in", helpers=len(self._helpers))

    def _go_on_alone(self, error: str) -> None:
        """No process, memory or descriptor is to be had: that is no reason for us to stop."""
        _log.warning("no helper to be had", action="crew.not_started", error=error)
        self._alone_until = time.monotonic() + _ALONE_SECONDS

    def _part_with_the_ended(self) -> None:
        now = time.monotonic()
        with self._lock:
            for helper in self._helpers:
                if now - helper.last_sign_at > _STANDS_STILL_SECONDS:
                    helper.end()
            ended = [helper for helper in self._helpers if helper.has_ended]
            self._helpers = [helper for helper in self._helpers if helper not in ended]
            for helper in ended:
                self._note_end(helper)

    def _note_end(self, helper: _Helper) -> None:
        """What the end of a helper means for us and for the mail in its hand."""
        went_by_itself = helper.exit_code in set(HelperExit) and not helper.talked_nonsense
        if helper.owner is not None:
            mail_to_blame = not (went_by_itself or helper.was_asked_to_go or helper.exit_code is None)
            self._left_behind.append(_LeftBehind(owner=helper.owner, mail_to_blame=mail_to_blame))
        if helper.was_asked_to_go or helper.exit_code == HelperExit.WORK_IS_DONE:
            return
        if helper.exit_code is None:
            self._go_on_alone("nobody knows how it ended" if helper.has_begun else "it could not begin")
            return
        self._alone_until = time.monotonic() + _ALONE_SECONDS
        if not went_by_itself:
            self.broken += 1
            _log.error("a helper broke", action="crew.broke", exit_code=helper.exit_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LeftBehind:
    """A helper that is gone, and whether the mail that it may have had in hand is held to have ended it."""

    owner: str
    mail_to_blame: bool


class _Helper:
    """One helper's process, and the thread that hears its reports."""

    def __init__(self, process: ForkedProcess, heard: Callable[[MailOutcome], None]) -> None:
        self._process = process
        self._heard = heard
        self.owner: str | None = None
        """By what name it claims mails; unknown as long as it has claimed none."""
        self.heard_at = time.monotonic()
        self.last_sign_at = time.monotonic()
        self.was_asked_to_go = False
        self.talked_nonsense = False
        self._was_ended = False
        self._listener = threading.Thread(target=self._listen, name="crew", daemon=True)
        self._listener.start()

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone and all its reports are heard."""
        return not self._listener.is_alive()

    @property
    def has_begun(self) -> bool:
        """Whether there ever was a process, as far as we know."""
        return self._process.pid is not None

    @property
    def exit_code(self) -> int | None:
        """How it ended."""
        return self._process.exit_code

    def ask_to_go(self) -> None:
        """No further mail after the one in hand; the one claimed ahead is given back."""
        self.was_asked_to_go = True
        with suppress(OSError):
            self._process.orders.close()

    def join(self, *, until: float) -> None:
        """Wait until it is gone, up to this moment of the monotonic clock."""
        self._listener.join(max(0.0, until - time.monotonic()))

    def end(self) -> None:
        """See to it that it is gone."""
        if self.has_ended or self._was_ended:
            return
        self._was_ended = True
        _log.warning("a helper had to be ended", action="crew.ended", process=self._process.pid)
        self._process.kill()

    def _listen(self) -> None:
        self._process.wait_for_begin()
        try:
            self._hear(self._process.reports)
        except ValueError:
            self.talked_nonsense = True
            self.end()
        self._process.wait()

    def _hear(self, reports: Iterable[bytes]) -> None:
        """The first line is by what name it claims mails, each further one a mail's outcome."""
        for line in reports:
            word = line.decode("utf-8").strip()
            self.last_sign_at = time.monotonic()
            if self.owner is None:
                self.owner = word
            else:
                outcome = MailOutcome(word)
                self.heard_at = self.last_sign_at
                self._heard(outcome)


def coming_soon(collectors: Sequence[Collector]) -> int:
    """How many mails come into the ledger while a helper starts."""
    return sum(collector.coming_within(START_SECONDS) for collector in collectors)
