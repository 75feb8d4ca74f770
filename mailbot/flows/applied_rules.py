"""What a request type's table of rules says of all that is known of one: ``EvidenceReport -> EvidenceReport``."""

from __future__ import annotations

from datetime import datetime

from mailbot.catalogue.facts.values import FactSources
from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import EvidenceReport
from mailbot.flows.whose_request import WhoseRequest
from mailbot.triage.rules import as_suggestion, facts_of, rule_on, with_ruling


def with_rules_applied(
    report: EvidenceReport,
    kind: RequestType,
    *,
    catalogue: Catalogue,
    requester: str,
    whose: WhoseRequest,
    now: datetime,
    may_answer: bool,
) -> EvidenceReport:
    """The report with its ruling and without what that does without; unless the bot ``may_answer`` by itself an
    answer is a suggestion. ``requester`` is an address. As it is for a type without rules."""
    if not kind.rules:
        return report
    sources = FactSources(
        fields={value.key: value for value in report.fields},
        units=catalogue.units,
        today=catalogue.calendar.local_day(now),
        documents=report.findings,
        requester=requester,
        customer=whose.customer,
        customer_record=whose.record,
        clients=catalogue.clients,
    )
    # Nobody is asked again for what was not understood twice: then it is a person who answers.
    stated = [value.key for value in report.fields if value.valid or value.for_a_person]
    ruling = rule_on(kind, facts_of(kind, sources), stated)
    if ruling is not None and not may_answer:
        ruling = as_suggestion(ruling)
    return with_ruling(kind, report, ruling)
