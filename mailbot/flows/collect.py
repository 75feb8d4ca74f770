"""COLLECT. Mails come from a mailbox into our keeping: raw bytes and a ledger row first, the mailbox afterwards.

``MailSource ─▶ blobs + inbound_mails ─▶ commit ─▶ settle``. Knows nothing of tickets. The bell (IDLE) only
says that it is worth looking; after every bell *or* time-out the same full search by UID runs.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog

from mailbot.domain.errors import CredentialsRefused, LeaseLost, LoginExpired, ServerAway, ServerThrottles
from mailbot.domain.exchange import FolderState, MailEntry
from mailbot.domain.ledger import FolderMemory, NewInboundMail
from mailbot.domain.mail import FetchedMail
from mailbot.domain.troubles import TroubleKey, TroubleKind, trouble_words
from mailbot.flows.ports import BlobStore, MailSource, Storage, UnitOfWork
from mailbot.flows.pulse import Pulse
from mailbot.mime.parse import header_summary

_log = structlog.get_logger("mailbot.collect")

_BATCH_MAILS = 50
_BATCH_BYTES = 20_000_000
# Clocks differ, by hours where somebody set the wrong zone.
_CLOCK_SLACK = timedelta(days=1)
_LEASE_RETRY_SECONDS = 5.0
_FIRST_BACK_OFF_SECONDS, _LAST_BACK_OFF_SECONDS = 2.0, 300.0
_BACK_OFF_AFTER_REFUSED_LOGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectPlan:
    """What is collected: one folder of one mailbox. ``since`` is ``MAILBOT_COLLECT_SINCE``."""

    mailbox: str
    folder: str
    max_wire_bytes: int
    since: Literal["now", "all"] | datetime
    is_junk: bool = False
    poll_seconds: float = 540.0

    @property
    def server_away(self) -> TroubleKey:
        """The trouble that this mailbox's server is away."""
        return TroubleKey(kind=TroubleKind.IMAP, mailbox=self.mailbox)

    @property
    def login_over(self) -> TroubleKey:
        """The trouble that what this mailbox logs in with has come to its end."""
        return TroubleKey(kind=TroubleKind.LOGIN, mailbox=self.mailbox)

    @property
    def lease(self) -> str:
        """Name of the lease by which one process at a time collects this folder."""
        return f"collect:{self.mailbox}:{self.folder}"

    @property
    def loop(self) -> str:
        """Under which name the loop that collects this folder shows that it is alive."""
        return f"collect {self.mailbox}/{self.folder}"


class Collector:
    """Collects one folder. Used by one thread."""

    def __init__(
        self,
        *,
        plan: CollectPlan,
        source: MailSource,
        storage: Storage,
        blobs: BlobStore,
        owner: str,
        pulse: Pulse | None = None,
    ) -> None:
        self._plan = plan
        self._pulse = pulse or Pulse()
        self._source = source
        self._storage = storage
        self._blobs = blobs
        self._owner = owner
        self._has_lease = False
        self.on_collected: Callable[[], None] = _nothing

    # --- the loop ---

    def run(self, stop: threading.Event) -> None:
        """Collect until ``stop``; a server that is away is tried again with growing pauses."""
        back_off = BackOff()
        while not stop.is_set():
            self._pulse.promise(self._plan.loop)
            try:
                if not self.hold_lease():
                    # What its owner notes until then is ours to strike out when we follow.
                    back_off.had_trouble = True
                    stop.wait(_LEASE_RETRY_SECONDS)
                    continue
                self.collect_once()
                self._clear_trouble(back_off)
                self._pulse.promise(self._plan.loop, after_seconds=self._plan.poll_seconds)
                self._source.wait(self._plan.poll_seconds)
            except LeaseLost:
                self._let_go()
            except ServerAway as error:
                self._source.close()
                pause = back_off.next_pause(error)
                _log.warning(
                    "cannot collect",
                    action="collect.away",
                    mailbox=self._plan.mailbox,
                    error=str(error),
                    cause=type(error).__name__,
                    retry_in_seconds=round(pause, 1),
                )
                self.note_trouble(error)
                self._pulse.promise(self._plan.loop, after_seconds=pause)
                stop.wait(pause)
        self._source.close()
        self._pulse.end(self._plan.loop)

    def hold_lease(self) -> bool:
        """One owner per mailbox: take or renew its lease."""
        with self._storage.write() as work:
            fence = work.house.take_lease(self._plan.lease, self._owner, real_now=datetime.now(UTC))
        self._has_lease = fence is not None
        if fence is None:
            _log.info("another process collects", action="collect.not_owner", mailbox=self._plan.mailbox)
        return fence is not None

    def renew_lease(self) -> None:
        """Lengthen the lease if we hold it; to be called by another thread."""
        with self._storage.write() as work:
            work.house.renew_lease(self._plan.lease, self._owner, real_now=datetime.now(UTC))

    def _require_lease(self, work: UnitOfWork) -> None:
        """Whoever was stopped for a while, or has a clock of its own, may have lost the folder to somebody else:
        what is written about it is written by its owner alone. Raises ``LeaseLost``."""
        if self._has_lease and not work.house.renew_lease(
            self._plan.lease, self._owner, real_now=datetime.now(UTC)
        ):
            raise LeaseLost(f"{self._plan.lease} is in other hands")

    def _let_go(self) -> None:
        _log.warning("lease lost", action="collect.lease_lost", mailbox=self._plan.mailbox)
        self._source.close()

    def drop_lease(self) -> None:
        """Let somebody else collect."""
        with self._storage.write() as work:
            work.house.drop_lease(self._plan.lease, self._owner)

    def interrupt(self) -> None:
        """End a wait from another thread."""
        self._source.interrupt()

    def close(self) -> None:
        """Log out."""
        self._source.close()

    @property
    def mailbox(self) -> str:
        """Key of the mailbox."""
        return self._plan.mailbox

    # --- one look into the folder ---

    def collect_once(self) -> int:
        """Take everything that is new; returns how many mails were taken.

        Raises ``ServerAway`` when the server, the database or the disk does not take part, and ``LeaseLost`` when
        somebody else collects by now: what was not stored is still on the server, untouched.
        """
        state = self._source.open()
        memory = self._remembered(state)
        entries = self._entries(memory)
        known = self._known(memory, entries)
        # Stored but not settled: we died, or the server broke off, in between. Settling twice does no harm.
        self._settle([entry.uid for entry in entries if entry.uid in known])
        taken = 0
        for batch in batches([entry for entry in entries if entry.uid not in known]):
            self._pulse.renew(self._plan.loop)
            taken += self._take(batch, memory)
            self.on_collected()
        self._remember_visit(memory)
        return taken

    def _entries(self, memory: FolderMemory) -> list[MailEntry]:
        floor = memory.floor_at
        return [
            entry
            for entry in self._source.list_mails(memory.first_uid)
            if floor is None or entry.received_at >= floor
        ]

    def _known(self, memory: FolderMemory, entries: Sequence[MailEntry]) -> set[str]:
        with self._storage.read() as work:
            return work.mails.known_uids(
                memory.mailbox, memory.folder, memory.uid_validity, [entry.uid for entry in entries]
            )

    def _take(self, batch: Sequence[MailEntry], memory: FolderMemory) -> int:
        too_large = {e.uid: e.size_bytes for e in batch if e.size_bytes > self._plan.max_wire_bytes}
        whole = [entry.uid for entry in batch if entry.uid not in too_large]
        fetched = [
            *(self._source.fetch(whole) if whole else []),
            *(
                replace(mail, oversize_bytes=too_large[mail.uid])
                for mail in (self._source.fetch(list(too_large), header_only=True) if too_large else [])
            ),
        ]
        if not fetched:
            return 0
        digests = self._blobs.put_many([mail.raw for mail in fetched])
        rows = [self._row(mail, digest, memory) for mail, digest in zip(fetched, digests, strict=True)]
        with self._storage.write() as work:
            self._require_lease(work)
            ids = work.mails.add(rows, now=datetime.now(UTC))
            memory = _with_newest(work.house.folder(memory.mailbox, memory.folder) or memory, fetched)
            work.house.remember_folder(memory)
        # Only now, when bytes and rows are durable, the mailbox is touched.
        self._settle([mail.uid for mail in fetched])
        _log.info("mails collected", action="collect.stored", mailbox=memory.mailbox, count=len(ids))
        return len(ids)

    def _settle(self, uids: list[str]) -> None:
        if uids:
            self._source.settle(uids)

    def _row(self, mail: FetchedMail, digest: str, memory: FolderMemory) -> NewInboundMail:
        header = header_summary(mail.raw)
        return NewInboundMail(
            mailbox=self._plan.mailbox,
            folder=self._plan.folder,
            uid_validity=mail.uid_validity,
            uid=mail.uid,
            received_at=mail.received_at,
            raw_digest=digest,
            size_bytes=len(mail.raw),
            oversize_bytes=mail.oversize_bytes,
            # Mails of nobody wait for nobody: each is a conversation of its own.
            conversation_key=header.sender.address or f"mail:{digest}",
            message_id=header.message_id,
            from_address=header.sender.address,
            subject=header.subject,
            suspect=self._why_suspect(mail, memory),
        )

    def _why_suspect(self, mail: FetchedMail, memory: FolderMemory) -> str:
        if self._plan.is_junk:
            return "junk_folder"
        if memory.suspect_until is not None and mail.received_at <= memory.suspect_until:
            return "uidvalidity_changed"
        return ""

    # --- what we remember of the folder ---

    def _remembered(self, state: FolderState) -> FolderMemory:
        with self._storage.read() as work:
            memory = work.house.folder(self._plan.mailbox, self._plan.folder)
        if memory is not None and memory.uid_validity == state.uid_validity:
            return memory
        memory = self._first_contact(state) if memory is None else _after_renumbering(memory, state)
        with self._storage.write() as work:
            self._require_lease(work)
            work.house.remember_folder(memory)
        return memory

    def _first_contact(self, state: FolderState) -> FolderMemory:
        """Older mail is left alone: a help desk that answers ten years of mail is the classic accident."""
        since = self._plan.since
        memory = FolderMemory(
            mailbox=self._plan.mailbox,
            folder=self._plan.folder,
            uid_validity=state.uid_validity,
            first_uid=1,
            floor_at=None,
        )
        _log.info("first contact", action="collect.first_contact", mailbox=memory.mailbox, since=str(since))
        if since == "all":
            return memory
        if isinstance(since, datetime):
            return replace(memory, floor_at=since)
        return replace(memory, first_uid=state.uid_next, floor_at=now_on_the_server(state))

    def _remember_visit(self, memory: FolderMemory) -> None:
        with self._storage.write() as work:
            self._require_lease(work)
            now = work.house.folder(memory.mailbox, memory.folder) or memory
            work.house.remember_folder(replace(now, last_collect_at=datetime.now(UTC)))

    # --- trouble ---

    def note_trouble(self, error: ServerAway) -> None:
        """Write down that the server is away; never raises.

        Only the folder's owner does: it alone will strike it out. Another process, whose own way to the database
        was cut for a moment, knows nothing of the server.
        """
        text = trouble_words(str(error), login_refused=isinstance(error, CredentialsRefused))
        try:
            with self._storage.write() as work:
                if work.house.take_lease(self._plan.lease, self._owner, real_now=datetime.now(UTC)) is None:
                    return
                work.house.note_trouble(self._plan.server_away, text, now=datetime.now(UTC))
                if isinstance(error, LoginExpired):
                    expired = trouble_words(str(error))
                    work.house.note_trouble(self._plan.login_over, expired, now=datetime.now(UTC))
        except ServerAway:
            _log.warning("trouble not noted", action="collect.trouble_not_noted", mailbox=self._plan.mailbox)

    def note_all_is_well(self) -> None:
        """The server answers: what was noted against it, by whatever process, is struck out."""
        with self._storage.read() as work:
            ours = {self._plan.server_away, self._plan.login_over}
            noted = ours & {trouble.key for trouble in work.house.troubles()}
        if noted:
            _log.info("collecting again", action="collect.back", mailbox=self._plan.mailbox)
            with self._storage.write() as work:
                for key in noted:
                    work.house.clear_trouble(key)

    def _clear_trouble(self, back_off: BackOff) -> None:
        if back_off.had_trouble:
            self.note_all_is_well()
            back_off.reset()


def _nothing() -> None:
    return


class BackOff:
    """Growing pauses with jitter, so that many daemons do not knock at once."""

    def __init__(self) -> None:
        # A trouble noted by an earlier process is cleared by the first success.
        self.had_trouble = True
        self._seconds = _FIRST_BACK_OFF_SECONDS

    def next_pause(self, error: ServerAway) -> float:
        self.had_trouble = True
        if isinstance(error, CredentialsRefused):
            self._seconds = max(self._seconds, _BACK_OFF_AFTER_REFUSED_LOGIN_SECONDS)
        pause = self._seconds * random.uniform(0.8, 1.2)
        if isinstance(error, ServerThrottles):
            # Never sooner than it asks for, which some providers answer with a longer wait.
            pause = max(pause, error.retry_after_seconds * random.uniform(1.0, 1.1))
        self._seconds = min(self._seconds * 2, _LAST_BACK_OFF_SECONDS)
        return pause

    def reset(self) -> None:
        self.had_trouble = False
        self._seconds = _FIRST_BACK_OFF_SECONDS


def now_on_the_server(state: FolderState) -> datetime:
    """The moment of first contact by the server's clock: that of its newest mail, if it is of the last day.

    In doubt too early: what is older than this stays untouched for ever, so a clock that is slow must lose
    nothing. A Maildir has our clock.
    """
    now = datetime.now(UTC)
    if state.uid_validity == 0:
        return now
    newest = state.newest_received_at
    return newest if newest is not None and newest > now - _CLOCK_SLACK else now - _CLOCK_SLACK


def _after_renumbering(memory: FolderMemory, state: FolderState) -> FolderMemory:
    """UIDVALIDITY changed: every mail has a new number. What should be known and is not is suspect."""
    _log.warning("folder renumbered", action="collect.uidvalidity_changed", mailbox=memory.mailbox)
    # Nothing collected yet: what lay there at first contact, received in that very second.
    known_until = memory.newest_received_at or memory.floor_at
    return replace(memory, uid_validity=state.uid_validity, first_uid=1, suspect_until=known_until)


def _with_newest(memory: FolderMemory, fetched: Sequence[FetchedMail]) -> FolderMemory:
    newest = max(mail.received_at for mail in fetched)
    known = memory.newest_received_at
    return replace(memory, newest_received_at=newest if known is None else max(known, newest))


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
