"""Where quotes begin and end in HTML, told by its elements: marks in the tree, and lines with a mark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Protocol

from mailbot.mime import quote_marks

MAX_QUOTE_DEPTH = 5


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


class Element(Protocol):
    """As much of an lxml element as this module uses (lxml has no types of its own)."""

    tag: object
    text: str | None
    tail: str | None

    @property
    def attrib(self) -> _Attributes: ...
    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...
    def iter(self) -> Iterator[Element]: ...
    def itertext(self) -> Iterator[str]: ...
    def insert(self, index: int, element: Element) -> None: ...
    def append(self, element: Element) -> None: ...
    def makeelement(self, tag: str) -> Element: ...
    def addprevious(self, element: Element) -> None: ...
    def __iter__(self) -> Iterator[Element]: ...
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
SIGNATURE = "-- "
TOKEN = re.compile("(\ue0f0[qdec]\ue0f1)")
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


def mark_quotes(root: Element) -> None:
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
            _put_before(element, SIGNATURE)


def _identity(element: Element) -> str:
    return (element.get("id") or "").lower()


def _classes(element: Element) -> frozenset[str]:
    return frozenset((element.get("class") or "").lower().split())


def _is_quote_container(element: Element) -> bool:
    identity = _identity(element)
    return bool(identity and identity in _QUOTE_IDS) or bool(_QUOTE_CLASSES & _classes(element))


def _starts_quote_to_end(element: Element) -> bool:
    if _identity(element) in _CUT_IDS:
        return True
    style = element.get("style")
    return (
        element.tag == "div"
        and style is not None
        and _TOP_BORDER.search(style) is not None
        and _holds_header_labels(element)
    )


def _holds_header_labels(element: Element) -> bool:
    """Tell a header block from any other bordered box: two bold labels, and an address or a time."""
    labels = 0
    addressed = False
    for inner in islice(element.iter(), _MAX_LABELS_READ * 4):
        if inner.tag in ("b", "strong"):
            labels += "".join(islice(inner.itertext(), 4)).rstrip("\u00a0 \n").endswith(":")
        addressed = addressed or (inner.get("href") or "").startswith("mailto:")
    text = "".join(islice(element.itertext(), _MAX_HEADING_TEXTS))
    return labels >= 2 and (addressed or "@" in text or quote_marks.holds_time(text[:2_000]))


def _opens_forward(element: Element) -> bool:
    """Tell whether the container holds a forwarded mail, which is no quote."""
    text = "\n".join(islice(element.itertext(), _MAX_HEADING_TEXTS))[:2_000]
    return any(quote_marks.is_forward_heading(quote_marks.fold_line(line)) for line in text.split("\n"))


def _blockquote_token(element: Element) -> str:
    style = element.get("style") or ""
    if (element.get("type") or "").lower() == "cite" or element.get("cite") is not None:
        return _OPEN
    if _classes(element) & {"gmail_quote", "protonmail_quote", "tutanota_quote", "yahoo_quoted", "iosymail"}:
        return _OPEN
    if _LEFT_BORDER.search(style) and not _NO_BORDER.search(style):
        return _OPEN
    # Indentation is a blockquote as well: the line above decides.
    return _OPEN_DOUBTFUL


def _token_element(near: Element, token: str) -> Element:
    marker = near.makeelement("div")
    marker.text = token
    return marker


def _put_before(element: Element, token: str) -> None:
    element.addprevious(_token_element(element, token))


def _enclose(element: Element, token: str) -> None:
    opening = _token_element(element, token)
    opening.tail, element.text = element.text, None
    element.insert(0, opening)
    element.append(_token_element(element, _CLOSE))


def resolve_tokens(lines: Iterable[str]) -> Iterator[MarkedLine]:
    """Take rendered lines with tokens; give lines with ">" before quotes, and the cuts marked."""
    # Whether each open blockquote is a quote.
    open_quotes: list[bool] = []
    recent: list[str] = []
    cut = False
    for line in lines:
        for piece in TOKEN.split(line) if "\ue0f0" in line else (line,):
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
