"""Text → values that stand behind a label, as people fill in forms by mail.

``Local atual: Rio Verde``, ``*Origem* - Rio Verde``, a label on one line and its value on the next, several on
a line, table rows with labels before or above the values. Labels are the request type's own (DOMAIN C.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extract

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.evidence.lines import SHORTEST_MISTYPED, Line, Lines, Opening, cells_of
from mailbot.evidence.prose import SIGN_OFF, is_signature

LONG_TEXT_CHARACTERS = 500
"""A text field that takes at least this many may run over several lines, and free prose may answer it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledValue:
    """What stands behind a label. ``sure`` is false for a label that may be an ordinary word of a sentence:
    then only a valid value counts."""

    spec: FieldSpec
    raw: str
    sure: bool


@dataclass(slots=True, kw_only=True)
class LabelledText:
    """All labelled values of a text in order, and the lines that are no part of them."""

    values: list[LabelledValue] = field(default_factory=list)
    other_lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """One label in a line: whose it is, where its value begins, how it is set apart."""

    spec: FieldSpec
    start: int
    value_start: int
    separator: str
    words: int

    @property
    def sure(self) -> bool:
        return self.separator == ":" or (self.words > 1 and self.separator != "end")


def labelled_text(request_type: RequestType, lines: Lines) -> LabelledText:
    """Split a text into labelled values and rest.

    Copied mail headers (``De: … Enviado: … Assunto: …``) are neither values nor rest.
    """
    if not request_type.fields:
        return LabelledText(other_lines=list(lines.plain))
    if lines.words == frozenset():
        return _unlabelled(lines)
    labels = _labels_of(tuple([spec.all_labels for spec in request_type.fields]))
    if not labels.may_stand_among(lines.words):
        return _unlabelled(lines)
    return _Reader(lines, request_type.fields, labels).read()


def _unlabelled(lines: Lines) -> LabelledText:
    return LabelledText(
        other_lines=[line.text for position, line in enumerate(lines.bare) if position not in lines.headers]
    )


# --- labels -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Labels:
    """The labels of a type's fields, folded, each with the place of its field: ``longest_first``, those that may
    be mistyped (``long_enough``), and the words that one of them begins with."""

    owners: Mapping[str, int]
    longest_first: tuple[str, ...]
    long_enough: tuple[str, ...]
    first_words: frozenset[str]

    def may_stand_among(self, words: frozenset[str] | None) -> bool:
        """Whether it is worth while to look for them: most lines have none."""
        return words is None or not self.first_words.isdisjoint(words)


@lru_cache(maxsize=256)
def _labels_of(labels_by_field: tuple[tuple[str, ...], ...]) -> _Labels:
    owners = {label: place for place, labels in enumerate(labels_by_field) for label in labels}
    return _Labels(
        owners=owners,
        longest_first=tuple(sorted(owners, key=len, reverse=True)),
        long_enough=tuple(label for label in owners if len(label) >= SHORTEST_MISTYPED),
        first_words=frozenset(word for label in owners for word in label.split()[:1]),
    )


@lru_cache(maxsize=256)
def _pattern_of(labels: _Labels) -> re.Pattern[str]:
    """Labels where they stand in :attr:`Line.spelled`, and what sets their values apart: ``_SET_APART`` in
    ``lines.py`` is to find all of it, or a line is passed over."""
    alternatives = "|".join("".join(_letter(ch) for ch in label) for label in labels.longest_first)
    return re.compile(
        rf"(?<![\w@])(?P<label>{alternatives})(?:\(s\))?[*_]{{0,3}}(?:\s?\([^()\n]{{1,60}}\))?[*_]{{0,3}}"
        r"(?P<sep>\s{0,10}[:：=](?:[*_]{1,3}(?=\s))?|\s{1,3}[-–—→>]{1,3}\s?|[-–—]\s|\s?\.{3,}\s?:?|\s{0,3}\|\s?|\t|\s{2,}|\s?$|(?=\s))"
    )


# A letter with an accent may have been lost on the way.
_MAY_BE_LOST = frozenset("aceinou")


def _letter(ch: str) -> str:
    """A folded letter as it stands in a line spelled as labels are."""
    if ch == " ":
        return r"[\s_.\-/]{1,3}"
    return f"[{ch}?]" if ch in _MAY_BE_LOST else re.escape(ch)


_WORD_BEFORE = re.compile(r"\w+")
_SEGMENT_END = re.compile(r"[;|/,.•·()\t]|\s{2,}")
_OPENERS = frozenset({"o", "a", "meu", "minha", "seu", "sua", "e", "obs", "segue"})
_CONNECTORS = frozenset(
    {"da", "do", "de", "das", "dos", "qual", "que", "a", "o", "para", "em", "no", "na", "e", "um"}
)
# Values of these kinds prove themselves, so their labels may stand anywhere.
_SELF_EVIDENT = frozenset({FieldKind.PHONE, FieldKind.EMAIL, FieldKind.CPF, FieldKind.CNPJ})


def _hits(line: Line, specs: Sequence[FieldSpec], labels: _Labels) -> list[_Hit]:
    """The labels of a line that really are labels."""
    found = _exact_hits(line, specs, labels) if labels.may_stand_among(line.words) else []
    mistyped = None if found or line.opening is None else _mistyped(line.opening, specs, labels)
    return found if mistyped is None else [mistyped]


def _exact_hits(line: Line, specs: Sequence[FieldSpec], labels: _Labels) -> list[_Hit]:
    found: list[_Hit] = []
    for match in _pattern_of(labels).finditer(line.spelled):
        written = line.text[match.start("label") : match.end("label")]
        label = fold_words(written)
        owner = labels.owners.get(label)
        owner = _owner_with_lost_letters(written, labels) if owner is None else owner
        if owner is None:
            continue
        separator = _separator(match["sep"], at_end=match.end() == len(line.text))
        before = line.text[found[-1].value_start if found else 0 : match.start()]
        hit = _Hit(
            spec=specs[owner],
            start=match.start(),
            value_start=match.end(),
            separator=separator,
            words=label.count(" ") + 1,
        )
        if _is_label(hit, before, follows_label=bool(found)):
            found.append(hit)
    return found


_LONG_LABEL = 9


def _mistyped(opening: Opening, specs: Sequence[FieldSpec], labels: _Labels) -> _Hit | None:
    """The label that a line begins with, one letter wrong or two in a long one: *Motvo: mudei*. Never where two
    fields' labels are as near."""
    nearest = extract(opening.words, labels.long_enough, scorer=Levenshtein.distance, score_cutoff=2, limit=None)
    near = {
        labels.owners[label]
        for label, distance, _ in nearest
        if distance <= (2 if len(label) >= _LONG_LABEL else 1)
    }
    if len(near) != 1:
        return None
    return _Hit(
        spec=specs[near.pop()],
        start=0,
        value_start=opening.value_start,
        separator=opening.separator,
        words=opening.words.count(" ") + 1,
    )


def _owner_with_lost_letters(label: str, labels: _Labels) -> int | None:
    lost = re.compile(re.sub(r"[?\ufffd]", ".", re.escape(label.lower()).replace(r"\?", "?")))
    return next((owner for known, owner in labels.owners.items() if lost.fullmatch(known)), None)


def _separator(text: str, *, at_end: bool) -> str:
    """``:``, ``-``, ``wide`` (blanks as in a table), ``end`` (the label ends the line) or ``none``."""
    mark = text.strip(" *_")
    if mark[:1] in (":", "：", "="):
        return ":"
    if mark:
        return "-" if mark.strip("\t") else "wide"
    if at_end:
        return "end"
    return "wide" if len(text) >= 2 else "none"


def _is_label(hit: _Hit, before: str, *, follows_label: bool) -> bool:
    """Whether the words before a label leave it a label: *nome da unidade:* is none of *unidade*."""
    tail = _SEGMENT_END.split(before)[-1]
    words = _WORD_BEFORE.findall(fold_words(tail))
    opens_segment = all(word in _OPENERS or word.isdigit() for word in words)
    if hit.separator != ":":
        # A bare label counts only where nothing at all stands before it in its line.
        return (
            opens_segment
            if hit.separator in ("-", "wide")
            else not _WORD_BEFORE.search(before) and not follows_label
        )
    if opens_segment or hit.spec.kind in _SELF_EVIDENT:
        return True
    return follows_label and words[-1] not in _CONNECTORS


# --- reading ------------------------------------------------------------------------------------------------

_EDGE = " \t*_;|,/-–—→•"
_NOTHING = re.compile(r"[\W_]*|x{3,}|n/?a", re.IGNORECASE)
_SHORT_TEXT_END = re.compile(
    r"[;|\t\n]|\s{2,}|\s/\s|,?\s(?:cpf|cnpj|rg|tel|telefone|fone|cel|celular)\b", re.IGNORECASE
)


class _Reader:
    """Walks over the lines once."""

    def __init__(self, lines: Lines, specs: Sequence[FieldSpec], labels: _Labels) -> None:
        self.lines = lines.bare
        self.specs = specs
        self.labels = labels
        self.headers = lines.headers
        self.result = LabelledText()

    def read(self) -> LabelledText:
        position = 0
        while position < len(self.lines):
            position = self._line(position)
        return self.result

    def _hits_at(self, position: int) -> list[_Hit]:
        return _hits(self.lines[position], self.specs, self.labels)

    def _line(self, position: int) -> int:
        """Read one line with what belongs to it; the next line to read."""
        bare = self.lines[position]
        line = bare.text
        if position in self.headers:
            return position + 1
        if bare.told_by_words and not self.labels.may_stand_among(bare.words):
            self.result.other_lines.append(line)
            return position + 1
        columns = self._columns(position)
        if columns:
            return columns
        hits = self._hits_at(position)
        if not hits:
            self.result.other_lines.append(line)
            return position + 1
        known = len(self.result.values)
        ends = [hit.start for hit in hits[1:]]
        for hit, end in zip(hits[:-1], ends, strict=True):
            self._add(hit, line[hit.value_start : end])
        following = self._last(hits[-1], line, position)
        # A line whose labels may be ordinary words is prose as well.
        certain = any(hit.sure for hit in hits) and len(self.result.values) > known
        is_form = certain or hits[-1].separator in (":", "end")
        self.result.other_lines.append(line[: hits[0].start] if is_form else line)
        return following

    def _last(self, hit: _Hit, line: str, position: int) -> int:
        """The last value of a line may go on below: on the next line, or over many for a long text."""
        raw = line[hit.value_start :]
        following = position + 1
        if _is_long_text(hit.spec) and (hit.separator in (":", "end") or not _says_nothing(raw)):
            return self._long_text(hit, raw, following)
        if not _says_nothing(raw) or hit.separator == "none":
            self._add(hit, raw)
            return following
        below = self._next_line(following)
        if below is None:
            return following
        self._add(hit, self.lines[below].text, from_below=True)
        return below + 1

    def _long_text(self, hit: _Hit, raw: str, following: int) -> int:
        """A reason runs until the next label or the sign-off; a signature under it is not part of it."""
        taken = list(self._until_next_label(following))
        paragraphs = re.split(r"\n\s*\n", "\n".join([raw, *taken]).strip("\n"))
        while len(paragraphs) > 1 and all(is_signature(line) for line in paragraphs[-1].split("\n")):
            self.result.other_lines.extend(paragraphs.pop().split("\n"))
        self._add(hit, "\n\n".join(paragraphs))
        return following + len(taken)

    def _columns(self, position: int) -> int | None:
        """A row of nothing but labels above a row of as many values."""
        owners = [self.labels.owners.get(cell, -1) for cell in self.lines[position].cells]
        if not owners or -1 in owners:
            return None
        below = self._next_line(position + 1)
        values = cells_of(self.lines[below].text) if below is not None else []
        if below is None or len(values) != len(owners):
            return None
        self.result.values.extend(
            LabelledValue(spec=self.specs[owner], raw=value, sure=True)
            for owner, value in zip(owners, values, strict=True)
        )
        return below + 1

    def _add(self, hit: _Hit, raw: str, *, from_below: bool = False) -> None:
        value = raw.strip(_EDGE)
        if hit.spec.kind is FieldKind.TEXT and not _is_long_text(hit.spec):
            value = _SHORT_TEXT_END.split(value, maxsplit=1)[0].strip(_EDGE)
        if _says_nothing(value) or (hit.spec.kind is FieldKind.UNIT and "@" in value):
            return
        sure = hit.sure and not (from_below and hit.separator != ":")
        if hit.separator == "none" and hit.spec.kind is not FieldKind.UNIT:
            return
        self.result.values.append(LabelledValue(spec=hit.spec, raw=value, sure=sure))

    def _next_line(self, start: int) -> int | None:
        """The next line that says something, unless a blank gap or another label comes first."""
        for position in range(start, min(start + 2, len(self.lines))):
            line = self.lines[position].text
            if _says_nothing(line):
                continue
            begins_with_label = any(hit.separator != "none" for hit in self._hits_at(position)[:1])
            return None if begins_with_label or position in self.headers else position
        return None

    def _until_next_label(self, start: int) -> Iterator[str]:
        for position in range(start, len(self.lines)):
            line = self.lines[position].text
            if position in self.headers or SIGN_OFF.match(line):
                return
            if any(hit.separator in (":", "-", "wide", "end") for hit in self._hits_at(position)):
                return
            yield line


def _is_long_text(spec: FieldSpec) -> bool:
    return spec.kind is FieldKind.TEXT and spec.max_characters >= LONG_TEXT_CHARACTERS


def _says_nothing(text: str) -> bool:
    """Whether a value is an empty place of a form: ``____``, ``...``, ``xxx``."""
    return _NOTHING.fullmatch(text) is not None
