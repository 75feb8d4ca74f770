"""Kinds of documents, one module each: ``score(text, filename) -> KindScore``. Content decides over name.

A new kind is one module here and one line in ``_SCORERS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.documents import boleto, driver_licence, payment_receipt
from mailbot.evidence.documents.scoring import KindScore, folded_name, folded_text, has_text

__all__ = ["CERTAIN_SCORE", "KindScore", "certain_kind", "kind_by_filename", "kind_scores"]

CERTAIN_SCORE = 0.6
CERTAIN_MARGIN = 0.2

_SCORERS: tuple[Callable[[str, str], KindScore], ...] = (
    payment_receipt.score,
    boleto.score,
    driver_licence.score,
)
_NAMES = {
    DocumentKind.PAYMENT_RECEIPT: payment_receipt.NAME,
    DocumentKind.BOLETO: boleto.NAME,
    DocumentKind.DRIVER_LICENCE: driver_licence.NAME,
}
# A receipt is often named after what it paid: *comprovante de pagamento do boleto*.
_RECEIPT_OF = re.compile(
    r"(?:comprovante|recibo|pagamento|pagto|pgto)(?: \w+)?(?: d[eoa])? (?:boletos?|dua|guia|fatura|titulo)"
)


def kind_scores(text: str, filename: str) -> tuple[KindScore, ...]:
    """Every kind with its score, best first."""
    return tuple(sorted((score(text, filename) for score in _SCORERS), key=lambda found: -found.score))


def certain_kind(scores: tuple[KindScore, ...], text: str) -> KindScore | None:
    """The best kind if it is certain: enough speaks for it, in the text, and clearly more than for the next."""
    best, *others = scores
    margin = best.score - max((other.score for other in others), default=0.0)
    return (
        best if has_text(folded_text(text)) and best.score >= CERTAIN_SCORE and margin >= CERTAIN_MARGIN else None
    )


def kind_by_filename(filename: str) -> DocumentKind:
    """What the file is called, ``UNKNOWN`` if it is called nothing telling or several things."""
    name = folded_name(filename)
    named = [kind for kind, pattern in _NAMES.items() if re.search(rf"(?<!\w)(?:{pattern})(?!\w)", name)]
    if len(named) == 1:
        return named[0]
    if set(named) == {DocumentKind.PAYMENT_RECEIPT, DocumentKind.BOLETO} and _RECEIPT_OF.search(name):
        return DocumentKind.PAYMENT_RECEIPT if not re.search(r"\be\b", name) else DocumentKind.UNKNOWN
    return DocumentKind.UNKNOWN
