"""Notices get the pages that they show: ``claim ─▶ draw ─▶ fill the openings ─▶ free to leave``, one commit each.

Only a notice that truly leaves needs pictures, so they are drawn here and not while a mail is worked on; in the
processes that read files too, outside every transaction, and beside delivery, which passes over a letter that is
not whole. What is drawn is kept by the file's digest: further recipients and later notices share it. A file that
cannot be drawn costs its pictures and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from mailbot.correspondence.environment import Colours
from mailbot.correspondence.openings import MOST_PICTURES, closed, filled, fits
from mailbot.correspondence.render import LetterRenderer
from mailbot.correspondence.shown_pages import shown_papers
from mailbot.domain.drawings import FileDrawing
from mailbot.domain.errors import LeaseLost, LetterError, StorageUnavailable
from mailbot.domain.events import OutboundLetter
from mailbot.domain.notice_pages import PagesToDraw, Paper, may_have_pages
from mailbot.domain.outbox import ClaimedLetter
from mailbot.flows.causes import place_of
from mailbot.flows.letterheads import PLAIN, Letterhead
from mailbot.flows.letters_in_hand import LettersInHand
from mailbot.flows.ports import BlobStore, Clock, Storage
from mailbot.flows.pulse import Pulse
from mailbot.flows.reading_desk import Batch, FileToRead, ReadingDesk

_log = structlog.get_logger("mailbot.pages")

MOST_FILES = 40
"""Of so many files of a letter pages are drawn."""

LETTER_SECONDS = 60.0
"""So long a notice waits for its pages; then it leaves with those that there are."""

_IDLE_SECONDS = 0.5
_WRITE_AGAIN_SECONDS = 1.0
_WRITE_WITHIN_SECONDS = 60.0
_LOOK_SECONDS = 0.25
_LOOP = "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stationery:
    """What letters are written with: templates, and each mailbox's head."""

    renderer: LetterRenderer
    heads: Mapping[str, Letterhead]


class NoticePages:
    """Completes notices, several at once; nothing else waits for it."""

    def __init__(
        self,
        *,
        storage: Storage,
        blobs: BlobStore,
        desk: ReadingDesk,
        stationery: Stationery,
        clock: Clock,
        owner: str,
        in_hand: LettersInHand,
        pulse: Pulse,
    ) -> None:
        self.on_completed: Callable[[], object] = lambda: None
        """Told of each letter that may leave now."""
        self._storage = storage
        self._blobs = blobs
        self._desk = desk
        self._stationery = stationery
        self._clock = clock
        self._owner = owner
        self._in_hand = in_hand
        self._pulse = pulse
        # What is being drawn now: two notices of the same file wait for one drawing.
        self._lock = threading.Lock()
        self._under_way: dict[str, Batch] = {}

    def run(self, stop: threading.Event) -> None:
        """Complete what is due until ``stop``; of letters in hand the drawing is left off."""
        self._complete_until(stop, left_off=stop)

    def run_meanwhile(self, enough: threading.Event, *, left_off: threading.Event) -> None:
        """Complete what is due until ``enough``; letters in hand are brought to their end (``run --once``), unless
        ``left_off`` is set."""
        self._complete_until(enough, left_off=left_off)

    def complete_all(self) -> None:
        """Complete every letter that waits, also those that are not due (``run --once``). Raises
        ``StorageUnavailable``."""
        never = threading.Event()
        with self._hands() as hands:
            self._complete_due(hands, never, left_off=never, early=True)

    def _complete_until(self, stop: threading.Event, *, left_off: threading.Event) -> None:
        with self._hands() as hands:
            while not stop.is_set():
                self._pulse.promise(_LOOP)
                try:
                    self._complete_due(hands, stop, left_off=left_off, early=False)
                except StorageUnavailable as error:
                    _log.warning("no pages drawn", action="pages.storage_away", error=str(error))
                stop.wait(_IDLE_SECONDS)
        self._pulse.end(_LOOP)

    def _hands(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=self._desk.readers, thread_name_prefix="pages")

    def _complete_due(
        self, hands: ThreadPoolExecutor, stop: threading.Event, *, left_off: threading.Event, early: bool
    ) -> None:
        """Hand letters out until none is due or ``stop``; no more are claimed than there are hands."""
        free = threading.Semaphore(self._desk.readers)

        def complete(claimed: ClaimedLetter) -> None:
            try:
                self._complete(claimed, left_off)
            finally:
                free.release()

        while not stop.is_set():
            # A rush of notices goes on for longer than any single step may take.
            self._pulse.renew(_LOOP)
            free.acquire()
            claimed = self._claim(early=early)
            if claimed is None:
                free.release()
                return
            hands.submit(complete, claimed)

    # --- one letter ---

    def _claim(self, *, early: bool) -> ClaimedLetter | None:
        now, real_now = self._clock.now(), datetime.now(UTC)
        with self._storage.read() as work:
            if not work.notices.waits(now=now, real_now=real_now, early=early):
                return None
        with self._storage.write() as work:
            claimed = work.notices.claim(owner=self._owner, now=now, real_now=real_now, early=early)
        if claimed is not None:
            self._in_hand.take(claimed.id)
        return claimed

    def _complete(self, claimed: ClaimedLetter, left_off: threading.Event) -> None:
        """Draw what is missing and write the letter. Never raises."""
        began = time.monotonic()
        try:
            drawings, fresh = self._drawings(claimed.letter, left_off)
            whole = self._whole(claimed.letter, drawings)
            self._write(claimed, whole, fresh, left_off)
            _log.info(
                "notice completed",
                action="pages.completed",
                letter=claimed.id,
                ticket=claimed.letter.ticket_number,
                drawn=len(fresh),
                seconds=round(time.monotonic() - began, 3),
            )
        except LeaseLost:
            _log.warning("lease lost", action="pages.lease_lost", letter=claimed.id)
        except StorageUnavailable as error:
            _log.warning("notice not completed", action="pages.not_written", error=str(error))
        except _Stopped:
            pass
        finally:
            self._in_hand.let_go(claimed.id)
        self.on_completed()

    def _whole(self, letter: OutboundLetter, drawings: Mapping[str, FileDrawing]) -> OutboundLetter:
        wanted = letter.pages
        if wanted is None:
            return closed(letter)
        try:
            return self._filled(letter, wanted, drawings)
        except Exception as error:
            # Whatever is wrong with pictures or templates: the words must leave.
            told = str(error) if isinstance(error, LetterError) else place_of(error)
            _log.error("pages not put in", action="pages.not_put_in", letter=letter.message_id, error=told)
            return closed(letter)

    def _filled(
        self, letter: OutboundLetter, wanted: PagesToDraw, drawings: Mapping[str, FileDrawing]
    ) -> OutboundLetter:
        domain = letter.message_id.rpartition("@")[2]
        brand = self._stationery.heads.get(letter.mailbox, PLAIN).brand
        colours = Colours(light=brand.colour, dark=brand.colour_dark)
        most_pictures = MOST_PICTURES
        while True:
            shown = shown_papers(wanted, drawings, domain=domain, most_pictures=most_pictures)
            whole = filled(letter, wanted, shown, self._stationery.renderer, colours)
            if fits(whole) or not most_pictures:
                return whole
            most_pictures //= 2

    def _write(
        self,
        claimed: ClaimedLetter,
        whole: OutboundLetter,
        fresh: Iterable[FileDrawing],
        left_off: threading.Event,
    ) -> None:
        """From this commit on the letter may leave, and is the same to the last byte whenever it does."""
        made = tuple(fresh)
        give_up_at = time.monotonic() + _WRITE_WITHIN_SECONDS
        while True:
            try:
                with self._storage.write() as work:
                    work.papers.keep_drawings(made)
                    work.notices.complete(claimed, whole, owner=self._owner)
                break
            except StorageUnavailable:
                if time.monotonic() > give_up_at or left_off.wait(_WRITE_AGAIN_SECONDS):
                    raise
        with self._lock:
            for one in made:
                self._under_way.pop(one.digest, None)

    # --- drawing ---

    def _drawings(
        self, letter: OutboundLetter, left_off: threading.Event
    ) -> tuple[dict[str, FileDrawing], tuple[FileDrawing, ...]]:
        """The drawings of the letter's files, and those of them that are new."""
        wanted = _to_draw(letter.pages.papers if letter.pages else ())
        batches = self._begun(wanted)
        give_up_at = time.monotonic() + LETTER_SECONDS
        for batch in batches.values():
            while not batch.wait(_LOOK_SECONDS):
                if left_off.is_set():
                    raise _Stopped
                if time.monotonic() > give_up_at:
                    batch.give_up()
        self._forget_failures(batches)
        fresh = {one.digest: one for batch in batches.values() for one in batch.drawings}
        with self._storage.read() as work:
            kept = work.papers.drawings(sorted({paper.file.digest for paper in wanted} - fresh.keys()))
        return {one.digest: one for one in kept} | fresh, tuple(fresh.values())

    def _begun(self, papers: Iterable[Paper]) -> dict[str, Batch]:
        """What is being drawn of these files from now on; nothing of those whose drawings are kept."""
        by_digest = {paper.file.digest: paper for paper in papers}
        batches = {}
        with self._lock:
            with self._storage.read() as work:
                kept = {one.digest for one in work.papers.drawings(sorted(by_digest))}
            for digest in by_digest.keys() - kept:
                batch = self._under_way.get(digest)
                if batch is None:
                    batch = self._under_way[digest] = self._desk.take([self._file(by_digest[digest])])
                batches[digest] = batch
        return batches

    def _forget_failures(self, batches: Mapping[str, Batch]) -> None:
        """Another notice tries again; what was drawn is forgotten once it is kept."""
        with self._lock:
            for digest, batch in batches.items():
                if not batch.drawings and self._under_way.get(digest) is batch:
                    del self._under_way[digest]

    def _file(self, paper: Paper) -> FileToRead:
        digest, blobs = paper.file.digest, self._blobs
        return FileToRead(
            digest=digest,
            media_type=paper.file.media_type,
            filename=paper.file.filename,
            # To draw takes a tenth of a second, whatever it is.
            is_quick=True,
            content=lambda: blobs.get(digest),
            keep_pictures=blobs.put_many,
        )


class _Stopped(Exception):
    """The process is to end: what is being drawn is drawn another time."""


def _to_draw(papers: Iterable[Paper]) -> list[Paper]:
    once = {paper.file.digest: paper for paper in papers if paper.is_drawn}
    return [paper for paper in once.values() if may_have_pages(paper.file.media_type)][:MOST_FILES]
