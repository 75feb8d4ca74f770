"""The running program: the three loops on their threads, the clockwork, signals.

Each loop may be killed at any instruction and started again. A stop is polite: claiming ends at once, the mail
in hand has ten seconds, a letter past its final dot is awaited.
"""

from __future__ import annotations

import asyncio
import faulthandler
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial

import structlog

from mailbot.adapters.service_manager import ServiceManager
from mailbot.bootstrap import App
from mailbot.crew import Crew, coming_soon
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.ledger import MailOutcome
from mailbot.flows.causes import place_of
from mailbot.flows.collect import Collector
from mailbot.flows.sent_folder import SentFolderKeeper
from mailbot.flows.watchdog import Watchdog
from mailbot.guarded_threads import DeliveryThread, guarded_thread
from mailbot.housework import tick, warm_up, warn_of_types_that_are_gone
from mailbot.leases import give_leases_back, leases_kept, take_over_from_the_dead

_log = structlog.get_logger("mailbot.daemon")

_MAIL_IN_HAND_SECONDS = 10.0
_LETTER_IN_HAND_SECONDS = 60.0
# A database that is locked while we stop must not keep us: what is not given back is taken over later.
_LAST_WRITE_SECONDS = 5.0
_INTAKE_IDLE_SECONDS = 1.0
_HELPED_SECONDS = 0.1
_STORAGE_AWAY_SECONDS = 5.0
_TICK_SECONDS = 30
# A tick after a long standstill may have thousands of tickets before it.
_TICK_AT_MOST_SECONDS = 3600.0
_TURN_SECONDS = 5.0


class Daemon:
    """Runs until SIGTERM or SIGINT."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._supervisor = ServiceManager()
        self._stop = threading.Event()
        self._awake = _Awakening()
        self._error: Exception | None = None
        self._mail_bell = threading.Event()
        self._letters: DeliveryThread[None] | None = None
        self._collectors: list[Collector] = []
        self._keepers: list[SentFolderKeeper] = []

    def run(self) -> None:
        """Start everything, wait for a signal, stop everything.

        Raises ``StorageUnavailable`` at the start where nobody is told by command, and at the end the error by
        which a loop died, if one did: who supervises this process must see that it did not end as it was asked to.
        """
        # Who ends a process that hangs does so by SIGABRT, and wants to know where it hung, also where no thread
        # of ours can say so any more: places, no values.
        if sys.__stderr__ is not None:
            faulthandler.enable(sys.__stderr__)
        self._awake.listen_to_signals()
        # First, so that a database that hangs while it is opened is told of as well.
        with self._watched():
            if self._storage_is_open():
                self._prepare_loops()
                self._run_loops()
                self._write_at_last("leases not given back", partial(give_leases_back, self._app))
        _log.info("stopped", action="daemon.stopped")
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Ask for a polite stop; returns at once."""
        self._awake.ring()

    def _storage_is_open(self) -> bool:
        """Open the database and take over what the dead left; false if a stop was asked for meanwhile.

        Where the administrator has a command for alarms a database that is away is waited for: a process that
        ended by it, again and again, would have to remember on the disk that may be the reason what it told.
        """
        while True:
            try:
                self._app.open_storage()
                take_over_from_the_dead(self._app)
                warn_of_types_that_are_gone(self._app)
                self._collectors = self._app.collectors()
            except StorageUnavailable as error:
                if self._app.escalation is None:
                    raise
                _log.warning("cannot begin", action="daemon.start_put_off", error=str(error))
                # As good as it gets: a start that takes too long would be cut off.
                self._supervisor.ready()
                self._supervisor.status("waits for the database")
                if self._awake.wait(_STORAGE_AWAY_SECONDS):
                    self._supervisor.stopping()
                    return False
            else:
                return True

    def _prepare_loops(self) -> None:
        for collector in self._collectors:
            collector.on_collected = self._mail_bell.set
        self._keepers = self._sent_folder_keepers()
        self._serve_metrics()

    def _run_loops(self) -> None:
        collecting = [self._thread("collect", partial(one.run, self._stop)) for one in self._collectors]
        collecting += [self._thread("sent", partial(one.run, self._stop)) for one in self._keepers]
        self._letters = DeliveryThread(self._deliver, self._died)
        crew = Crew(self._app, heard=self._hear_of_helper, coming=lambda: coming_soon(self._collectors))
        self._app.desk.on_done = self._mail_bell.set
        drawing = self._begin_drawing()
        intake = self._thread("intake", partial(self._process, crew))
        clockwork = self._start_clockwork()
        # Until the last letter is off our hands, not only until we are asked to stop. A thread cannot be ended
        # from outside: a mail that hangs is given up, and this process with it.
        with leases_kept(
            self._app,
            [*self._collectors, *self._keepers],
            on_hanging=self._died,
            died=self._died,
            join_seconds=_LAST_WRITE_SECONDS,
        ):
            _log.info("running", action="daemon.started", mailboxes=len(self._app.mailboxes))
            self._supervisor.ready()
            self._supervisor.status("running")
            self._awake.wait()
            _log.info("stopping", action="daemon.stopping")
            self._supervisor.stopping()
            self._stop.set()
            self._mail_bell.set()
            # Their time for the mail in hand runs beside ours.
            crew.ask_to_go()
            clockwork.shutdown(wait=False)
            _interrupt_all([*self._collectors, *self._keepers])
            self._letters.stop()
            self._join_intake(intake)
            crew.dismiss()
            self._write_at_last("mails of helpers not given back", crew.take_over)
            self._letters.join(_LETTER_IN_HAND_SECONDS)
            for thread in (*collecting, drawing):
                thread.join(_MAIL_IN_HAND_SECONDS)

    def _serve_metrics(self) -> None:
        """Figures are no reason to leave mail alone: without them it goes on."""
        port = self._app.settings.metrics_port
        if self._app.metrics is None or port is None:
            return
        try:
            self._app.metrics.serve(self._app.settings.metrics_host, port)
        except OSError as error:
            _log.error("metrics not served", action="daemon.metrics_not_served", port=port, error=error.strerror)
        else:
            _log.info("metrics served", action="daemon.metrics_served", port=port)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Meanwhile a thread of its own looks whether the loops are alive, and says so to our supervisor."""
        end = threading.Event()
        watchdog = Watchdog(self._app.pulse, self._supervisor, list_threads=_list_threads)
        threads = [self._thread("watchdog", partial(watchdog.run, end))]
        if self._app.escalation is not None:
            threads.append(self._thread("escalation", partial(self._app.escalation.run, end)))
        try:
            yield
        finally:
            end.set()
            for thread in threads:
                thread.join(_LAST_WRITE_SECONDS)

    def _died(self, error: Exception) -> None:
        self._error = self._error or error
        self._awake.ring()

    def _thread(self, name: str, target: Callable[[], object]) -> threading.Thread:
        return guarded_thread(name, target, self._died)

    def _sent_folder_keepers(self) -> list[SentFolderKeeper]:
        keepers = self._app.sent_folder_keepers()
        for keeper in keepers:
            keeper.on_taken = self._mail_bell.set
            # What a person answered may lie in the inbox still.
            inboxes = [one for one in self._collectors if one.mailbox == keeper.mailbox]
            keeper.on_doubt = partial(_interrupt_all, inboxes)
        return keepers

    # --- intake ---

    def _process(self, crew: Crew) -> None:
        self._app.pulse.promise("intake")
        warm_up(self._app)
        while not self._stop.is_set():
            self._app.pulse.promise("intake")
            try:
                self._process_next(crew)
            except StorageUnavailable as error:
                _log.warning("cannot process", action="daemon.intake_put_off", error=str(error))
                self._stop.wait(_STORAGE_AWAY_SECONDS)
        self._app.intake.stop()
        self._app.pulse.end("intake")

    def _process_next(self, crew: Crew) -> None:
        """One mail, or a wait: for the next, or while helpers work and we collect and deliver."""
        crew.call_in_if_needed()
        if crew.is_at_work:
            outcome = self._app.intake.process_beside_others()
            if outcome is None:
                self._stop.wait(_HELPED_SECONDS)
                return
        else:
            outcome = self._app.intake.process_next()
        if outcome is None:
            self._mail_bell.wait(_INTAKE_IDLE_SECONDS)
            self._mail_bell.clear()
        else:
            self._ring_for_letters()

    def _hear_of_helper(self, outcome: MailOutcome) -> None:
        if self._app.metrics is not None:
            self._app.metrics.count_helped(outcome)
        self._ring_for_letters()

    def _ring_for_letters(self) -> None:
        if self._letters is not None:
            self._letters.ring()

    def _join_intake(self, intake: threading.Thread) -> None:
        """The mail in hand has ten seconds; then it is given back, and its late result will not be written."""
        intake.join(_MAIL_IN_HAND_SECONDS)
        if intake.is_alive():
            _log.warning("mail in hand given back", action="daemon.mail_given_back")
            self._write_at_last("mail in hand not given back", self._give_back)

    def _give_back(self) -> None:
        with self._app.storage.write() as work:
            work.mails.give_back_all(self._app.owner, ready_at=datetime.now(UTC))

    # --- delivery ---

    def _begin_drawing(self) -> threading.Thread:
        self._app.notice_pages.on_completed = self._ring_for_letters
        return self._thread("pages", partial(self._app.notice_pages.run, self._stop))

    async def _deliver(self, stop: asyncio.Event, bell: asyncio.Event) -> None:
        turning = asyncio.create_task(self._turn())
        try:
            await self._app.delivery().run(stop, bell)
        finally:
            turning.cancel()
            self._app.pulse.end("delivery")

    async def _turn(self) -> None:
        """Show that no call keeps the event loop, which every letter needs."""
        while True:
            self._app.pulse.promise("delivery", after_seconds=_TURN_SECONDS)
            await asyncio.sleep(_TURN_SECONDS)

    # --- clockwork and the end ---

    def _start_clockwork(self) -> _Clockwork:
        self._app.pulse.promise("clockwork")
        return _Clockwork(self._tick_quietly)

    def _tick_quietly(self) -> None:
        self._app.pulse.promise("clockwork", after_seconds=_TICK_AT_MOST_SECONDS)
        try:
            tick(self._app)
        except StorageUnavailable as error:
            _log.warning("tick put off", action="daemon.tick_put_off", error=str(error))
        except Exception as error:
            # The next tick tries again; the log says where, without words that may be a sender's.
            _log.error("tick failed", action="daemon.tick_failed", error=place_of(error))
        finally:
            self._app.pulse.promise("clockwork", after_seconds=_TICK_SECONDS)

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


def _list_threads() -> None:
    """Where each thread is, into the log: places, no values."""
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback(sys.__stderr__)


def _interrupt_all(waiting: Sequence[Collector | SentFolderKeeper]) -> None:
    for one in waiting:
        one.interrupt()


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

    def wait(self, at_most_seconds: float | None = None) -> bool:
        """Until it rings; false if it did not in that time."""
        self._receiver.settimeout(at_most_seconds)
        try:
            self._receiver.recv(1)
        except TimeoutError:
            return False
        return True


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
            # However late on a busy machine: by itself it would leave out what is a second late.
            misfire_grace_time=None,
        )
        self._scheduler.start()

    def shutdown(self, *, wait: bool) -> None:
        """Stop ticking."""
        self._scheduler.shutdown(wait=wait)
