"""Documents of a ticket held against all other tickets: ``(EvidenceReport, ticket) -> EvidenceReport``.

What is found is a remark for agents (``evidence/uses.py``). The tickets that this one follows up do not count: it
began with what they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.ticket import Ticket
from mailbot.domain.traces import OtherUse
from mailbot.evidence.uses import Keyed, new_traces, remarked, traced

_MOST_EARLIER_TICKETS = 10


class PastUses(Protocol):
    """What was used where."""

    def ticket(self, number: str) -> Ticket | None:
        """A ticket."""
        ...

    def other_uses(self, traces: Sequence[str], *, but: Sequence[str]) -> list[OtherUse]:
        """The tickets, but for these numbers, in which any of the traces was left."""
        ...


def with_other_uses(
    report: EvidenceReport, ticket: Ticket | None, known: PastUses, keyed: Keyed, *, anew: bool = False
) -> EvidenceReport:
    """``report`` with traces, and with remarks on what is new in it; ``ticket`` is as it stood before. ``anew``:
    all was read again, so that what was held may leave other traces now."""
    held = ticket.documents if ticket else ()
    findings = traced(report.findings, held, keyed, anew=anew)
    wanted = new_traces(findings, held)
    if wanted:
        findings = remarked(findings, held, known.other_uses(wanted, but=list(line_of(ticket, known))))
    return replace(report, findings=findings)


def line_of(ticket: Ticket | None, known: PastUses) -> Iterator[str]:
    """The numbers of a ticket and of those before it that it follows up, newest first; none for ``None``."""
    for _ in range(_MOST_EARLIER_TICKETS):
        if ticket is None:
            return
        yield ticket.number
        ticket = known.ticket(ticket.follow_up_of) if ticket.follow_up_of else None
