"""Text → values that stand behind a label, as people fill in forms by mail.

``Local atual: Rio Verde``, ``*Origem* - Rio Verde``, a label on one line and its value on the next, several on
a line, table rows with labels before or above the values. Labels are the request type's own (DOMAIN C.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from string import ascii_lowercase

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extract

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.evidence.prose import SIGN_OFF, is_signature

_LONGEST_LINE = 2000
_MOST_LINES = 4000

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
class _Labels:
    """The labels of a type's fields; ``long_enough`` are those that may be mistyped."""

    pattern: re.Pattern[str]
    specs: dict[str, FieldSpec]
    long_enough: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """What a line begins with that is set like a label, folded; where its value begins, how it is set apart."""

    words: str
    value_start: int
    separator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A text's lines without blanks around them, the same without bullets, these letter for letter as labels are
    spelled, what each begins with, and which are copied headers."""

    plain: Sequence[str]
    bare: Sequence[str]
    spelled: Sequence[str]
    openings: Sequence[_Opening | None]
    headers: frozenset[int]


def lines_of(text: str) -> Lines:
    """``text``, as :func:`~mailbot.catalogue.folding.visible_text` leaves it, to be read for one type or several.

    Bounded: at most 4,000 lines of 2,000 characters are looked at.
    """
    plain = [line[:_LONGEST_LINE].strip() for line in text.split("\n")[:_MOST_LINES]]
    bare = [_BULLET.sub("", line) if line else line for line in plain]
    openings = [_opening(line) for line in bare]
    spelled = [line.translate(_AS_LABELS) for line in bare]
    return Lines(plain=plain, bare=bare, spelled=spelled, openings=openings, headers=_copied_headers(plain))


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
    return _Reader(lines, _labels_of(request_type.fields)).read()


# --- labels -------------------------------------------------------------------------------------------------

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
# A letter with an accent may have been lost on the way.
_MAY_BE_LOST = frozenset("aceinou")
_LOST = {"\ufffd": "?"}
_AS_LABELS = str.maketrans({found: ch for ch, spellings in _LETTERS.items() for found in spellings} | _LOST)
"""From a mail's letters to a label's, one for one: so that a place in one line is the same place in the other."""


def _letter(ch: str) -> str:
    """A folded letter as it stands in a line spelled as labels are."""
    if ch == " ":
        return r"[\s_.\-/]{1,3}"
    return f"[{ch}?]" if ch in _MAY_BE_LOST else re.escape(ch)


@lru_cache(maxsize=256)
def _labels_of(specs: tuple[FieldSpec, ...]) -> _Labels:
    owners = {label: spec for spec in specs for label in spec.all_labels}
    longest_first = sorted(owners, key=len, reverse=True)
    alternatives = "|".join("".join(_letter(ch) for ch in label) for label in longest_first)
    pattern = re.compile(
        rf"(?<![\w@])(?P<label>{alternatives})(?:\(s\))?[*_]{{0,3}}(?:\s?\([^()\n]{{1,60}}\))?[*_]{{0,3}}"
        r"(?P<sep>\s{0,10}[:：=](?:[*_]{1,3}(?=\s))?|\s{1,3}[-–—→>]{1,3}\s?|[-–—]\s|\s?\.{3,}\s?:?|\s{0,3}\|\s?|\t|\s{2,}|\s?$|(?=\s))"
    )
    long_enough = tuple(label for label in owners if len(label) >= _SHORTEST_MISTYPED)
    return _Labels(pattern=pattern, specs=owners, long_enough=long_enough)


_SEGMENT_END = re.compile(r"[;|/,.•·()\t]|\s{2,}")
_OPENERS = frozenset({"o", "a", "meu", "minha", "seu", "sua", "e", "obs", "segue"})
_CONNECTORS = frozenset(
    {"da", "do", "de", "das", "dos", "qual", "que", "a", "o", "para", "em", "no", "na", "e", "um"}
)
# Values of these kinds prove themselves, so their labels may stand anywhere.
_SELF_EVIDENT = frozenset({FieldKind.PHONE, FieldKind.EMAIL, FieldKind.CPF, FieldKind.CNPJ})


def _hits(line: str, spelled: str, opening: _Opening | None, labels: _Labels) -> list[_Hit]:
    """The labels of a line that really are labels."""
    found: list[_Hit] = []
    for match in labels.pattern.finditer(spelled):
        written = line[match.start("label") : match.end("label")]
        label = fold_words(written)
        spec = labels.specs.get(label) or _spec_with_lost_letters(written, labels)
        if spec is None:
            continue
        separator = _separator(match["sep"], at_end=match.end() == len(line))
        before = line[found[-1].value_start if found else 0 : match.start()]
        hit = _Hit(
            spec=spec,
            start=match.start(),
            value_start=match.end(),
            separator=separator,
            words=label.count(" ") + 1,
        )
        if _is_label(hit, before, follows_label=bool(found)):
            found.append(hit)
    mistyped = None if found or opening is None else _mistyped(opening, labels)
    return found if mistyped is None else [mistyped]


_LABEL_SHAPE = re.compile(r"[*_]{0,3}([^\W\d_][\w \-./]{3,60}?)[*_]{0,3}(?:\s{0,5}[:：=]|\s[-–—]\s)")
_SHORTEST_MISTYPED = 5
_LONG_LABEL = 9


def _opening(line: str) -> _Opening | None:
    match = _LABEL_SHAPE.match(line)
    words = fold_words(match[1]) if match else ""
    if match is None or len(words) < _SHORTEST_MISTYPED:
        return None
    separator = ":" if line[match.end() - 1] in ":：=" else "-"
    return _Opening(words=words, value_start=match.end(), separator=separator)


def _mistyped(opening: _Opening, labels: _Labels) -> _Hit | None:
    """The label that a line begins with, one letter wrong or two in a long one: *Motvo: mudei*. Never where two
    fields' labels are as near."""
    nearest = extract(opening.words, labels.long_enough, scorer=Levenshtein.distance, score_cutoff=2, limit=None)
    near = {
        labels.specs[label].key: labels.specs[label]
        for label, distance, _ in nearest
        if distance <= (2 if len(label) >= _LONG_LABEL else 1)
    }
    if len(near) != 1:
        return None
    (spec,) = near.values()
    return _Hit(
        spec=spec,
        start=0,
        value_start=opening.value_start,
        separator=opening.separator,
        words=opening.words.count(" ") + 1,
    )


def _spec_with_lost_letters(label: str, labels: _Labels) -> FieldSpec | None:
    lost = re.compile(re.sub(r"[?\ufffd]", ".", re.escape(label.lower()).replace(r"\?", "?")))
    return next((spec for known, spec in labels.specs.items() if lost.fullmatch(known)), None)


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
    words = re.findall(r"\w+", fold_words(tail))
    opens_segment = all(word in _OPENERS or word.isdigit() for word in words)
    if hit.separator != ":":
        # A bare label counts only where nothing at all stands before it in its line.
        return (
            opens_segment if hit.separator in ("-", "wide") else not re.search(r"\w", before) and not follows_label
        )
    if opens_segment or hit.spec.kind in _SELF_EVIDENT:
        return True
    return follows_label and words[-1] not in _CONNECTORS


# --- reading ------------------------------------------------------------------------------------------------

_BULLET = re.compile(r"^[\s>*•·▪◦‣→✓✔☑\-–—]+(?=\S)|^\d{1,2}[.)º°]\s|^\(\d\)\s")
_EDGE = " \t*_;|,/-–—→•"
_NOTHING = re.compile(r"[\W_]*|x{3,}|n/?a", re.IGNORECASE)
_SHORT_TEXT_END = re.compile(
    r"[;|\t\n]|\s{2,}|\s/\s|,?\s(?:cpf|cnpj|rg|tel|telefone|fone|cel|celular)\b", re.IGNORECASE
)
_CELLS = re.compile(r"\s{2,}|\t+|\s*\|\s*")
_HEADER_LINE = re.compile(
    r"\W{0,4}(de|from|para|to|cc|cco|bcc|assunto|subject|enviad[ao](?: em)?|sent|data|date|responder a|reply-to)"
    r"\W{0,4}:",
    re.IGNORECASE,
)


class _Reader:
    """Walks over the lines once."""

    def __init__(self, lines: Lines, labels: _Labels) -> None:
        self.lines = lines.bare
        self.spelled = lines.spelled
        self.openings = lines.openings
        self.labels = labels
        self.headers = lines.headers
        self.result = LabelledText()

    def read(self) -> LabelledText:
        position = 0
        while position < len(self.lines):
            position = self._line(position)
        return self.result

    def _hits_at(self, position: int) -> list[_Hit]:
        return _hits(self.lines[position], self.spelled[position], self.openings[position], self.labels)

    def _line(self, position: int) -> int:
        """Read one line with what belongs to it; the next line to read."""
        line = self.lines[position]
        if position in self.headers:
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
        self._add(hit, self.lines[below], from_below=True)
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
        cells = _cells(self.lines[position])
        if len(cells) < 2:
            return None
        below = self._next_line(position + 1)
        specs = [self.labels.specs.get(fold_words(cell)) for cell in cells]
        if below is None or None in specs:
            return None
        values = _cells(self.lines[below])
        if len(values) != len(cells):
            return None
        pairs = ((spec, value) for spec, value in zip(specs, values, strict=True) if spec is not None)
        self.result.values.extend(LabelledValue(spec=spec, raw=value, sure=True) for spec, value in pairs)
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
            line = self.lines[position]
            if _says_nothing(line):
                continue
            begins_with_label = any(hit.separator != "none" for hit in self._hits_at(position)[:1])
            return None if begins_with_label or position in self.headers else position
        return None

    def _until_next_label(self, start: int) -> Iterator[str]:
        for position in range(start, len(self.lines)):
            line = self.lines[position]
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


def _cells(line: str) -> list[str]:
    return [cell for cell in _CELLS.split(line.strip(" |\t")) if cell]


def _copied_headers(lines: Sequence[str]) -> frozenset[int]:
    """Lines of header blocks that a mail program copied above a forwarded or quoted mail.

    Three lines or more, with a subject and a date of sending; *De: Rio Verde / Para: Jataí* is none
    (ARCHITECTURE §5.7).
    """
    inside: set[int] = set()
    run: list[tuple[int, str]] = []
    for position, line in enumerate([*lines, ""]):
        match = _HEADER_LINE.match(line)
        if match:
            run.append((position, fold_words(match[1])))
            continue
        names = {name for _, name in run}
        dated = any(name.startswith(("enviad", "sent", "data", "date")) for name in names)
        if len(run) >= 3 and dated and names & {"assunto", "subject"}:
            inside.update(position for position, _ in run)
        run = []
    return frozenset(inside)
