"""How alike two phrases are: ``(words, name) -> 0, or 75 to 100``; both folded.

A typo leaves a phrase nearly what it was; another word of nearly the same letters makes another thing of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.fuzz import ratio
from rapidfuzz.process import extract

TYPO_RATIO = 92
"""From this similarity on a subject counts as mistyped (LIBRARIES §7: 97 for a typo, 86 for another word)."""

SUGGEST_RATIO = 75
"""From this similarity on a subject proposes."""

_WORD_RATIO = 75
_SQUEEZED_RATIO = 97
_LONGEST_CONNECTOR = 3


def near(words: str, names: Sequence[str]) -> list[str]:
    """Those of ``names`` that have letters enough in common with ``words``: only they can be like it."""
    return [name for name, _, _ in extract(words, names, scorer=ratio, score_cutoff=SUGGEST_RATIO, limit=None)]


def likeness(words: str, wanted: str) -> float:
    """Similarity of two phrases, 0 where it is too little to propose, or one word is another word altogether.

    *Solicitação de alteração de data* has 92 % of the letters of *… de local* and is still not it.
    """
    alike = ratio(words, wanted, score_cutoff=SUGGEST_RATIO)
    if alike and ratio(words.replace(" ", ""), wanted.replace(" ", "")) < _SQUEEZED_RATIO:
        ours, theirs = _content_words(words), _content_words(wanted)
        if not (_each_resembles(ours, theirs) and _each_resembles(theirs, ours)):
            return 0.0
    return alike


def _content_words(words: str) -> list[str]:
    return [word for word in words.split() if len(word) > _LONGEST_CONNECTOR]


def _each_resembles(ours: list[str], theirs: list[str]) -> bool:
    return all(
        any(one.startswith(other) or other.startswith(one) or ratio(one, other) >= _WORD_RATIO for other in theirs)
        for one in ours
    )
