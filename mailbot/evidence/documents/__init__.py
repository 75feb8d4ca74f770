"""Kinds of documents, one module each: what a page is and says. Content decides over the file's name.

A module here is a kind as soon as it has ``KIND``, ``NAME`` (a pattern on a file's name) and
``read(page, today=…) -> KindReading``; no list names it. Ask for it in the catalogue by the name of its kind.
"""

from __future__ import annotations

import pkgutil
import re
from datetime import date
from functools import cache
from importlib import import_module
from typing import Protocol

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.documents.kind_reading import CERTAIN_SCORE, FactReading, KindReading
from mailbot.evidence.documents.page_text import PageText
from mailbot.evidence.documents.scoring import folded_name, has_text

__all__ = [
    "CERTAIN_MARGIN",
    "CERTAIN_SCORE",
    "FactReading",
    "KindReading",
    "certain_kind",
    "kind_by_filename",
    "kind_readings",
    "known_kinds",
]

CERTAIN_MARGIN = 0.2
"""So much more must speak for a kind than for any other."""

# A receipt is often named after what it paid: *comprovante de pagamento do boleto*.
_RECEIPT_OF = re.compile(
    r"(?:comprovante|recibo|pagamento|pagto|pgto)(?: \w+)?(?: d[eoa])? (?:boletos?|dua|guia|fatura|titulo)"
)


class KindModule(Protocol):
    """What a module of a kind has."""

    KIND: DocumentKind
    NAME: str

    def read(self, page: PageText, *, today: date) -> KindReading:
        """How much speaks for the kind on ``page``, and what the page then says."""
        ...


def known_kinds() -> frozenset[DocumentKind]:
    """Every kind that can be told."""
    return frozenset(module.KIND for module in _modules(tuple(__path__)))


@cache
def _modules(folders: tuple[str, ...]) -> tuple[KindModule, ...]:
    found = (import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(folders))
    return tuple(module for module in found if hasattr(module, "KIND"))


def kind_readings(page: PageText, *, today: date) -> tuple[KindReading, ...]:
    """Every kind's reading of ``page``, best first."""
    found = (module.read(page, today=today) for module in _modules(tuple(__path__)))
    return tuple(sorted(found, key=lambda one: (-one.score, one.kind)))


def certain_kind(page: PageText, readings: tuple[KindReading, ...]) -> KindReading | None:
    """The kind that the page certainly is: enough speaks for it, and clearly more than for any other that
    is asked for. Only where there is none is it certainly another paper."""
    if not has_text(page.words) and not page.codes:
        return None
    asked = [one for one in readings if one.kind is not DocumentKind.OTHER]
    other = next((one for one in readings if one.kind is DocumentKind.OTHER and one.certain), None)
    best, *others = asked
    margin = best.score - max((one.score for one in others), default=0.0)
    if best.certain and (other is None or other.score - best.score < CERTAIN_MARGIN):
        return best if margin >= CERTAIN_MARGIN else None
    return other


def kind_by_filename(filename: str) -> DocumentKind:
    """What the file is called, ``UNKNOWN`` if it is called nothing telling or several things."""
    name = folded_name(filename)
    named = [
        module.KIND
        for module in _modules(tuple(__path__))
        if module.KIND is not DocumentKind.OTHER and re.search(rf"(?<!\w)(?:{module.NAME})(?!\w)", name)
    ]
    if len(named) == 1:
        return named[0]
    if set(named) == {DocumentKind.PAYMENT_RECEIPT, DocumentKind.BOLETO} and _RECEIPT_OF.search(name):
        return DocumentKind.PAYMENT_RECEIPT if not re.search(r"\be\b", name) else DocumentKind.UNKNOWN
    return DocumentKind.UNKNOWN
