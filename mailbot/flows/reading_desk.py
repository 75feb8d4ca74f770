"""Files on their way through the readers: ``files of a mail → DocumentReading each``, several at once.

The same readers draw pages as pictures, for those who decide: ``files of a letter → FileDrawing each``.

A reader is a thread with a process of its own; they begin when there is work and go when there has been none for a
while. Quick files go first, so that a letter with a PDF does not wait for fifty photographs of others. Who asks
either waits (:class:`ReadAtOnce`) or is told to come back (:class:`ReadLater`), so that other mails pass.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

import structlog

from mailbot.domain.drawings import FileDrawing
from mailbot.domain.evidence import DocumentReading
from mailbot.evidence.drawing import DrawnFile
from mailbot.evidence.opened_types import is_quick
from mailbot.evidence.reading import not_read
from mailbot.flows.causes import place_of
from mailbot.flows.page_pictures import KeepPictures, kept_drawing
from mailbot.flows.ports import BlobStore
from mailbot.flows.pulse import Pulse

_log = structlog.get_logger("mailbot.readings")

READER_SECONDS_A_MAIL = 60.0
"""A mail's files are begun until so much of all readers' time went into it; what is left is *not checked*."""

_IDLE_SECONDS = 60.0
# So long a mail waits for quick files before it is parked; they take a tenth of it.
_QUICK_SECONDS = 0.5
# So long it waits where a photograph is among them, which may be none or be nothing: to park a mail, and to
# look at it again afterwards, costs a third of this.
_MOMENT_SECONDS = 0.06
_JOIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToRead:
    """A file to be read; ``content`` gives its bytes when its turn has come.

    With ``keep_pictures``, which keeps them, its pages are drawn instead.
    """

    digest: str
    media_type: str
    filename: str
    is_quick: bool
    content: Callable[[], bytes]
    keep_pictures: KeepPictures | None = None


def file_to_read(digest: str, content: bytes, media_type: str, filename: str) -> FileToRead:
    """The file of a mail in hand."""
    return FileToRead(
        digest=digest,
        media_type=media_type,
        filename=filename,
        is_quick=is_quick(content, media_type),
        content=lambda: content,
    )


class ClosableReader(Protocol):
    """Reads one file after the other, with limits; see ``evidence/isolation.py``."""

    def read(self, digest: str, content: bytes, media_type: str, filename: str) -> DocumentReading: ...
    def draw(self, content: bytes, media_type: str) -> DrawnFile | None: ...
    def close(self) -> None: ...


class Batch:
    """The files of one mail, which are read together."""

    def __init__(self, files: Sequence[FileToRead], known: Mapping[str, DocumentReading] | None = None) -> None:
        """``known`` are readings that the same mail was given before it asked for these files."""
        self.files = tuple(files)
        self.known = dict(known or {})
        self.spent_seconds = 0.0
        self._readings: dict[str, DocumentReading] = {}
        self._drawings: dict[str, FileDrawing] = {}
        self._done = threading.Event()
        if not files:
            self._done.set()

    @property
    def is_done(self) -> bool:
        """Whether all files are read, or will not be."""
        return self._done.is_set()

    @property
    def readings(self) -> tuple[DocumentReading, ...]:
        """What was read, in the order of the files; what will not be read is not checked."""
        return tuple(self._readings.get(file.digest) or not_read(file.digest) for file in self.files)

    @property
    def drawings(self) -> tuple[FileDrawing, ...]:
        """What was drawn."""
        return tuple(self._drawings.values())

    def wait(self, seconds: float | None = None) -> bool:
        """Until it is done, or ``seconds`` are over; whether it is done."""
        return self._done.wait(seconds)

    def give_up(self) -> None:
        """Nobody will read what is left."""
        self._done.set()

    def note(self, reading: DocumentReading, drawing: FileDrawing | None, seconds: float) -> bool:
        """A file is read or drawn; whether it was the last. To be called by one thread at a time."""
        self._readings[reading.digest] = reading
        if drawing is not None:
            self._drawings[drawing.digest] = drawing
        self.spent_seconds += seconds
        if len(self._readings) < len({file.digest for file in self.files}):
            return False
        self._done.set()
        return True


class ReadingDesk:
    """Hands files to at most ``readers`` readers, which ``make`` makes; ``on_done`` is told of each batch."""

    def __init__(self, *, readers: int, make: Callable[[], ClosableReader], pulse: Pulse | None = None) -> None:
        self.readers = readers
        self._pulse = pulse or Pulse()
        self.on_done: Callable[[], object] = lambda: None
        self._make = make
        self._changed = threading.Condition()
        self._queue: list[tuple[int, int, Batch, FileToRead]] = []
        self._numbers = itertools.count()
        self._threads: set[threading.Thread] = set()
        self._at_work: dict[threading.Thread, ClosableReader] = {}
        self._idle = 0
        self._is_closed = False

    @property
    def has_room(self) -> bool:
        """Whether a file that came now would be begun at once."""
        with self._changed:
            return not self._queue and self._idle + self.readers > len(self._threads)

    def take(self, files: Sequence[FileToRead], known: Mapping[str, DocumentReading] | None = None) -> Batch:
        """Have these files read; ``known`` stays beside them."""
        batch = Batch(tuple({file.digest: file for file in files}.values()), known)
        with self._changed:
            if self._is_closed:
                batch.give_up()
                return batch
            for file in batch.files:
                heapq.heappush(self._queue, (not file.is_quick, next(self._numbers), batch, file))
            wanted = min(self.readers, len(self._threads) - self._idle + len(self._queue))
            for _ in range(wanted - len(self._threads)):
                self._begin_thread()
            self._changed.notify_all()
        return batch

    def close(self) -> None:
        """End all readers; what they have in hand will not be read."""
        with self._changed:
            self._is_closed = True
            left = [batch for _, _, batch, _ in self._queue]
            self._queue.clear()
            threads, at_work = tuple(self._threads), tuple(self._at_work.values())
            self._changed.notify_all()
        for batch in left:
            batch.give_up()
        for reader in at_work:
            reader.close()
        for thread in threads:
            thread.join(_JOIN_SECONDS)

    # --- a reader's thread ---

    def _begin_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="reader", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        reader, this = self._make(), threading.current_thread()
        # Whatever a file does, its process ends within a minute: only something of our own can make us late.
        loop = f"reader {this.ident}"
        with self._changed:
            self._at_work[this] = reader
        try:
            while (next_one := self._next()) is not None:
                self._pulse.promise(loop)
                self._read(reader, *next_one)
                # Between files it may wait for long.
                self._pulse.end(loop)
        finally:
            self._pulse.end(loop)
            with self._changed:
                self._threads.discard(this)
                self._at_work.pop(this, None)
            reader.close()

    def _next(self) -> tuple[Batch, FileToRead] | None:
        """The next file, ``None`` if this reader is to go. It leaves its place before the lock is free again, so
        that whoever brings a file sees that another reader is needed."""
        with self._changed:
            self._idle += 1
            try:
                self._changed.wait_for(lambda: self._queue or self._is_closed, _IDLE_SECONDS)
                if not self._queue or self._is_closed:
                    self._threads.discard(threading.current_thread())
                    return None
                _, _, batch, file = heapq.heappop(self._queue)
                return batch, file
            finally:
                self._idle -= 1

    def _read(self, reader: ClosableReader, batch: Batch, file: FileToRead) -> None:
        began = monotonic()
        reading, drawing = not_read(file.digest), None
        if batch.spent_seconds < READER_SECONDS_A_MAIL and not batch.is_done:
            try:
                content = file.content()
                if file.keep_pictures is None:
                    reading = reader.read(file.digest, content, file.media_type, file.filename)
                else:
                    drawing = _drawing(file, content, reader, file.keep_pictures)
            except Exception as error:
                # The file cannot be had, or no process for it: a person will look at it.
                _log.warning("a file was not read", action="readings.failed", error=place_of(error))
        with self._changed:
            is_last = batch.note(reading, drawing, monotonic() - began)
        if is_last:
            self.on_done()


def _drawing(
    file: FileToRead, content: bytes, reader: ClosableReader, keep_pictures: KeepPictures
) -> FileDrawing | None:
    drawn = reader.draw(content, file.media_type)
    return None if drawn is None else kept_drawing(file.digest, drawn, keep_pictures)


# --- who asks ------------------------------------------------------------------------------------------------


class ReadAtOnce:
    """Waits until everything is read."""

    def __init__(self, desk: ReadingDesk) -> None:
        self._desk = desk

    def read_all(self, files: Sequence[FileToRead]) -> Sequence[DocumentReading]:
        """The readings of ``files``, in any order."""
        batch = self._desk.take(files)
        batch.wait()
        return batch.readings


class WaitsForReading(Exception):
    """The files of the mail in hand are being read: it is to be parked until ``batch`` is done."""

    def __init__(self, batch: Batch) -> None:
        super().__init__("files are being read")
        self.batch = batch


class ReadLater:
    """Gives what is read already, and waits a moment for quick files; else it says that the mail has to wait.

    Of a mail that waits no file's bytes are kept in memory: they are in ``blobs``. ``forget`` what is no longer
    asked for.
    """

    def __init__(self, desk: ReadingDesk, blobs: BlobStore) -> None:
        self._desk = desk
        self._blobs = blobs
        self._ready: dict[str, DocumentReading] = {}

    def read_all(self, files: Sequence[FileToRead]) -> Sequence[DocumentReading]:
        """The readings of ``files``. Raises :class:`WaitsForReading`."""
        ready = [self._ready.get(file.digest) for file in files]
        if all(ready):
            return [reading for reading in ready if reading is not None]
        patience_seconds = self._patience_seconds(files)
        # One look at a mail may ask more than once, each time for other files: what was read for it stays known
        # until its end, or it would be parked for ever.
        in_hand = {file.digest: file for file in files}
        batch = self._desk.take([self._stored(file, in_hand) for file in files], self._ready)
        try:
            if batch.wait(patience_seconds):
                return batch.readings
        finally:
            in_hand.clear()
        raise WaitsForReading(batch)

    def _patience_seconds(self, files: Sequence[FileToRead]) -> float:
        if not self._desk.has_room:
            return 0.0
        return _QUICK_SECONDS if all(file.is_quick for file in files) else _MOMENT_SECONDS

    @property
    def readers(self) -> int:
        """How many files are read at once."""
        return self._desk.readers

    def present(self, batch: Batch) -> None:
        """From now on the readings of ``batch`` are there, and those that the mail had before."""
        self._ready = batch.known | {reading.digest: reading for reading in batch.readings}

    def forget(self) -> None:
        """The mail is at its end."""
        self._ready = {}

    def _stored(self, file: FileToRead, in_hand: Mapping[str, FileToRead]) -> FileToRead:
        """The file, whose bytes are its mail's as long as that is in hand."""
        blobs, digest = self._blobs, file.digest

        def content() -> bytes:
            near = in_hand.get(digest)
            return blobs.get(digest) if near is None else near.content()

        return replace(file, content=content)
