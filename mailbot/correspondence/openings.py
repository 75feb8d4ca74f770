"""Openings in written letters: ``(OutboundLetter, what was drawn) -> the letter as it leaves``.

A notice is written when the ticket changes, and the pages that it shows are drawn later. Where they belong its
templates keep a place, marked by the letter's own reference, which no text of others can know beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from mailbot.correspondence.context import InOpening
from mailbot.correspondence.environment import Colours
from mailbot.correspondence.render import MAX_HTML_BYTES, LetterRenderer, tidy
from mailbot.correspondence.shown_pages import ShownPapers, shown_in
from mailbot.domain.events import OutboundLetter
from mailbot.domain.handles import reference_line_token
from mailbot.domain.notice_pages import PagesToDraw

ATTACHED = "attached"
"""Name of the place where it is said what goes along."""

KEPT_BYTES = 16_000
"""So much of a letter's HTML is kept for what comes into its openings."""

MOST_PICTURES = 40


def document_opening(number: int) -> str:
    """The name of the place beside the document ``number``."""
    return f"document-{number}"


def paper_opening(number: int) -> str:
    """The name of the place beside the file ``number`` that came."""
    return f"paper-{number}"


def fits(letter: OutboundLetter) -> bool:
    """Whether the HTML is as small as it has to be."""
    return len(letter.html.encode("utf-8", "replace")) <= MAX_HTML_BYTES


def filled(
    letter: OutboundLetter, wanted: PagesToDraw, shown: ShownPapers, renderer: LetterRenderer, colours: Colours
) -> OutboundLetter:
    """The letter with everything in its place and the files that go along. Raises ``LetterError``."""
    contents = {opening.name: shown_in(opening, shown) for opening in wanted.openings}
    views = {name: InOpening(pictures=one.pictures, notes=one.notes) for name, one in contents.items()}
    views[ATTACHED] = InOpening(pages_attached=shown.has_pages, originals_attached=shown.has_originals)
    parts = {
        name: renderer.in_opening(view, language=wanted.language, colours=colours) for name, view in views.items()
    }
    return replace(
        letter,
        text=_in_text(letter, {name: part.text for name, part in parts.items()}),
        html=_in_html(letter, {name: part.html for name, part in parts.items()}),
        files=(*letter.files, *shown.files),
        awaits_pages=False,
    )


def closed(letter: OutboundLetter) -> OutboundLetter:
    """The letter without what has not been drawn: to look at, or because it could not be put in."""
    if not letter.awaits_pages:
        return letter
    return replace(letter, text=_in_text(letter, {}), html=_in_html(letter, {}), awaits_pages=False)


def _in_html(letter: OutboundLetter, parts: Mapping[str, str]) -> str:
    mark = re.compile(rf"<!--{re.escape(reference_line_token(letter.handle))} ([a-z0-9-]+)-->\n?")
    return mark.sub(lambda place: parts.get(place[1], ""), letter.html)


def _in_text(letter: OutboundLetter, parts: Mapping[str, str]) -> str:
    """Each line of what is put in begins as the line does that kept its place; where it is nothing, that goes."""
    mark = re.compile(rf"^(.*){re.escape(reference_line_token(letter.handle))} ([a-z0-9-]+)$\n?", re.MULTILINE)

    def put_in(place: re.Match[str]) -> str:
        lines = parts.get(place[2], "").rstrip("\n")
        return "".join(f"{place[1]}{line}\n" for line in lines.split("\n")) if lines else ""

    return tidy(mark.sub(put_in, letter.text))
