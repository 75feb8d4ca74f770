"""A page's text as lines and cells, and what stands beside or below a label: ``PageContent -> PageText``.

Documents are forms: a label, and its value behind it, in the next column, or below. Text layers and OCR keep the
columns apart badly or not at all, so a value is told by its own form, and a label only says where to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from mailbot.catalogue.folding import plain_lines
from mailbot.evidence.content import Code, PageContent, TextSource
from mailbot.evidence.documents.ocr_words import corrected
from mailbot.evidence.word_rows import NEXT_PAPER

_Value = TypeVar("_Value")

MOST_CHARACTERS = 60_000
"""So much of a page is read; papers that are asked for have a tenth of it."""

_MOST_LINES = 1_500
_COLUMN = re.compile(r"[ \u00a0]{2,}|\t+|\s*[|¦]\s*")
_LEADER = re.compile(r"([.·_\-=])\1{3,}|\*{5,}")
_AFTER_LABEL = re.compile(r"^[\s:.;)\]\-–=>]+")
# *4b VALIDADE*, *2e1 NOME*, and as OCR may have it: *ab*, *4h*, *S*.
_FIELD_NUMBER = re.compile(r"[\W\d]*[a-d]?\W*|[asgi4-9][a-dhoe]?\W+|2 ?[ec] ?[12il]\W+")
_TAX_COLUMN = re.compile(r"\W*(?:n[ro.º°]* (?:do )?)?(?:cpf|cnpj)")
_LABEL = re.compile(
    r".*:$|\W*(?:cpf|cnpj|nome|razao|institu|agencia|conta|banco|chave|venc|valor|data|tipo|documento|id\b|cod|n[o.º])"
)
# As machines with narrow paper print it.
_SHORTENED = re.compile(r"(?<![a-z0-9])(?:pagto|pgto)(?![a-z0-9])")
_SLACK = 3
_FAR_ASIDE = 40
NOT_WORDS = re.compile(r"[^a-z0-9$/*]+")
"""What parts words in folded text."""

BORDERS = r" \n$/*"
"""What stands before a word in a page's words, where it does not begin them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A piece of a line between two columns: as printed, and as words to compare (lower case, no accents)."""

    raw: str
    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One printed line. ``words`` are all its cells as words apart by single blanks; ``begins_paper`` where it is
    the first of a paper that lies beside others."""

    raw: str
    words: str
    cells: tuple[Cell, ...]
    begins_paper: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageText:
    """A page ready to be asked. ``words`` is the whole page as words, lines apart by ``\\n``; ``again`` are its
    numbers as OCR read them a second time. ``has_unread_mark``: a stamp or the like among its words was not
    read. What is found on a page is remembered by the page itself, so that nobody compares all its lines."""

    number: int
    raw: str
    words: str
    lines: tuple[Line, ...]
    codes: tuple[Code, ...]
    is_ocr: bool
    confidence: float
    again: tuple[str, ...] = ()
    has_unread_mark: bool = False

    def has(self, pattern: str) -> bool:
        """Whether the words of the page have ``pattern``, at the borders of words."""
        return compiled(pattern).search(self.words) is not None

    def is_confirmed(self, value: _Value, read: Callable[[str], Sequence[_Value]]) -> bool:
        """Whether ``read`` finds ``value`` at two places of the page, or again where OCR looked twice.

        What a text layer says needs no second witness."""
        if not self.is_ocr:
            return True
        found = sum(list(read(line.raw)).count(value) for line in self.lines)
        return found >= 2 or any(value in read(line) for line in self.again)

    def near(
        self, label: str, read: Callable[[str], Sequence[_Value]], *, below: int = 2, anywhere: bool = False
    ) -> tuple[_Value, ...]:
        """What ``read`` finds behind or below each place where a cell begins with ``label``, in order.

        ``below`` is how many lines below a label may be asked; ``anywhere`` lets the label begin within a cell.
        """
        found: list[_Value] = []
        for index, position, cell, rest in self._labels(label, anywhere=anywhere):
            for text in self._places(index, position, cell, rest, below):
                values = read(text)
                if values:
                    found.extend(values)
                    break
        return tuple(found)

    def _labels(self, label: str, *, anywhere: bool) -> Iterator[tuple[int, int, Cell, str]]:
        pattern = compiled(label)
        for index, line in enumerate(self.lines):
            for position, cell in enumerate(line.cells):
                match = pattern.search(cell.folded)
                if match is None or (not anywhere and _begins_late(cell.folded, match.start())):
                    continue
                yield index, position, cell, _rest(cell, match.end())

    def _places(self, index: int, position: int, cell: Cell, rest: str, below: int) -> Iterator[str]:
        if rest:
            yield rest
        line = self.lines[index]
        if position + 1 < len(line.cells):
            yield line.cells[position + 1].raw
        for lower in self.lines[index + 1 : index + 1 + below]:
            if len(lower.cells) == 1:
                if _is_below(lower.cells[0], cell, _next_start(line, position)):
                    yield lower.raw
            elif len(lower.cells) == len(line.cells):
                # A row of labels above a row of values, whatever became of the blanks between them.
                yield lower.cells[position].raw
            else:
                yield from _column_of(lower, cell, _next_start(line, position))[:1]

    def below(self, label: str, *, lines: int, anywhere: bool = False) -> Iterator[tuple[str, ...]]:
        """The rest of the line behind each ``label``, then the lines below it, as printed."""
        for index, position, _, rest in self._labels(label, anywhere=anywhere):
            same = [rest] if rest else []
            same += [one.raw for one in self.lines[index].cells[position + 1 :]]
            lower = [self._under(index, position, line) for line in self.lines[index + 1 : index + 1 + lines]]
            yield ("  ".join(same), *lower)

    def _under(self, index: int, position: int, lower: Line) -> str:
        """What stands below a label's column; a column of tax numbers beside it belongs to it."""
        line = self.lines[index]
        last = position + 1
        while last < len(line.cells) and _TAX_COLUMN.match(line.cells[last].folded):
            last += 1
        if len(lower.cells) == len(line.cells) > 1:
            below = lower.cells[position:last]
            # Labels on the left, values on the right: the whole line is the next row.
            return lower.raw if _LABEL.match(below[0].folded) else "  ".join(cell.raw for cell in below)
        return _in_column(lower, line.cells[position], _next_start(line, last - 1))

    def times(self, text: str) -> int:
        """How often ``text`` stands on the page, regardless of case, accents and punctuation."""
        wanted = " ".join(NOT_WORDS.sub(" ", plain_lines(text)).split())
        return len(compiled(re.escape(wanted)).findall(self.words.replace("\n", " "))) if wanted else 0


def _next_start(line: Line, position: int) -> int | None:
    """Where the column after the cell at ``position`` begins, if there is one."""
    return line.cells[position + 1].start if position + 1 < len(line.cells) else None


def _column_of(line: Line, above: Cell, border: int | None) -> list[str]:
    """The cells below ``above``, up to where the next column begins."""
    end = max(above.end + _SLACK, (border or 0) - _SLACK) if border is not None else None
    return [
        cell.raw for cell in line.cells if cell.end > above.start - _SLACK and (end is None or cell.start < end)
    ]


def _is_below(cell: Cell, above: Cell, border: int | None) -> bool:
    """Whether a line of one cell can belong to ``above``; far to the right another column goes on."""
    return cell.start < (above.end + _FAR_ASIDE if border is None else max(border, above.end + _SLACK))


def _in_column(line: Line, above: Cell, border: int | None) -> str:
    """What stands below ``above``: its column where the line has several, else the whole line."""
    if len(line.cells) < 2:
        return line.raw if _is_below(line.cells[0], above, border) else ""
    inside = _column_of(line, above, border)
    return "  ".join(inside) if inside else line.raw


def _begins_late(folded: str, start: int) -> bool:
    """Whether other words stand before a label; a field's number or mark (*4d CPF*, *(=) Valor*) is none."""
    return _FIELD_NUMBER.fullmatch(folded[:start]) is None


def _rest(cell: Cell, end: int) -> str:
    if len(cell.raw) != len(cell.folded):
        return _AFTER_LABEL.sub("", cell.folded[end:]).strip()
    return _AFTER_LABEL.sub("", cell.raw[end:]).strip()


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """``pattern`` on folded words, at the borders of words."""
    return re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])")


@lru_cache(maxsize=8)
def page_text(page: PageContent) -> PageText:
    """Make a page ready to be asked; words that OCR misread are put right where they can only be one label."""
    is_ocr = page.source is TextSource.OCR
    text = page.text[:MOST_CHARACTERS].replace("\r", "\n")
    lines = tuple(_lines(text, is_ocr=is_ocr))
    return PageText(
        number=page.number,
        raw=text.replace(NEXT_PAPER, "\n"),
        words="\n".join(line.words for line in lines),
        lines=lines,
        codes=page.codes,
        is_ocr=is_ocr,
        confidence=page.confidence,
        again=tuple(line for line in page.again[:MOST_CHARACTERS].split("\n") if line.strip()),
        has_unread_mark=page.has_unread_mark,
    )


def _lines(raw: str, *, is_ocr: bool) -> Iterator[Line]:
    made, begins_paper = 0, False
    for printed in raw.split("\n"):
        text = _LEADER.sub("  ", printed.replace(NEXT_PAPER, " ")).rstrip()
        begins_paper = begins_paper or NEXT_PAPER in printed
        if not text.strip():
            continue
        cells = tuple(_cells(text, is_ocr=is_ocr))
        if not cells:
            continue
        words = " ".join(NOT_WORDS.sub(" ", cell.folded).strip() for cell in cells)
        yield Line(raw=text.strip(), words=" ".join(words.split()), cells=cells, begins_paper=begins_paper)
        made, begins_paper = made + 1, False
        if made >= _MOST_LINES:
            return


def _cells(text: str, *, is_ocr: bool) -> Iterator[Cell]:
    start = 0
    for gap in [*_COLUMN.finditer(text), None]:
        end = len(text) if gap is None else gap.start()
        raw = text[start:end]
        if raw.strip():
            yield _cell(raw.strip(), start + len(raw) - len(raw.lstrip()), is_ocr=is_ocr)
        start = len(text) if gap is None else gap.end()


def _cell(raw: str, start: int, *, is_ocr: bool) -> Cell:
    folded = plain_lines(raw).replace("\n", " ")
    better = _SHORTENED.sub("pagamento", corrected(folded) if is_ocr else folded)
    if better != folded:
        # A label of another length moves what stands behind it: the printed form follows the words.
        raw, folded = _follow(raw, folded, better), better
    return Cell(raw=raw, folded=folded, start=start, end=start + len(raw))


def _follow(raw: str, folded: str, better: str) -> str:
    """``raw`` with the words replaced that were put right, so that both stay in step."""
    if len(raw) != len(folded):
        return better
    pieces = [piece for piece in re.split(r"([a-z0-9]+)", folded) if piece]
    improved = [piece for piece in re.split(r"([a-z0-9]+)", better) if piece]
    if len(pieces) != len(improved):
        return better
    made, position = [], 0
    for before, after in zip(pieces, improved, strict=True):
        made.append(raw[position : position + len(before)] if before == after else after)
        position += len(before)
    return "".join(made)
