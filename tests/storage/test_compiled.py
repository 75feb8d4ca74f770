"""Statements that are asked for every mail: what SQLAlchemy would have done with them, done once."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import DateTime, Integer, bindparam, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from mailbot.adapters.storage.compiled import CompiledStatement, Outcome
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.mapping import inbound_to_row
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.tables import folders, inbound_mails, ticket_numbers
from mailbot.adapters.storage.unit_of_work import SqlStorage, UnitOfWork
from mailbot.domain.errors import StorageUnavailable
from tests.storage.rows import NOW, add_mails, claim_mail, letter, mail, ticket

_MAILS = inbound_mails.c
_ONE_FOLDER: dict[str, Any] = {
    "mailbox": "default",
    "folder": "50% de desconto, é?\x00",
    "uid_validity": 7,
    "first_uid": 1,
    "floor_at": datetime(2026, 11, 20, 12, 0, tzinfo=timezone(timedelta(hours=-3))),
}


def test_values_are_written_and_read_as_their_columns_have_it(database: Database) -> None:
    adds, reads = CompiledStatement(insert(folders)), CompiledStatement(select(folders))
    with database.write() as connection:
        adds.run(connection, _ONE_FOLDER)
        assert reads.row(connection, {}) == {
            **_ONE_FOLDER,
            "folder": "50% de desconto, é?",
            "floor_at": datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
            "newest_received_at": None,
            "last_collect_at": None,
            "suspect_until": None,
        }
        assert dict(connection.execute(select(folders)).mappings().one()) == reads.row(connection, {})


def test_times_stand_in_sqlite_as_sqlalchemys_own_type_writes_them(tmp_path: Path) -> None:
    """What is compared and sorted is text: one that is written otherwise would come before or after its time."""
    moments = [
        datetime(5, 1, 2, tzinfo=UTC),
        datetime(2026, 11, 23, 5, 6, 7, tzinfo=timezone(timedelta(hours=-3))),
    ]
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.read() as connection:
        theirs = DateTime().dialect_impl(connection.dialect).bind_processor(connection.dialect)
        ours = folders.c.floor_at.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    assert theirs is not None
    assert ours is not None
    written = [ours(moment) for moment in moments]
    assert written == [theirs(moment.astimezone(UTC).replace(tzinfo=None)) for moment in moments]
    assert written[1] == "2026-11-23 08:06:07.000000"
    database.close()


def test_columns_that_are_not_given_get_their_defaults(database: Database) -> None:
    values = {
        "mailbox": "default",
        "folder": "INBOX",
        "uid_validity": 7,
        "uid": "1",
        "received_at": NOW,
        "collected_at": NOW,
        "raw_digest": "0",
        "size_bytes": 1,
        "conversation_key": "maria@example.com.br",
    }
    with database.write() as connection:
        added = CompiledStatement(insert(inbound_mails).returning(_MAILS.id)).run(connection, values).scalar_one()
        row = CompiledStatement(select(_MAILS.outcome, _MAILS.answer, _MAILS.released)).row(connection, {})
    assert added == 1
    assert row == {"outcome": "pending", "answer": True, "released": False}


@pytest.mark.parametrize("other", [{"last": 3}, {"year": 2027, "last": 1, "owner": "?"}])
def test_a_row_of_other_columns_than_the_first_is_refused_and_not_cut(
    database: Database, other: dict[str, Any]
) -> None:
    adds = CompiledStatement(insert(ticket_numbers))
    with database.write() as connection:
        adds.run(connection, {"year": 2026, "last": 1})
        with pytest.raises(ValueError, match="not the columns of the first row"):
            adds.run(connection, other)


def test_a_row_that_is_not_there_is_none(database: Database) -> None:
    with database.read() as connection:
        assert CompiledStatement(select(folders)).row(connection, {}) is None


def test_many_rows_are_written_in_order_and_none_are_no_statement(database: Database) -> None:
    adds = CompiledStatement(insert(ticket_numbers))
    with database.write() as connection:
        adds.run_many(connection, [])
        adds.run_many(connection, [{"year": 2025, "last": 3}, {"year": 2026, "last": 1}])
        found = CompiledStatement(select(ticket_numbers).order_by(ticket_numbers.c.year)).rows(connection, {})
    assert found == [{"year": 2025, "last": 3}, {"year": 2026, "last": 1}]


def test_a_value_that_is_given_once_may_stand_in_two_places(database: Database) -> None:
    year = bindparam("this_year", type_=Integer)
    changes = CompiledStatement(update(ticket_numbers).where(ticket_numbers.c.year == year).values(last=year + 1))
    with database.write() as connection:
        CompiledStatement(insert(ticket_numbers)).run(connection, {"year": 2026, "last": 1})
        assert changes.run(connection, {"this_year": 2025}).rowcount == 0
        assert changes.run(connection, {"this_year": 2026}).rowcount == 1
        assert connection.scalar(select(ticket_numbers.c.last)) == 2027


def test_a_missing_value_is_no_null(database: Database) -> None:
    by_year = CompiledStatement(
        select(ticket_numbers.c.last).where(ticket_numbers.c.year == bindparam("this_year"))
    )
    with database.read() as connection:
        with pytest.raises(ValueError, match="no value for this_year"):
            by_year.run(connection, {})
        assert by_year.run(connection, {"this_year": 2026}).scalar() is None
        with pytest.raises(KeyError, match="this_year"):
            by_year.run(connection, {})


def test_a_list_of_parameters_is_refused(database: Database) -> None:
    of_years = CompiledStatement(
        select(ticket_numbers.c.last).where(ticket_numbers.c.year.in_(bindparam("years")))
    )
    with database.read() as connection, pytest.raises(ValueError, match="no lists"):
        of_years.run(connection, {"years": [2026]})


def test_a_naive_moment_is_refused_as_everywhere(database: Database) -> None:
    later = CompiledStatement(select(_MAILS.id).where(_MAILS.received_at > bindparam("since")))
    with database.read() as connection, pytest.raises(ValueError, match="without time zone"):
        later.run(connection, {"since": NOW.replace(tzinfo=None)})


def test_what_is_written_twice_is_refused_as_everywhere(database: Database) -> None:
    adds = CompiledStatement(insert(ticket_numbers))
    with pytest.raises(IntegrityError), database.write() as connection:
        adds.run(connection, {"year": 2026, "last": 1})
        adds.run_many(connection, [{"year": 2025, "last": 1}, {"year": 2026, "last": 2}])
    with database.read() as connection:
        assert CompiledStatement(select(ticket_numbers)).rows(connection, {}) == []


def test_what_comes_back_and_nobody_looks_at_is_written_nevertheless(database: Database) -> None:
    adds = CompiledStatement(insert(ticket_numbers).returning(ticket_numbers.c.last))
    with database.write() as connection:
        assert adds.run(connection, {"year": 2026, "last": 1}).rowcount == 1
    with database.read() as connection:
        assert CompiledStatement(select(ticket_numbers.c.last)).run(connection, {}).scalar_one() == 1


def test_one_value_is_asked_of_one_row() -> None:
    nothing, two = Outcome(rows=(), rowcount=0), Outcome(rows=((1,), (2,)), rowcount=2)
    assert nothing.scalar() is None
    assert two.scalar() == 1
    for outcome in (nothing, two):
        with pytest.raises(ValueError, match="to unpack"):
            outcome.scalar_one()


def test_whoever_listens_to_statements_hears_of_them(database: Database) -> None:
    heard: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        heard.append(statement)

    adds, reads = CompiledStatement(insert(ticket_numbers)), CompiledStatement(select(ticket_numbers.c.last))
    with database.write() as connection:
        adds.run(connection, {"year": 2025, "last": 1})
        event.listen(database.engine, "before_cursor_execute", note)
        adds.run_many(connection, [{"year": 2026, "last": 1}])
        assert len(reads.rows(connection, {})) == 2
        event.remove(database.engine, "before_cursor_execute", note)
        assert len(reads.rows(connection, {})) == 2
    assert [statement.split()[0] for statement in heard] == ["INSERT", "SELECT"]


# --- what SQLite makes of them ---


def test_they_read_at_one_moment_though_others_write_meanwhile(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/mailbot.db")
    upgrade(database)
    adds, reads = CompiledStatement(insert(ticket_numbers)), CompiledStatement(select(ticket_numbers.c.last))
    with database.read() as reading:
        assert reads.rows(reading, {}) == []
        with database.write() as connection:
            adds.run(connection, {"year": 2026, "last": 1})
        assert reads.rows(reading, {}) == []
    with database.read() as reading:
        assert len(reads.rows(reading, {})) == 1
    database.close()


def test_a_full_disk_is_said_in_our_words(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/mailbot.db")
    upgrade(database)
    adds = CompiledStatement(insert(inbound_mails))
    with pytest.raises(StorageUnavailable, match="full"), database.write() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 5}")
        for number in range(50):
            adds.run(connection, inbound_to_row(mail(subject="x" * 10_000, uid=str(number)), NOW))
    database.close()


def _asks_of_every_mail(work: UnitOfWork, name: str) -> None:
    work.mails.seen_before(name, name, mail_id=1)
    work.mails.same_id_other_content(name, name, mail_id=1)
    work.tickets.open_requests(name, name)
    work.outbox.counts(recipient=name, ticket_number=name, now=NOW, cap=9)
    work.tickets.add(ticket(name))
    work.outbox.add(letter(message_id=name, handle=name, ticket_number=name), handle_expires_at=None)


def test_sqlite_plans_no_statement_of_a_mail_anew(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/mailbot.db")
    upgrade(database)
    database.close()
    planned: list[tuple[Any, ...]] = []

    def ask(*what: Any) -> int:
        planned.append(what)
        return sqlite3.SQLITE_OK

    def watch(connection: Any, _record: object) -> None:
        # SQLite asks it whenever it plans a statement, and never else.
        connection.set_authorizer(ask)

    event.listen(database.engine, "connect", watch)
    storage = SqlStorage(database)
    for name in ("first", "second", "third"):
        add_mails(storage, mail(name))
        planned.clear()
        with storage.write() as work:
            _asks_of_every_mail(work, name)
        claim_mail(storage)
    database.close()
    assert [what for what in planned if what[0] == sqlite3.SQLITE_READ] == []
