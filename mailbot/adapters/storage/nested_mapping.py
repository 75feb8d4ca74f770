"""Values that are kept as JSON within a row: facts, fields, findings, readings, whose a ticket is.

Unknown keys in stored JSON are ignored, absent ones take defaults.
"""

from __future__ import annotations

from typing import Any

from mailbot.adapters.storage.file_mapping import without_nul
from mailbot.domain.evidence import (
    DocumentKind,
    DocumentPart,
    DocumentReading,
    Fact,
    FieldOrigin,
    FieldValue,
    Finding,
    KindCandidate,
    Mismatch,
    Readability,
    Remark,
    Verdict,
)
from mailbot.domain.identification import NOT_IDENTIFIED, ClueKind, CustomerClue, IdentityState, TicketCustomer
from mailbot.domain.traces import Trace

Json = dict[str, Any]


def fact_to_json(fact: Fact) -> Json:
    return {"name": fact.name, "value": without_nul(fact.value)}


def fact_from_json(data: Json) -> Fact:
    return Fact(name=data["name"], value=data["value"])


def field_to_json(value: FieldValue) -> Json:
    return {
        "key": value.key,
        "value": without_nul(value.value),
        "valid": value.valid,
        "reason": value.reason,
        "origin": value.origin.value,
        "unverified": value.unverified,
        "misunderstood": value.misunderstood,
        "earlier": without_nul(value.earlier),
    }


def field_from_json(data: Json) -> FieldValue:
    return FieldValue(
        key=data["key"],
        value=data["value"],
        valid=data["valid"],
        reason=data["reason"],
        origin=FieldOrigin(data["origin"]),
        unverified=data.get("unverified", False),
        misunderstood=data.get("misunderstood", 0),
        earlier=data.get("earlier", ""),
    )


def finding_to_json(finding: Finding) -> Json:
    return {
        "digest": finding.digest,
        "sha256": finding.sha256,
        "filename": without_nul(finding.filename),
        "media_type": finding.media_type,
        "size_bytes": finding.size_bytes,
        "kind": finding.kind.value,
        "confidence": finding.confidence,
        "verdict": finding.verdict.value,
        "requirement": finding.requirement,
        "page": finding.page,
        "reasons": list(finding.reasons),
        "facts": [fact_to_json(fact) for fact in finding.facts],
        "for_a_person": finding.for_a_person,
        "guesses": [fact_to_json(fact) for fact in finding.guesses],
        "remarks": [[remark.fact, remark.reason, remark.value] for remark in finding.remarks],
        "traces": [[trace.fact, trace.digest] for trace in finding.traces],
    }


def finding_from_json(data: Json) -> Finding:
    return Finding(
        digest=data["digest"],
        sha256=data["sha256"],
        filename=data["filename"],
        media_type=data["media_type"],
        size_bytes=data["size_bytes"],
        kind=DocumentKind(data["kind"]),
        confidence=data["confidence"],
        verdict=Verdict(data["verdict"]),
        requirement=data["requirement"],
        page=data["page"],
        reasons=tuple(data["reasons"]),
        facts=tuple(fact_from_json(fact) for fact in data["facts"]),
        for_a_person=data["for_a_person"],
        guesses=tuple(fact_from_json(fact) for fact in data.get("guesses", ())),
        # Before tickets were held against each other a remark had no value.
        remarks=tuple(
            Remark(fact=fact, reason=reason, value=value[0] if value else "")
            for fact, reason, *value in data.get("remarks", ())
        ),
        traces=tuple(Trace(fact=fact, digest=digest) for fact, digest in data.get("traces", ())),
    )


def mismatch_to_json(mismatch: Mismatch) -> Json:
    return {"key": mismatch.key, "reason": mismatch.reason, "name": without_nul(mismatch.name)}


def mismatch_from_json(data: Json) -> Mismatch:
    return Mismatch(key=data["key"], reason=data["reason"], name=data.get("name", ""))


def reading_to_json(reading: DocumentReading) -> Json:
    return {
        "kind": reading.kind.value,
        "confidence": reading.confidence,
        "readability": reading.readability.value,
        "page": reading.page,
        "pages": reading.pages,
        "facts": [fact_to_json(fact) for fact in reading.facts],
        "reasons": list(reading.reasons),
        "guesses": [fact_to_json(fact) for fact in reading.guesses],
        "parts": [part_to_json(part) for part in reading.parts],
        "candidates": [[one.kind.value, one.score, list(one.reasons)] for one in reading.candidates],
    }


def part_to_json(part: DocumentPart) -> Json:
    return {
        "kind": part.kind.value,
        "confidence": part.confidence,
        "page": part.page,
        "facts": [fact_to_json(fact) for fact in part.facts],
        "guesses": [fact_to_json(fact) for fact in part.guesses],
        "reasons": list(part.reasons),
    }


def part_from_json(data: Json) -> DocumentPart:
    return DocumentPart(
        kind=DocumentKind(data["kind"]),
        confidence=data["confidence"],
        page=data["page"],
        facts=tuple(fact_from_json(fact) for fact in data["facts"]),
        guesses=tuple(fact_from_json(fact) for fact in data["guesses"]),
        reasons=tuple(data["reasons"]),
    )


def reading_from_json(digest: str, reader_version: int, data: Json) -> DocumentReading:
    return DocumentReading(
        digest=digest,
        reader_version=reader_version,
        kind=DocumentKind(data["kind"]),
        confidence=data["confidence"],
        readability=Readability(data["readability"]),
        page=data["page"],
        pages=data["pages"],
        facts=tuple(fact_from_json(fact) for fact in data["facts"]),
        reasons=tuple(data["reasons"]),
        guesses=tuple(fact_from_json(fact) for fact in data.get("guesses", ())),
        parts=tuple(part_from_json(part) for part in data.get("parts", ())),
        candidates=tuple(
            KindCandidate(kind=DocumentKind(kind), score=score, reasons=tuple(reasons))
            for kind, score, reasons in data.get("candidates", ())
        ),
    )


def customer_to_json(customer: TicketCustomer) -> Json | None:
    if customer == NOT_IDENTIFIED:
        return None
    return {
        "state": customer.state.value,
        "customer_id": customer.customer_id,
        "candidates": list(customer.candidates),
        "contract": without_nul(customer.contract),
        "contracts": list(customer.contracts),
        "clues": [[clue.kind.value, without_nul(clue.value)] for clue in customer.clues],
        "asked": customer.asked,
        "of_own_address": customer.of_own_address,
        "by_hand": customer.by_hand,
    }


def customer_from_json(data: Json | None) -> TicketCustomer:
    if data is None:
        return NOT_IDENTIFIED
    return TicketCustomer(
        state=IdentityState(data["state"]),
        customer_id=data["customer_id"],
        candidates=tuple(data["candidates"]),
        contract=data["contract"],
        contracts=tuple(data["contracts"]),
        clues=tuple(CustomerClue(kind=ClueKind(kind), value=value) for kind, value in data["clues"]),
        asked=data["asked"],
        of_own_address=data["of_own_address"],
        by_hand=data["by_hand"],
    )
