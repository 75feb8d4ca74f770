"""The Sent folder: what people write from the shared mailbox by themselves is found there.

``SentFolder ─▶ is it ours? does it answer a ticket? ─▶ blobs + inbound_mails`` (intake does the rest). Nothing in
the folder is ever moved, flagged or answered, and what answers no ticket is looked at and not kept: how far we
have looked is all that is remembered of it (INTERFACE *Sent folder*).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

import structlog

from mailbot.domain.errors import (
    FolderMissing,
    MailTooLarge,
    ServerAway,
    StorageUnavailable,
    UnreadableMail,
)
from mailbot.domain.exchange import FolderState, MailEntry
from mailbot.domain.ledger import FolderMemory, NewInboundMail
from mailbot.domain.mail import FetchedMail, InboundMail
from mailbot.domain.mailbox import LONGEST_WAIT_SECONDS, SENT_FOLDER
from mailbot.domain.ticket import Ticket
from mailbot.domain.troubles import TroubleKey, TroubleKind, trouble_words
from mailbot.flows.causes import place_of
from mailbot.flows.compositor import Compositor
from mailbot.flows.held_folder import HeldFolder, Holding, batches, first_memory
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import BlobStore, MailReader, SentFolder, Storage
from mailbot.flows.pulse import Pulse
from mailbot.flows.remember import StoredKnowledge
from mailbot.flows.sent_copies import SentCopies
from mailbot.flows.shared_mailbox import SharedMailbox
from mailbot.mime.parse import header_summary
from mailbot.mime.structure import header_only
from mailbot.triage.thread import thread_candidates

_log = structlog.get_logger("mailbot.sent")

# How long a mail that answers something we do not know may wait for what it answers.
_DOUBT_AT_MOST = timedelta(hours=1)
# A Maildir has no order but that of its files' times, which other programs set.
_MAILDIR_TIMES_DIFFER = timedelta(days=2)
_IDS_AT_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPlan:
    """What is done with one mailbox's Sent folder. ``inbound_folders`` are those in which the mail lies that an
    answer may be about; ``since`` is ``MAILBOT_COLLECT_SINCE``, ``owner`` the process that does it."""

    owner: str
    mailbox: ServedMailbox
    watches: bool
    saves: bool
    inbound_folders: tuple[str, ...]
    since: Literal["now", "all"] | datetime
    poll_seconds: float = LONGEST_WAIT_SECONDS
    save_seconds: float = 10.0

    @property
    def folder_away(self) -> TroubleKey:
        """The trouble that the folder cannot be looked into."""
        return TroubleKey(kind=TroubleKind.SENT, mailbox=self.mailbox.key)

    @property
    def loop(self) -> str:
        """How the loop is named among those that show that they are alive."""
        return f"sent {self.mailbox.key}"

    @property
    def lease(self) -> str:
        """Name of the lease by which one process at a time has the folder in hand."""
        return f"sent:{self.mailbox.key}"


@dataclass(slots=True)
class _Visit:
    """One look into the folder: which mails need no further look, and what is to be kept."""

    decided: set[str]
    rows: list[tuple[NewInboundMail, bytes]]


class SentFolderKeeper(HeldFolder):
    """Looks after one mailbox's Sent folder. Used by one thread."""

    def __init__(
        self,
        *,
        plan: SentPlan,
        folder: SentFolder,
        storage: Storage,
        blobs: BlobStore,
        reader: MailReader,
        shared_mailbox: SharedMailbox,
        compositor: Compositor,
        pulse: Pulse | None = None,
    ) -> None:
        holding = Holding(
            area="sent",
            mailbox=plan.mailbox.key,
            owner=plan.owner,
            lease=plan.lease,
            loop=plan.loop,
            troubles=frozenset((plan.folder_away,)),
            poll_seconds=plan.poll_seconds,
        )
        super().__init__(holding=holding, storage=storage, pulse=pulse)
        self._plan = plan
        self._key = plan.mailbox.key
        self._folder = folder
        self._blobs = blobs
        self._reader = reader
        self._shared_mailbox = shared_mailbox
        self._copies = SentCopies(
            mailbox=plan.mailbox, folder=folder, storage=storage, compositor=compositor, now=shared_mailbox.now
        )
        self._known = StoredKnowledge(storage)
        # Mails beyond what is remembered durably that need no second look, and since when others wait for one.
        self._decided: set[str] = set()
        self._in_doubt: dict[str, datetime] = {}
        self._uid_validity: int | None = None
        self._is_there = True
        self.on_taken: Callable[[], None] = _nothing
        self.on_doubt: Callable[[], None] = _nothing

    # --- the folder in hand ---

    def look(self) -> None:
        """Save what is due, take what answers tickets, if there is such a folder."""
        try:
            self.look_after()
            self._is_there = True
        except FolderMissing:
            self._folder.close()
            self._without_folder()

    def wait(self, stop: threading.Event) -> None:
        """Until it is worth looking again; copies that become due meanwhile are saved."""
        if not self._is_there:
            stop.wait(self._plan.poll_seconds)
            return
        look_at = time.monotonic() + self._plan.poll_seconds
        if self._in_doubt:
            self.on_doubt()
        while not stop.is_set() and (left := look_at - time.monotonic()) > 0:
            waits_for_little = self._plan.saves or self._in_doubt
            if self._folder.wait(min(left, self._plan.save_seconds) if waits_for_little else left):
                return
            if self._in_doubt and self._inbox_seen_since(max(self._in_doubt.values())):
                return
            if self._plan.saves:
                self.save_due()

    def interrupt(self) -> None:
        """End a wait from another thread."""
        self._folder.interrupt()

    def close(self) -> None:
        """Log out."""
        self._folder.close()

    def troubles_of(self, error: ServerAway) -> Mapping[TroubleKey, str]:
        """The folder cannot be looked into, if that is awaited."""
        return {self._plan.folder_away: trouble_words(str(error))} if self._plan.watches else {}

    def run_once(self, *, inbox_is_seen: bool) -> int:
        """Look once; how many mails were taken. Without such a folder there is nothing to do."""
        try:
            return self.look_after(inbox_is_seen=inbox_is_seen)
        except FolderMissing:
            self._without_folder()
            return 0

    def save_last(self) -> None:
        """Save what left since the look. Raises ``ServerAway``; without such a folder there is nothing to do."""
        if not self._plan.saves or not self._copies.due() or not self.hold_lease():
            return
        try:
            self._folder.open()
            self.save_due()
        except FolderMissing:
            self._without_folder()

    def look_after(self, *, inbox_is_seen: bool = False) -> int:
        """Save what is due, take what answers tickets; returns how many mails were taken.

        ``inbox_is_seen``: what people may have answered has been collected. Raises ``ServerAway`` and
        ``FolderMissing``: what was not taken is still there, untouched.
        """
        state = self._folder.open()
        if self._plan.saves:
            self.save_due()
        return self._look(state, inbox_is_seen=inbox_is_seen) if self._plan.watches else 0

    def save_due(self) -> int:
        """Put the letters that left into the open folder; how many were put there. Raises ``ServerAway``."""
        return self._copies.save_due(on_progress=partial(self._pulse.renew, self._plan.loop))

    # --- what people wrote ---

    def _look(self, state: FolderState, *, inbox_is_seen: bool) -> int:
        memory = self._remembered(state)
        entries = [
            entry
            for entry in self._folder.list_mails(memory.first_uid)
            if memory.floor_at is None or entry.received_at >= memory.floor_at
        ]
        there = {entry.uid for entry in entries}
        self._decided &= there
        self._in_doubt = {uid: since for uid, since in self._in_doubt.items() if uid in there}
        fresh = [entry for entry in entries if entry.uid not in self._decided]
        taken = 0
        for batch in batches(self._not_taken_before(fresh, memory)):
            self._pulse.renew(self._plan.loop)
            taken += self._look_at(batch, memory, inbox_is_seen=inbox_is_seen)
        self._remember_visit(memory, entries)
        return taken

    def _not_taken_before(self, entries: Sequence[MailEntry], memory: FolderMemory) -> list[MailEntry]:
        with self._storage.read() as work:
            uids = [entry.uid for entry in entries]
            taken = work.mails.known_uids(self._key, SENT_FOLDER, memory.uid_validity, uids)
        self._decided |= taken
        return [entry for entry in entries if entry.uid not in taken]

    def _look_at(self, batch: Sequence[MailEntry], memory: FolderMemory, *, inbox_is_seen: bool) -> int:
        by_people = self._written_by_people(batch)
        whole, headers = self._fetched(by_people)
        visit = _Visit(decided={entry.uid for entry in batch}, rows=[])
        for mail in (*whole, *headers):
            if not self._is_settled(mail, memory, visit, inbox_is_seen=inbox_is_seen):
                visit.decided.discard(mail.uid)
                self._in_doubt.setdefault(mail.uid, datetime.now(UTC))
        self._keep(visit)
        self._decided |= visit.decided
        for uid in visit.decided:
            self._in_doubt.pop(uid, None)
        return len(visit.rows)

    def _written_by_people(self, batch: Sequence[MailEntry]) -> list[MailEntry]:
        """Those that are no letters of ours and may be a person's: the header is enough to tell."""
        by_people: set[str] = set()
        for mail in self._folder.fetch([entry.uid for entry in batch], header_only=True):
            header = self._read(header_only(mail.raw))
            if header is None:
                continue
            handle = self._shared_mailbox.own_handle(header)
            if handle is not None:
                self._learn(handle, header.message_id)
            elif [one.address for one in header.from_addresses] == [self._plan.mailbox.address]:
                by_people.add(mail.uid)
        return [entry for entry in batch if entry.uid in by_people]

    def _fetched(self, entries: Sequence[MailEntry]) -> tuple[list[FetchedMail], list[FetchedMail]]:
        """The mails, and the mere headers of those that are too large to be taken whole."""
        limit_bytes = self._plan.mailbox.spec.max_wire_bytes
        whole = [entry.uid for entry in entries if entry.size_bytes <= limit_bytes]
        large = {entry.uid: entry.size_bytes for entry in entries if entry.size_bytes > limit_bytes}
        headers = self._folder.fetch(list(large), header_only=True) if large else []
        return (
            self._folder.fetch(whole) if whole else [],
            [replace(mail, oversize_bytes=large[mail.uid]) for mail in headers],
        )

    def _is_settled(self, mail: FetchedMail, memory: FolderMemory, visit: _Visit, *, inbox_is_seen: bool) -> bool:
        try:
            return self._judge(mail, memory, visit, inbox_is_seen=inbox_is_seen)
        except StorageUnavailable:
            raise
        except Exception as error:
            # One mail that nobody foresaw must not keep the others from being seen.
            _log.error("mail not understood", action="sent.error", mailbox=self._key, error=place_of(error))
            return True

    def _judge(self, mail: FetchedMail, memory: FolderMemory, visit: _Visit, *, inbox_is_seen: bool) -> bool:
        """Whether it is settled what the mail is; if it answers a ticket it is to be kept."""
        read = self._read(mail.raw)
        if read is None:
            return True
        answered = self._shared_mailbox.answered_ticket(read, self._plan.mailbox, self._known)
        if answered is not None:
            visit.rows.append((self._row(mail, answered[0], memory), mail.raw))
            return True
        return not self._may_answer_what_comes(mail.uid, read, inbox_is_seen=inbox_is_seen)

    def _may_answer_what_comes(self, uid: str, mail: InboundMail, *, inbox_is_seen: bool) -> bool:
        """Whether the mail replies to something that lies in the inbox, perhaps, and is no ticket yet."""
        replied_to = thread_candidates(mail).message_ids
        if not replied_to:
            return False
        since = self._in_doubt.get(uid, datetime.now(UTC))
        if datetime.now(UTC) - since > _DOUBT_AT_MOST:
            return False
        with self._storage.read() as work:
            if work.mails.any_pending(replied_to):
                return True
        return not (inbox_is_seen or self._inbox_seen_since(since))

    def _inbox_seen_since(self, moment: datetime) -> bool:
        """Whether every folder that is collected has been looked into after ``moment``."""
        with self._storage.read() as work:
            memories = [work.house.folder(self._key, name) for name in self._plan.inbound_folders]
        looked_into = [one.last_collect_at for one in memories if one is not None]
        return all(at is not None and at > moment for at in looked_into)

    def _read(self, raw: bytes) -> InboundMail | None:
        """The mail, its header alone where it is too large; ``None`` if it cannot be read: then it stays here."""
        try:
            return self._reader.read(raw)
        except MailTooLarge:
            return self._read_header(raw)
        except UnreadableMail:
            _log.warning("mail not read", action="sent.unreadable", mailbox=self._key)
            return None

    def _read_header(self, raw: bytes) -> InboundMail | None:
        try:
            return self._reader.read(header_only(raw))
        except (MailTooLarge, UnreadableMail):
            _log.warning("mail not read", action="sent.unreadable", mailbox=self._key)
            return None

    def _row(self, mail: FetchedMail, ticket: Ticket, memory: FolderMemory) -> NewInboundMail:
        header = header_summary(mail.raw)
        return NewInboundMail(
            mailbox=self._key,
            folder=SENT_FOLDER,
            uid_validity=memory.uid_validity,
            uid=mail.uid,
            received_at=mail.received_at,
            # Named when the bytes are stored.
            raw_digest="",
            size_bytes=len(mail.raw),
            oversize_bytes=mail.oversize_bytes,
            # In line with the requester's own mails: nobody is reminded while it waits.
            conversation_key=ticket.requester.address,
            message_id=header.message_id,
            from_address=header.sender.address,
            subject=header.subject,
        )

    def _keep(self, visit: _Visit) -> None:
        if not visit.rows:
            return
        digests = self._blobs.put_many([raw for _, raw in visit.rows])
        rows = [replace(row, raw_digest=name) for (row, _), name in zip(visit.rows, digests, strict=True)]
        with self._storage.write() as work:
            self._require_lease(work)
            ids = work.mails.add(rows, now=datetime.now(UTC))
        _log.info("people's answers taken", action="sent.taken", mailbox=self._key, count=len(ids))
        self.on_taken()

    def _learn(self, handle: str, message_id: str) -> None:
        """Some providers give a letter another Message-ID: answers will name that one."""
        if not message_id or len(message_id) > _IDS_AT_MOST:
            return
        with self._storage.read() as work:
            letter = work.outbox.by_handle(handle)
        if letter is None or letter.message_id == message_id:
            return
        with self._storage.write() as work:
            if work.sent.learn_message_id(handle, message_id):
                _log.info("letter goes by another id", action="sent.id_learnt", mailbox=self._key)

    # --- what we remember of the folder ---

    def _remembered(self, state: FolderState) -> FolderMemory:
        if state.uid_validity != self._uid_validity:
            self._decided.clear()
            self._in_doubt.clear()
            self._uid_validity = state.uid_validity
        with self._storage.read() as work:
            memory = work.house.folder(self._key, SENT_FOLDER)
        if memory is not None and memory.uid_validity == state.uid_validity:
            return memory
        if memory is not None:
            return self._remember(_renumbered(memory, state))
        since = self._plan.since
        _log.info("first contact", action="sent.first_contact", mailbox=self._key, since=str(since))
        return self._remember(first_memory(self._key, SENT_FOLDER, state, since))

    def _remember_visit(self, memory: FolderMemory, entries: Sequence[MailEntry]) -> None:
        """How far we have looked: up to the first mail that needs another look."""
        settled: list[MailEntry] = []
        for entry in entries:
            if entry.uid not in self._decided:
                break
            settled.append(entry)
        memory = replace(memory, last_collect_at=datetime.now(UTC))
        if settled:
            newest = max(entry.received_at for entry in settled)
            known = memory.newest_received_at
            memory = replace(memory, newest_received_at=newest if known is None else max(known, newest))
            memory = _looked_at(memory, settled)
        self._remember(memory)

    def _without_folder(self) -> None:
        """There is no such folder (any more): nothing is awaited from it, and nothing can be saved in it."""
        with self._storage.read() as work:
            was_there = work.house.folder(self._key, SENT_FOLDER) is not None
        with self._storage.write() as work:
            work.house.forget_folder(self._key, SENT_FOLDER)
            work.house.clear_trouble(self._plan.folder_away)
        copies = self._copies.forget()
        self._is_there = False
        log = _log.warning if was_there or self._plan.mailbox.spec.sent_folder_name else _log.info
        log("there is no Sent folder", action="sent.no_folder", mailbox=self._key, copies=copies)


def _nothing() -> None:
    return


def _looked_at(memory: FolderMemory, settled: Sequence[MailEntry]) -> FolderMemory:
    """A Maildir's mails have no numbers that grow: what came lately is looked at again after a start."""
    if memory.uid_validity != 0:
        return replace(memory, first_uid=max(memory.first_uid, int(settled[-1].uid) + 1))
    floor = settled[-1].received_at - _MAILDIR_TIMES_DIFFER
    return memory if memory.floor_at is not None and memory.floor_at > floor else replace(memory, floor_at=floor)


def _renumbered(memory: FolderMemory, state: FolderState) -> FolderMemory:
    """UIDVALIDITY changed: what was looked at is known by its time of arrival alone, and is not looked at again.

    What came in that very second is, and turns out to be on its ticket already.
    """
    _log.warning("folder renumbered", action="sent.uidvalidity_changed", mailbox=memory.mailbox)
    floor = memory.newest_received_at or memory.floor_at
    return replace(memory, uid_validity=state.uid_validity, first_uid=1, floor_at=floor)
