"""What staff did to a ticket's papers, done again: ``(EvidenceReport, Ticket) -> EvidenceReport``.

A look at a ticket's own mails alone would take back into account what an agent asked for again, and lose what came
with a ticket that was merged into this one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from mailbot.catalogue.limits import Limits
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import EvidenceReport, Finding
from mailbot.domain.ticket import Ticket
from mailbot.evidence.assess import assess


def as_staff_left_them(
    report: EvidenceReport,
    ticket: Ticket,
    kind: RequestType,
    *,
    brought: Collection[str],
    limits: Limits,
    today: date,
) -> EvidenceReport:
    """``brought`` are the digests of the files that came with the ticket's own mails, or with the ticket that it
    follows."""
    of_merged = tuple(one for one in ticket.documents if one.digest not in brought)
    aside = {_key(one) for one in ticket.set_aside} - {_key(one) for one in ticket.documents}
    if not (of_merged or aside):
        return report
    findings = (*(one for one in report.findings if _key(one) not in aside), *of_merged)
    again = assess(kind, held=findings, new_files=(), fields=report.fields, limits=limits, today=today)
    done_without = {*ticket.waived, *(report.ruling.not_needed if report.ruling is not None else ())}
    documents = {str(one.key) for one in kind.documents}
    lacking = tuple(key for key in again.missing if key in documents - done_without)
    return replace(
        report,
        findings=again.findings,
        missing=(*lacking, *(key for key in report.missing if key not in documents)),
        mismatches=(
            *(one for one in again.mismatches if one.key not in ticket.waived),
            *(one for one in report.mismatches if one.key not in documents),
        ),
    )


def _key(finding: Finding) -> tuple[str, int | None]:
    return finding.sha256, finding.page
