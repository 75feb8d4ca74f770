"""COLLECT. Mails come from a mailbox into our keeping: raw bytes and a ledger row first, the mailbox afterwards.

``MailSource ─▶ blobs + inbound_mails ─▶ commit ─▶ settle``. Knows nothing of tickets. The bell (IDLE) only
says that it is worth looking; after every bell *or* time-out the same full search by UID runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import structlog

from mailbot.domain.errors import CredentialsRefused, LoginExpired, ServerAway
from mailbot.domain.exchange import FolderState, MailEntry
from mailbot.domain.ledger import FolderMemory, NewInboundMail, conversation_key
from mailbot.domain.mail import FetchedMail
from mailbot.domain.mailbox import LONGEST_WAIT_SECONDS
from mailbot.domain.troubles import TroubleKey, TroubleKind, trouble_words
from mailbot.flows.held_folder import HeldFolder, Holding, batches, first_memory
from mailbot.flows.ports import BlobStore, MailSource, Storage
from mailbot.flows.pulse import Pulse
from mailbot.mime.parse import header_summary

_log = structlog.get_logger("mailbot.collect")

# A rate is none before so much time has passed.
_MOMENT_SECONDS = 0.05
# So many that are listed are a rush, however fast they will come: they call in all helpers (``crew.py``).
_RUSH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectPlan:
    """What is collected: one folder of one mailbox. ``since`` is ``MAILBOT_COLLECT_SINCE``."""

    mailbox: str
    folder: str
    max_wire_bytes: int
    since: Literal["now", "all"] | datetime
    is_junk: bool = False
    poll_seconds: float = LONGEST_WAIT_SECONDS

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How far a look into the folder is; ``began`` by the monotonic clock. ``senders`` is how many people's the
    mails are that were taken."""

    began: float
    taken: int
    left: int
    senders: int


class Collector(HeldFolder):
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
        holding = Holding(
            area="collect",
            mailbox=plan.mailbox,
            owner=owner,
            lease=plan.lease,
            loop=plan.loop,
            troubles=frozenset((plan.server_away, plan.login_over)),
            poll_seconds=plan.poll_seconds,
        )
        super().__init__(holding=holding, storage=storage, pulse=pulse)
        self._plan = plan
        self._source = source
        self._blobs = blobs
        self.on_collected: Callable[[], None] = _nothing
        self._look: _Look | None = None
        self._senders: set[str] = set()

    # --- the folder in hand ---

    def look(self) -> None:
        """Take everything that is new."""
        self.collect_once()

    def wait(self, stop: threading.Event) -> None:
        """Until the bell rings, or it is time to look anyway."""
        del stop
        self._source.wait(self._plan.poll_seconds)

    def interrupt(self) -> None:
        """End a wait from another thread."""
        self._source.interrupt()

    def close(self) -> None:
        """Log out."""
        self._source.close()

    def troubles_of(self, error: ServerAway) -> Mapping[TroubleKey, str]:
        """The server is away; where its provider says so, what we log in with has come to its end as well."""
        refused = isinstance(error, CredentialsRefused)
        away = {self._plan.server_away: trouble_words(str(error), login_refused=refused)}
        over = {self._plan.login_over: trouble_words(str(error))} if isinstance(error, LoginExpired) else {}
        return away | over

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
        taken = self._take_all([entry for entry in entries if entry.uid not in known], memory)
        self._remember_visit(memory)
        return taken

    def coming_within(self, seconds: float) -> int:
        """How many mails that can be worked on at once the look under way is likely to take in that time, by what
        it took so far; to be asked by other threads.

        A listing of hundreds is trusted as long as it is too early to tell: whoever is to work on them can prepare
        meanwhile.
        """
        look = self._look
        if look is None:
            return 0
        passed = time.monotonic() - look.began
        if not look.taken:
            return look.left if look.left >= _RUSH and passed < seconds else 0
        coming = min(look.left, seconds * look.taken / max(passed, _MOMENT_SECONDS))
        # Of one sender's mails only the oldest can be worked on.
        return int(coming * look.senders / look.taken)

    def _take_all(self, entries: Sequence[MailEntry], memory: FolderMemory) -> int:
        taken, left, began = 0, len(entries), time.monotonic()
        self._senders.clear()
        self._look = _Look(began=began, taken=0, left=left, senders=0)
        try:
            for batch in batches(entries):
                self._pulse.renew(self._plan.loop)
                taken += self._take(batch, memory)
                left -= len(batch)
                self._look = _Look(began=began, taken=taken, left=left, senders=len(self._senders))
                self.on_collected()
        finally:
            self._look = None
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
        self._senders.update(row.conversation_key for row in rows)
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
            conversation_key=conversation_key(header.sender.address, header.message_id, digest),
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
        if memory is not None:
            return self._remember(_after_renumbering(memory, state))
        since = self._plan.since
        _log.info("first contact", action="collect.first_contact", mailbox=self._plan.mailbox, since=str(since))
        return self._remember(first_memory(self._plan.mailbox, self._plan.folder, state, since))

    def _remember_visit(self, memory: FolderMemory) -> None:
        with self._storage.write() as work:
            self._require_lease(work)
            now = work.house.folder(memory.mailbox, memory.folder) or memory
            work.house.remember_folder(replace(now, last_collect_at=datetime.now(UTC)))


def _nothing() -> None:
    return


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
