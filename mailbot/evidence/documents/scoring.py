"""How a kind of document is scored: phrases for it and against it on a page, and what a file's name tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from mailbot.catalogue.folding import fold_words
from mailbot.evidence.documents.page_text import BORDERS

_LONGEST_NAME = 300
_FEWEST_CHARACTERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """A phrase (a pattern on folded words) and what it weighs; below zero it speaks against."""

    reason: str
    weight: float
    pattern: str


def weighed(words: str, clues: tuple[Clue, ...]) -> tuple[float, tuple[str, ...]]:
    """The sum of the clues found, and their reasons."""
    # A phrase may go on over the end of a line.
    whole = "\n" + words.replace("\n", " ")
    found = [clue for clue in clues if _with_border(clue.pattern).search(whole)]
    return sum(clue.weight for clue in found), tuple(clue.reason for clue in found)


@lru_cache(maxsize=1024)
def _with_border(pattern: str) -> re.Pattern[str]:
    """As :func:`compiled`, with what stands before it: so a phrase is looked for where words begin alone."""
    return re.compile(rf"[{BORDERS}](?:{pattern})(?![a-z0-9])")


def has_text(words: str) -> bool:
    """Whether there is enough text to say anything by it."""
    return sum(map(str.isalnum, words[: _FEWEST_CHARACTERS * 40])) >= _FEWEST_CHARACTERS


def folded_name(filename: str) -> str:
    """A file's name without its extension as words: ``BoletoVistoria_2.pdf`` → ``boleto vistoria 2``."""
    stem = filename[-_LONGEST_NAME:].rpartition(".")[0] or filename[-_LONGEST_NAME:]
    spaced = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])", " ", stem)
    return fold_words(spaced)
