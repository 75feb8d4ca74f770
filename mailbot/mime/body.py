"""What the sender wrote now, apart from quotes and signatures: text or HTML in, a `BodyText` out.

Portuguese, Spanish and English mail programs' forms (DOMAIN C.7). Lines are folded once, sorted into new
text, quotes and signatures, and joined again. When in doubt, text is new: a request that is cut is lost,
a quote that stays is only noise.

The order of the rules:

1. A line with ">" is quoted, whatever stands below it: answers below and between such lines are new text.
2. An attribution, a header block or the heading of an original belongs to the ">" lines that follow it.
   When none follow, everything below it is quoted, provided that something was written above it.
3. Everything below the heading of a forward is new text; so is a header block with nothing written above.
4. Signatures and confidentiality footers are cut from what is new.
5. When nothing would be left, everything is new text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailbot.mime import html_text, quote_marks
from mailbot.mime.html_quotes import Mark

MAX_BODY_CHARACTERS = 200_000

_NEWLINES = re.compile(r"\r\n?|[\u2028\u2029\u0085]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyText:
    """A body in its parts; `full_text` holds at most `MAX_BODY_CHARACTERS`, lines ended by "\\n"."""

    # What the sender wrote now: quotes and signature cut.
    new_text: str
    # The quotes that were cut, joined in their order, with their ">"; signatures are in neither.
    quoted_text: str
    full_text: str


class _Part(StrEnum):
    NEW = "new"
    QUOTE = "quote"
    SIGNATURE = "signature"


def split_text(text: str) -> BodyText:
    """Take a plain-text body; give its parts. Never raises; linear in the text's length."""
    full_text = _normalised(text)
    return _split(full_text, frozenset())


def split_html(html: str) -> BodyText:
    """Take an HTML body; give its parts, quotes of its structure written with ">" as in plain text.

    Never raises; HTML that cannot be parsed safely has its tags stripped.
    """
    lines = html_text.render_marked(html)
    # Joined before normalising: a line may not grow by it, so that the numbers of the cuts stay true.
    texts = [_NEWLINES.sub(" ", line.text) for line in lines]
    leading = next((number for number, text in enumerate(texts) if text.strip()), 0)
    cuts = frozenset(number - leading for number, line in enumerate(lines) if line.mark is Mark.QUOTE_TO_END)
    return _split(_normalised("\n".join(texts[leading:])), cuts)


def html_to_text(html: str) -> str:
    """Take HTML; give its visible text, at most `MAX_BODY_CHARACTERS`. Never raises."""
    return _tidy(_normalised(html_text.render(html)))


def _normalised(text: str) -> str:
    bounded = text[:MAX_BODY_CHARACTERS].replace("\0", "")
    if not bounded.isascii():
        bounded = _SURROGATES.sub("\ufffd", bounded)
    return _NEWLINES.sub("\n", bounded)


def _tidy(text: str) -> str:
    """Cut trailing blanks and runs of empty lines."""
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")


def _split(full_text: str, cuts: frozenset[int]) -> BodyText:
    lines = full_text.split("\n")
    folded = [quote_marks.fold_line(line) for line in lines]
    parts = _sorted_lines(lines, folded, cuts)
    new_text = _joined(lines, parts, _Part.NEW)
    if not new_text.strip():
        return BodyText(new_text=_tidy(full_text), quoted_text="", full_text=full_text)
    return BodyText(new_text=new_text, quoted_text=_joined(lines, parts, _Part.QUOTE), full_text=full_text)


def _joined(lines: Sequence[str], parts: Sequence[_Part], wanted: _Part) -> str:
    """Join the lines of one part, an empty line where others were cut out between them."""
    kept: list[str] = []
    for number, (line, part) in enumerate(zip(lines, parts, strict=True)):
        if part is wanted:
            if kept and parts[number - 1] is not wanted:
                kept.append("")
            kept.append(line)
    return _tidy("\n".join(kept))


def _sorted_lines(lines: Sequence[str], folded: Sequence[str], cuts: frozenset[int]) -> list[_Part]:
    """Tell of every line which part it belongs to, by the rules 1 to 4 above."""
    parts = [_Part.NEW] * len(lines)
    attributions = _attributions(folded)
    number = 0
    while number < len(folded):
        if quote_marks.is_quoted(folded[number]):
            parts[number] = _Part.QUOTE
            number += 1
            continue
        if quote_marks.is_forward_heading(folded[number]):
            _cut_signatures(lines, folded, parts, number)
            return parts
        mark_end = _mark_end(folded, number, attributions, cuts)
        if mark_end is None:
            number += 1
            continue
        following = _next_written(folded, mark_end)
        if following < len(folded) and quote_marks.is_quoted(folded[following]):
            parts[number:following] = [_Part.QUOTE] * (following - number)
            number = following
            continue
        _cut_signatures(lines, folded, parts, number)
        if _is_written(folded, parts, number):
            start = _start_with_rules(folded, number)
            parts[start:] = [_Part.QUOTE] * (len(parts) - start)
        return parts
    _cut_signatures(lines, folded, parts, len(folded))
    return parts


def _attributions(folded: Sequence[str]) -> dict[int, int]:
    """Give the attributions: the number of the line after each, by the number of its first line."""
    found: dict[int, int] = {}
    after_last = 0
    for last, line in enumerate(folded):
        if not line.endswith((":", "---")):
            continue
        following = next((text for text in folded[last + 1 : last + 8] if text), "")
        start = quote_marks.attribution_start(folded, last, above_quoted=quote_marks.is_quoted(following))
        if start is not None and start >= after_last:
            found[start] = after_last = last + 1
    return found


def _mark_end(
    folded: Sequence[str], number: int, attributions: dict[int, int], cuts: frozenset[int]
) -> int | None:
    """Give the number after the mark that starts a quote at `number`; None when none does."""
    if number in attributions:
        return attributions[number]
    heading = quote_marks.is_original_heading(folded[number])
    if heading or number in cuts:
        start = _next_written(folded, number + 1) if heading else number
        block_end = quote_marks.header_block_end(folded, start, below_rule=True) if start < len(folded) else None
        return block_end or number + 1
    below_rule = number > 0 and quote_marks.is_rule(folded[number - 1])
    return quote_marks.header_block_end(folded, number, below_rule=below_rule)


def _next_written(folded: Sequence[str], number: int) -> int:
    while number < len(folded) and not folded[number]:
        number += 1
    return number


def _start_with_rules(folded: Sequence[str], number: int) -> int:
    """Give where a quote starts, taking along the rules and headings directly above it."""
    while number > 0 and quote_marks.belongs_above_a_quote(folded[number - 1]):
        number -= 1
    return number


def _is_written(folded: Sequence[str], parts: Sequence[_Part], stop: int) -> bool:
    """Tell whether new text stands before the line `stop`."""
    return any(
        parts[number] is _Part.NEW and not quote_marks.belongs_above_a_quote(folded[number])
        for number in range(stop)
    )


def _cut_signatures(lines: Sequence[str], folded: Sequence[str], parts: list[_Part], stop: int) -> None:
    """Mark the signatures and footers in the new text before the line `stop`, run by run."""
    written = False
    number = 0
    while number < stop:
        if parts[number] is not _Part.NEW:
            number += 1
            continue
        end = number
        while end < stop and parts[end] is _Part.NEW:
            end += 1
        written = _cut_signature(lines, folded, parts, number, end, written=written) or written
        number = end


def _cut_signature(
    lines: Sequence[str], folded: Sequence[str], parts: list[_Part], start: int, stop: int, *, written: bool
) -> bool:
    """Mark the signature in one run of new text; tell whether anything was written before it.

    `written` says that an earlier run holds text: a footer at the very top is no footer.
    """
    number = start
    while number < stop:
        ends_text = quote_marks.is_signature_delimiter(lines[number], folded, number, stop) or (
            written and quote_marks.is_disclaimer(folded, number, stop)
        )
        if ends_text:
            parts[number:stop] = [_Part.SIGNATURE] * (stop - number)
            break
        if quote_marks.is_mobile_signature(folded[number]):
            parts[number] = _Part.SIGNATURE
            if number + 1 < stop and quote_marks.is_bare_link(folded[number + 1]):
                number += 1
                parts[number] = _Part.SIGNATURE
        else:
            written = written or not quote_marks.belongs_above_a_quote(folded[number])
        number += 1
    return written
