"""What a file means: ``FileContent -> DocumentReading``. Pages become documents, documents have facts.

A file may hold several documents, on pages of their own or side by side in one photograph; a document may go on
over several pages (a licence's front and back). Nothing here opens a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from mailbot.domain.evidence import (
    DocumentKind,
    DocumentPart,
    DocumentReading,
    Fact,
    KindCandidate,
    Readability,
)
from mailbot.evidence.content import FileContent, PageContent
from mailbot.evidence.documents import (
    KindReading,
    certain_kind,
    kind_by_filename,
    kind_readings,
    known_kinds,
)
from mailbot.evidence.documents.kind_reading import FactReading
from mailbot.evidence.documents.other_document import WHOLE_FILE_SORTS
from mailbot.evidence.documents.page_text import PageText, compiled, page_text
from mailbot.evidence.pix_on_paper import pix_beside_boleto
from mailbot.evidence.reader_version import READER_VERSION

_BRASILIA = ZoneInfo("America/Sao_Paulo")
_MOST_PAGES_OF_ONE_DOCUMENT = 4
_MOST_PARTS = 12
_BY_NAME = 0.5
_FEWEST_LINES_OF_A_DOCUMENT = 3
_DIGITS_OF_A_LINE = 30
_PERHAPS_SCORE = 0.1

# Where a document begins that lies beside others in one picture.
_BEGINNINGS = {
    DocumentKind.PAYMENT_RECEIPT: compiled(
        r"comprovante (?:d[eoa]s? )?(?:\w+ ){0,3}(?:pagamentos?|pix|transferencias?|agendamento|titulos?|operacao|"
        r"transacao|arrecadacao|boletos?)|pix (?:enviado|realizado|agendado)|voce pagou|sisbb"
    ),
    DocumentKind.DRIVER_LICENCE: compiled(
        r"republica federativa do brasil|carteira nacional de habilitacao|permissao para dirigir"
    ),
    DocumentKind.BOLETO: compiled(
        r"recibo do (?:pagador|sacado)|documento (?:unico )?de arrecadacao|local de pagamento"
        r"|^boleto (?:bancario|para pagamento)"
        # A receipt repeats the line of what it paid; on a boleto the bank's number stands before it.
        r"|\d{3} [\dx] \d{5} \d{5} \d{5} \d{6} \d{5} \d{6} \d"
    ),
}
# What makes a kind's reading complete, so that nothing dearer needs to be tried.
_MAIN_FACTS = {
    DocumentKind.BOLETO: ("digitable_line", "amount"),
    DocumentKind.PAYMENT_RECEIPT: ("status", "amount", "paid_at"),
    DocumentKind.DRIVER_LICENCE: ("holder_name", "tax_id", "licence_number", "birth_date", "valid_until"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A document on a page, or the page's best guess (``certain`` false); ``is_beside_others`` where that is one
    piece of a picture of which other pieces are certain."""

    page: int
    reading: KindReading
    certain: bool
    candidates: tuple[KindReading, ...]
    is_beside_others: bool = False


def reading_of(
    digest: str, content: FileContent, *, filename: str = "", today: date | None = None
) -> DocumentReading:
    """What the file means. ``today`` (Brasília's, if not given) tells past from future and a due date's cycle.

    Never raises. ``kind`` is ``UNKNOWN`` unless one is certain; of several documents each is a part. A telling
    ``filename`` makes a candidate, never more.
    """
    day = today or datetime.now(_BRASILIA).date()
    pages = tuple(page_text(page) for page in content.pages)
    documents = _documents(pages, day)
    reading = _empty(digest, content)
    if len(documents) > 1:
        return _several(reading, documents)
    if documents:
        return _with_pix(_one(reading, documents[0]), pages)
    return _unknown(reading, pages, filename, day)


def uncertain(reading: DocumentReading) -> DocumentReading:
    """The reading of a file of which a part may be lost: all that it says is for a person's eyes only."""
    parts = tuple(KindCandidate(kind=part.kind, score=part.confidence) for part in reading.parts)
    found = (*reading.facts, *(fact for part in reading.parts for fact in part.facts))
    return replace(
        reading,
        kind=DocumentKind.UNKNOWN,
        page=None,
        facts=(),
        guesses=tuple(dict.fromkeys((*found, *reading.guesses))),
        parts=(),
        candidates=reading.candidates or parts,
    )


def settled_kind(page: PageContent, *, today: date | None = None) -> DocumentKind | None:
    """What the page certainly is, if the facts that matter are certain too.

    While it is nothing, it is worth reading codes or letters that cost more.
    """
    text = page_text(page)
    certain = certain_kind(text, _readings(text, today or datetime.now(_BRASILIA).date()))
    if certain is None or not certain.has_certain(*_MAIN_FACTS.get(certain.kind, ())):
        return None
    return certain.kind


def _readings(page: PageText, today: date) -> tuple[KindReading, ...]:
    """Every kind's reading of a page. A page of which no more is wanted than its layer is asked for twice."""
    return _remembered_readings(page, today, known_kinds())


@lru_cache(maxsize=8)
def _remembered_readings(
    page: PageText, today: date, _of_kinds: frozenset[DocumentKind]
) -> tuple[KindReading, ...]:
    return kind_readings(page, today=today)


# --- documents of a file ------------------------------------------------------------------------------------


def _documents(pages: Sequence[PageText], today: date) -> list[_Found]:
    """The documents that are certain, in order; those that go on over a page's end are one. Behind them what may
    be one more beside them."""
    whole = _joined(pages)
    found: list[_Found] = []
    for page in pages:
        found.extend(_on_page(page, today))
    if len(pages) > 1 and not found and len(pages) <= _MOST_PAGES_OF_ONE_DOCUMENT:
        found.extend(one for one in [_looked_at(whole, today)] if one.certain)
    if len(pages) > 1 and _is_about_boletos(whole, today):
        # One page of a card bill or a manual may look like a boleto by itself.
        found = [one for one in found if one.reading.kind is not DocumentKind.BOLETO]
    certain = _merged([one for one in found if one.certain])[:_MOST_PARTS]
    return [*certain, *(one for one in found if one.is_beside_others)][:_MOST_PARTS]


def _joined(pages: Sequence[PageText]) -> PageText:
    if len(pages) == 1:
        return pages[0]
    first = pages[0] if pages else None
    return PageText(
        number=first.number if first else 1,
        raw="\n".join(page.raw for page in pages),
        words="\n".join(page.words for page in pages),
        lines=tuple(line for page in pages for line in page.lines),
        codes=tuple(code for page in pages for code in page.codes),
        is_ocr=any(page.is_ocr for page in pages),
        confidence=min((page.confidence for page in pages), default=1.0),
        again=tuple(line for page in pages for line in page.again),
        has_unread_mark=any(page.has_unread_mark for page in pages),
    )


def _is_about_boletos(whole: PageText, today: date) -> bool:
    other = next(one for one in _readings(whole, today) if one.kind is DocumentKind.OTHER)
    return other.certain and other.reasons[0] in WHOLE_FILE_SORTS


def _on_page(page: PageText, today: date) -> list[_Found]:
    parts = [_looked_at(part, today) for part in _split(page)]
    kinds = {one.reading.kind for one in parts if one.certain} - {DocumentKind.OTHER}
    perhaps = [replace(one, is_beside_others=True) for one in parts if _may_be_another(one, kinds)]
    if len(kinds) > 1:
        return [*(one for one in parts if one.certain and one.reading.kind in kinds), *perhaps]
    whole = _looked_at(page, today)
    if not kinds or not perhaps or not any(_papers(page)):
        return [whole]
    # One paper is certain, and beside it lies another that is none of its sides.
    sure = [whole] if whole.reading.kind in kinds else [one for one in parts if one.reading.kind in kinds]
    return [*(one for one in sure if one.certain), *perhaps]


def _may_be_another(one: _Found, kinds: set[DocumentKind]) -> bool:
    """Whether a piece of a picture of several documents may be one more that was not read well enough."""
    another = one.reading.kind not in kinds and one.reading.kind is not DocumentKind.OTHER
    return not one.certain and another and one.reading.score >= _PERHAPS_SCORE


def _looked_at(page: PageText, today: date) -> _Found:
    readings = _readings(page, today)
    certain = certain_kind(page, readings)
    return _Found(
        page=page.number, reading=certain or readings[0], certain=certain is not None, candidates=readings
    )


def _split(page: PageText) -> Iterator[PageText]:
    """The page's text cut where another paper or another kind of document begins; nothing if none ever does."""
    begins: list[tuple[int, DocumentKind]] = []
    for index, line in enumerate(page.lines):
        for kind, pattern in _BEGINNINGS.items():
            if pattern.search(line.words) and (not begins or begins[-1][1] is not kind):
                begins.append((index, kind))
                break
    papers = tuple(_papers(page))
    if len({kind for _, kind in begins}) < 2 and not papers:
        return
    starts = sorted({0, *(index for index, _ in begins[1:]), *papers})
    for start, end in zip(starts, [*starts[1:], len(page.lines)], strict=True):
        lines = page.lines[start:end]
        if len(lines) >= _FEWEST_LINES_OF_A_DOCUMENT:
            yield replace(
                page,
                raw="\n".join(line.raw for line in lines),
                words="\n".join(line.words for line in lines),
                lines=lines,
                # Nobody knows to which piece a code belongs: its own digits tell with the line in the text.
                codes=(),
                again=tuple(line for line in page.again if not _is_line_of_digits(line)),
            )


def _papers(page: PageText) -> Iterator[int]:
    """Where further papers begin that lie beside the first."""
    return (index for index, line in enumerate(page.lines) if line.begins_paper)


def _is_line_of_digits(text: str) -> bool:
    return sum(ch.isdigit() for ch in text) >= _DIGITS_OF_A_LINE


def _merged(found: Sequence[_Found]) -> list[_Found]:
    """Neighbours of one kind are one document, unless they say two different things."""
    merged: list[_Found] = []
    for one in found:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.reading.kind is one.reading.kind
            and not _contradict(last.reading, one.reading)
        ):
            merged[-1] = replace(last, reading=_together(last.reading, one.reading))
        else:
            merged.append(one)
    return merged


_IDENTIFYING = (
    "barcode",
    "pix_end_to_end_id",
    "boleto_line",
    "tax_id",
    "licence_number",
    "status",
    "amount",
    "paid_at",
)


def _contradict(first: KindReading, second: KindReading) -> bool:
    known = {fact.name: fact.value for fact in first.certain_facts}
    return any(
        fact.name in _IDENTIFYING and known.get(fact.name, fact.value) != fact.value
        for fact in second.certain_facts
    )


def _together(first: KindReading, second: KindReading) -> KindReading:
    """The facts of both; where both have one, the certain of them, and of two certain ones that differ none."""
    facts: dict[str, FactReading] = {fact.name: fact for fact in first.facts}
    for fact in second.facts:
        known = facts.get(fact.name)
        if known is None or (fact.certain and not known.certain):
            facts[fact.name] = fact
        elif fact.certain and known.certain and fact.value != known.value:
            facts[fact.name] = replace(known, certain=False)
    reasons = tuple(dict.fromkeys((*first.reasons, *second.reasons)))
    return replace(first, score=max(first.score, second.score), facts=tuple(facts.values()), reasons=reasons)


# --- the reading --------------------------------------------------------------------------------------------


def _empty(digest: str, content: FileContent) -> DocumentReading:
    return DocumentReading(
        digest=digest,
        reader_version=READER_VERSION,
        kind=DocumentKind.UNKNOWN,
        confidence=0.0,
        readability=content.readability,
        pages=content.page_count,
        reasons=content.reasons,
    )


def _one(reading: DocumentReading, found: _Found) -> DocumentReading:
    document = found.reading
    return replace(
        reading,
        kind=document.kind,
        confidence=document.score,
        readability=Readability.READABLE,
        page=found.page if reading.pages > 1 else None,
        reasons=(*reading.reasons, *document.reasons),
        facts=document.certain_facts,
        guesses=document.guesses,
        candidates=_candidates(found.candidates),
    )


def _with_pix(reading: DocumentReading, pages: Sequence[PageText]) -> DocumentReading:
    facts, reasons = pix_beside_boleto(reading.kind, reading.facts, pages)
    return replace(reading, facts=(*reading.facts, *facts), reasons=(*reading.reasons, *reasons))


def _several(reading: DocumentReading, found: Sequence[_Found]) -> DocumentReading:
    parts = tuple(
        DocumentPart(
            kind=one.reading.kind if one.certain else DocumentKind.UNKNOWN,
            confidence=one.reading.score,
            page=one.page,
            facts=one.reading.certain_facts if one.certain else (),
            guesses=one.reading.guesses if one.certain else _all_facts(one.reading),
            reasons=one.reading.reasons,
        )
        for one in found
    )
    return replace(
        reading,
        confidence=min(part.confidence for part in parts),
        readability=Readability.READABLE,
        reasons=(*reading.reasons, "several_documents"),
        parts=parts,
    )


def _all_facts(reading: KindReading) -> tuple[Fact, ...]:
    return (*reading.certain_facts, *reading.guesses)


def _unknown(reading: DocumentReading, pages: Sequence[PageText], filename: str, today: date) -> DocumentReading:
    """Nothing is certain: what it could be, and what could be read of it, for a person."""
    by_name = _named(filename)
    if not any(ch.isalnum() for page in pages for ch in page.words) and not any(page.codes for page in pages):
        if reading.readability is Readability.READABLE:
            reading = replace(reading, readability=Readability.NOT_CHECKED)
        return replace(reading, reasons=reading.reasons or ("no_text_layer",), candidates=by_name)
    best = max((_looked_at(page, today) for page in pages), key=lambda one: one.reading.score)
    guesses = _all_facts(best.reading) if best.reading.score > 0 else ()
    return replace(
        reading,
        confidence=best.reading.score,
        reasons=(*reading.reasons, *best.reading.reasons),
        guesses=tuple(dict.fromkeys(guesses)),
        candidates=_candidates(best.candidates) or by_name,
    )


def _named(filename: str) -> tuple[KindCandidate, ...]:
    kind = kind_by_filename(filename)
    if kind is DocumentKind.UNKNOWN:
        return ()
    return (KindCandidate(kind=kind, score=_BY_NAME, reasons=("filename",)),)


def _candidates(readings: Sequence[KindReading]) -> tuple[KindCandidate, ...]:
    return tuple(
        KindCandidate(kind=one.kind, score=one.score, reasons=one.reasons) for one in readings if one.score > 0
    )
