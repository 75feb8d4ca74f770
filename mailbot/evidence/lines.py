"""Text → its lines, ready to be read for the labels of one request type after the other (``labels.py``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from mailbot.catalogue.folding import fold_words

_LONGEST_LINE = 2000
_MOST_LINES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a line begins with that is set like a label, folded; where its value begins, how it is set apart."""

    words: str
    value_start: int
    separator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line without blanks and bullets around it, and what is the same of it whoever's labels it is read for.

    ``spelled`` is the line letter for letter as labels are spelled, ``words`` are those with which a label in it
    may begin, ``None`` where letters were lost; ``opening`` is what it begins with, ``cells`` are its cells,
    folded, if it is a row. ``told_by_words``: only by these words a label can stand in it.
    """

    text: str
    spelled: str
    words: frozenset[str] | None
    opening: Opening | None
    cells: Sequence[str]
    told_by_words: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A text's lines without blanks around them, the same without bullets, and which are copied headers.

    ``words`` are those with which a label may begin, ``None`` where a line is to be looked at whatever its words.
    """

    plain: Sequence[str]
    bare: Sequence[Line]
    headers: frozenset[int]
    words: frozenset[str] | None


def lines_of(text: str) -> Lines:
    """``text``, as :func:`~mailbot.catalogue.folding.visible_text` leaves it, to be read for one type or several.

    Bounded: at most 4,000 lines of 2,000 characters are looked at.
    """
    plain = [line[:_LONGEST_LINE].strip() for line in text.split("\n")[:_MOST_LINES]]
    bare = [_bare(line) for line in plain]
    return Lines(plain=plain, bare=bare, headers=_copied_headers(plain), words=_all_words(bare))


def _all_words(lines: Sequence[Line]) -> frozenset[str] | None:
    words: set[str] = set()
    for line in lines:
        if line.words is None or not line.told_by_words:
            return None
        words |= line.words
    return frozenset(words)


# --- letters ------------------------------------------------------------------------------------------------

# Each letter of a label as it may stand in a mail; long s and the like are what ``re.IGNORECASE`` takes for it.
_LETTERS = {ch: ch + ch.upper() for ch in ascii_lowercase} | {
    "a": "aáàâãäåAÁÀÂÃÄÅ\u212b",
    "c": "cçCÇ",
    "e": "eéèêëEÉÈÊË",
    "i": "iíìîïIÍÌÎÏ\u0130\u0131",
    "k": "kK\u212a",
    "n": "nñNÑ",
    "o": "oóòôõöOÓÒÔÕÖ",
    "s": "sS\u017f",
    "u": "uúùûüUÚÙÛÜ",
}
_LOST = {"\ufffd": "?"}
AS_LABELS = str.maketrans({found: ch for ch, spellings in _LETTERS.items() for found in spellings} | _LOST)
"""From a mail's letters to a label's, one for one: so that a place in one line is the same place in the other."""
_WORD = re.compile(r"[^\W_]+")


# --- one line -----------------------------------------------------------------------------------------------

_BULLET = re.compile(r"^[\s>*•·▪◦‣→✓✔☑\-–—]+(?=\S)|^\d{1,2}[.)º°]\s|^\(\d\)\s")
_SET_APART = re.compile(r"[:：=–—→>|\t-]|\.{3}|\s{2}")
"""Whatever a value can be set apart by from its label: all of ``sep`` in ``labels.py``, and what follows below."""
_LABEL_SHAPE = re.compile(r"[*_]{0,3}([^\W\d_][\w \-./]{3,60}?)[*_]{0,3}(?:\s{0,5}[:：=]|\s[-–—]\s)")
SHORTEST_MISTYPED = 5
_CELLS = re.compile(r"\s{2,}|\t+|\s*\|\s*")
_EMPTY_LINE = Line(text="", spelled="", words=frozenset(), opening=None, cells=(), told_by_words=True)


def _bare(line: str) -> Line:
    if not line:
        return _EMPTY_LINE
    bullet = _BULLET.match(line)
    text = line[bullet.end() :] if bullet else line
    spelled = text.translate(AS_LABELS)
    is_set_apart = _SET_APART.search(text) is not None
    words = None if "?" in spelled else _beginnings(spelled, anywhere=is_set_apart)
    opening = _opening(text) if is_set_apart else None
    cells = cells_of(text) if is_set_apart else ()
    return Line(
        text=text,
        spelled=spelled,
        words=words,
        opening=opening,
        cells=[fold_words(cell) for cell in cells] if len(cells) > 1 else (),
        told_by_words=words is not None and opening is None and len(cells) < 2,
    )


def _beginnings(spelled: str, *, anywhere: bool) -> frozenset[str]:
    """The words with which a label may begin: the first where no value is set apart from what stands before it."""
    if anywhere:
        return frozenset(_WORD.findall(spelled))
    first = _WORD.search(spelled)
    return frozenset([first[0]]) if first else frozenset()


def _opening(line: str) -> Opening | None:
    match = _LABEL_SHAPE.match(line)
    words = fold_words(match[1]) if match else ""
    if match is None or len(words) < SHORTEST_MISTYPED:
        return None
    separator = ":" if line[match.end() - 1] in ":：=" else "-"
    return Opening(words=words, value_start=match.end(), separator=separator)


def cells_of(line: str) -> list[str]:
    """What stands in ``line`` apart as in a row of a table; all of it where it is none."""
    row = line.strip(" |\t")
    if "|" not in row and " ".join(row.split()) == row:
        # Single blanks part words.
        return [row] if row else []
    return [cell for cell in _CELLS.split(row) if cell]


# --- all lines ----------------------------------------------------------------------------------------------

_HEADER_LINE = re.compile(
    r"\W{0,4}(de|from|para|to|cc|cco|bcc|assunto|subject|enviad[ao](?: em)?|sent|data|date|responder a|reply-to)"
    r"\W{0,4}:",
    re.IGNORECASE,
)


def _copied_headers(lines: Sequence[str]) -> frozenset[int]:
    """Lines of header blocks that a mail program copied above a forwarded or quoted mail.

    Three lines or more, with a subject and a date of sending; *De: Rio Verde / Para: Jataí* is none
    (ARCHITECTURE §5.7).
    """
    inside: set[int] = set()
    run: list[tuple[int, str]] = []
    for position, line in enumerate([*lines, ""]):
        match = _HEADER_LINE.match(line) if ":" in line else None
        if match:
            run.append((position, fold_words(match[1])))
            continue
        if len(run) >= 3 and _have_subject_and_date({name for _, name in run}):
            inside.update(position for position, _ in run)
        run = []
    return frozenset(inside)


def _have_subject_and_date(names: set[str]) -> bool:
    dated = any(name.startswith(("enviad", "sent", "data", "date")) for name in names)
    return dated and not names.isdisjoint({"assunto", "subject"})
