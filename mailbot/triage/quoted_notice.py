"""Whether a text carries one of our notices to staff along: ``(text, notices) -> bool``.

Mail programs quote in more ways than any list of marks knows: by tabs, by bars, under a head of their own or
none. So the text is held against what the notice said, and not against how quotes look.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailbot.catalogue.folding import fold_words
from mailbot.domain.handles import handles_in_text

_TELLING_CHARACTERS = 30
_LINES_THAT_ARE_A_QUOTE = 2


def quotes_notice(text: str, notices: Iterable[str]) -> bool:
    """Whether a reference token stands in ``text``, or two lines of one of ``notices``.

    Lines of at least 30 letters count, compared without case, accents, punctuation and line breaks: a program
    may have wrapped them. A single line is a quotation that somebody chose.
    """
    if handles_in_text(text):
        return True
    folded = f" {fold_words(text)} "
    return any(_lines_in(folded, notice) >= _LINES_THAT_ARE_A_QUOTE for notice in notices)


def _lines_in(folded: str, notice: str) -> int:
    lines = {fold_words(line) for line in notice.splitlines()}
    return sum(len(line) >= _TELLING_CHARACTERS and f" {line} " in folded for line in lines)
