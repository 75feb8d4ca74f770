"""HTML bodies as text: an HTML string in, lines of text out, quotes found in its structure marked.

The one module that knows inscriptis and lxml; both are imported when the first HTML body comes
(ARCHITECTURE *Start-up time*). Hidden text, scripts and styles are dropped. Input that could hurt the
parser, by size or nesting, and input of which the parser makes nothing, goes through a plain scanner that
strips tags, so that no text is ever lost.

Tables are flattened before rendering instead of being drawn in columns: a row of short cells becomes one
line ("CPF  123"), any other cell becomes a paragraph. Column padding would multiply a hostile table's
width by its height.
"""

from __future__ import annotations

import html as html_entities
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Protocol

from mailbot.mime import quote_marks

# What is rendered with lxml; longer HTML (after embedded images are cut out) has its tags stripped.
MAX_PARSED_CHARACTERS = 500_000
# Nothing beyond this is looked at: a body of this length holds more text than any body keeps.
MAX_HTML_CHARACTERS = 2_000_000
# libxml2 gives up beyond 255; inscriptis recurses once a level.
MAX_NESTING = 150
MAX_QUOTE_DEPTH = 5
_MAX_CELL_ELEMENTS = 40
_MAX_CELL_CHARACTERS = 300


class Mark(StrEnum):
    """What the HTML structure says of a line of the rendered text."""

    PLAIN = "plain"
    # From here to the end stands a quoted mail (Outlook's header block).
    QUOTE_TO_END = "quote_to_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedLine:
    """A line of text, quotes carrying ">" as in text/plain, and what the structure says of it."""

    text: str
    mark: Mark = Mark.PLAIN


class _Element(Protocol):
    """As much of an lxml element as this module uses (lxml has no types of its own)."""

    tag: object
    text: str | None
    tail: str | None

    @property
    def attrib(self) -> _Attributes: ...
    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...
    def iter(self) -> Iterator[_Element]: ...
    def itertext(self) -> Iterator[str]: ...
    def insert(self, index: int, element: _Element) -> None: ...
    def append(self, element: _Element) -> None: ...
    def makeelement(self, tag: str) -> _Element: ...
    def addprevious(self, element: _Element) -> None: ...
    def __iter__(self) -> Iterator[_Element]: ...
    def __len__(self) -> int: ...


class _Attributes(Protocol):
    def clear(self) -> None: ...
    def __len__(self) -> int: ...


# Lines that stand for structure while the text is rendered; private-use characters, so that no mail
# contains them by chance, and a mail that does gains nothing: it may quote itself anyway.
_OPEN = "\ue0f0q\ue0f1"
_OPEN_DOUBTFUL = "\ue0f0d\ue0f1"
_CLOSE = "\ue0f0e\ue0f1"
_CUT = "\ue0f0c\ue0f1"
_SIGNATURE = "-- "
_CELL_END = "\ue0f0b\ue0f1"
_TOKEN = re.compile("(\ue0f0[qdec]\ue0f1)")

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
_VOID_TAGS = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    )
)
# Tags whose end is optional: left open they do not nest.
_SELF_CLOSING_TAGS = frozenset(
    ("p", "li", "td", "th", "tr", "dd", "dt", "option", "thead", "tbody", "tfoot", "html", "body", "head")
)
_BLOCK_TAGS = frozenset(
    (
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    )
)

_HIDDEN_STYLE = re.compile(r"(?:^|[;\s])(?:display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden)", re.I)
_KEPT_SPACES = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.I)
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_DATA_URI = re.compile(r"data:[\w/+.-]{1,80};base64,[A-Za-z0-9+/=%]*")


def render(html: str) -> str:
    """Take HTML; give its visible text, one block a line. Never raises; bounded in time and memory."""
    bounded = _bounded(html)
    rendered = _render_tree(bounded, with_marks=False) if _is_parseable(bounded) else ""
    text = _TOKEN.sub("", rendered)
    return text if text.strip() else strip_tags(bounded)


def render_marked(html: str) -> list[MarkedLine]:
    """Take HTML; give its lines as `render`, with the quotes of its structure marked.

    Never raises; bounded in time and memory.
    """
    bounded = _bounded(html)
    rendered = _render_tree(bounded, with_marks=True) if _is_parseable(bounded) else ""
    if not _TOKEN.sub("", rendered).strip():
        return [MarkedLine(text=line) for line in strip_tags(bounded).split("\n")]
    return list(_resolve_tokens(rendered.split("\n")))


def _bounded(html: str) -> str:
    if len(html) > MAX_PARSED_CHARACTERS:
        html = _DATA_URI.sub("", html[: 8 * MAX_HTML_CHARACTERS])
    return html[:MAX_HTML_CHARACTERS].replace("\0", "")


def _is_parseable(html: str) -> bool:
    """Tell whether the HTML is small and flat enough for the parser."""
    if len(html) > MAX_PARSED_CHARACTERS:
        return False
    depth = 0
    for found in _TAG_NAME.finditer(html):
        tag = found.group(2).lower()
        if tag in _VOID_TAGS or tag in _SELF_CLOSING_TAGS:
            continue
        depth += -1 if found.group(1) else 1
        if depth > MAX_NESTING:
            return False
        depth = max(depth, 0)
    return True


# --- Rendering through lxml and inscriptis -------------------------------------------------------------


def _render_tree(html: str, *, with_marks: bool) -> str:
    """Render with inscriptis; "" when the parser fails in any way, since it is handed hostile input."""
    try:
        root = _parsed(html)
        if root is None:
            return ""
        _prune(root)
        if with_marks:
            _mark_quotes(root)
        _flatten_tables(root)
        _reduce_attributes(root)
        return _text_of(root)
    except Exception:
        return ""


def _parsed(html: str) -> _Element | None:
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    root: _Element | None = etree.fromstring(html.encode("utf-8", "replace"), parser=parser)
    return root


def _prune(root: _Element) -> None:
    """Drop what is not shown: scripts, styles and hidden elements (their tails stay)."""
    from lxml import etree

    for element in root.iter():
        style = element.get("style")
        if (style and _HIDDEN_STYLE.search(style)) or element.get("hidden") is not None:
            element.tag = "mailbot-hidden"
    etree.strip_elements(root, *_DROPPED_TAGS, with_tail=False)


def _text_of(root: _Element) -> str:
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


def _flatten_tables(root: _Element) -> None:
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


def _is_short_cell(cell: _Element) -> bool:
    blocks = 0
    elements = list(islice(cell.iter(), _MAX_CELL_ELEMENTS + 1))
    for element in elements[1:]:
        if element.tag in ("table", "br", "ul", "ol", "blockquote", "hr", "pre"):
            return False
        blocks += element.tag in _BLOCK_TAGS
    characters = sum(len(text) for text in islice(cell.itertext(), _MAX_CELL_ELEMENTS * 2))
    return len(elements) <= _MAX_CELL_ELEMENTS and blocks <= 1 and characters <= _MAX_CELL_CHARACTERS


def _make_inline(cell: _Element) -> None:
    for element in cell.iter():
        if element.tag in _BLOCK_TAGS:
            element.tag = "span"
    cell.tag = "span"
    cell.tail = _CELL_END + (cell.tail or "").strip()


def _reduce_attributes(root: _Element) -> None:
    """Leave no attribute but kept white space: margins of a hostile style cost memory."""
    for element in root.iter():
        if not len(element.attrib):
            continue
        keeps_spaces = _KEPT_SPACES.search(element.get("style") or "") is not None
        element.attrib.clear()
        if keeps_spaces:
            element.set("style", "white-space:pre")


# --- Quotes in the structure ---------------------------------------------------------------------------

_QUOTE_CLASSES = frozenset(
    (
        "gmail_attr",
        "moz-cite-prefix",
        "yahoo_quoted",
        "protonmail_quote",
        "tutanota_quote",
        "zmail_extra",
        "reply-intro",
        "ms-outlook-mobile-reference-message",
        "moz-email-headers-table",
        "outlookmessageheader",
    )
)
_QUOTE_IDS = frozenset(("olk_src_body_section", "mail-editor-reference-message-container", "reply-intro"))
_CUT_IDS = frozenset(("divrplyfwdmsg", "stopspelling", "appendonsend"))
_LEFT_BORDER = re.compile(r"border-left(?:-(?:width|style))?\s*:|border-width\s*:\s*(?:1px|0)", re.I)
_NO_BORDER = re.compile(r"border(?:-left)?\s*:\s*(?:none|0)", re.I)
_TOP_BORDER = re.compile(r"border-top(?:-style)?\s*:[^;]{0,60}solid", re.I)
_MAX_LABELS_READ = 12
_MAX_HEADING_TEXTS = 40


def _mark_quotes(root: _Element) -> None:
    """Put token lines around the quotes and before the header blocks of the tree."""
    # A list first: tokens are put into the tree that is walked.
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            continue
        if _starts_quote_to_end(element):
            _put_before(element, _CUT)
        elif element.tag == "blockquote":
            _enclose(element, _blockquote_token(element))
        elif _is_quote_container(element) and not _opens_forward(element):
            _enclose(element, _OPEN)
        elif "gmail_signature" in _classes(element):
            # Gmail leaves the line that marks a signature out where its user wants that.
            _put_before(element, _SIGNATURE)


def _identity(element: _Element) -> str:
    return (element.get("id") or "").lower()


def _classes(element: _Element) -> frozenset[str]:
    return frozenset((element.get("class") or "").lower().split())


def _is_quote_container(element: _Element) -> bool:
    identity = _identity(element)
    return bool(identity and identity in _QUOTE_IDS) or bool(_QUOTE_CLASSES & _classes(element))


def _starts_quote_to_end(element: _Element) -> bool:
    if _identity(element) in _CUT_IDS:
        return True
    style = element.get("style")
    return (
        element.tag == "div"
        and style is not None
        and _TOP_BORDER.search(style) is not None
        and _holds_header_labels(element)
    )


def _holds_header_labels(element: _Element) -> bool:
    """Tell a header block from any other bordered box: two bold labels, and an address or a time."""
    labels = 0
    addressed = False
    for inner in islice(element.iter(), _MAX_LABELS_READ * 4):
        if inner.tag in ("b", "strong"):
            labels += "".join(islice(inner.itertext(), 4)).rstrip("\u00a0 \n").endswith(":")
        addressed = addressed or (inner.get("href") or "").startswith("mailto:")
    text = "".join(islice(element.itertext(), _MAX_HEADING_TEXTS))
    return labels >= 2 and (addressed or "@" in text or quote_marks.holds_time(text[:2_000]))


def _opens_forward(element: _Element) -> bool:
    """Tell whether the container holds a forwarded mail, which is no quote."""
    text = "\n".join(islice(element.itertext(), _MAX_HEADING_TEXTS))[:2_000]
    return any(quote_marks.is_forward_heading(quote_marks.fold_line(line)) for line in text.split("\n"))


def _blockquote_token(element: _Element) -> str:
    style = element.get("style") or ""
    if (element.get("type") or "").lower() == "cite" or element.get("cite") is not None:
        return _OPEN
    if _classes(element) & {"gmail_quote", "protonmail_quote", "tutanota_quote", "yahoo_quoted", "iosymail"}:
        return _OPEN
    if _LEFT_BORDER.search(style) and not _NO_BORDER.search(style):
        return _OPEN
    # Indentation is a blockquote as well: the line above decides.
    return _OPEN_DOUBTFUL


def _token_element(near: _Element, token: str) -> _Element:
    marker = near.makeelement("div")
    marker.text = token
    return marker


def _put_before(element: _Element, token: str) -> None:
    element.addprevious(_token_element(element, token))


def _enclose(element: _Element, token: str) -> None:
    opening = _token_element(element, token)
    opening.tail, element.text = element.text, None
    element.insert(0, opening)
    element.append(_token_element(element, _CLOSE))


def _resolve_tokens(lines: Iterable[str]) -> Iterator[MarkedLine]:
    """Take rendered lines with tokens; give lines with ">" before quotes, and the cuts marked."""
    # Whether each open blockquote is a quote.
    open_quotes: list[bool] = []
    recent: list[str] = []
    cut = False
    for line in lines:
        for piece in _TOKEN.split(line) if "\ue0f0" in line else (line,):
            if piece == _OPEN:
                open_quotes.append(True)
            elif piece == _OPEN_DOUBTFUL:
                open_quotes.append(_follows_attribution(recent))
            elif piece == _CLOSE:
                del open_quotes[-1:]
            elif piece == _CUT:
                cut = cut or not any(open_quotes)
            elif piece.strip() or piece is line:
                depth = min(sum(open_quotes), MAX_QUOTE_DEPTH)
                text = f"{'>' * depth} {piece}".rstrip() if depth else piece
                yield MarkedLine(text=text, mark=Mark.QUOTE_TO_END if cut and piece.strip() else Mark.PLAIN)
                cut = cut and not piece.strip()
                if piece.strip():
                    recent = [
                        *recent[-(quote_marks.MAX_ATTRIBUTION_LINES - 1) :],
                        quote_marks.fold_line(piece),
                    ]


def _follows_attribution(recent: list[str]) -> bool:
    return bool(recent) and (quote_marks.attribution_start(recent, len(recent) - 1, above_quoted=True) is not None)


# --- The fallback ----------------------------------------------------------------------------------------


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
    found = _TAG_NAME.match(html, opening)
    if found is None:
        pieces.append("<")
        return opening + 1
    tag = found.group(2).lower()
    end = _after(html, ">", opening)
    if tag in _BLOCK_TAGS or tag == "br":
        pieces.append("\n")
    if found.group(1) or tag in _VOID_TAGS or not _is_unseen(tag, html[opening : min(end, opening + 2_000)]):
        return end
    return _after_element(html, tag, end)


def _is_unseen(tag: str, markup: str) -> bool:
    style = markup.replace('"', ";").replace("'", ";")
    return tag in ("script", "style", "title") or _HIDDEN_STYLE.search(style) is not None


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
