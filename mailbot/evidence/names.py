"""Whether two printed names can be one person's: ``(name, name) -> Likeness``, order and accents forgiven."""

from __future__ import annotations

from enum import StrEnum

from rapidfuzz.distance import Levenshtein

from mailbot.catalogue.folding import fold_words

_PARTICLES = frozenset({"de", "da", "do", "das", "dos", "e", "d"})
_LONG_WORD = 5


class Likeness(StrEnum):
    """``ALIKE``: one person, as far as names tell. ``UNLIKE``: certainly two. ``UNSURE``: somebody must look."""

    ALIKE = "alike"
    UNLIKE = "unlike"
    UNSURE = "unsure"


def likeness(first: str, second: str) -> Likeness:
    """Compare two names. Words may be in another order, shortened to their first letter, or left out; first and
    last name must be there. One wrong letter in a long word is forgiven, as OCR and typists make it."""
    one, two = _words(first), _words(second)
    if not one or not two:
        return Likeness.UNSURE
    shorter, longer = sorted((one, two), key=len)
    if len(shorter) >= 2 and all(_among(word, longer) for word in shorter):
        return Likeness.ALIKE
    if len(shorter) == 1:
        return Likeness.UNSURE if _among(shorter[0], longer) else Likeness.UNLIKE
    shared = sum(_among(word, longer) for word in shorter)
    same_first = _is_same(one[0], two[0])
    # Marriage changes last names, not the first; a shared family name alone is a relative.
    return Likeness.UNSURE if same_first and shared >= 1 else Likeness.UNLIKE


def _words(name: str) -> list[str]:
    return [word for word in fold_words(name).split() if word not in _PARTICLES and not word.isdigit()]


def _among(word: str, words: list[str]) -> bool:
    return any(_is_same(word, other) for other in words)


def _is_same(one: str, two: str) -> bool:
    if one == two:
        return True
    if len(one) == 1 or len(two) == 1:
        return one[0] == two[0]
    return min(len(one), len(two)) >= _LONG_WORD and Levenshtein.distance(one, two, score_cutoff=1) <= 1
