"""A boleto that can also be paid by Pix: ``(pages, what it says) → what the agent should look at``.

Its QR code or *copia e cola* asks for an amount of its own. Where that is another than the boleto's, one of the
two was tampered with, or the issuer grants a discount by Pix: a person looks. Nothing is refused for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mailbot.domain.evidence import DocumentKind, Fact
from mailbot.evidence.br_code import LONGEST, br_code
from mailbot.evidence.documents.page_text import PageText

PIX_AMOUNT_DIFFERS = "pix_amount_differs"

_BEGINNING = "000201"
_END = "6304"
_CHECKSUM_CHARACTERS = 4
_MOST_TRIED = 20


def pix_beside_boleto(
    kind: DocumentKind, facts: Sequence[Fact], pages: Sequence[PageText]
) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """The other amounts that charges on a boleto's ``pages`` name (certain by their checksums), and the reason to
    look at them."""
    said = next((fact.value for fact in facts if fact.name == "amount"), None)
    if kind is not DocumentKind.BOLETO or said is None:
        return (), ()
    others = sorted({amount for page in pages for amount in _amounts(page)} - {Decimal(said)})
    found = tuple(Fact(name="pix_amount", value=f"{amount:.2f}") for amount in others)
    return found, ((PIX_AMOUNT_DIFFERS,) if found else ())


def _amounts(page: PageText) -> Iterator[Decimal]:
    texts = (*(code.text for code in page.codes), *_copied(page.raw))
    charges = (br_code(text) for text in texts)
    return (one.amount for one in charges if one is not None and one.amount is not None)


def _copied(raw: str) -> Iterator[str]:
    """Codes to copy that stand in the text, also over the ends of lines; a checksum tells where one ends."""
    start, tried = raw.find(_BEGINNING), 0
    while start >= 0 and tried < _MOST_TRIED:
        run = raw[start : start + 2 * LONGEST].replace("\n", "")[:LONGEST]
        end = run.find(_END)
        while end >= 0 and tried < _MOST_TRIED:
            tried += 1
            yield run[: end + len(_END) + _CHECKSUM_CHARACTERS]
            end = run.find(_END, end + 1)
        start = raw.find(_BEGINNING, start + 1)
