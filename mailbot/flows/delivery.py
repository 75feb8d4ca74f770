"""DELIVER. Letters leave: ``claim ─▶ compose ─▶ SMTP ─▶ sent | retry later | failed (+ event)``.

What an attempt comes to is decided in ``attempts.py`` (pure), and how fast letters may leave in ``pace.py``, which
remembers what left; this carries it out. A mark committed just before DATA tells an unknown outcome from a
harmless one: never lost, never told twice differently.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from mailbot.domain.errors import ConcurrentChange, LeaseLost, LetterError, StorageUnavailable, UnreadableMail
from mailbot.domain.events import LetterKind, LetterStatus, OutboundLetter
from mailbot.domain.exchange import (
    Delivered,
    Envelope,
    NotReached,
    Refused,
    SendOutcome,
)
from mailbot.domain.outbox import ClaimedLetter, HoldReason, LetterResult
from mailbot.flows.attempts import MINUTE, UNKNOWN_OUTCOMES_AT_MOST, after_error, result_of
from mailbot.flows.bounced import delivery_failed
from mailbot.flows.causes import cause_of, place_of
from mailbot.flows.compositor import Compositor
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.letters_in_hand import LettersInHand
from mailbot.flows.mail_as_cause import CONFLICTS_AT_MOST
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.outlets import Outlet
from mailbot.flows.pace import SLOT_KEPT_FOR, Pace
from mailbot.flows.ports import BlobStore, Clock, Storage, UnitOfWork
from mailbot.flows.pulse import Pulse
from mailbot.flows.server_troubles import ServerTroubles, TroubleNews
from mailbot.flows.write_change import write_change
from mailbot.triage.books import book_left

_log = structlog.get_logger("mailbot.delivery")
_Result = TypeVar("_Result")

_LOOK_AGAIN_AFTER = timedelta(seconds=0.2)
_STORAGE_RETRY_AFTER = timedelta(seconds=30)
_RECORD_AGAIN_SECONDS = 1.0
_RECORD_WITHIN_SECONDS = 60.0
_IDLE_SECONDS = 1.0
# As long may a server think about a letter (RFC 5321 §4.5.3.2.6).
_SERVER_THINKS_SECONDS = 600.0


@dataclass(slots=True)
class DeliveryCount:
    """What a run of deliveries came to."""

    sent: int = 0
    failed: int = 0


class Delivery:
    """Delivers letters on one event loop; what it writes into the database is written on threads of its own."""

    def __init__(
        self,
        *,
        storage: Storage,
        blobs: BlobStore,
        outlets: Mapping[str, Outlet],
        office: LetterOffice,
        secret_key: bytes,
        hold_reason_for: Callable[[str], HoldReason | None],
        clock: Clock,
        owner: str,
    ) -> None:
        self.pulse = Pulse()
        """Where the loops of :meth:`run` show that they are alive."""
        self.in_hand = LettersInHand()
        """The letters whose leases are to be renewed."""
        self._storage = storage
        self._compositor = Compositor(blobs=blobs, secret_key=secret_key)
        self._outlets = outlets
        self._office = office
        # Asked again before every attempt: the send mode may have changed since the letter was written.
        self._hold_reason_for = hold_reason_for
        self._clock = clock
        self._owner = owner
        self._paces = {key: Pace(outlet.mailbox.max_per_minute) for key, outlet in outlets.items()}
        self._null_sender_refused: set[str] = set()
        self._troubles = ServerTroubles(outlets.values())
        self._patience_seconds = math.inf
        # More threads than that would only wait for each other; and who has just written begins the next write
        # before another process sees that it may.
        self._database_threads = ThreadPoolExecutor(storage.writes_at_once, thread_name_prefix="delivery-db")
        self._letters_at_once = max(1, sum(outlet.mailbox.spec.max_connections for outlet in outlets.values()))

    # --- loops ---

    async def run(self, stop: asyncio.Event, bell: asyncio.Event) -> None:
        """Deliver until ``stop``; ``bell`` says that a letter was written. A letter in hand is awaited."""
        count = DeliveryCount()
        await self._all(self._work_until(stop, bell, count, number) for number in range(self._letters_at_once))

    async def run_round(
        self, stop: asyncio.Event, bell: asyncio.Event, *, broken_off: Callable[[], bool]
    ) -> DeliveryCount:
        """Deliver what is due until ``stop``, then everything: quiet and undo times are over (``run --once``).

        A letter in hand is awaited; nothing else is delivered once the round is ``broken_off``.
        """
        self._patience_seconds = _RECORD_WITHIN_SECONDS
        count = DeliveryCount()

        async def work(number: int) -> None:
            await self._work_until(stop, bell, count, number)
            await self._drain_in_turn(count, early=True, until=broken_off)

        await self._all(work(number) for number in range(self._letters_at_once))
        return count

    async def deliver_all(self, *, early: bool = True) -> DeliveryCount:
        """Deliver everything that is due; ``early`` counts quiet and undo times as over."""
        self._patience_seconds = _RECORD_WITHIN_SECONDS
        count = DeliveryCount()
        await self._all(self._drain_in_turn(count, early=early) for _ in range(self._letters_at_once))
        return count

    async def _drain_in_turn(
        self, count: DeliveryCount, *, early: bool, until: Callable[[], bool] = lambda: False
    ) -> None:
        """Where the mailbox may send so many letters a minute, those beyond are waited for; a pause that a server
        asks for is not."""
        while not until():
            await self._drain(count, early=early, until=until)
            promise = self._next_promise()
            if promise is None:
                return
            # A letter that was cancelled meanwhile does not come: its promise is forgotten a little later.
            await self._sleep_until(max(promise, self._clock.now() + _LOOK_AGAIN_AFTER))

    def _next_promise(self) -> datetime | None:
        for pace in self._paces.values():
            pace.forget_promises(self._clock.now() - SLOT_KEPT_FOR)
        return min(filter(None, (pace.next_promise() for pace in self._paces.values())), default=None)

    async def _drain(
        self, count: DeliveryCount, *, early: bool, until: Callable[[], bool] = lambda: False
    ) -> None:
        ahead: ClaimedLetter | None = None
        while ahead or not until():
            claimed = ahead or await self._on_database_thread(lambda: self._claim(early))
            if claimed is None:
                return
            ahead = await self._deliver(claimed, count, more=lambda: not until(), early=early)

    async def _all(self, loops: Iterable[Coroutine[None, None, None]]) -> None:
        """Let all come to their end, whatever happens to one: the others may be past a final dot."""
        ends = await asyncio.gather(*loops, return_exceptions=True)
        await self._close()
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _work_until(
        self, stop: asyncio.Event, bell: asyncio.Event, count: DeliveryCount, number: int
    ) -> None:
        task, loop = asyncio.current_task(), f"deliver {number}"
        if task is not None:
            # By this name the transport, too, shows that it goes on.
            task.set_name(loop)
        ahead: ClaimedLetter | None = None
        while ahead or not stop.is_set():
            self.pulse.promise(loop, after_seconds=_SERVER_THINKS_SECONDS)
            try:
                claimed = ahead or await self._on_database_thread(lambda: self._claim(early=False))
                ahead = None
                if claimed is not None:
                    ahead = await self._deliver(claimed, count, more=lambda: not stop.is_set(), early=False)
                    continue
            except StorageUnavailable as error:
                _log.warning("cannot deliver", action="delivery.storage_away", error=str(error))
            bell.clear()
            await _first_of(stop, bell, _IDLE_SECONDS)
        self.pulse.end(loop)

    async def _close(self) -> None:
        for outlet in self._outlets.values():
            await outlet.transport.close()

    # --- one letter ---

    async def _deliver(
        self, claimed: ClaimedLetter, count: DeliveryCount, *, more: Callable[[], bool], early: bool
    ) -> ClaimedLetter | None:
        """Bring one letter to the end of this attempt; the next one, claimed in the same commit, if ``more``."""
        try:
            result, outcome = await self._attempt(claimed)
            ahead = await self._record_patiently(claimed, result, more=more, early=early)
        except LeaseLost:
            _log.warning("lease lost", action="delivery.lease_lost", letter=claimed.id)
            return None
        finally:
            self.in_hand.let_go(claimed.id)
        if outcome is not None:
            await self._note_server(self._outlets[claimed.letter.mailbox], outcome)
        count.sent += result.status is LetterStatus.SENT
        count.failed += result.status in (LetterStatus.FAILED, LetterStatus.NEEDS_PERSON)
        return ahead

    def _claim(self, early: bool) -> ClaimedLetter | None:
        with self._storage.write() as work:
            claimed = self._claim_in(work, early=early)
        return self._taken(claimed)

    def _taken(self, claimed: ClaimedLetter | None) -> ClaimedLetter | None:
        """Only once we know that its claim is committed is a letter in hand."""
        if claimed is not None:
            self.in_hand.take(claimed.id)
        return claimed

    def _claim_in(self, work: UnitOfWork, *, early: bool) -> ClaimedLetter | None:
        return work.outbox.claim(owner=self._owner, now=self._clock.now(), real_now=datetime.now(UTC), early=early)

    async def _attempt(self, claimed: ClaimedLetter) -> tuple[LetterResult, SendOutcome | None]:
        """Try to deliver; also what the server said, if it came to that. Raises ``LeaseLost``, nothing else."""
        letter, now = claimed.letter, self._clock.now
        not_now = self._take_turn(claimed)
        if not_now is not None:
            return not_now, None
        began = time.monotonic()
        try:
            outcome = self._believed(await self._send(claimed, self._outlets[letter.mailbox]), letter)
        except LeaseLost:
            raise
        except StorageUnavailable as error:
            return _later(str(error)[:500], now() + _STORAGE_RETRY_AFTER), None
        except (LetterError, UnreadableMail) as error:
            return LetterResult(status=LetterStatus.FAILED, error=str(error)), None
        except Exception as error:
            # One letter that cannot be written must not keep the others from leaving.
            _log.error(
                "letter could not be attempted",
                action="delivery.error",
                letter=claimed.id,
                error=place_of(error),
            )
            return after_error(letter, cause_of(error), now()), None
        result = result_of(outcome, letter, now=now(), jitter=random.uniform(0.8, 1.2))
        self._adapt_pace(self._paces[letter.mailbox], outcome)
        self._log_result(claimed, outcome, result, seconds=time.monotonic() - began)
        return result, outcome

    def _take_turn(self, claimed: ClaimedLetter) -> LetterResult | None:
        """Take a slot of the mailbox's pace: ``None``. Or what becomes of a letter that is not tried now."""
        letter = claimed.letter
        if letter.mailbox not in self._outlets:
            return _later("the mailbox is switched off", self._clock.now() + 30 * MINUTE)
        held = None if letter.released else self._hold_reason_for(letter.recipient.address)
        if held is not None:
            return LetterResult(status=LetterStatus.HELD, hold_reason=held, counts_as_attempt=False)
        if letter.unknown_outcomes > UNKNOWN_OUTCOMES_AT_MOST:
            return LetterResult(status=LetterStatus.NEEDS_PERSON, error="three times the outcome was unknown")
        busy_until = self._paces[letter.mailbox].turn(claimed.id, self._clock.now())
        return None if busy_until is None else _later("waits for its turn", busy_until)

    async def _send(self, claimed: ClaimedLetter, outlet: Outlet) -> SendOutcome:
        async def mark() -> None:
            await self._on_database_thread(lambda: self._mark_transmitting(claimed))

        null_sender = outlet.mailbox.spec.null_sender and outlet.mailbox.key not in self._null_sender_refused
        envelope = await self._composed(claimed.letter, outlet.mailbox, null_sender=null_sender)
        outcome = await outlet.transport.send(envelope, mark)
        if isinstance(outcome, Refused) and outcome.sender_refused and not envelope.sender:
            # This server takes no null sender: again at once with the mailbox's own address.
            self._null_sender_refused.add(outlet.mailbox.key)
            _log.warning("null sender refused", action="delivery.null_sender_refused", mailbox=outlet.mailbox.key)
            envelope = await self._composed(claimed.letter, outlet.mailbox, null_sender=False)
            outcome = await outlet.transport.send(envelope, mark)
        return outcome

    async def _composed(self, letter: OutboundLetter, mailbox: ServedMailbox, *, null_sender: bool) -> Envelope:
        if letter.files:
            return await asyncio.to_thread(self._compose, letter, mailbox, null_sender)
        # Nothing is read from the disk, and to ask a thread takes as long as to do it.
        return self._compose(letter, mailbox, null_sender)

    def _compose(self, letter: OutboundLetter, mailbox: ServedMailbox, null_sender: bool) -> Envelope:
        now = self._clock.now()
        return self._compositor.compose(letter, mailbox, now=now, null_sender=null_sender)

    def _mark_transmitting(self, claimed: ClaimedLetter) -> None:
        with self._storage.write() as work:
            work.outbox.mark_transmitting(claimed, owner=self._owner, real_now=datetime.now(UTC))

    async def _record_patiently(
        self, claimed: ClaimedLetter, result: LetterResult, *, more: Callable[[], bool], early: bool
    ) -> ClaimedLetter | None:
        """The letter may have left: its result is written as soon as the database lets us.

        What is not written in the end is an unknown outcome to whoever claims the letter next.
        Raises ``LeaseLost`` and, when patience is over, ``StorageUnavailable``.
        """
        give_up_at = time.monotonic() + self._patience_seconds
        while True:
            try:
                return await self._on_database_thread(
                    lambda: self._record(claimed, result, more=more, early=early)
                )
            except StorageUnavailable:
                _log.warning("result not written", action="delivery.not_recorded", letter=claimed.id)
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(_RECORD_AGAIN_SECONDS)

    def _record(
        self, claimed: ClaimedLetter, result: LetterResult, *, more: Callable[[], bool], early: bool
    ) -> ClaimedLetter | None:
        """Write the result; a letter that failed for good leaves an event on its ticket and staff are told.

        The next letter is claimed in the commit of a result that needs nothing else: one commit less for each.
        """
        try:
            if result.status is LetterStatus.SENT and claimed.letter.letter is LetterKind.SECTOR_BOOK:
                self._write_book_left(claimed, result)
                return None
            if result.status is not LetterStatus.FAILED:
                return self._write_result_and_claim(claimed, result, more=more, early=early)
            self._write_result(claimed, result, tell=True)
        except (LeaseLost, StorageUnavailable):
            raise
        except Exception as error:
            # The notice cannot be written; that the letter failed must be, or it would be sent again.
            _log.error(
                "failure not told",
                action="delivery.not_told",
                letter=claimed.id,
                error=place_of(error),
            )
            self._write_result(claimed, result, tell=False)
        return None

    def _write_result_and_claim(
        self, claimed: ClaimedLetter, result: LetterResult, *, more: Callable[[], bool], early: bool
    ) -> ClaimedLetter | None:
        with self._storage.write() as work:
            self._record_in(work, claimed, result)
            ahead = self._claim_in(work, early=early) if more() else None
        return self._taken(ahead)

    def _record_in(self, work: UnitOfWork, claimed: ClaimedLetter, result: LetterResult) -> None:
        """The result, and with it the wish for a copy in the Sent folder: that is somebody else's work, which
        neither delays a letter nor repeats one."""
        work.outbox.record(claimed, result, owner=self._owner)
        outlet = self._outlets.get(claimed.letter.mailbox)
        if outlet is not None and outlet.saves_copies and result.sent_at is not None:
            work.sent.ask_for_copy(claimed.id, claimed.letter.mailbox, due_at=result.sent_at)

    def _write_book_left(self, claimed: ClaimedLetter, result: LetterResult) -> None:
        """The result and what it does to the ticket, in one commit: a ticket is on hold if and only if its sector
        has been written to (R001-03). Raises ``StorageUnavailable`` where the ticket keeps changing meanwhile."""
        for _ in range(CONFLICTS_AT_MOST):
            try:
                with self._storage.write() as work:
                    self._record_in(work, claimed, result)
                    ticket = work.tickets.get(claimed.letter.ticket_number or "")
                    change = book_left(ticket, self._clock.now()) if ticket is not None else None
                    if change is not None:
                        write_change(work, change)
                return
            except ConcurrentChange:
                _log.info("ticket changed meanwhile", action="delivery.conflict", letter=claimed.id)
        raise StorageUnavailable(f"the ticket of letter {claimed.id} keeps changing")

    def _write_result(self, claimed: ClaimedLetter, result: LetterResult, *, tell: bool) -> None:
        letter, now = claimed.letter, self._clock.now()
        with self._storage.write() as work:
            self._record_in(work, claimed, result)
            outlet = self._outlets.get(letter.mailbox)
            if not tell or letter.ticket_number is None or outlet is None:
                return
            ticket = work.tickets.get(letter.ticket_number)
            if ticket is not None:
                change = delivery_failed(ticket, letter, result.error, mail_id=letter.mail_id, now=now)
                write_change(work, change)
                self._office.tell(work, change, outlet.mailbox, now=now)

    # --- pace and health ---

    def _believed(self, outcome: SendOutcome, letter: OutboundLetter) -> SendOutcome:
        """A limit that so far only one recipient met is a temporary refusal of their letter."""
        if not isinstance(outcome, Refused) or outcome.throttled is None or not outcome.at_recipient:
            return outcome
        ours = self._paces[letter.mailbox].limit_is_ours(letter.recipient.address)
        return outcome if ours else replace(outcome, throttled=None)

    def _adapt_pace(self, pace: Pace, outcome: SendOutcome) -> None:
        now = self._clock.now()
        match outcome:
            case NotReached():
                pace.server_is_away(now, login_refused=outcome.credentials_refused)
            case Refused() if outcome.throttled is not None:
                pace.is_throttled(outcome.throttled, now, jitter=random.uniform(1.0, 1.2))
            case Delivered():
                pace.letter_was_taken()
            case _:
                pace.server_is_there()

    async def _note_server(self, outlet: Outlet, outcome: SendOutcome) -> None:
        """Write down that a server is away or a limit reached, and that it is over; nothing while all is well.
        Never raises."""
        throttles = self._paces[outlet.mailbox.key].throttles
        news = self._troubles.news(outlet, outcome, throttles=throttles)
        if news is None:
            return
        try:
            await self._on_database_thread(lambda: self._write_news(news))
            self._troubles.are_written(news)
        except StorageUnavailable:
            _log.warning("trouble not noted", action="delivery.trouble_not_noted", mailbox=outlet.mailbox.key)

    def _write_news(self, news: TroubleNews) -> None:
        with self._storage.write() as work:
            for trouble, words in news.noted.items():
                work.house.note_trouble(trouble, words, now=self._clock.now())
            for trouble in news.over:
                work.house.clear_trouble(trouble)

    def _log_result(
        self, claimed: ClaimedLetter, outcome: SendOutcome, result: LetterResult, *, seconds: float
    ) -> None:
        log = _log.info if result.status is LetterStatus.SENT else _log.warning
        log(
            "letter attempted",
            action=f"delivery.{result.status}",
            letter=claimed.id,
            ticket=claimed.letter.ticket_number,
            outcome=type(outcome).__name__,
            code=outcome.code if isinstance(outcome, Refused) else None,
            mailbox=claimed.letter.mailbox,
            seconds=round(seconds, 3),
        )

    async def _sleep_until(self, moment: datetime) -> None:
        while (left := (moment - self._clock.now()).total_seconds()) > 0:
            self.pulse.renew_task()
            await asyncio.sleep(min(left, _IDLE_SECONDS))

    async def _on_database_thread(self, act: Callable[[], _Result]) -> _Result:
        self.pulse.renew_task()
        return await asyncio.get_running_loop().run_in_executor(self._database_threads, act)


def _later(reason: str, retry_at: datetime) -> LetterResult:
    return LetterResult(status=LetterStatus.RETRY, error=reason, retry_at=retry_at, counts_as_attempt=False)


async def _first_of(stop: asyncio.Event, bell: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.create_task(event.wait()) for event in (stop, bell)]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
