"""Tickets: numbers, versions, time zones."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from structlog.testing import capture_logs

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.mapping import folded
from mailbot.adapters.storage.ticket_store import TicketStore
from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.errors import ConcurrentChange
from mailbot.domain.events import AuthorRole, EventKind, TicketEvent, TicketMessage, Visibility
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Priority, Status
from tests.storage.rows import DAY, NOW, ticket


class Misfortune(Exception):
    """Made for a test."""


def number(storage: SqlStorage, year: int = 2026) -> str:
    with storage.write() as work:
        return work.tickets.next_number(year)


def test_numbers_count_within_the_year(storage: SqlStorage) -> None:
    assert [number(storage), number(storage), number(storage, 2027), number(storage)] == [
        "2026-000001", "2026-000002", "2027-000001", "2026-000003",
    ]  # fmt: skip


def test_work_that_is_rolled_back_leaves_no_gap(storage: SqlStorage) -> None:
    number(storage)
    with pytest.raises(Misfortune), storage.write() as work:
        work.tickets.add(ticket(work.tickets.next_number(2026)))
        raise Misfortune
    assert number(storage) == "2026-000002"
    with storage.read() as work:
        assert work.tickets.get("2026-000002") is None


def test_two_changes_of_one_version_meet(storage: SqlStorage) -> None:
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001"))
    with storage.read() as work:
        mine = theirs = work.tickets.get("2026-000001")
    assert mine is not None
    assert theirs is not None
    with storage.write() as work:
        changed = work.tickets.change(replace(mine, status=Status.ON_HOLD), expected_version=mine.version)
    assert changed.version == mine.version + 1
    with pytest.raises(ConcurrentChange), storage.write() as work:
        work.tickets.add_message("2026-000001", message("too late"))
        work.tickets.change(replace(theirs, status=Status.RESOLVED), expected_version=theirs.version)
    with storage.read() as work:
        assert work.tickets.get("2026-000001") == changed
        assert work.tickets.message_count("2026-000001") == 0


def test_a_ticket_comes_back_as_it_was_written(storage: SqlStorage) -> None:
    written = ticket("2026-000001", resolved_at=NOW, due_at=NOW + DAY, missing=("boleto",), priority=Priority.HIGH)
    with storage.write() as work:
        work.tickets.add(written)
        assert work.tickets.get("2026-000001") == written


def test_times_are_utc_whatever_zone_they_came_in(storage: SqlStorage) -> None:
    in_brazil = NOW.astimezone(timezone(timedelta(hours=-3)))
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001", opened_at=in_brazil))
        back = work.tickets.get("2026-000001")
    assert back is not None
    assert back.opened_at == NOW
    assert back.opened_at.utcoffset() == timedelta()
    assert back.opened_at.isoformat() == NOW.isoformat()


def test_a_naive_time_is_refused(storage: SqlStorage) -> None:
    naive = datetime(2026, 11, 20, 12)  # noqa: DTZ001
    with pytest.raises(Exception, match="without time zone"), storage.write() as work:
        work.tickets.add(ticket("2026-000001", opened_at=naive))
    with storage.read() as work:
        assert work.tickets.get("2026-000001") is None


def test_nul_and_long_text_and_broken_surrogates_are_stored(storage: SqlStorage) -> None:
    hostile = "a\x00b" + "é" * 1_000_000 + "\udcff"
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001", subject=hostile, title=hostile))
        work.tickets.add_message("2026-000001", message(hostile))
        work.tickets.add_events(
            "2026-000001",
            [TicketEvent(at=NOW, actor=hostile, kind=EventKind.OPENED, new=hostile, detail=hostile)],
        )
    with storage.read() as work:
        [back] = work.tickets.messages("2026-000001")
        assert back.text == "ab" + "é" * 1_000_000 + "?"
        assert len(work.tickets.events("2026-000001")) == 1
        assert work.tickets.browse(words=hostile[:10]) != []


def test_messages_and_events_keep_their_order(storage: SqlStorage) -> None:
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001"))
        for text in "abcde":
            work.tickets.add_message("2026-000001", message(text))
        work.tickets.add_events(
            "2026-000001", [TicketEvent(at=NOW, actor="bot", kind=EventKind.REMINDED, new=text) for text in "12"]
        )
    with storage.read() as work:
        assert "".join(one.text for one in work.tickets.messages("2026-000001")) == "abcde"
        assert "".join(one.text for one in work.tickets.last_messages("2026-000001", 2)) == "de"
        assert "".join(one.new for one in work.tickets.events("2026-000001")) == "12"


def test_open_requests_are_those_that_wait_in_the_same_mailbox(storage: SqlStorage) -> None:
    waits = {"status": Status.AWAITING_REQUESTER, "asked_at": NOW}
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001", missing=("boleto",), **waits))
        work.tickets.add(ticket("2026-000002"))
        work.tickets.add(ticket("2026-000003", mailbox="other", **waits))
        work.tickets.add(ticket("2026-000004", requester=Address(address="joao@example.com.br"), **waits))
    with storage.read() as work:
        [found] = work.tickets.open_requests("maria@example.com.br", "default")
        assert (found.ticket_number, found.missing) == ("2026-000001", ("boleto",))
        assert [one.number for one in work.tickets.waiting_since(NOW)] == [
            "2026-000001", "2026-000003", "2026-000004",
        ]  # fmt: skip
        assert work.tickets.waiting_since(NOW - DAY) == []


def test_tickets_of_the_same_moment_come_by_number_whichever_was_changed_last(storage: SqlStorage) -> None:
    numbers = [f"2026-00000{number}" for number in range(1, 4)]
    with storage.write() as work:
        for number in numbers:
            work.tickets.add(ticket(number))
    for status, look in (
        (Status.AWAITING_REQUESTER, TicketStore.waiting_since),
        (Status.ON_HOLD, TicketStore.sector_silent_since),
        (Status.RESOLVED, TicketStore.resolved_before),
    ):
        # PostgreSQL writes a changed row behind the others.
        for number in reversed(numbers):
            with storage.write() as work:
                before = work.tickets.get(number)
                assert before is not None
                after = replace(before, status=status, asked_at=NOW, sector_asked_at=NOW, resolved_at=NOW)
                work.tickets.change(after, expected_version=before.version)
        with storage.read() as work:
            assert [one.number for one in look(work.tickets, NOW)] == numbers


def test_of_thousands_of_open_requests_the_newest_20_are_looked_at_oldest_first(storage: SqlStorage) -> None:
    numbers = [f"2026-{number:06d}" for number in range(1, 31)]
    with storage.write() as work:
        for number in numbers:
            work.tickets.add(ticket(number, status=Status.AWAITING_REQUESTER, asked_at=NOW))
    with storage.read() as work:
        found = work.tickets.open_requests("maria@example.com.br", "default")
    assert [one.ticket_number for one in found] == numbers[10:]


def test_the_types_in_use_are_those_of_tickets_that_are_not_finished(storage: SqlStorage) -> None:
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001", request_type="a"))
        work.tickets.add(ticket("2026-000002", request_type="a", status=Status.AWAITING_REQUESTER))
        work.tickets.add(ticket("2026-000003", request_type="b", status=Status.RESOLVED))
        work.tickets.add(ticket("2026-000004", request_type="c", status=Status.CLOSED))
    with storage.read() as work:
        assert work.workload.types_in_use() == {"a"}


def message(words: str) -> TicketMessage:
    return TicketMessage(
        at=NOW,
        author=Address(address="maria@example.com.br"),
        role=AuthorRole.REQUESTER,
        visibility=Visibility.PUBLIC,
        text=words,
    )


def test_a_ticket_that_a_newer_version_wrote_stops_no_other(storage: SqlStorage, database: Database) -> None:
    waiting = {"status": Status.AWAITING_REQUESTER, "asked_at": NOW - 2 * DAY}
    with storage.write() as work:
        for name in ("2026-000001", "2026-000002"):
            work.tickets.add(ticket(name, **waiting))
    with database.write() as connection:
        connection.execute(text("UPDATE tickets SET priority = 'at once' WHERE number = '2026-000001'"))
    with storage.read() as work, capture_logs() as logs:
        assert [one.number for one in work.tickets.waiting_since(NOW)] == ["2026-000002"]
        assert [one.number for one in work.tickets.browse()] == ["2026-000002"]
    assert {line["number"] for line in logs} == {"2026-000001"}


@pytest.mark.parametrize(
    ("text_of_ticket", "folded_text"),
    [
        ("Ação da NATÁLIA", "acao da natalia"),
        ("\u0130stanbul Straße ½", "istanbul strasse 1⁄2"),
        ("क\u0300 日本", "क 日本"),
    ],
)
def test_what_tickets_are_searched_by_has_neither_case_nor_accents(text_of_ticket: str, folded_text: str) -> None:
    assert folded(text_of_ticket) == folded_text


@given(st.text())
def test_accents_are_taken_out_as_one_would_character_by_character(said: str) -> None:
    decomposed = unicodedata.normalize("NFKD", said.replace("\x00", ""))
    assert folded(said) == "".join(ch for ch in decomposed if not unicodedata.combining(ch)).casefold()
