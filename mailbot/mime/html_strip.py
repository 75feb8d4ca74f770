"""Text of HTML that is not parsed: markup is dropped."""

from __future__ import annotations

import html as html_entities
import re

from mailbot.mime.html_tags import BLOCK_TAGS, HIDDEN_STYLE, TAG_NAME, VOID_TAGS


def strip_tags(html: str) -> str:
    """Take HTML of any size and shape; give its text with the tags cut out, in linear time.

    Knows no more than comments, scripts, styles, hidden elements, blocks and entities.
    """
    pieces: list[str] = []
    position = 0
    while position < len(html):
        opening = html.find("<", position)
        if opening < 0:
            pieces.append(html[position:])
            break
        pieces.append(html[position:opening])
        position = _after_markup(html, opening, pieces)
    text = html_entities.unescape("".join(pieces))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _after_markup(html: str, opening: int, pieces: list[str]) -> int:
    """Give the position after the markup at `opening`, and put what it shows as into `pieces`."""
    if html.startswith("<!--", opening):
        return _after(html, "-->", opening)
    if html.startswith(("<!", "<?"), opening):
        return _after(html, ">", opening)
    found = TAG_NAME.match(html, opening)
    if found is None:
        pieces.append("<")
        return opening + 1
    tag = found.group(2).lower()
    end = _after(html, ">", opening)
    if tag in BLOCK_TAGS or tag == "br":
        pieces.append("\n")
    if found.group(1) or tag in VOID_TAGS or not _is_unseen(tag, html[opening : min(end, opening + 2_000)]):
        return end
    return _after_element(html, tag, end)


def _is_unseen(tag: str, markup: str) -> bool:
    style = markup.replace('"', ";").replace("'", ";")
    return tag in ("script", "style", "title") or HIDDEN_STYLE.search(style) is not None


def _after(html: str, mark: str, start: int) -> int:
    found = html.find(mark, start)
    return len(html) if found < 0 else found + len(mark)


def _after_element(html: str, tag: str, start: int) -> int:
    """Give the position after the end of an element whose content starts at `start`."""
    depth = 1
    for found in re.compile(rf"<(/?){re.escape(tag)}\b", re.IGNORECASE).finditer(html, start):
        depth += -1 if found.group(1) else 1
        if depth == 0:
            return _after(html, ">", found.start())
    return len(html)
