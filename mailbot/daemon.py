"""The running program: the three loops on their threads, the clockwork, signals; and one round of it all.

Each loop may be killed at any instruction and started again. A stop is polite: claiming ends at once, the mail
in hand has ten seconds, a letter past its final dot is awaited.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog

from mailbot.adapters.processes import is_dead
from mailbot.bootstrap import App
from mailbot.domain.errors import LetterError, OurFault, ServerAway, StorageUnavailable
from mailbot.domain.events import LetterKind, LetterStatus
from mailbot.domain.ledger import LEASE_RENEWAL_SECONDS, WORK_LIMIT, MailOutcome
from mailbot.flows.causes import place_of
from mailbot.flows.collect import Collector

if TYPE_CHECKING:
    from mailbot.flows.delivery import Delivery

_log = structlog.get_logger("mailbot.daemon")

_MAIL_IN_HAND_SECONDS = 10.0
_LETTER_IN_HAND_SECONDS = 60.0
# A database that is locked while we stop must not keep us: what is not given back is taken over later.
_LAST_WRITE_SECONDS = 5.0
_INTAKE_IDLE_SECONDS = 1.0
_STORAGE_AWAY_SECONDS = 5.0
_TICK_SECONDS = 30
_UPKEEP_LEASE = "upkeep"
# Exit code of a round that a hanging mail ended: something needs a look.
_ENDED_BY_A_MAIL = 1


class HangingMail(OurFault):
    """A mail was in hand beyond its limit: the process cannot go on, a new one can."""


@dataclass(slots=True)
class RoundCount:
    """What one round came to (``run --once --json``)."""

    collected: int = 0
    duplicates: int = 0
    processed: int = 0
    quarantined: int = 0
    tickets_opened: int = 0
    letters_sent: int = 0
    letters_failed: int = 0
    letters_held: int = 0

    def count(self, outcome: MailOutcome) -> None:
        """Count a mail that intake has finished with."""
        if outcome is MailOutcome.PENDING:
            return
        self.processed += 1
        self.duplicates += outcome is MailOutcome.DUPLICATE
        self.quarantined += outcome is MailOutcome.QUARANTINED
        self.tickets_opened += outcome is MailOutcome.TICKET


def take_over_from_the_dead(app: App) -> None:
    """What a dead process of this host had in hand is free at once, without waiting for its lease."""
    real_now = datetime.now(UTC)
    with app.storage.read() as work:
        owners = work.mails.owners() | work.outbox.owners() | work.house.lease_owners()
    dead = [owner for owner in owners if is_dead(owner)]
    if not dead:
        return
    with app.storage.write() as work:
        for owner in dead:
            mails = work.mails.release(owner, real_now=real_now)
            letters = work.outbox.release(owner, real_now=real_now)
            work.house.release_leases(owner)
            _log.info("took over", action="daemon.took_over", mails=mails, letters=letters)


def warn_of_types_that_are_gone(app: App) -> None:
    """Tickets whose request type is no longer in the catalogue wait for a person: somebody should know."""
    with app.storage.read() as work:
        gone = sorted(key for key in work.tickets.types_in_use() if not app.catalogue.has_type(key))
    if gone:
        _log.warning("tickets of request types that are gone", action="daemon.types_gone", request_types=gone)


# --- one round ---------------------------------------------------------------------------------------------


def run_once(app: App) -> RoundCount:
    """Collect, process and deliver all that is pending. Raises ``ServerAway``.

    A server that is away, or a disk that does not take part in reading mails, does not keep the rest from being
    done: it is told at the end.
    """
    take_over_from_the_dead(app)
    warn_of_types_that_are_gone(app)
    count = RoundCount()
    troubles: list[Exception] = []
    held_before = _held(app)
    collectors = app.collectors()
    with _leases_kept(app, collectors):
        with _told_at_the_end(troubles):
            _collect_and_process(app, collectors, count, troubles)
        with _told_at_the_end(troubles):
            _tick(app)
        delivered = asyncio.run(app.delivery().deliver_all())
    count.letters_sent, count.letters_failed = delivered.sent, delivered.failed
    count.letters_held = _held(app) - held_before
    if troubles:
        raise troubles[0]
    return count


@contextmanager
def _told_at_the_end(troubles: list[Exception]) -> Iterator[None]:
    try:
        yield
    except StorageUnavailable as error:
        troubles.append(error)


def _collect_and_process(
    app: App, collectors: list[Collector], count: RoundCount, troubles: list[Exception]
) -> None:
    collecting = [
        threading.Thread(target=_collect_once, args=(collector, count, troubles), name="collect")
        for collector in collectors
    ]
    for thread in collecting:
        thread.start()
    try:
        while _process_one(app, count) or any(thread.is_alive() for thread in collecting):
            pass
        while _process_one(app, count):
            pass
    finally:
        app.intake.stop()
        for thread in collecting:
            thread.join()


def _collect_once(collector: Collector, count: RoundCount, troubles: list[Exception]) -> None:
    try:
        if collector.hold_lease():
            count.collected += collector.collect_once()
            collector.note_all_is_well()
    except ServerAway as error:
        collector.note_trouble(error)
        troubles.append(error)
    except Exception as error:
        # Nobody would hear of it on this thread: the round goes on and raises it at its end.
        troubles.append(error)
    finally:
        collector.close()
        with suppress(StorageUnavailable):
            collector.drop_lease()


@contextmanager
def _leases_kept(app: App, collectors: list[Collector]) -> Iterator[None]:
    """What this process has in hand stays its own, however long it takes."""
    end = threading.Event()

    def renew() -> None:
        while not end.wait(LEASE_RENEWAL_SECONDS):
            _renew_leases(app, collectors)
            _end_with_a_hanging_mail(app)

    thread = threading.Thread(target=renew, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _end_with_a_hanging_mail(app: App) -> None:
    """The thread that the mail keeps is the one that would end the round: nothing else can end this process."""
    hanging = _hanging_mail(app)
    if hanging is not None:
        _log.error("this round ends here", action="daemon.mail_hangs", error=str(hanging))
        os._exit(_ENDED_BY_A_MAIL)


def _hanging_mail(app: App) -> HangingMail | None:
    """Give up the mail that has been in hand for too long, if there is one: an attempt counts against it."""
    try:
        mail_id = app.intake.give_up_hanging(WORK_LIMIT)
    except StorageUnavailable as error:
        _log.warning("hanging mail not given up", action="daemon.storage_away", error=str(error))
        return None
    return None if mail_id is None else HangingMail(f"mail {mail_id} was in hand for more than {WORK_LIMIT}")


def _renew_leases(app: App, collectors: list[Collector]) -> None:
    real_now = datetime.now(UTC)
    try:
        with app.storage.write() as work:
            work.mails.renew(app.owner, real_now=real_now, begun_after=real_now - WORK_LIMIT)
            work.outbox.renew(app.owner, real_now=real_now)
        for collector in collectors:
            collector.renew_lease()
    except StorageUnavailable as error:
        _log.warning("leases not renewed", action="daemon.leases_not_renewed", error=str(error))


def _process_one(app: App, count: RoundCount) -> bool:
    outcome = app.intake.process_next(early=True)
    if outcome is None:
        # Collecting goes on beside us; without a breath this would be a busy loop.
        threading.Event().wait(0.002)
        return False
    count.count(outcome)
    return True


def _held(app: App) -> int:
    with app.storage.read() as work:
        return work.outbox.count_status(LetterStatus.HELD)


def _warm_up(app: App) -> None:
    """Import what the first letter needs before a mail is claimed for it.

    It takes longer than a hundred mails, and a process that is killed meanwhile should have none in hand: a
    good mail that is the first of five starts that come to nothing would be put aside.
    """
    from mailbot.correspondence.samples import sample_view

    # A template that is wrong is for the mail to meet whose letter it is.
    with suppress(LetterError):
        for kind in (LetterKind.TICKET_OPENED, LetterKind.EVIDENCE_REQUESTED, LetterKind.TICKET_READY):
            app.renderer.render(kind, sample_view(kind, app.settings.templates_dir))
    app.calendar.after_business_hours(app.clock.now(), 1)


def _tick(app: App) -> None:
    with app.storage.write() as work:
        if work.house.take_lease(_UPKEEP_LEASE, app.owner, real_now=datetime.now(UTC)) is None:
            return
    try:
        app.upkeep.tick()
    finally:
        # Whatever is wrong with a ticket, the administrator hears what there is to hear.
        app.alarms.tick()


# --- the daemon ----------------------------------------------------------------------------------------------


class Daemon:
    """Runs until SIGTERM or SIGINT."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._stop = threading.Event()
        self._awake = _Awakening()
        self._error: Exception | None = None
        self._mail_bell = threading.Event()
        self._letters: _DeliveryThread | None = None
        self._collectors: list[Collector] = []

    def run(self) -> None:
        """Start everything, wait for a signal, stop everything.

        Raises ``StorageUnavailable`` at the start, and at the end the error by which a loop died, if one did:
        who supervises this process must see that it did not end as it was asked to.
        """
        self._awake.listen_to_signals()
        take_over_from_the_dead(self._app)
        warn_of_types_that_are_gone(self._app)
        self._collectors = self._app.collectors()
        for collector in self._collectors:
            collector.on_collected = self._mail_bell.set
        collecting = [self._thread("collect", partial(one.run, self._stop)) for one in self._collectors]
        self._letters = _DeliveryThread(self._app.delivery, self._died)
        intake = self._thread("intake", self._process)
        clockwork = self._start_clockwork()
        with self._leases_kept():
            _log.info("running", action="daemon.started", mailboxes=len(self._app.mailboxes))
            self._awake.wait()
            _log.info("stopping", action="daemon.stopping")
            self._stop.set()
            self._mail_bell.set()
            clockwork.shutdown(wait=False)
            for collector in self._collectors:
                collector.interrupt()
            self._letters.stop()
            self._join_intake(intake)
            self._letters.join(_LETTER_IN_HAND_SECONDS)
            for thread in collecting:
                thread.join(_MAIL_IN_HAND_SECONDS)
        self._write_at_last("leases not given back", self._drop_leases)
        _log.info("stopped", action="daemon.stopped")
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Ask for a polite stop; returns at once."""
        self._awake.ring()

    def _died(self, error: Exception) -> None:
        self._error = self._error or error
        self._awake.ring()

    def _thread(self, name: str, target: Callable[[], object]) -> threading.Thread:
        return _thread(name, target, self._died)

    # --- intake ---

    def _process(self) -> None:
        _warm_up(self._app)
        while not self._stop.is_set():
            try:
                outcome = self._app.intake.process_next()
            except StorageUnavailable as error:
                _log.warning("cannot process", action="intake.storage_away", error=str(error))
                self._stop.wait(_STORAGE_AWAY_SECONDS)
                continue
            if outcome is None:
                self._mail_bell.wait(_INTAKE_IDLE_SECONDS)
                self._mail_bell.clear()
            elif self._letters is not None:
                self._letters.ring()
        self._app.intake.stop()

    def _join_intake(self, intake: threading.Thread) -> None:
        """The mail in hand has ten seconds; then it is given back, and its late result will not be written."""
        intake.join(_MAIL_IN_HAND_SECONDS)
        if intake.is_alive():
            _log.warning("mail in hand given back", action="daemon.mail_given_back")
            self._write_at_last("mail in hand not given back", self._give_back)

    def _give_back(self) -> None:
        with self._app.storage.write() as work:
            work.mails.give_back_all(self._app.owner, ready_at=datetime.now(UTC))

    # --- leases and clockwork ---

    @contextmanager
    def _leases_kept(self) -> Iterator[None]:
        """Until the last letter is off our hands, not only until we are asked to stop."""
        end = threading.Event()

        def renew() -> None:
            while not end.wait(LEASE_RENEWAL_SECONDS):
                _renew_leases(self._app, self._collectors)
                self._look_for_a_hanging_mail()

        thread = self._thread("leases", renew)
        try:
            yield
        finally:
            end.set()
            thread.join(_LAST_WRITE_SECONDS)

    def _look_for_a_hanging_mail(self) -> None:
        """A thread cannot be ended from outside: the mail is given up, and this process with it."""
        hanging = _hanging_mail(self._app)
        if hanging is not None:
            self._died(hanging)

    def _start_clockwork(self) -> _Clockwork:
        return _Clockwork(self._tick_quietly)

    def _tick_quietly(self) -> None:
        try:
            _tick(self._app)
        except StorageUnavailable as error:
            _log.warning("upkeep put off", action="upkeep.storage_away", error=str(error))
        except Exception as error:
            # The next tick tries again; the log says where, without words that may be a sender's.
            _log.error("upkeep failed", action="upkeep.error", error=place_of(error))

    def _drop_leases(self) -> None:
        with self._app.storage.write() as work:
            work.house.release_leases(self._app.owner)

    def _write_at_last(self, failure: str, act: Callable[[], None]) -> None:
        """Try to write something that will also be put right without us; never raises, takes seconds at most."""

        def attempt() -> None:
            try:
                act()
            except StorageUnavailable as error:
                _log.warning(failure, action="daemon.not_written", error=str(error))

        thread = threading.Thread(target=attempt, name="last write", daemon=True)
        thread.start()
        thread.join(_LAST_WRITE_SECONDS)
        if thread.is_alive():
            _log.warning(failure, action="daemon.not_written", error="the database is busy")


class _Awakening:
    """What ends the wait of the main thread: a signal, or a word from another thread.

    The interpreter writes a byte for every signal, on whatever thread it came. A lock would miss the one that
    comes in the moment before the wait for it begins, and an Event may deadlock with its own handler.
    """

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)

    def listen_to_signals(self) -> None:
        """From now on SIGTERM and SIGINT ring instead of ending the process."""
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: None)

    def ring(self) -> None:
        """End the wait, or the next one."""
        # A full buffer means that it rings already.
        with suppress(OSError):
            self._sender.send(b"\0")

    def wait(self) -> None:
        """Until it rings."""
        self._receiver.recv(1)


class _Clockwork:
    """APScheduler as the ticker of this process; what must happen once is guarded by a lease in the database."""

    def __init__(self, job: Callable[[], None]) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler

        self._scheduler = BackgroundScheduler(timezone="UTC", daemon=True)
        self._scheduler.add_job(
            job,
            "interval",
            seconds=_TICK_SECONDS,
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=True,
        )
        self._scheduler.start()

    def shutdown(self, *, wait: bool) -> None:
        """Stop ticking."""
        self._scheduler.shutdown(wait=wait)


class _DeliveryThread:
    """The event loop of delivery on a thread of its own."""

    def __init__(self, make_delivery: Callable[[], Delivery], died: Callable[[Exception], None]) -> None:
        self._make_delivery = make_delivery
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._bell: asyncio.Event | None = None
        self._started = threading.Event()
        self._thread = _thread("delivery", lambda: asyncio.run(self._main()), died)
        self._started.wait()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._bell = asyncio.Event(), asyncio.Event()
        self._started.set()
        await self._make_delivery().run(self._stop, self._bell)

    def ring(self) -> None:
        """A letter was written."""
        self._call(self._bell)

    def stop(self) -> None:
        """Claim no more letters; what is in hand is brought to its end."""
        self._call(self._stop)

    def join(self, seconds: float) -> None:
        """Wait for the letters in hand."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            _log.warning("letters in hand left", action="daemon.letters_left")

    def _call(self, event: asyncio.Event | None) -> None:
        if self._loop is None or event is None or self._loop.is_closed():
            return
        try:
            self._loop.call_soon_threadsafe(event.set)
        except RuntimeError:
            # The loop closed between the look and the call: nothing is left to be told.
            return


def _thread(name: str, target: Callable[[], object], died: Callable[[Exception], None]) -> threading.Thread:
    """A thread that stops the whole program if it dies of an error nobody foresaw."""

    def guarded() -> None:
        try:
            target()
        except Exception as error:
            _log.exception("a loop died", action="daemon.loop_died", loop=name)
            died(error)

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread
