"""What a request needs and what its sender has shown: documents, fields, verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from mailbot.domain.guidance import Ruling
from mailbot.domain.traces import Trace

_KIND_NAME = re.compile(r"[a-z][a-z0-9_]{2,39}")
_MOST_FURTHER_KINDS = 200


class DocumentKind(StrEnum):
    """What a file is. ``UNKNOWN`` unless it is certain, ``OTHER`` if it is certainly none that anybody asks for.

    The kinds here are those that the program itself names. Any other well-formed name is a kind too, so that a
    module in ``evidence/documents/`` and an entry in the catalogue are all that a new kind takes: equal names
    give the same object.
    """

    BOLETO = "boleto"
    PAYMENT_RECEIPT = "payment_receipt"
    DRIVER_LICENCE = "driver_licence"
    OTHER = "other"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> DocumentKind | None:
        if not isinstance(value, str) or not _KIND_NAME.fullmatch(value):
            return None
        kind = _FURTHER_KINDS.get(value)
        if kind is None and len(_FURTHER_KINDS) < _MOST_FURTHER_KINDS:
            kind = str.__new__(cls, value)
            kind._name_, kind._value_ = value.upper(), value
            _FURTHER_KINDS[value] = kind
        return kind


_FURTHER_KINDS: dict[str, DocumentKind] = {}


class PaymentStatus(StrEnum):
    """What a receipt says of the payment. ``PAID`` only where nothing in it says otherwise (DOMAIN C.4)."""

    PAID = "paid"
    SCHEDULED = "scheduled"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Readability(StrEnum):
    """How far a file could be opened."""

    READABLE = "readable"
    UNREADABLE = "unreadable"
    ENCRYPTED = "encrypted"
    NOT_A_DOCUMENT = "not_a_document"
    NOT_CHECKED = "not_checked"


class Verdict(StrEnum):
    """What a file is worth for the request."""

    ACCEPTED = "accepted"
    MISMATCH = "mismatch"
    SCHEDULED = "scheduled"
    NOT_PAID = "not_paid"
    OTHER_DOCUMENT = "other_document"
    UNREADABLE = "unreadable"
    ENCRYPTED = "encrypted"
    NOT_CHECKED = "not_checked"
    REFUSED_TYPE = "refused_type"
    REFUSED_SIZE = "refused_size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that a document says: money as ``"108.00"``, dates in ISO 8601, absent facts left out."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPart:
    """One of several documents in a file: certainly of ``kind``, beginning on ``page`` (from 1).

    ``guesses`` are facts that were read but are not certain: for a person's eyes, never for a decision.
    """

    kind: DocumentKind
    confidence: float
    page: int
    facts: tuple[Fact, ...] = ()
    guesses: tuple[Fact, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCandidate:
    """What a file could be, with how much speaks for it (0 to 1)."""

    kind: DocumentKind
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReading:
    """What one file is and says; made by one version of the reader.

    ``digest`` is the keyed digest that also names the stored file. ``page`` counts from 1, ``None`` is the
    whole file. ``facts`` are certain; ``guesses`` were read but are not: for a person's eyes, never for a
    decision. A file of several documents is of no kind by itself and has them as ``parts``, one that may be a
    further one as ``UNKNOWN``. ``candidates`` are the kinds that it could be, best first.
    """

    digest: str
    reader_version: int
    kind: DocumentKind
    confidence: float
    readability: Readability
    page: int | None = None
    pages: int = 0
    facts: tuple[Fact, ...] = ()
    reasons: tuple[str, ...] = ()
    guesses: tuple[Fact, ...] = ()
    parts: tuple[DocumentPart, ...] = ()
    candidates: tuple[KindCandidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What an agent should look at in a document: the fact that it is about (``""``: the file itself) and a code
    that says what; ``value`` is a name or number for its sentence."""

    fact: str
    reason: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A file held against the requirements: which requirement it serves and what it is worth.

    ``requirement`` is ``None`` where it serves none. ``for_a_person`` marks what counts as received but was
    not told by its content (an image): an agent looks at it. ``guesses`` as in :class:`DocumentReading`;
    ``remarks`` are for agents and refuse nothing. By its ``traces`` a document is known again elsewhere.
    """

    digest: str
    sha256: str
    filename: str
    media_type: str
    size_bytes: int
    kind: DocumentKind
    confidence: float
    verdict: Verdict
    requirement: str | None = None
    page: int | None = None
    reasons: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    for_a_person: bool = False
    guesses: tuple[Fact, ...] = ()
    remarks: tuple[Remark, ...] = ()
    traces: tuple[Trace, ...] = ()

    def fact(self, name: str) -> str | None:
        """The certain fact ``name``, ``None`` if there is none."""
        return next((fact.value for fact in self.facts if fact.name == name), None)


class FieldOrigin(StrEnum):
    """Where a field's value was found."""

    LABEL = "label"
    SENTENCE = "sentence"
    SUBJECT = "subject"
    HEADER = "header"
    RECORD = "record"
    AGENT = "agent"
    DEFAULT = "default"
    CONSTANT = "constant"


MOST_MISUNDERSTANDINGS = 2
"""How often a sender is misunderstood before a person reads it: the question is put once more, then no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldValue:
    """A field of the request as the sender stated it. ``reason`` says why it is not valid, as ``code`` or
    ``code:detail``; ``unverified`` marks one from a mail for which our server does not vouch although it could.
    ``misunderstood`` counts the mails since the last valid value in which it was stated and not understood;
    ``earlier`` is what an earlier mail said instead."""

    key: str
    value: str
    valid: bool = True
    reason: str = ""
    origin: FieldOrigin = FieldOrigin.LABEL
    unverified: bool = False
    misunderstood: int = 0
    earlier: str = ""

    @property
    def for_a_person(self) -> bool:
        """Not understood so often that nobody is asked again: a person reads what was written."""
        return not self.valid and self.misunderstood >= MOST_MISUNDERSTANDINGS


def contradictions(old: tuple[FieldValue, ...], new: tuple[FieldValue, ...]) -> tuple[FieldValue, ...]:
    """The fields of ``new`` for which an earlier mail, as ``old`` has it, said something else."""
    before = {value.key: value.value for value in old}
    return tuple(value for value in new if value.earlier and before.get(value.key) == value.earlier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Two things that should agree and do not. ``name`` is whose document is wanted, where that is known."""

    key: str
    reason: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceReport:
    """All that was shown for a request so far, and what still lacks.

    ``missing`` lists keys of documents and fields in the catalogue's order. ``ruling`` is what the type's table
    of rules says of it all, and has its part in what is missing.
    """

    findings: tuple[Finding, ...] = ()
    fields: tuple[FieldValue, ...] = ()
    missing: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = field(default=())
    ruling: Ruling | None = None

    @property
    def complete(self) -> bool:
        """Nothing is missing and nothing contradicts."""
        return not self.missing and not self.mismatches


def valid_values(fields: Iterable[FieldValue]) -> dict[str, str]:
    """The values that hold, by field."""
    return {value.key: value.value for value in fields if value.valid}
