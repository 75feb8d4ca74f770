"""Which of the known customer's services a request is about: ``(report, kind, services, text) -> report``
(R004-04). Pure.

Only of a known customer: what a stranger claims tells nothing of anybody's services. What the sender wrote as the
service is kept as it is where the list has none of that name.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import EvidenceReport, FieldOrigin, FieldValue

_LONGEST_TEXT = 50_000


def with_service(
    report: EvidenceReport, kind: RequestType, services: tuple[str, ...], text: str
) -> EvidenceReport:
    """The report with the service by the name that the customer's record has, where one is meant."""
    spec = next((one for one in kind.fields if one.services), None)
    if spec is None or not services:
        return report
    stated = next((one for one in report.fields if one.key == spec.key and one.valid), None)
    meant = _meant(services, stated.value if stated is not None else text)
    if meant is None or (stated is not None and stated.value == meant):
        return report
    origin = stated.origin if stated is not None else FieldOrigin.RECORD
    value = FieldValue(key=spec.key, value=meant, origin=origin)
    return replace(report, fields=(*(one for one in report.fields if one.key != spec.key), value))


def _meant(services: tuple[str, ...], said: str) -> str | None:
    """The only service whose name is said; of names inside of each other the longest."""
    words = f" {fold_words(said[:_LONGEST_TEXT])} "
    found = [one for one in services if fold_words(one) and f" {fold_words(one)} " in words]
    longest = [
        one for one in found if not any(one != other and fold_words(one) in fold_words(other) for other in found)
    ]
    return longest[0] if len(longest) == 1 else None
