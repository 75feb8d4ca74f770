"""One document used in two tickets: ``findings → findings with traces``, and a remark where a trace is known.

The same file, the same boleto line, the same Pix or the same authentication. It refuses nothing, and nobody but
agents hears of it: there are good reasons (a request made twice, one licence for two requests) and bad ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mailbot.domain.evidence import DocumentKind, Finding, Remark
from mailbot.domain.traces import PICTURE_TRACES, USED_ELSEWHERE, OtherUse, Trace

_MOST_TICKETS_NAMED = 3
_LINES = ("digitable_line", "boleto_line")
_PAYMENTS = ("pix_end_to_end_id", "authentication")
# Lottery shops and terminals print short ones, which come again.
_FEWEST_CHARACTERS = 12

Keyed = Callable[[bytes], str]
"""A keyed digest."""


def traced(
    findings: Sequence[Finding], held: Sequence[Finding], keyed: Keyed, *, anew: bool = False
) -> tuple[Finding, ...]:
    """The findings with their traces. Those that were ``held`` before keep theirs (unless all is looked at
    ``anew``), and what was remarked then, so that nothing changes on a ticket because something happened on
    another."""
    before = {_key(finding): finding for finding in held}
    return tuple(_traced(finding, before.get(_key(finding)), keyed, anew=anew) for finding in findings)


def new_traces(findings: Sequence[Finding], held: Sequence[Finding]) -> tuple[str, ...]:
    """The digests by which the fresh ones among ``findings`` are looked for elsewhere."""
    known = {_key(finding) for finding in held}
    fresh = (one for one in findings if _key(one) not in known)
    return tuple(trace.digest for one in fresh for trace in one.traces if trace.fact not in PICTURE_TRACES)


def remarked(
    findings: Sequence[Finding], held: Sequence[Finding], uses: Sequence[OtherUse]
) -> tuple[Finding, ...]:
    """The findings, the fresh ones with a remark for each trace that was left on another ticket."""
    known = {_key(finding) for finding in held}
    return tuple(one if _key(one) in known else _remarked(one, uses) for one in findings)


def _key(finding: Finding) -> tuple[str, int | None, str, bool]:
    """What serves nothing is no use of it: once it serves something it counts as fresh."""
    return finding.sha256, finding.page, finding.filename, finding.requirement is not None


def _traced(finding: Finding, before: Finding | None, keyed: Keyed, *, anew: bool) -> Finding:
    # How a picture came is not seen from here: that was noted with the mail.
    came = tuple(trace for trace in finding.traces if trace.fact in PICTURE_TRACES)
    traces = before.traces if before is not None and not anew else (*_traces(finding, keyed), *came)
    if before is None:
        return replace(finding, traces=traces)
    kept = tuple(remark for remark in before.remarks if remark.reason == USED_ELSEWHERE)
    others = tuple(remark for remark in finding.remarks if remark.reason != USED_ELSEWHERE)
    return replace(finding, traces=traces, remarks=(*others, *kept))


def _traces(finding: Finding, keyed: Keyed) -> Iterator[Trace]:
    if finding.requirement is None or not finding.size_bytes:
        return
    yield Trace(fact="", digest=keyed(b"file " + finding.sha256.encode("ascii")))
    for fact in finding.facts:
        value = "".join(character for character in fact.value.upper() if character.isalnum())
        if fact.name in (*_LINES, *_PAYMENTS) and len(value) >= _FEWEST_CHARACTERS:
            what = "line" if fact.name in _LINES else fact.name
            yield Trace(fact=fact.name, digest=keyed(f"{what} {value}".encode()))


_OF_A_PAYMENT = frozenset({DocumentKind.BOLETO, DocumentKind.PAYMENT_RECEIPT})


def same_payment_on(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Numbers of the other tickets in which the boleto or the payment of one of these was seen. Somebody's licence
    goes with all their requests, and tells nothing."""
    remarks = (
        remark
        for finding in findings
        for remark in finding.remarks
        if remark.reason == USED_ELSEWHERE and (remark.fact or finding.kind in _OF_A_PAYMENT)
    )
    return tuple(dict.fromkeys(number for remark in remarks for number in remark.value.split(", ")))


def _remarked(finding: Finding, uses: Sequence[OtherUse]) -> Finding:
    noted, told = [], set[str]()
    for trace in finding.traces:
        if trace.fact in PICTURE_TRACES:
            continue
        numbers = sorted({use.ticket_number for use in uses if use.digest == trace.digest} - told)
        # What the file itself says is not said of each number in it again.
        told.update(numbers)
        if numbers:
            named = ", ".join(numbers[-_MOST_TICKETS_NAMED:])
            noted.append(Remark(fact=trace.fact, reason=USED_ELSEWHERE, value=named))
    return replace(finding, remarks=(*finding.remarks, *noted)) if noted else finding
