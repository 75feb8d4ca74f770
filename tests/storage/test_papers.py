"""Where documents were used, as the database knows it."""

from __future__ import annotations

from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.evidence import DocumentKind, Finding, Verdict
from mailbot.domain.traces import OtherUse, Trace
from tests.storage.rows import ticket


def used(storage: SqlStorage, traces_of: dict[str, list[str]]) -> None:
    """Tickets by number, each with one document that leaves these traces."""
    with storage.write() as work:
        for number, traces in traces_of.items():
            one = ticket(number, documents=(_finding(traces),))
            work.tickets.add(one)
            work.papers.note_uses(one)
            work.papers.note_uses(one)


def _finding(traces: list[str]) -> Finding:
    return Finding(
        digest="d",
        sha256="0" * 64,
        filename="comprovante.pdf",
        media_type="application/pdf",
        size_bytes=10,
        kind=DocumentKind.PAYMENT_RECEIPT,
        confidence=1.0,
        verdict=Verdict.ACCEPTED,
        traces=tuple(Trace(fact="", digest=one) for one in traces),
    )


def found(storage: SqlStorage, traces: list[str], *but: str) -> list[OtherUse]:
    with storage.read() as work:
        return work.papers.other_uses(traces, but=but)


def test_a_trace_is_found_on_all_tickets_but_those_that_do_not_count_newest_first(storage: SqlStorage) -> None:
    used(storage, {"2026-000001": ["a", "b"], "2026-000002": ["b"], "2026-000003": ["c"]})
    first, second = (OtherUse(digest="b", ticket_number=f"2026-00000{n}") for n in (1, 2))
    assert found(storage, ["b"]) == [second, first]
    assert found(storage, ["b"], "2026-000002") == [first]
    assert found(storage, ["b"], "2026-000001", "2026-000002") == []
    assert found(storage, ["x"]) == []
    assert found(storage, []) == []


def test_several_traces_are_asked_for_at_once_be_one_named_twice_or_not(storage: SqlStorage) -> None:
    used(storage, {"2026-000001": ["a"], "2026-000002": ["b"], "2026-000003": ["c"]})
    both = [
        OtherUse(digest="b", ticket_number="2026-000002"),
        OtherUse(digest="a", ticket_number="2026-000001"),
    ]
    assert found(storage, ["a", "b"]) == both
    assert found(storage, ["b", "a", "a"]) == both
    assert found(storage, ["a", "b", "x"], "2026-000002") == both[1:]


def test_of_what_is_used_everywhere_the_newest_200_are_told(storage: SqlStorage) -> None:
    numbers = [f"2026-{number:06d}" for number in range(1, 206)]
    used(storage, {number: ["logo"] for number in numbers})
    assert [one.ticket_number for one in found(storage, ["logo"])] == numbers[:4:-1]
    assert [one.ticket_number for one in found(storage, ["logo"], numbers[-1])] == numbers[-2:3:-1]
