"""One round: ``run_once(App) -> RoundCount``: collect, process and deliver all that is pending, then end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

import structlog

from mailbot.bootstrap import App
from mailbot.crew import Crew, coming_soon
from mailbot.domain.errors import LeaseLost, ServerAway, StorageUnavailable
from mailbot.domain.events import LetterStatus
from mailbot.domain.ledger import MailOutcome
from mailbot.flows.collect import Collector
from mailbot.flows.sent_folder import SentFolderKeeper
from mailbot.guarded_threads import DeliveryThread, guarded_thread
from mailbot.housework import tick, warn_of_types_that_are_gone
from mailbot.leases import end_this_process, give_leases_back, leases_kept, take_over_from_the_dead

if TYPE_CHECKING:
    from mailbot.flows.delivery import DeliveryCount

_log = structlog.get_logger("mailbot.round")

_LETTER_IN_HAND_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.02
# While others work there is little to do but to look how far they are, and every look takes from their time.
_HELPERS_AT_WORK_SECONDS = 0.05


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
    helpers_broken: int = 0

    def count(self, outcome: MailOutcome) -> None:
        """Count a mail that intake has finished with."""
        if outcome is MailOutcome.PENDING:
            return
        self.processed += 1
        self.duplicates += outcome is MailOutcome.DUPLICATE
        self.quarantined += outcome is MailOutcome.QUARANTINED
        self.tickets_opened += outcome is MailOutcome.TICKET


def run_once(app: App) -> RoundCount:
    """Collect, process and deliver all that is pending. Raises ``ServerAway``.

    A server that is away, or a disk that does not take part in reading mails, does not keep the rest from being
    done: it is told at the end.
    """
    app.open_storage()
    take_over_from_the_dead(app)
    warn_of_types_that_are_gone(app)
    count = RoundCount()
    troubles: list[Exception] = []
    held_before = _held(app)
    collectors = app.collectors()
    keepers = app.sent_folder_keepers()
    # Of a thread that died the log tells; the round goes on.
    with (
        _leases_given_back(app),
        leases_kept(app, [*collectors, *keepers], on_hanging=end_this_process, died=lambda _error: None),
        _Letters(app) as letters,
    ):
        with _told_at_the_end(troubles):
            _collect_and_process(app, collectors, count, letters, troubles)
        # After the inbox: what people answered there must be known, or it answers nothing.
        with _told_at_the_end(troubles):
            _look_into_sent_folders(app, keepers, count, troubles)
        with _told_at_the_end(troubles):
            tick(app)
        with _told_at_the_end(troubles):
            letters.draw_all()
        delivered = letters.deliver_all()
        _save_copies(keepers, troubles)
    count.letters_sent, count.letters_failed = delivered.sent, delivered.failed
    count.letters_held = _held(app) - held_before
    if troubles:
        raise troubles[0]
    return count


@contextmanager
def _leases_given_back(app: App) -> Iterator[None]:
    """Or the next round would take us for one that died."""
    try:
        yield
    finally:
        with suppress(StorageUnavailable):
            give_leases_back(app)


class _Letters:
    """The letters of a round: all are whole and leave at its end, in a rush those that need not wait meanwhile.

    A context: a round that breaks off awaits the letters in hand, which may be past their final dot.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._thread: DeliveryThread[DeliveryCount] | None = None
        self._drawing: threading.Thread | None = None
        self._drawn_enough = threading.Event()
        self._errors: list[Exception] = []
        self._broken_off = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # First, so that both are on their way out when one is waited for.
        self._broken_off.set()
        if self._thread is not None:
            self._thread.stop()
        self._end_drawing()
        if self._thread is not None:
            self._thread.join(_LETTER_IN_HAND_SECONDS)

    def begin(self) -> None:
        """From now on letters leave that are due, notices once their pages are drawn."""
        self._started_delivery()
        if self._drawing is None:
            # What dies here is done at the end of the round, or told then.
            draw = partial(self._app.notice_pages.run_meanwhile, self._drawn_enough, left_off=self._broken_off)
            self._drawing = guarded_thread("pages", draw, lambda _error: None)

    def draw_all(self) -> None:
        """Draw the pages of all notices; letters that need none leave meanwhile. Raises ``StorageUnavailable``."""
        self._started_delivery()
        self._end_drawing()
        self._app.notice_pages.complete_all()

    def _end_drawing(self) -> None:
        self._drawn_enough.set()
        if self._drawing is not None:
            self._drawing.join(_LETTER_IN_HAND_SECONDS)

    def _started_delivery(self) -> DeliveryThread[DeliveryCount]:
        if self._thread is None:
            self._thread = DeliveryThread(
                lambda stop, bell: self._app.delivery().run_round(stop, bell, broken_off=self._broken_off.is_set),
                self._errors.append,
            )
        return self._thread

    def deliver_all(self) -> DeliveryCount:
        """Let everything that is left leave. Raises what kept it from leaving."""
        thread = self._started_delivery()
        thread.stop()
        thread.join()
        if thread.result is None:
            raise self._errors[0]
        return thread.result


@contextmanager
def _told_at_the_end(troubles: list[Exception]) -> Iterator[None]:
    try:
        yield
    except StorageUnavailable as error:
        troubles.append(error)


def _collect_and_process(
    app: App, collectors: list[Collector], count: RoundCount, letters: _Letters, troubles: list[Exception]
) -> None:
    collecting = [
        threading.Thread(target=_collect_once, args=(collector, count, troubles), name="collect")
        for collector in collectors
    ]
    for thread in collecting:
        thread.start()
    outcomes: SimpleQueue[MailOutcome] = SimpleQueue()
    try:
        with Crew(app, heard=outcomes.put, coming=lambda: coming_soon(collectors)) as crew:
            _process_until_nothing_waits(app, crew, collecting, count, letters)
        count.helpers_broken = crew.broken
        # What helpers gave back when they were let go.
        while _process_one(app, count) or app.intake.parked:
            pass
    finally:
        app.intake.stop()
        for thread in collecting:
            thread.join()
    while not outcomes.empty():
        count.count(outcomes.get())


def _process_until_nothing_waits(
    app: App, crew: Crew, collecting: list[threading.Thread], count: RoundCount, letters: _Letters
) -> None:
    while True:
        more_may_come = any(thread.is_alive() for thread in collecting)
        crew.call_in_if_needed()
        if crew.is_at_work:
            letters.begin()
            count.count(app.intake.process_beside_others() or MailOutcome.PENDING)
            if not more_may_come and not crew.waiting():
                return
            time.sleep(_HELPERS_AT_WORK_SECONDS)
        elif not _process_one(app, count) and not more_may_come and not app.intake.parked:
            return


def _collect_once(collector: Collector, count: RoundCount, troubles: list[Exception]) -> None:
    try:
        if collector.hold_lease():
            count.collected += collector.collect_once()
            collector.note_all_is_well()
    except LeaseLost:
        # What is new is the other's to take.
        _log.warning("folder taken over", action="daemon.folder_taken_over")
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


def _look_into_sent_folders(
    app: App, keepers: Sequence[SentFolderKeeper], count: RoundCount, troubles: list[Exception]
) -> None:
    for keeper in keepers:
        try:
            if keeper.hold_lease():
                count.collected += keeper.run_once(inbox_is_seen=not troubles)
                keeper.note_all_is_well()
        except ServerAway as error:
            keeper.note_trouble(error)
            troubles.append(error)
            keeper.close()
    try:
        while _process_one(app, count):
            pass
    finally:
        app.intake.stop()


def _save_copies(keepers: Sequence[SentFolderKeeper], troubles: list[Exception]) -> None:
    """The letters of this round into the Sent folders; what is not saved now is saved another time."""
    for keeper in keepers:
        try:
            keeper.save_last()
        except ServerAway as error:
            troubles.append(error)
        finally:
            keeper.close()
            with suppress(StorageUnavailable):
                keeper.drop_lease()


def _process_one(app: App, count: RoundCount) -> bool:
    outcome = app.intake.process_next(early=True)
    if outcome is None:
        # Collecting and reading go on beside us; without a breath this would be a busy loop.
        threading.Event().wait(0.002)
        app.intake.wait_for_readings(_LOOK_AGAIN_SECONDS)
        return False
    count.count(outcome)
    return True


def _held(app: App) -> int:
    with app.storage.read() as work:
        return work.outbox.count_status(LetterStatus.HELD)
