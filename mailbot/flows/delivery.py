"""DELIVER. Letters leave: ``claim ─▶ compose ─▶ SMTP ─▶ sent | retry later | failed (+ event)``.

What an attempt means is decided by :func:`result_of` (pure); the rest carries it out. A mark committed just
before DATA tells an unknown outcome from a harmless one: never lost, never told twice differently.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar, assert_never

import structlog

from mailbot.domain.errors import LeaseLost, LetterError, StorageUnavailable, UnreadableMail
from mailbot.domain.events import LetterStatus, OutboundLetter
from mailbot.domain.exchange import (
    Delivered,
    Envelope,
    NotReached,
    OutcomeUnknown,
    Refused,
    SendOutcome,
)
from mailbot.domain.handles import loop_mark
from mailbot.domain.outbox import ClaimedLetter, LetterResult
from mailbot.flows.bounced import delivery_failed
from mailbot.flows.intake import write_change
from mailbot.flows.letter_office import LetterOffice
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import BlobStore, Clock, LetterTransport, Storage
from mailbot.mime.compose import compose

_log = structlog.get_logger("mailbot.delivery")
_Result = TypeVar("_Result")

_MINUTE = timedelta(minutes=1)
# RFC 5321 §4.5.4.1: wait longer with each try, give up after four to five days.
_LADDER = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, 60 * _MINUTE, 120 * _MINUTE, 240 * _MINUTE)
_GIVE_UP_AFTER = timedelta(days=5)
_AWAY_LADDER = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 40, 80, 160, 300))
_UNKNOWN_RETRY_AFTER = timedelta(minutes=2)
_UNKNOWN_OUTCOMES_AT_MOST = 2
_IDLE_SECONDS = 1.0


def result_of(outcome: SendOutcome, letter: OutboundLetter, *, now: datetime, jitter: float) -> LetterResult:
    """What an attempt comes to. ``jitter`` is a factor around 1 for waiting times."""
    match outcome:
        case Delivered():
            return LetterResult(status=LetterStatus.SENT, sent_at=now)
        case Refused() if outcome.throttled:
            wait = _step(_LADDER, 0) * jitter
            return LetterResult(
                status=LetterStatus.RETRY,
                error=outcome.response,
                retry_at=now + wait,
                counts_as_attempt=False,
            )
        case Refused() if outcome.permanent or now - letter.created_at > _GIVE_UP_AFTER:
            return LetterResult(status=LetterStatus.FAILED, error=f"{outcome.code} {outcome.response}")
        case Refused():
            wait = _step(_LADDER, letter.attempts) * jitter
            return LetterResult(status=LetterStatus.RETRY, error=outcome.response, retry_at=now + wait)
        case NotReached():
            wait = _step(_AWAY_LADDER, letter.attempts) * jitter
            return LetterResult(status=LetterStatus.RETRY, error=outcome.reason, retry_at=now + wait)
        case OutcomeUnknown():
            return _after_unknown_outcome(outcome.reason, letter.unknown_outcomes + 1, now)
        case _:
            assert_never(outcome)


def _after_unknown_outcome(reason: str, unknown_outcomes: int, now: datetime) -> LetterResult:
    if unknown_outcomes > _UNKNOWN_OUTCOMES_AT_MOST:
        return LetterResult(status=LetterStatus.NEEDS_PERSON, error=reason, outcome_unknown=True)
    retry_at = now + _UNKNOWN_RETRY_AFTER
    return LetterResult(status=LetterStatus.RETRY, error=reason, retry_at=retry_at, outcome_unknown=True)


def _step(ladder: tuple[timedelta, ...], attempts: int) -> timedelta:
    return ladder[min(attempts, len(ladder) - 1)]


@dataclass(slots=True)
class DeliveryCount:
    """What a run of deliveries came to."""

    sent: int = 0
    failed: int = 0


class _Pace:
    """How fast one mailbox may send: a pause after throttling or an absent server, and letters a minute."""

    def __init__(self, max_per_minute: int | None) -> None:
        self._between = timedelta(minutes=1) / max_per_minute if max_per_minute else timedelta()
        self._next_at: datetime | None = None

    def slot(self, now: datetime) -> datetime | None:
        """``None`` if a letter may leave now (the slot is taken then), else when the next one may."""
        if self._next_at is not None and now < self._next_at:
            return self._next_at
        self._next_at = now + self._between if self._between else None
        return None

    def pause_until(self, moment: datetime) -> None:
        """Nothing leaves before ``moment``."""
        self._next_at = max(moment, self._next_at or moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A mailbox with the way out for its letters."""

    mailbox: ServedMailbox
    transport: LetterTransport

    @property
    def server(self) -> str:
        """How this mailbox's server is named in the list of troubles."""
        return f"smtp:{self.mailbox.key}"


class Delivery:
    """Delivers letters on one event loop; every call of the database is made on a thread of its own."""

    def __init__(
        self,
        *,
        storage: Storage,
        blobs: BlobStore,
        outlets: Mapping[str, Outlet],
        office: LetterOffice,
        secret_key: bytes,
        clock: Clock,
        owner: str,
    ) -> None:
        self._storage = storage
        self._blobs = blobs
        self._outlets = outlets
        self._office = office
        self._secret_key = secret_key
        self._clock = clock
        self._owner = owner
        self._paces = {key: _Pace(outlet.mailbox.spec.max_per_minute) for key, outlet in outlets.items()}
        self._null_sender_refused: set[str] = set()
        self._in_trouble: set[str] = set()
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="delivery-db")
        self._workers = max(1, sum(outlet.mailbox.spec.max_connections for outlet in outlets.values()))

    # --- loops ---

    async def run(self, stop: asyncio.Event, bell: asyncio.Event) -> None:
        """Deliver until ``stop``; ``bell`` says that a letter was written. A letter in hand is awaited."""
        await asyncio.gather(*(self._work_until(stop, bell) for _ in range(self._workers)))
        await self._close()

    async def deliver_all(self, *, early: bool = True) -> DeliveryCount:
        """Deliver everything that is due; ``early`` counts quiet and undo times as over (``run --once``)."""
        count = DeliveryCount()

        async def drain() -> None:
            while await self._deliver_next(count, early=early):
                pass

        await asyncio.gather(*(drain() for _ in range(self._workers)))
        await self._close()
        return count

    async def _work_until(self, stop: asyncio.Event, bell: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                delivered = await self._deliver_next(DeliveryCount(), early=False)
            except StorageUnavailable as error:
                _log.warning("cannot deliver", action="delivery.storage_away", error=str(error))
                delivered = False
            if not delivered:
                bell.clear()
                await _first_of(stop, bell, _IDLE_SECONDS)

    async def _close(self) -> None:
        for outlet in self._outlets.values():
            await outlet.transport.close()

    # --- one letter ---

    async def _deliver_next(self, count: DeliveryCount, *, early: bool) -> bool:
        claimed = await self._in_thread(lambda: self._claim(early))
        if claimed is None:
            return False
        try:
            result = await self._attempt(claimed)
            await self._in_thread(lambda: self._record(claimed, result))
        except LeaseLost:
            _log.warning("lease lost", action="delivery.lease_lost", letter=claimed.letter.message_id)
            return True
        count.sent += result.status is LetterStatus.SENT
        count.failed += result.status in (LetterStatus.FAILED, LetterStatus.NEEDS_PERSON)
        return True

    def _claim(self, early: bool) -> ClaimedLetter | None:
        with self._storage.write() as work:
            return work.outbox.claim(
                owner=self._owner, now=self._clock.now(), real_now=datetime.now(UTC), early=early
            )

    async def _attempt(self, claimed: ClaimedLetter) -> LetterResult:
        letter = claimed.letter
        outlet = self._outlets.get(letter.mailbox)
        if outlet is None:
            return _later("the mailbox is switched off", self._clock.now() + 30 * _MINUTE)
        if letter.unknown_outcomes > _UNKNOWN_OUTCOMES_AT_MOST:
            return LetterResult(status=LetterStatus.NEEDS_PERSON, error="three times the outcome was unknown")
        busy_until = self._paces[letter.mailbox].slot(self._clock.now())
        if busy_until is not None:
            return _later("waits for its turn", busy_until)
        try:
            outcome = await self._send(claimed, outlet)
        except (LetterError, UnreadableMail) as error:
            return LetterResult(status=LetterStatus.FAILED, error=str(error))
        result = result_of(outcome, letter, now=self._clock.now(), jitter=random.uniform(0.8, 1.2))
        self._adapt_pace(outlet, outcome, result)
        await self._in_thread(lambda: self._note_server(outlet, outcome))
        self._log_result(letter, outcome, result)
        return result

    async def _send(self, claimed: ClaimedLetter, outlet: Outlet) -> SendOutcome:
        async def mark() -> None:
            await self._in_thread(lambda: self._mark_transmitting(claimed))

        null_sender = outlet.mailbox.spec.null_sender and outlet.mailbox.key not in self._null_sender_refused
        envelope = await self._in_thread(lambda: self._compose(claimed.letter, outlet.mailbox, null_sender))
        outcome = await outlet.transport.send(envelope, mark)
        if isinstance(outcome, Refused) and outcome.sender_refused and not envelope.sender:
            # This server takes no null sender: again at once with the mailbox's own address.
            self._null_sender_refused.add(outlet.mailbox.key)
            _log.warning("null sender refused", action="delivery.null_sender_refused", mailbox=outlet.mailbox.key)
            envelope = await self._in_thread(lambda: self._compose(claimed.letter, outlet.mailbox, False))
            outcome = await outlet.transport.send(envelope, mark)
        return outcome

    def _compose(self, letter: OutboundLetter, mailbox: ServedMailbox, null_sender: bool) -> Envelope:
        return compose(
            letter,
            mailbox_address=mailbox.address,
            reply_addressing=mailbox.reply_addressing,
            null_sender=null_sender,
            loop_mark=loop_mark(self._secret_key, letter.handle, mailbox.address, letter.recipient.address),
            files=[(file, self._blobs.get(file.digest)) for file in letter.files],
            now=self._clock.now(),
        )

    def _mark_transmitting(self, claimed: ClaimedLetter) -> None:
        with self._storage.write() as work:
            work.outbox.mark_transmitting(claimed, owner=self._owner, real_now=datetime.now(UTC))

    def _record(self, claimed: ClaimedLetter, result: LetterResult) -> None:
        """Write the result; a letter that failed for good leaves an event on its ticket and staff are told."""
        letter, now = claimed.letter, self._clock.now()
        with self._storage.write() as work:
            work.outbox.record(claimed, result, owner=self._owner)
            if result.status is not LetterStatus.FAILED or letter.ticket_number is None:
                return
            ticket = work.tickets.get(letter.ticket_number)
            if ticket is not None:
                change = delivery_failed(ticket, letter, result.error, mail_id=letter.mail_id, now=now)
                write_change(work, change)
                self._office.tell(work, change, self._outlets[letter.mailbox].mailbox, now=now)

    # --- pace and health ---

    def _adapt_pace(self, outlet: Outlet, outcome: SendOutcome, result: LetterResult) -> None:
        slows = isinstance(outcome, NotReached) or (isinstance(outcome, Refused) and outcome.throttled)
        if slows and result.retry_at is not None:
            self._paces[outlet.mailbox.key].pause_until(result.retry_at)

    def _note_server(self, outlet: Outlet, outcome: SendOutcome) -> None:
        """Write down that a server is away, and that it is back; nothing while all is well."""
        if isinstance(outcome, NotReached):
            with self._storage.write() as work:
                work.house.note_trouble(outlet.server, outcome.reason[:500], now=self._clock.now())
            self._in_trouble.add(outlet.server)
        elif outlet.server in self._in_trouble:
            with self._storage.write() as work:
                work.house.clear_trouble(outlet.server)
            self._in_trouble.discard(outlet.server)

    def _log_result(self, letter: OutboundLetter, outcome: SendOutcome, result: LetterResult) -> None:
        log = _log.info if result.status is LetterStatus.SENT else _log.warning
        log(
            "letter attempted",
            action=f"delivery.{result.status}",
            letter=letter.message_id,
            ticket=letter.ticket_number,
            outcome=type(outcome).__name__,
            code=outcome.code if isinstance(outcome, Refused) else None,
        )

    async def _in_thread(self, act: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)


def _later(reason: str, retry_at: datetime) -> LetterResult:
    return LetterResult(status=LetterStatus.RETRY, error=reason, retry_at=retry_at, counts_as_attempt=False)


async def _first_of(stop: asyncio.Event, bell: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.create_task(event.wait()) for event in (stop, bell)]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
