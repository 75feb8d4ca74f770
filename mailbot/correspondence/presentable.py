"""The last look at a view before it is shown: (view, limits) → the same view, every string safe and bounded.

Strings lose control characters and line ends, senders' words lose their live links, lists and long texts are
cut. It walks the dataclasses by their declared fields, so a new field of a view is covered by being there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import Enum
from operator import is_
from types import NoneType
from typing import Any, Final, TypeVar

from mailbot.correspondence.context import DELINKED, THEIRS, LetterView, LongText
from mailbot.correspondence.safe_text import (
    cleaned_line,
    cleaned_text,
    delinked_line,
    delinked_text,
    shortened,
)
from mailbot.correspondence.words import Phrase

_View = TypeVar("_View", bound=LetterView)
_Part = TypeVar("_Part")

SUBJECT_CHARACTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimits:
    """How much of a view is shown: characters of one string, of all long texts together, entries of one
    list; all lists together have at most four times as many."""

    line_characters: int
    text_characters: int
    entries: int


GENEROUS = SizeLimits(line_characters=600, text_characters=200_000, entries=100)
"""What the plain text shows, and the HTML where it fits."""

_OF_A_PART = SizeLimits(line_characters=80, text_characters=2_000, entries=100)

SHRINKING = (
    SizeLimits(line_characters=400, text_characters=30_000, entries=50),
    SizeLimits(line_characters=160, text_characters=8_000, entries=20),
    SizeLimits(line_characters=80, text_characters=1_500, entries=8),
    SizeLimits(line_characters=40, text_characters=400, entries=3),
)
"""What is tried, one after the other, while the HTML is too large."""


def presentable_part(part: _Part) -> _Part:
    """A part of a letter as it may be shown, by itself."""
    shown: _Part = _Walk(_OF_A_PART, quote_sender=True).dataclass_value(part, _Authorship.OURS)
    return shown


class _Authorship(Enum):
    OURS = "ours"
    THEIRS = "theirs"
    DELINKED = "delinked"


def presentable(view: _View, limits: SizeLimits = GENEROUS) -> _View:
    """``view`` as it may be shown; ``quote_sender`` false leaves senders' words out, except the subject."""
    shown: _View = _Walk(limits, quote_sender=view.quote_sender).dataclass_value(view, _Authorship.OURS)
    return shown


class _Walk:
    """One walk through one view; counts what is left to show."""

    def __init__(self, limits: SizeLimits, *, quote_sender: bool) -> None:
        self.limits = limits
        self.quote_sender = quote_sender
        self.characters_left = limits.text_characters
        self.entries_left = 4 * limits.entries

    def dataclass_value(self, value: Any, authorship: _Authorship) -> Any:
        changes = {}
        for name, own_authorship in _fields_of(type(value)):
            # Most of a view is empty.
            if old := getattr(value, name):
                of_field = authorship if own_authorship is _Authorship.OURS else own_authorship
                new = _WAY_OF[type(old)](self, old, of_field)
                if new is not old:
                    changes[name] = new
        return replace(value, **changes) if changes else value

    def as_it_is(self, value: Any, _: _Authorship) -> Any:
        return value

    def entries(self, value: tuple[Any, ...], authorship: _Authorship) -> tuple[Any, ...]:
        kept = value[: min(self.limits.entries, self.entries_left)]
        self.entries_left -= len(kept)
        shown = tuple([_WAY_OF[type(entry)](self, entry, authorship) for entry in kept])
        return value if len(shown) == len(value) and all(map(is_, shown, value)) else shown

    def line(self, text: str, authorship: _Authorship) -> str:
        if not text:
            return text
        if authorship is _Authorship.THEIRS and not self.quote_sender:
            return ""
        line = cleaned_line(text)
        if authorship is not _Authorship.OURS:
            line = delinked_line(line)
        longest = self.limits.line_characters
        return shortened(line, min(SUBJECT_CHARACTERS, longest) if authorship is _Authorship.DELINKED else longest)

    def long_text(self, text: LongText, authorship: _Authorship) -> LongText:
        if authorship is not _Authorship.OURS and not self.quote_sender:
            return LongText()
        paragraphs: list[str] = []
        cut = text.cut
        for paragraph in text.paragraphs:
            if self.characters_left <= 0:
                cut = True
                break
            # A paragraph costs markup as well: many short ones are as heavy as one long one.
            cost = len(paragraph) + 60 + 5 * paragraph.count("\n")
            whole = cost <= self.characters_left
            shown = cleaned_text(paragraph if whole else shortened(paragraph, self.characters_left))
            cut = cut or not whole
            self.characters_left -= cost
            paragraphs.append(shown if authorship is _Authorship.OURS else delinked_text(shown))
        if cut == text.cut and tuple(paragraphs) == text.paragraphs:
            return text
        return LongText(paragraphs=tuple(paragraphs), cut=cut)

    def phrase(self, wanted: Phrase, _: _Authorship) -> Phrase:
        # Whoever wrote a value, a phrase never carries a live link into a letter.
        values = tuple(
            [(place, delinked_line(self.line(text, _Authorship.OURS))) for place, text in wanted.values]
        )
        text = self.line(wanted.text, _Authorship.OURS)
        if values == wanted.values and text == wanted.text:
            return wanted
        return replace(wanted, values=values, text=text)


class _Ways(dict[type, Callable[[_Walk, Any, _Authorship], Any]]):
    """By type, how a value is made presentable."""

    def __missing__(self, kind: type) -> Callable[[_Walk, Any, _Authorship], Any]:
        # Order matters: a StrEnum is a str, and it is ours.
        ways = (way for known, way in _WAYS if issubclass(kind, known))
        self[kind] = found = next(ways, _Walk.dataclass_value)
        return found


_WAYS: Final = (
    ((NoneType, bool, Enum), _Walk.as_it_is),
    (str, _Walk.line),
    (tuple, _Walk.entries),
    (LongText, _Walk.long_text),
    (Phrase, _Walk.phrase),
)
_WAY_OF: Final = _Ways()


_FIELDS: dict[type, tuple[tuple[str, _Authorship], ...]] = {}


def _fields_of(kind: type) -> tuple[tuple[str, _Authorship], ...]:
    found = _FIELDS.get(kind)
    if found is None:
        found = tuple((one.name, _authorship_of(one.metadata)) for one in fields(kind))
        _FIELDS[kind] = found
    return found


def _authorship_of(metadata: Any) -> _Authorship:
    if metadata == DELINKED:
        return _Authorship.DELINKED
    return _Authorship.THEIRS if metadata == THEIRS else _Authorship.OURS
