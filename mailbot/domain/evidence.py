"""What a request needs and what its sender has shown: documents, fields, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class DocumentKind(StrEnum):
    """What a file is. ``UNKNOWN`` unless it is certain; ``IMAGE``-only files stay unknown until read."""

    BOLETO = "boleto"
    PAYMENT_RECEIPT = "payment_receipt"
    DRIVER_LICENCE = "driver_licence"
    OTHER = "other"
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
class DocumentReading:
    """What one file (or one page of it) is and says; made by one version of the reader.

    ``digest`` is the keyed digest that also names the stored file. ``page`` counts from 1, ``None`` is the
    whole file.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A file held against the requirements: which requirement it serves and what it is worth.

    ``requirement`` is ``None`` where it serves none. ``for_a_person`` marks what counts as received but was
    not told by its content (an image): an agent looks at it.
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


class FieldOrigin(StrEnum):
    """Where a field's value was found."""

    LABEL = "label"
    SENTENCE = "sentence"
    SUBJECT = "subject"
    HEADER = "header"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldValue:
    """A field of the request as the sender stated it. ``reason`` says why it is not valid; ``unverified`` marks
    one from a mail for which our server does not vouch although it could."""

    key: str
    value: str
    valid: bool = True
    reason: str = ""
    origin: FieldOrigin = FieldOrigin.LABEL
    unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Two things that should agree and do not."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceReport:
    """All that was shown for a request so far, and what still lacks.

    ``missing`` lists keys of documents and fields in the catalogue's order.
    """

    findings: tuple[Finding, ...] = ()
    fields: tuple[FieldValue, ...] = ()
    missing: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Nothing is missing and nothing contradicts."""
        return not self.missing and not self.mismatches
