"""Texts of a reply + our letter that it answers → what the sender wrote, and our form as they filled it in.

Mail programs quote our letter with ``>``, with a bar, or with nothing at all, and people write above it, below it,
between its lines, or into the form itself (*Motivo: mudei de cidade____*). Whatever our letter said by itself is
taken out, wrapped lines too, so that neither our questions nor our empty places are ever an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailbot.catalogue.folding import fold_words, visible_text

_MOST_LINES = 4000
_LONGEST_LINE = 2000
_LONGEST_TEXT = 200_000
# Fewer words than this may be an answer that happens to stand in our letter as well: *Rio Verde*.
_TELLING_WORDS = 5
# Below our letter nobody writes more than this; then comes what was quoted before.
_MOST_LINES_BELOW = 40

_QUOTE_MARKS = re.compile(r"^[ \t]*(?:[>|│][ \t]?)+")
_LABELLED = re.compile(r"[\s*•\-]{0,8}([^:\n]{1,80}):(.*)")
_FORM_LINE = re.compile(r"([^:\n]{1,80}):[\s_.…*]*")
_OLDER_MAIL = re.compile(
    r"\W{0,4}(?:(?:de|from|enviad[ao](?: em)?|sent|para|to|assunto|subject|data|date|cc)\W{0,3}:|"
    r"em\b.{5,200}\bescreveu\W{0,3}$|on\b.{5,200}\bwrote\W{0,3}$|[-_]{3,}|escreveu\W{0,3}$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """``new_text`` as the sender wrote it, without our letter; ``filled_form`` as text with labels."""

    new_text: str
    filled_form: str = ""


def read_reply(new_text: str, full_text: str, letters: Sequence[str]) -> Reply:
    """Tell the sender's words from ours. ``letters`` are all texts of the letters that the mail answers; where it
    has none, or quotes none of them, ``new_text`` is as it was. Never raises; bounded in time."""
    ours = _Ours(letters)
    lines = _read_lines(full_text, ours) if ours.whole else []
    start, end = _extent(lines)
    if end - start < 2:
        return Reply(new_text=new_text)
    form = "\n".join(_form(lines[start:end], below=lines[end:]))
    return Reply(new_text=_without_our_letter(new_text, ours), filled_form=form)


def _lines(text: str) -> list[str]:
    plain = visible_text(text[:_LONGEST_TEXT])
    return [line[:_LONGEST_LINE] for line in plain.split("\n")[:_MOST_LINES]]


class _Ours:
    """What our letters said: every line, the whole of it, and the labels of the form."""

    def __init__(self, letters: Sequence[str]) -> None:
        lines = [line for letter in letters for line in _lines(letter)]
        folded = [words for line in lines if (words := fold_words(line))]
        self.lines = frozenset(folded)
        self.whole = f" {' '.join(folded)} " if lines else ""
        self.labels = frozenset(
            fold_words(match[1])
            for line in lines
            if "__" in line and (match := _FORM_LINE.fullmatch(line.strip()))
        )

    def says(self, folded: str, before: str) -> bool:
        """Whether a line is ours: wholly, or as a piece that a mail program wrapped after ``before``, our words
        above it."""
        if folded in self.lines:
            return True
        if folded.count(" ") + 1 >= _TELLING_WORDS:
            return f" {folded} " in self.whole
        return bool(before and folded) and f" {before} {folded} " in self.whole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of a reply without its quote marks. ``labelled``: it begins with a label of ours; ``empty_place``:
    nothing stands behind it."""

    text: str
    depth: int
    folded: str
    ours: bool
    labelled: bool
    empty_place: bool


def _read_lines(text: str, ours: _Ours) -> list[_Line]:
    """Every line of a reply held against what our letters said."""
    lines: list[_Line] = []
    before = ""
    for line in _lines(text):
        marks = _QUOTE_MARKS.match(line)
        bare = line[marks.end() :] if marks else line
        folded = fold_words(bare)
        label = _LABELLED.match(bare)
        labelled = label is not None and fold_words(label[1]) in ours.labels
        is_ours = ours.says(folded, before)
        lines.append(
            _Line(
                text=bare,
                depth=marks.group().count(">") if marks else 0,
                folded=folded,
                ours=is_ours,
                labelled=labelled,
                empty_place=label is not None and labelled and not label[2].strip(" _.…*\t"),
            )
        )
        # What follows an empty place at once is an answer and no piece of ours.
        before = folded if is_ours and not labelled else ""
    return lines


def _extent(lines: Sequence[_Line]) -> tuple[int, int]:
    """Where our letter stands in the reply: from its first to after its last line, a telling one each."""
    telling = [
        at for at, line in enumerate(lines) if line.ours and (line.empty_place or line.folded.count(" ") >= 3)
    ]
    return (telling[0], telling[-1] + 1) if telling else (0, 0)


def _form(lines: Sequence[_Line], *, below: Sequence[_Line]) -> Iterator[str]:
    """The labels of our letter and all that is not ours between them; what stands below it, too."""
    depth = min(line.depth for line in lines if line.ours)
    first = next((at for at, line in enumerate(lines) if line.labelled), len(lines))
    for line in lines[first:]:
        if line.empty_place or (not line.ours and line.folded and line.depth <= depth):
            yield line.text
    yield ""
    for line in below[:_MOST_LINES_BELOW]:
        if not line.ours and (line.depth > 0 or _OLDER_MAIL.match(line.text.strip())):
            return
        if not line.ours:
            yield line.text


def _without_our_letter(new_text: str, ours: _Ours) -> str:
    """New text up to where our letter begins in it, where the mail program marked no quote at all."""
    lines = _read_lines(new_text, ours)
    start, end = _extent(lines)
    if end - start < 2:
        return new_text
    above = lines[:start]
    while above and (above[-1].ours or not above[-1].folded or _OLDER_MAIL.match(above[-1].text.strip())):
        above.pop()
    return "\n".join(line.text for line in above)
