"""A fourth kind of document for the tests: such a module and an entry in the catalogue are all it takes."""

from __future__ import annotations

from datetime import date

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.documents.kind_reading import FactReading, KindReading
from mailbot.evidence.documents.page_text import PageText
from mailbot.evidence.documents.printed import name_in
from mailbot.evidence.documents.scoring import Clue, weighed

KIND = DocumentKind("identity_card")
NAME = r"rg|identidade"

_CLUES = (
    Clue(reason="title", weight=0.5, pattern=r"carteira de identidade"),
    Clue(reason="number", weight=0.4, pattern=r"registro geral"),
)


def read(page: PageText, *, today: date) -> KindReading:
    """How much speaks for an identity card, and whose it is."""
    score, reasons = weighed(page.words, _CLUES)
    names = [name for text in page.near("nome", lambda text: [text]) if (name := name_in(text))]
    facts = tuple(FactReading(name="holder_name", value=name, certain=True) for name in names[:1])
    return KindReading(kind=KIND, score=min(1.0, score), facts=facts, reasons=reasons)
