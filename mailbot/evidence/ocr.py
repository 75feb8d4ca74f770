"""Text in pictures, by Tesseract: the one module that knows its C interface (``capi.h``), loaded when needed.

Tesseract is optional: without it :func:`tesseract` gives a :class:`MissingOcr` that says what is missing. The
library is used within the process that reads documents, so that its limits of memory and time hold for it too, the
model is loaded once, and no program is started with a stranger's bytes.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mailbot.evidence.word_rows import Word, in_rows

if TYPE_CHECKING:
    from PIL.Image import Image

LANGUAGE = "por"
_ORIENTATION = "osd"
_LIBRARIES = (
    "libtesseract.so.5",
    "libtesseract.so.4",
    "libtesseract.5.dylib",
    "/opt/homebrew/lib/libtesseract.5.dylib",
    "/usr/local/lib/libtesseract.5.dylib",
)
# TessPageSegMode of publictypes.h.
_PSM_OSD_ONLY, _PSM_AUTO, _PSM_SINGLE_BLOCK = 0, 3, 6
# TessOcrEngineMode of publictypes.h.
_OEM_LSTM_ONLY, _OEM_LEGACY_ONLY = 1, 0
_WORD_LEVEL = 5
_FEWEST_DPI, _MOST_DPI = 70, 600


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizedText:
    """Text of a picture: lines apart by ``\\n``, columns by two spaces. ``confidence`` 0 to 1, weighed by length.

    ``is_complete`` is false where the time was over before the end. ``words`` say where what stands.
    """

    text: str
    confidence: float
    is_complete: bool = True
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """By how many degrees clockwise a picture must be turned to be upright, and how sure that is (0 to 20)."""

    turn_degrees: int
    certainty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingOcr:
    """Why nothing can be recognized: ``library`` or the language (``por``, ``osd``) that is not installed."""

    what: str


class Tesseract:
    """A loaded model for Portuguese and one for orientation; for one thread."""

    def __init__(self, library: ctypes.CDLL, text: ctypes.c_void_p, orientation: ctypes.c_void_p | None) -> None:
        self._library = library
        self._text = text
        self._orientation = orientation

    @property
    def version(self) -> str:
        """Tesseract's own version."""
        return bytes(self._library.TessVersion() or b"").decode("ascii", "replace")

    def orientation(self, picture: Image) -> Orientation | None:
        """How the text in a grey picture stands; ``None`` where there is too little of it to say."""
        if self._orientation is None:
            return None
        degrees, certainty = ctypes.c_int(), ctypes.c_float()
        script, script_certainty = ctypes.c_char_p(), ctypes.c_float()
        with self._looking_at(self._orientation, picture):
            found = self._library.TessBaseAPIDetectOrientationScript(
                self._orientation,
                ctypes.byref(degrees),
                ctypes.byref(certainty),
                ctypes.byref(script),
                ctypes.byref(script_certainty),
            )
        if not found:
            return None
        return Orientation(turn_degrees=(360 - degrees.value) % 360, certainty=certainty.value)

    def text(self, picture: Image, *, dpi: int, within_seconds: float, one_block: bool = False) -> RecognizedText:
        """The text of a grey picture of which an inch has about ``dpi`` pixels; ``one_block`` where it is known to
        be nothing but lines of one size, one below the other."""
        library = self._library
        library.TessBaseAPISetPageSegMode(self._text, _PSM_SINGLE_BLOCK if one_block else _PSM_AUTO)
        with self._looking_at(self._text, picture), self._deadline(within_seconds) as monitor:
            library.TessBaseAPISetSourceResolution(self._text, max(_FEWEST_DPI, min(dpi, _MOST_DPI)))
            failed = library.TessBaseAPIRecognize(self._text, monitor)
            table = library.TessBaseAPIGetTsvText(self._text, 0)
        if not table:
            return RecognizedText(text="", confidence=0.0, is_complete=not failed)
        try:
            words = tuple(_words(ctypes.string_at(table).decode("utf-8", "replace")))
        finally:
            library.TessDeleteText(table)
        return RecognizedText(
            text=in_rows(words), confidence=_mean_confidence(words), is_complete=not failed, words=words
        )

    @contextmanager
    def _looking_at(self, model: ctypes.c_void_p, picture: Image) -> Iterator[None]:
        grey = picture if picture.mode == "L" else picture.convert("L")
        width, height = grey.size
        self._library.TessBaseAPISetImage(model, grey.tobytes(), width, height, 1, width)
        try:
            yield
        finally:
            self._library.TessBaseAPIClear(model)

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[ctypes.c_void_p]:
        monitor = ctypes.c_void_p(self._library.TessMonitorCreate())
        self._library.TessMonitorSetDeadlineMSecs(monitor, max(1, round(seconds * 1000)))
        try:
            yield monitor
        finally:
            self._library.TessMonitorDelete(monitor)


@cache
def tesseract() -> Tesseract | MissingOcr:
    """Tesseract with Portuguese, loaded at the first call (0.1 s)."""
    # Read once, when the library is loaded: processors are shared out between readers, not within one.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    library = _library()
    if library is None:
        return MissingOcr(what="library")
    _declare(library)
    text = _model(library, LANGUAGE, _OEM_LSTM_ONLY, _PSM_AUTO)
    if text is None:
        return MissingOcr(what=LANGUAGE)
    return Tesseract(library, text, _model(library, _ORIENTATION, _OEM_LEGACY_ONLY, _PSM_OSD_ONLY))


def _library() -> ctypes.CDLL | None:
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def _declare(library: ctypes.CDLL) -> None:
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    library.TessVersion.restype = text
    library.TessBaseAPICreate.restype = pointer
    library.TessBaseAPIInit2.argtypes = [pointer, text, text, number]
    library.TessBaseAPIDelete.argtypes = [pointer]
    library.TessBaseAPISetVariable.argtypes = [pointer, text, text]
    library.TessBaseAPISetPageSegMode.argtypes = [pointer, number]
    library.TessBaseAPISetImage.argtypes = [pointer, text, number, number, number, number]
    library.TessBaseAPISetSourceResolution.argtypes = [pointer, number]
    library.TessBaseAPIRecognize.argtypes = [pointer, pointer]
    library.TessBaseAPIGetTsvText.argtypes = [pointer, number]
    library.TessBaseAPIGetTsvText.restype = pointer
    library.TessBaseAPIDetectOrientationScript.argtypes = [pointer, pointer, pointer, pointer, pointer]
    library.TessBaseAPIClear.argtypes = [pointer]
    library.TessDeleteText.argtypes = [pointer]
    library.TessMonitorCreate.restype = pointer
    library.TessMonitorSetDeadlineMSecs.argtypes = [pointer, number]
    library.TessMonitorDelete.argtypes = [pointer]


def _model(library: ctypes.CDLL, language: str, engine: int, segmentation: int) -> ctypes.c_void_p | None:
    model = ctypes.c_void_p(library.TessBaseAPICreate())
    if library.TessBaseAPIInit2(model, None, language.encode("ascii"), engine) != 0:
        library.TessBaseAPIDelete(model)
        return None
    library.TessBaseAPISetPageSegMode(model, segmentation)
    library.TessBaseAPISetVariable(model, b"debug_file", os.devnull.encode("ascii"))
    return model


# --- words ---------------------------------------------------------------------------------------------------


def _words(table: str) -> Iterator[Word]:
    """Rows of Tesseract's table: level, page, block, paragraph, line, word, left, top, width, height, confidence,
    text."""
    for row in table.splitlines():
        cells = row.split("\t")
        if len(cells) < 12 or cells[0] != str(_WORD_LEVEL) or not cells[11].strip():
            continue
        left, top, width, height = (int(cell) for cell in cells[6:10])
        yield Word(
            line=(int(cells[2]), int(cells[3]), int(cells[4])),
            left=left,
            top=top,
            right=left + width,
            bottom=top + height,
            confidence=max(0.0, float(cells[10]) / 100),
            text=cells[11].strip(),
        )


def _mean_confidence(words: Sequence[Word]) -> float:
    letters = sum(len(word.text) for word in words)
    if not letters:
        return 0.0
    return min(1.0, sum(word.confidence * len(word.text) for word in words) / letters)
