"""Agents, turns, digests and work to be done, on every database."""

from __future__ import annotations

import threading
from dataclasses import replace

from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.events import Audience
from mailbot.domain.staffing import AgentRecord, AgentState, DigestKind
from mailbot.domain.ticket import Priority, Resolution, Status
from tests.storage.rows import DAY, HOUR, NOW, letter, ticket

ANA = AgentRecord(
    key="ana",
    address="ana@example.com.br",
    name="Ana",
    queues=("sau",),
    state=AgentState.ADDED,
    absent_until=NOW + DAY,
    deputy="bruno",
    away_since=NOW,
    rerouted_at=NOW + HOUR,
)


def test_what_is_said_of_an_agent_is_kept_and_said_anew(storage: SqlStorage) -> None:
    for record in (ANA, replace(ANA, queues=None, absent_until=None, state=AgentState.REVOKED)):
        with storage.write() as work:
            work.roster.keep(record)
        with storage.read() as work:
            assert work.roster.records() == [record]


def test_a_transaction_goes_by_the_roster_that_it_saw_first_and_by_what_it_keeps_itself(
    storage: SqlStorage,
) -> None:
    revoked = replace(ANA, state=AgentState.REVOKED)
    with storage.write() as work:
        assert work.roster.records() == []
        work.roster.keep(ANA)
        assert work.roster.records() == [ANA]
        work.roster.records().clear()
        assert work.roster.records() == [ANA]
        work.roster.keep(revoked)
        assert work.roster.records() == [revoked]


def test_a_turn_passes_to_one_after_the_other_however_many_ask_at_once(storage: SqlStorage) -> None:
    seen: list[str] = []

    def ask(name: str) -> None:
        with storage.write() as work:
            seen.append(work.roster.last_turn("geral"))
            work.roster.note_turn("geral", name)

    threads = [threading.Thread(target=ask, args=(f"agent{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 4
    assert "" in seen


def test_a_digest_is_begun_once(storage: SqlStorage) -> None:
    with storage.write() as work:
        first = [work.roster.begin_digest(DigestKind.AGENT, "a", day, now=NOW) for day in ("d1", "d1", "d2")]
        other = work.roster.begin_digest(DigestKind.MANAGER, "a", "d1", now=NOW)
    assert (first, other) == ([True, False, True], True)


def test_what_a_ticket_promises_is_kept(storage: SqlStorage) -> None:
    kept = ticket(
        "2026-000001", priority_asked=Priority.HIGH, due_left_seconds=3600, warned_for=NOW, late_for=NOW + HOUR
    )
    with storage.write() as work:
        work.tickets.add(kept)
    with storage.read() as work:
        assert work.tickets.get("2026-000001") == kept


def test_what_is_due_is_found_until_staff_have_heard_that_it_is_late(storage: SqlStorage) -> None:
    due = NOW + HOUR
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001", due_at=due))
        work.tickets.add(ticket("2026-000002", due_at=due, late_for=due))
        work.tickets.add(ticket("2026-000003", due_at=due, late_for=NOW))
        work.tickets.add(ticket("2026-000004", due_at=due, status=Status.RESOLVED))
        work.tickets.add(ticket("2026-000005", due_at=NOW + DAY))
        work.tickets.add(ticket("2026-000006"))
    with storage.read() as work:
        assert [one.number for one in work.workload.due_before(due)] == ["2026-000001", "2026-000003"]
        assert [one.number for one in work.workload.late(due)] == ["2026-000001", "2026-000002", "2026-000003"]


def test_a_week_is_counted_by_queue(storage: SqlStorage) -> None:
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001", status=Status.RESOLVED, resolved_at=NOW + 3 * HOUR, rating=4))
        closed = {"status": Status.CLOSED, "resolution": Resolution.EXPIRED}
        work.tickets.add(ticket("2026-000002", resolved_at=NOW + 5 * HOUR, **closed))
        work.tickets.add(ticket("2026-000003", due_at=NOW))
        work.tickets.add(ticket("2026-000004", queue="sau", opened_at=NOW - 30 * DAY))
    with storage.read() as work:
        geral, sau = work.workload.counts(since=NOW - DAY, until=NOW + DAY)
    assert (geral.queue, geral.opened, geral.ended, geral.still_open, geral.late) == ("geral", 3, 2, 1, 1)
    assert (geral.expired, sau.expired) == (1, 0), "R000-12"
    assert (geral.hours_to_end, geral.ratings, geral.rating) == (4.0, 1, 4.0)
    assert (sau.opened, sau.ended, sau.still_open, sau.hours_to_end) == (0, 0, 1, None)


def test_only_the_handles_of_who_is_shut_out_end(storage: SqlStorage) -> None:
    theirs = letter(recipient=replace(letter().recipient, address="ana@example.com.br"), audience=Audience.STAFF)
    others = letter(recipient=replace(letter().recipient, address="bruno@example.com.br"), audience=Audience.STAFF)
    with storage.write() as work:
        for one in (theirs, others):
            work.outbox.add(one, handle_expires_at=None)
        assert work.workload.shut_out("ana@example.com.br", now=NOW) == 1
        assert work.workload.shut_out("ana@example.com.br", now=NOW) == 0
