"""The Sent folder: what people write from the shared mailbox by themselves is found there, our letters are saved.

``SentFolder ─▶ is it ours? does it answer a ticket? ─▶ blobs + inbound_mails`` (intake does the rest), and
``sent_copies ─▶ SentFolder``. Nothing in the folder is ever moved, flagged or answered, and what answers no ticket
is looked at and not kept: how far we have looked is all that is remembered of it (INTERFACE *Sent folder*).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog

from mailbot.domain.errors import (
    CopyRefused,
    FolderMissing,
    LetterError,
    MailTooLarge,
    ServerAway,
    StorageUnavailable,
    UnreadableMail,
)
from mailbot.domain.exchange import FolderState, MailEntry, SentCopy
from mailbot.domain.ledger import FolderMemory, NewInboundMail
from mailbot.domain.mail import FetchedMail, InboundMail
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.domain.outbox import DueCopy
from mailbot.domain.ticket import Ticket
from mailbot.domain.troubles import TroubleKey, TroubleKind, trouble_words
from mailbot.flows.causes import place_of
from mailbot.flows.collect import BackOff, batches, now_on_the_server
from mailbot.flows.compositor import Compositor
from mailbot.flows.examine import Examiner
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import BlobStore, MailReader, SentFolder, Storage, UnitOfWork
from mailbot.flows.pulse import Pulse
from mailbot.flows.remember import StoredKnowledge
from mailbot.mime.parse import header_summary
from mailbot.mime.structure import header_only
from mailbot.triage.thread import thread_candidates

_log = structlog.get_logger("mailbot.sent")

_LEASE_RETRY_SECONDS = 5.0
_COPIES_AT_ONCE = 50
_REFUSALS_AT_MOST = 5
_TRY_COPY_AGAIN_AFTER = timedelta(minutes=10)
_COPY_GIVEN_UP_AFTER = timedelta(days=5)
_FAILURE_IS_OLD_AFTER = timedelta(days=30)
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
    poll_seconds: float = 540.0
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


class SentFolderKeeper:
    """Looks after one mailbox's Sent folder. Used by one thread."""

    def __init__(
        self,
        *,
        plan: SentPlan,
        folder: SentFolder,
        storage: Storage,
        blobs: BlobStore,
        reader: MailReader,
        examiner: Examiner,
        compositor: Compositor,
        pulse: Pulse | None = None,
    ) -> None:
        self._pulse = pulse or Pulse()
        self._plan = plan
        self._key = plan.mailbox.key
        self._folder = folder
        self._storage = storage
        self._blobs = blobs
        self._reader = reader
        self._examiner = examiner
        self._compositor = compositor
        self._owner = plan.owner
        self._known = StoredKnowledge(storage)
        # Mails beyond what is remembered durably that need no second look, and since when others wait for one.
        self._decided: set[str] = set()
        self._in_doubt: dict[str, datetime] = {}
        self._uid_validity: int | None = None
        self.on_taken: Callable[[], None] = _nothing
        self.on_doubt: Callable[[], None] = _nothing

    # --- the loop ---

    def run(self, stop: threading.Event) -> None:
        """Look after the folder until ``stop``; a server that is away is tried again with growing pauses."""
        back_off = BackOff()
        while not stop.is_set():
            self._pulse.promise(self._plan.loop)
            try:
                if not self.hold_lease():
                    # What its owner notes until then is ours to strike out when we follow.
                    back_off.had_trouble = True
                    stop.wait(_LEASE_RETRY_SECONDS)
                    continue
                is_there = self._look_if_there()
                if back_off.had_trouble:
                    self.note_all_is_well()
                    back_off.reset()
                self._pulse.promise(self._plan.loop, after_seconds=self._plan.poll_seconds)
                if is_there:
                    self._wait(stop)
                else:
                    stop.wait(self._plan.poll_seconds)
            except ServerAway as error:
                self._folder.close()
                pause = back_off.next_pause(error)
                _log.warning(
                    "cannot look into the Sent folder",
                    action="sent.away",
                    mailbox=self._key,
                    error=str(error),
                    retry_in_seconds=round(pause, 1),
                )
                self.note_trouble(error)
                self._pulse.promise(self._plan.loop, after_seconds=pause)
                stop.wait(pause)
        self._folder.close()
        self._pulse.end(self._plan.loop)

    def run_once(self, *, inbox_is_seen: bool) -> int:
        """Look once; how many mails were taken. Without such a folder there is nothing to do."""
        try:
            return self.look_after(inbox_is_seen=inbox_is_seen)
        except FolderMissing:
            self._without_folder()
            return 0

    def _look_if_there(self) -> bool:
        """Look; whether there is such a folder."""
        try:
            self.look_after()
        except FolderMissing:
            self._folder.close()
            self._without_folder()
            return False
        return True

    def save_last(self) -> None:
        """Save what left since the look. Raises ``ServerAway``; without such a folder there is nothing to do."""
        if not self._plan.saves or not self._due() or not self.hold_lease():
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

    def _wait(self, stop: threading.Event) -> None:
        """Until it is worth looking again; copies that become due meanwhile are saved."""
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

    def hold_lease(self) -> bool:
        """One owner per folder: take or renew its lease."""
        with self._storage.write() as work:
            return self._takes_lease(work)

    def _takes_lease(self, work: UnitOfWork) -> bool:
        return work.house.take_lease(self._plan.lease, self._owner, real_now=datetime.now(UTC)) is not None

    def renew_lease(self) -> None:
        """Lengthen the lease if we hold it; to be called by another thread."""
        with self._storage.write() as work:
            work.house.renew_lease(self._plan.lease, self._owner, real_now=datetime.now(UTC))

    def drop_lease(self) -> None:
        """Let somebody else look after the folder."""
        with self._storage.write() as work:
            work.house.drop_lease(self._plan.lease, self._owner)

    def interrupt(self) -> None:
        """End a wait from another thread."""
        self._folder.interrupt()

    def close(self) -> None:
        """Log out."""
        self._folder.close()

    @property
    def mailbox(self) -> str:
        """Key of the mailbox."""
        return self._key

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
            handle = self._examiner.own_handle(header)
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
        answered = self._examiner.answered_ticket(read, self._plan.mailbox, self._known)
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
        memory = self._first_contact(state) if memory is None else _renumbered(memory, state)
        with self._storage.write() as work:
            work.house.remember_folder(memory)
        return memory

    def _first_contact(self, state: FolderState) -> FolderMemory:
        """Older mail is left alone, as in the inbox."""
        _log.info("first contact", action="sent.first_contact", mailbox=self._key, since=str(self._plan.since))
        memory = FolderMemory(
            mailbox=self._key, folder=SENT_FOLDER, uid_validity=state.uid_validity, first_uid=1, floor_at=None
        )
        if self._plan.since == "all":
            return memory
        if isinstance(self._plan.since, datetime):
            return replace(memory, floor_at=self._plan.since)
        return replace(memory, first_uid=state.uid_next, floor_at=now_on_the_server(state))

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
        with self._storage.write() as work:
            work.house.remember_folder(memory)

    def _without_folder(self) -> None:
        """There is no such folder (any more): nothing is awaited from it, and nothing can be saved in it."""
        with self._storage.read() as work:
            was_there = work.house.folder(self._key, SENT_FOLDER) is not None
        with self._storage.write() as work:
            work.house.forget_folder(self._key, SENT_FOLDER)
            work.house.clear_trouble(self._plan.folder_away)
            if self._plan.mailbox.spec.save_sent == "always":
                copies = work.sent.give_up_copies(self._key, "there is no Sent folder")
            else:
                copies = work.sent.forget_copies(self._key)
        log = _log.warning if was_there or self._plan.mailbox.spec.sent_folder_name else _log.info
        log("there is no Sent folder", action="sent.no_folder", mailbox=self._key, copies=copies)

    # --- our letters ---

    def save_due(self) -> int:
        """Put the letters that left into the folder; returns how many were put there.

        A copy is looked for before it is saved, so that a crash after saving saves none twice. Raises
        ``ServerAway`` when the server breaks off; what was not saved is tried again.
        """
        saved = 0
        while copies := self._due():
            there: list[int] = []
            try:
                for copy in copies:
                    self._pulse.renew(self._plan.loop)
                    if self._save(copy):
                        there.append(copy.letter_id)
                        saved += 1
            finally:
                with self._storage.write() as work:
                    work.sent.copies_are_there(there)
        return saved

    def _due(self) -> list[DueCopy]:
        with self._storage.read() as work:
            return work.sent.due_copies(self._key, now=self._examiner.now(), limit=_COPIES_AT_ONCE)

    def _save(self, copy: DueCopy) -> bool:
        """Whether the copy lies in the folder now; if not, it is noted why and whether to try again."""
        letter = copy.letter
        sent_at = letter.sent_at or letter.created_at
        try:
            envelope = self._compositor.compose(letter, self._plan.mailbox, now=sent_at)
            self._folder.save(SentCopy(message_id=letter.message_id, sent_at=sent_at, message=envelope.message))
        except (LetterError, UnreadableMail) as error:
            self._note_refusal(copy, str(error), again=False)
            return False
        except CopyRefused as error:
            is_young = self._examiner.now() - sent_at < _COPY_GIVEN_UP_AFTER
            self._note_refusal(copy, str(error), again=is_young and copy.attempts + 1 < _REFUSALS_AT_MOST)
            return False
        return True

    def _note_refusal(self, copy: DueCopy, error: str, *, again: bool) -> None:
        now = self._examiner.now()
        _log.warning(
            "letter not saved in the Sent folder",
            action="sent.copy_refused" if again else "sent.copy_given_up",
            mailbox=self._key,
            letter=copy.letter_id,
            error=error,
        )
        retry_at = now + _TRY_COPY_AGAIN_AFTER if again else None
        with self._storage.write() as work:
            work.sent.copy_refused(copy.letter_id, error[:500], retry_at=retry_at)
            work.sent.forget_failed_copies(self._key, sent_before=now - _FAILURE_IS_OLD_AFTER)

    # --- trouble ---

    def note_trouble(self, error: ServerAway) -> None:
        """Write down that the folder cannot be looked into, if that is awaited; never raises. Only its owner does,
        as it alone will strike it out."""
        if not self._plan.watches:
            return
        try:
            with self._storage.write() as work:
                if not self._takes_lease(work):
                    return
                work.house.note_trouble(self._plan.folder_away, trouble_words(str(error)), now=datetime.now(UTC))
        except StorageUnavailable:
            _log.warning("trouble not noted", action="sent.storage_away", mailbox=self._key)

    def note_all_is_well(self) -> None:
        """The server answers: what was noted against it, by whatever process, is struck out."""
        with self._storage.read() as work:
            noted = any(trouble.key == self._plan.folder_away for trouble in work.house.troubles())
        if noted:
            with self._storage.write() as work:
                work.house.clear_trouble(self._plan.folder_away)


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
