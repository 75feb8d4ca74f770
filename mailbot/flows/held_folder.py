"""A folder of a mailbox that one process at a time has in hand: its lease, its loop, and what is noted when the
server is away. What is done in the folder is the business of :class:`Collector` and :class:`SentFolderKeeper`.
"""

from __future__ import annotations

import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from mailbot.domain.errors import (
    CredentialsRefused,
    LeaseLost,
    ServerAway,
    ServerThrottles,
    StorageUnavailable,
)
from mailbot.domain.exchange import FolderState, MailEntry
from mailbot.domain.ledger import FolderMemory
from mailbot.domain.troubles import TroubleKey
from mailbot.flows.ports import Storage, UnitOfWork
from mailbot.flows.pulse import Pulse

_log = structlog.get_logger("mailbot.folder")

_BATCH_MAILS = 50
_BATCH_BYTES = 20_000_000
# Clocks differ, by hours where somebody set the wrong zone.
_CLOCK_SLACK = timedelta(days=1)
_LEASE_RETRY_SECONDS = 5.0
_FIRST_BACK_OFF_SECONDS, _LAST_BACK_OFF_SECONDS = 2.0, 300.0
_BACK_OFF_AFTER_REFUSED_LOGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Who holds which folder. ``area`` begins the actions of its log, ``lease`` is what one process at a time
    has, ``loop`` the name under which it shows that it is alive, ``troubles`` what the folder's owner strikes out
    when the server answers. Looked into anew after ``poll_seconds`` at the latest."""

    area: str
    mailbox: str
    owner: str
    lease: str
    loop: str
    troubles: frozenset[TroubleKey]
    poll_seconds: float


class HeldFolder(ABC):
    """Looks after one folder. Used by one thread, but for :meth:`renew_lease` and :meth:`interrupt`."""

    def __init__(self, *, holding: Holding, storage: Storage, pulse: Pulse | None = None) -> None:
        self._holding = holding
        self._storage = storage
        self._pulse = pulse or Pulse()
        self._fence: int | None = None
        # What an earlier owner noted is ours to strike out.
        self._may_be_noted = True

    # --- what is done in the folder ---

    @abstractmethod
    def look(self) -> None:
        """Do what is due. Raises ``ServerAway`` and ``LeaseLost``; what was not done is due the next time."""

    @abstractmethod
    def wait(self, stop: threading.Event) -> None:
        """Until it is worth looking again. Raises ``ServerAway``."""

    @abstractmethod
    def interrupt(self) -> None:
        """End a wait from another thread."""

    @abstractmethod
    def close(self) -> None:
        """Log out."""

    @abstractmethod
    def troubles_of(self, error: ServerAway) -> Mapping[TroubleKey, str]:
        """What is noted of a server that is away, and in which words; nothing where nobody waits for it."""

    # --- the loop ---

    @property
    def mailbox(self) -> str:
        """Key of the mailbox."""
        return self._holding.mailbox

    def run(self, stop: threading.Event) -> None:
        """Look after the folder until ``stop``; a server that is away is tried again with growing pauses."""
        back_off = BackOff()
        while not stop.is_set():
            self._pulse.promise(self._holding.loop)
            try:
                if not self.hold_lease():
                    stop.wait(_LEASE_RETRY_SECONDS)
                    continue
                self.look()
                back_off.reset()
                if self._may_be_noted:
                    self.note_all_is_well()
                    self._may_be_noted = False
                self._pulse.promise(self._holding.loop, after_seconds=self._holding.poll_seconds)
                self.wait(stop)
            except LeaseLost:
                self._warn_of_lost_lease()
                self.close()
            except ServerAway as error:
                self.close()
                self._may_be_noted = True
                pause = back_off.next_pause(error)
                self._warn_of_away(error, pause)
                self.note_trouble(error)
                self._pulse.promise(self._holding.loop, after_seconds=pause)
                stop.wait(pause)
        self.close()
        self._pulse.end(self._holding.loop)

    def _warn_of_away(self, error: ServerAway, pause_seconds: float) -> None:
        _log.warning(
            "cannot look into the folder",
            action=f"{self._holding.area}.away",
            mailbox=self._holding.mailbox,
            error=str(error),
            cause=type(error).__name__,
            retry_in_seconds=round(pause_seconds, 1),
        )

    def _warn_of_lost_lease(self) -> None:
        _log.warning("lease lost", action=f"{self._holding.area}.lease_lost", mailbox=self._holding.mailbox)

    # --- its lease ---

    def hold_lease(self) -> bool:
        """One owner per folder: take or renew its lease."""
        with self._storage.write() as work:
            fence = self._take_lease(work)
        if fence is None:
            _log.info(
                "another process has the folder",
                action=f"{self._holding.area}.not_owner",
                mailbox=self._holding.mailbox,
            )
        if fence != self._fence:
            # It was in other hands meanwhile, whether we saw it or not.
            self._may_be_noted = True
        self._fence = fence
        return fence is not None

    def _take_lease(self, work: UnitOfWork) -> int | None:
        return work.house.take_lease(self._holding.lease, self._holding.owner, real_now=datetime.now(UTC))

    def _renews_lease(self, work: UnitOfWork) -> bool:
        return work.house.renew_lease(self._holding.lease, self._holding.owner, real_now=datetime.now(UTC))

    def renew_lease(self) -> None:
        """Lengthen the lease if we hold it; to be called by another thread. Who has lost it waits no longer."""
        with self._storage.write() as work:
            is_ours = self._renews_lease(work)
        if self._fence is not None and not is_ours:
            self.interrupt()

    def drop_lease(self) -> None:
        """Let somebody else have the folder."""
        with self._storage.write() as work:
            work.house.drop_lease(self._holding.lease, self._holding.owner)
        self._fence = None

    def _require_lease(self, work: UnitOfWork) -> None:
        """Whoever was stopped for a while, or has a clock of its own, may have lost the folder to somebody else:
        what is written about it is written by its owner alone. Raises ``LeaseLost``."""
        if self._fence is not None and not self._renews_lease(work):
            raise LeaseLost(f"{self._holding.lease} is in other hands")

    # --- trouble ---

    def note_trouble(self, error: ServerAway) -> None:
        """Write down that the server is away; never raises.

        Only the folder's owner does: it alone will strike it out. Another process, whose own way to the database
        was cut for a moment, knows nothing of the server.
        """
        troubles = self.troubles_of(error)
        if not troubles:
            return
        try:
            with self._storage.write() as work:
                if self._take_lease(work) is None:
                    return
                for key, words in troubles.items():
                    work.house.note_trouble(key, words, now=datetime.now(UTC))
        except StorageUnavailable:
            _log.warning(
                "trouble not noted",
                action=f"{self._holding.area}.trouble_not_noted",
                mailbox=self._holding.mailbox,
            )

    def note_all_is_well(self) -> None:
        """The server answers: what was noted against it, by whatever process, is struck out."""
        with self._storage.read() as work:
            noted = self._holding.troubles & {trouble.key for trouble in work.house.troubles()}
        if not noted:
            return
        _log.info("the server is back", action=f"{self._holding.area}.back", mailbox=self._holding.mailbox)
        with self._storage.write() as work:
            for key in noted:
                work.house.clear_trouble(key)

    # --- what is remembered of it ---

    def _remember(self, memory: FolderMemory) -> FolderMemory:
        with self._storage.write() as work:
            self._require_lease(work)
            work.house.remember_folder(memory)
        return memory


class BackOff:
    """Growing pauses with jitter, so that many daemons do not knock at once."""

    def __init__(self) -> None:
        self._seconds = _FIRST_BACK_OFF_SECONDS

    def next_pause(self, error: ServerAway) -> float:
        """How many seconds to wait after this error."""
        if isinstance(error, CredentialsRefused):
            self._seconds = max(self._seconds, _BACK_OFF_AFTER_REFUSED_LOGIN_SECONDS)
        pause = self._seconds * random.uniform(0.8, 1.2)
        if isinstance(error, ServerThrottles):
            # Never sooner than it asks for, which some providers answer with a longer wait.
            pause = max(pause, error.retry_after_seconds * random.uniform(1.0, 1.1))
        self._seconds = min(self._seconds * 2, _LAST_BACK_OFF_SECONDS)
        return pause

    def reset(self) -> None:
        """All is well again."""
        self._seconds = _FIRST_BACK_OFF_SECONDS


def first_memory(mailbox: str, folder: str, state: FolderState, since: str | datetime) -> FolderMemory:
    """What is remembered at first contact: older mail is left alone unless ``since`` (``MAILBOT_COLLECT_SINCE``)
    says otherwise. A help desk that answers ten years of mail is the classic accident."""
    floor = since if isinstance(since, datetime) else None
    first_uid = 1
    if since == "now":
        first_uid, floor = state.uid_next, _now_on_the_server(state)
    return FolderMemory(
        mailbox=mailbox,
        folder=folder,
        uid_validity=state.uid_validity,
        first_uid=first_uid,
        floor_at=floor,
    )


def _now_on_the_server(state: FolderState) -> datetime:
    """The moment of first contact by the server's clock: that of its newest mail, if it is of the last day.

    In doubt too early: what is older than this stays untouched for ever, so a clock that is slow must lose
    nothing. A Maildir has our clock.
    """
    now = datetime.now(UTC)
    if state.uid_validity == 0:
        return now
    newest = state.newest_received_at
    return newest if newest is not None and newest > now - _CLOCK_SLACK else now - _CLOCK_SLACK


def batches(entries: Sequence[MailEntry]) -> Iterator[list[MailEntry]]:
    """At most 50 mails and, unless one alone is larger, 20 MB at a time."""
    batch: list[MailEntry] = []
    size_bytes = 0
    for entry in entries:
        if batch and (len(batch) >= _BATCH_MAILS or size_bytes + entry.size_bytes > _BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(entry)
        size_bytes += entry.size_bytes
    if batch:
        yield batch
