"""What documents say, for an agent's eyes: ``findings -> rows``, and side by side what should agree.

A certain fact stands as it is, a guess apart from it, and what does not fit carries a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailbot.correspondence.context import ComparedValue, ComparisonRow, FieldRow
from mailbot.correspondence.words import Phrase, Words, phrase
from mailbot.domain.evidence import DocumentKind, Fact, Finding
from mailbot.domain.traces import USED_ELSEWHERE

# Shown as its digitable line; one is enough.
_NOT_SHOWN = frozenset({"barcode"})
_MONEY = frozenset({"amount", "printed_amount", "pix_amount"})
_DAYS = frozenset({"due_date", "coded_due_date", "paid_at", "birth_date", "valid_until", "issued_on"})
_WORDED = frozenset({"status", "form", "kind"})
_LINES = frozenset({"digitable_line", "boleto_line"})

# What should be the same in the boleto, the receipt and the licence; nothing where a document does not say it.
_COMPARED = (
    ("amount", "amount", "amount", None),
    ("digitable_line", "digitable_line", "boleto_line", None),
    ("person", "payer_name", "payer_name", "holder_name"),
    ("person_tax_id", "payer_tax_id", None, "tax_id"),
    ("payee", "beneficiary_name", "payee_name", None),
    ("payee_tax_id", "beneficiary_tax_id", "payee_tax_id", None),
)
_KINDS = (DocumentKind.BOLETO, DocumentKind.PAYMENT_RECEIPT, DocumentKind.DRIVER_LICENCE)


def fact_rows(finding: Finding, words: Words) -> tuple[FieldRow, ...]:
    """The certain facts of a document, each with what to look at."""
    notes = {
        remark.fact: phrase(f"remark.{remark.reason}")
        for remark in finding.remarks
        if remark.reason != USED_ELSEWHERE
    }
    rows = [
        FieldRow(label=fact.name, value=worded(fact, words), note=notes.pop(fact.name, None))
        for fact in finding.facts
        if fact.name not in _NOT_SHOWN
    ]
    # A remark on what is not certain, or not there, is said all the same.
    rows += [FieldRow(label=name, value="", note=note) for name, note in notes.items()]
    return tuple(rows)


def file_notes(finding: Finding) -> tuple[Phrase, ...]:
    """What is to be known of the document beside what it says: where else it was used."""
    return tuple(
        Phrase(
            code=f"remark.{USED_ELSEWHERE}.{remark.fact}",
            otherwise=f"remark.{USED_ELSEWHERE}",
            values=(("tickets", remark.value),),
        )
        for remark in finding.remarks
        if remark.reason == USED_ELSEWHERE
    )


def guess_rows(finding: Finding, words: Words) -> tuple[FieldRow, ...]:
    """What was read and is not certain."""
    return tuple(
        FieldRow(label=fact.name, value=worded(fact, words))
        for fact in finding.guesses
        if fact.name not in _NOT_SHOWN
    )


def comparison(findings: Sequence[Finding], words: Words) -> tuple[ComparisonRow, ...]:
    """What at least two documents say of the same thing, side by side."""
    told = [finding for finding in findings if finding.kind in _KINDS]
    return tuple(row for names in _COMPARED if (row := _row(names, told, words)) is not None)


def _row(
    names: tuple[str, str | None, str | None, str | None], findings: Sequence[Finding], words: Words
) -> ComparisonRow | None:
    label, *facts = names
    by_kind = dict(zip(_KINDS, facts, strict=True))
    values = tuple(_values(by_kind, findings, words))
    if len({value.document for value in values}) < 2:
        return None
    differs = any(
        remark.fact in facts and remark.reason != USED_ELSEWHERE
        for finding in findings
        for remark in finding.remarks
    )
    return ComparisonRow(label=label, values=values, differs=differs)


def _values(
    by_kind: dict[DocumentKind, str | None], findings: Sequence[Finding], words: Words
) -> Iterator[ComparedValue]:
    for finding in findings:
        name = by_kind[finding.kind]
        value = finding.fact(name) if name else None
        if name and value:
            yield ComparedValue(document=finding.kind, value=worded(Fact(name=name, value=value), words))


def worded(fact: Fact, words: Words) -> str:
    """A fact's value as people write it: *R$ 108,00*, *24/11/2026*, *529.982.247-25*."""
    if fact.name in _MONEY:
        return _money(fact.value, words)
    if fact.name in _DAYS:
        return _day(fact.value)
    if fact.name.endswith("tax_id"):
        return _tax_id(fact.value)
    if fact.name in _LINES:
        return _line(fact.value)
    return words.say(phrase(f"value.{fact.value}")) if fact.name in _WORDED else fact.value


def _money(value: str, words: Words) -> str:
    whole, _, cents = value.partition(".")
    grouped = f"{int(whole):,}".replace(",", ".") if whole.isdigit() else whole
    return f"R$ {grouped}{words.phrases.get('decimal_mark', '.')}{cents}"


def _day(value: str) -> str:
    day, _, time = value.partition("T")
    return f"{'/'.join(reversed(day.split('-')))}{f' {time[:5]}' if time else ''}"


def _tax_id(value: str) -> str:
    if len(value) == 11 and value.isdigit():
        return f"{value[:3]}.{value[3:6]}.{value[6:9]}-{value[9:]}"
    if len(value) == 14 and value.isalnum():
        return f"{value[:2]}.{value[2:5]}.{value[5:8]}/{value[8:12]}-{value[12:]}"
    return value


def _line(value: str) -> str:
    """As boletos print it: fields apart by blanks, so that it wraps on a small screen."""
    if len(value) == 47:
        return (
            f"{value[:5]}.{value[5:10]} {value[10:15]}.{value[15:21]} {value[21:26]}.{value[26:32]} "
            f"{value[32]} {value[33:]}"
        )
    return " ".join(value[start : start + 12] for start in range(0, len(value), 12))
