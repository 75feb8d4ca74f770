"""How a kind of document is scored: phrases for it and against it, in its text and in the file's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from mailbot.catalogue.folding import fold_words
from mailbot.domain.evidence import DocumentKind

_LONGEST_TEXT = 200_000
_LONGEST_NAME = 300
_FEWEST_CHARACTERS = 20
NAME_ALONE = 0.5
"""Score of a telling file name where the file has no text: worth a person's look, never certain."""

NAME_BESIDE_TEXT = 0.15
"""What a telling file name adds to what the text says: content decides over name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindScore:
    """How much speaks for one kind, 0 to 1, and what."""

    kind: DocumentKind
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """A phrase (a pattern on folded text without punctuation) and what it weighs; below zero it speaks against."""

    reason: str
    weight: float
    pattern: str


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


# One: every kind looks at the same document in turn, and no more of it is kept than the last one.
@lru_cache(maxsize=1)
def folded_text(text: str) -> str:
    """The text of a document as clues are matched against it."""
    return fold_words(text[:_LONGEST_TEXT])


def has_text(folded: str) -> bool:
    """Whether there is enough text to say anything by it."""
    return sum(ch.isalnum() for ch in folded[: _FEWEST_CHARACTERS * 40]) >= _FEWEST_CHARACTERS


def folded_name(filename: str) -> str:
    """A file's name without its extension as words: ``BoletoVistoria_2.pdf`` → ``boleto vistoria 2``."""
    stem = filename[-_LONGEST_NAME:].rpartition(".")[0] or filename[-_LONGEST_NAME:]
    spaced = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])", " ", stem)
    return fold_words(spaced)


def weigh(kind: DocumentKind, folded: str, clues: tuple[Clue, ...], *, name_tells: bool) -> KindScore:
    """Sum of the clues found, held between 0 and 1; without text the name alone gives :data:`NAME_ALONE`."""
    if not has_text(folded):
        return KindScore(kind=kind, score=NAME_ALONE if name_tells else 0.0, reasons=("filename",) * name_tells)
    found = [clue for clue in clues if _compiled(clue.pattern).search(folded)]
    total = sum(clue.weight for clue in found) + NAME_BESIDE_TEXT * name_tells
    reasons = (*(clue.reason for clue in found), *(("filename",) * name_tells))
    return KindScore(kind=kind, score=round(min(1.0, max(0.0, total)), 3), reasons=reasons)


def name_says(pattern: str, filename: str) -> bool:
    """Whether the file's name has the words ``pattern``."""
    return _compiled(pattern).search(folded_name(filename)) is not None
