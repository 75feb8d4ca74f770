"""HTML bodies as text: an HTML string in, lines of text out, quotes found in its structure marked (by
``html_quotes.py``).

The one module that knows inscriptis and lxml; both are imported when the first HTML body comes
(ARCHITECTURE *Start-up time*). Hidden text, scripts and styles are dropped. Input that could hurt the
parser, by size or nesting, and input of which the parser makes nothing, goes through a plain scanner that
strips tags (``html_strip.py``), so that no text is ever lost.

Tables are flattened before rendering instead of being drawn in columns: a row of short cells becomes one
line ("CPF  123"), any other cell becomes a paragraph. Column padding would multiply a hostile table's
width by its height.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from mailbot.mime.html_quotes import TOKEN, Element, MarkedLine, mark_quotes, resolve_tokens
from mailbot.mime.html_strip import strip_tags
from mailbot.mime.html_tags import BLOCK_TAGS, HIDDEN_STYLE, TAG_NAME, VOID_TAGS

# What is rendered with lxml; longer HTML (after embedded images are cut out) has its tags stripped.
MAX_PARSED_CHARACTERS = 500_000
# Nothing beyond this is looked at: a body of this length holds more text than any body keeps.
MAX_HTML_CHARACTERS = 2_000_000
# libxml2 gives up beyond 255; inscriptis recurses once a level.
MAX_NESTING = 150
_MAX_CELL_ELEMENTS = 40
_MAX_CELL_CHARACTERS = 300
_CELL_END = "\ue0f0b\ue0f1"

_DROPPED_TAGS = frozenset(
    (
        "script",
        "style",
        "title",
        "head",
        "template",
        "noscript",
        "object",
        "iframe",
        "svg",
        "math",
        "select",
        "textarea",
        "mailbot-hidden",
    )
)
# Tags whose end is optional: left open they do not nest.
_SELF_CLOSING_TAGS = frozenset(
    ("p", "li", "td", "th", "tr", "dd", "dt", "option", "thead", "tbody", "tfoot", "html", "body", "head")
)

_KEPT_SPACES = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.I)
_DATA_URI = re.compile(r"data:[\w/+.-]{1,80};base64,[A-Za-z0-9+/=%]*")


def render(html: str) -> str:
    """Take HTML; give its visible text, one block a line. Never raises; bounded in time and memory."""
    bounded = _bounded(html)
    rendered = _render_tree(bounded, with_marks=False) if _is_parseable(bounded) else ""
    text = TOKEN.sub("", rendered)
    return text if text.strip() else strip_tags(bounded)


def render_marked(html: str) -> list[MarkedLine]:
    """Take HTML; give its lines as `render`, with the quotes of its structure marked.

    Never raises; bounded in time and memory.
    """
    bounded = _bounded(html)
    rendered = _render_tree(bounded, with_marks=True) if _is_parseable(bounded) else ""
    if not TOKEN.sub("", rendered).strip():
        return [MarkedLine(text=line) for line in strip_tags(bounded).split("\n")]
    return list(resolve_tokens(rendered.split("\n")))


def _bounded(html: str) -> str:
    if len(html) > MAX_PARSED_CHARACTERS:
        html = _DATA_URI.sub("", html[: 8 * MAX_HTML_CHARACTERS])
    return html[:MAX_HTML_CHARACTERS].replace("\0", "")


def _is_parseable(html: str) -> bool:
    """Tell whether the HTML is small and flat enough for the parser."""
    if len(html) > MAX_PARSED_CHARACTERS:
        return False
    depth = 0
    for found in TAG_NAME.finditer(html):
        tag = found.group(2).lower()
        if tag in VOID_TAGS or tag in _SELF_CLOSING_TAGS:
            continue
        depth += -1 if found.group(1) else 1
        if depth > MAX_NESTING:
            return False
        depth = max(depth, 0)
    return True


def _render_tree(html: str, *, with_marks: bool) -> str:
    """Render with inscriptis; "" when the parser fails in any way, since it is handed hostile input."""
    try:
        root = _parsed(html)
        if root is None:
            return ""
        _prune(root)
        if with_marks:
            mark_quotes(root)
        _flatten_tables(root)
        _reduce_attributes(root)
        return _text_of(root)
    except Exception:
        return ""


def _parsed(html: str) -> Element | None:
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    root: Element | None = etree.fromstring(html.encode("utf-8", "replace"), parser=parser)
    return root


def _prune(root: Element) -> None:
    """Drop what is not shown: scripts, styles and hidden elements (their tails stay)."""
    from lxml import etree

    for element in root.iter():
        style = element.get("style")
        if (style and HIDDEN_STYLE.search(style)) or element.get("hidden") is not None:
            element.tag = "mailbot-hidden"
    etree.strip_elements(root, *_DROPPED_TAGS, with_tail=False)


def _text_of(root: Element) -> str:
    from inscriptis.html_engine import Inscriptis

    text: str = Inscriptis(root, _inscriptis_config()).get_text()
    # Two blanks tell a label from its value; blanks themselves, no-break ones too, would be collapsed into one.
    plain = text.replace(f":{_CELL_END}", ": ").replace(_CELL_END, "  ")
    return "\n".join(line.rstrip() for line in plain.split("\n"))


@lru_cache(maxsize=1)
def _inscriptis_config() -> object:
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.html_properties import Display
    from inscriptis.model.config import ParserConfig
    from inscriptis.model.html_element import HtmlElement

    css = CSS_PROFILES["strict"].copy()
    # No indentation: a deep list would multiply its depth by its lines.
    for tag in ("ul", "ol", "center", "section", "form", "fieldset", "dl", "dt", "dd", "hr", "caption"):
        css[tag] = HtmlElement(display=Display.block)
    return ParserConfig(css=css)


def _flatten_tables(root: Element) -> None:
    """Turn rows into lines: short cells stand side by side, all others become blocks."""
    for row in [element for element in root.iter() if element.tag == "tr"]:
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        if len(cells) > 1 and all(_is_short_cell(cell) for cell in cells):
            for cell in cells:
                _make_inline(cell)
        else:
            for cell in cells:
                cell.tag = "div"
        row.tag = "div"
    for element in root.iter():
        if element.tag in ("table", "tbody", "thead", "tfoot", "td", "th"):
            element.tag = "div"


def _is_short_cell(cell: Element) -> bool:
    blocks = 0
    elements = list(islice(cell.iter(), _MAX_CELL_ELEMENTS + 1))
    for element in elements[1:]:
        if element.tag in ("table", "br", "ul", "ol", "blockquote", "hr", "pre"):
            return False
        blocks += element.tag in BLOCK_TAGS
    characters = sum(len(text) for text in islice(cell.itertext(), _MAX_CELL_ELEMENTS * 2))
    return len(elements) <= _MAX_CELL_ELEMENTS and blocks <= 1 and characters <= _MAX_CELL_CHARACTERS


def _make_inline(cell: Element) -> None:
    for element in cell.iter():
        if element.tag in BLOCK_TAGS:
            element.tag = "span"
    cell.tag = "span"
    cell.tail = _CELL_END + (cell.tail or "").strip()


def _reduce_attributes(root: Element) -> None:
    """Leave no attribute but kept white space: margins of a hostile style cost memory."""
    for element in root.iter():
        if not len(element.attrib):
            continue
        keeps_spaces = _KEPT_SPACES.search(element.get("style") or "") is not None
        element.attrib.clear()
        if keeps_spaces:
            element.set("style", "white-space:pre")
