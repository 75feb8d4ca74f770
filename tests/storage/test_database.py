"""The database itself: migrations, plans, several writers, errors in the house's words."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, inspect, text

from mailbot.adapters.storage import migrate
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.events import LetterKind, LetterStatus
from mailbot.domain.ledger import MailOutcome, MailResult
from mailbot.domain.outbox import LetterResult
from tests.storage.rows import NOW, add_letters, add_mails, claim_letter, claim_mail, letter, mail, ticket

# --- migrations ------------------------------------------------------------------------------------------------


def tables_of(database: Database) -> set[str]:
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


def test_migrations_go_up_and_down_and_up_again(url: str) -> None:
    from alembic import command

    database = Database(url)
    assert migrate.current_revision(database) is None
    assert migrate.upgrade(database)
    assert not migrate.upgrade(database)
    newest = tables_of(database)
    with database.write() as connection:
        command.downgrade(migrate._config(connection), "base")
    assert tables_of(database) == {"alembic_version"}
    assert migrate.upgrade(database)
    assert tables_of(database) == newest
    assert migrate.current_revision(database) == migrate.NEWEST_REVISION
    database.close()


def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    from alembic import command

    with database.write() as connection:
        command.check(migrate._config(connection))


def test_a_migration_that_breaks_off_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.ddl.impl import DefaultImpl
    from alembic.ddl.postgresql import PostgresqlImpl

    def breaks(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("broken off")

    database = Database(url)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="broken off"):
        patch.setattr(DefaultImpl, "create_index", breaks)
        patch.setattr(PostgresqlImpl, "create_index", breaks)
        migrate.upgrade(database)
    assert tables_of(database) == set()
    assert migrate.upgrade(database)
    database.close()


# --- plans -----------------------------------------------------------------------------------------------------


def filled(storage: SqlStorage) -> None:
    """Rows of every state, most of them long done with, as after years of work."""
    for _ in range(4):
        add_mails(storage, *(mail(f"p{n}@example.com.br") for n in range(250)))
    with storage.write() as work:
        for n in range(1, 301):
            work.tickets.add(ticket(f"2026-{n:06d}"))
        for _ in range(950):
            one = work.mails.claim(owner="me", mailboxes=["default"], now=NOW, real_now=NOW)
            assert one is not None
            work.mails.finish(one, MailResult(outcome=MailOutcome.TICKET, identity=f"i{one.id}"), now=NOW)
    add_letters(storage, *(letter(ticket_number=f"2026-{n % 300 + 1:06d}") for n in range(1000)))
    with storage.write() as work:
        for _ in range(950):
            sent = work.outbox.claim(owner="me", now=NOW, real_now=NOW, early=False)
            assert sent is not None
            work.outbox.record(sent, LetterResult(status=LetterStatus.SENT, sent_at=NOW), owner="me")


def test_no_table_is_scanned_for_a_mail_a_letter_or_a_tick(database: Database, storage: SqlStorage) -> None:
    filled(storage)
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:
        if not many and statement.lstrip()[:6].upper() in ("SELECT", "UPDATE", "DELETE"):
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with storage.write() as work:
        # Collect.
        work.mails.known_uids("default", "INBOX", 7, ["1", "2"])
        work.mails.add([mail("p1@example.com.br"), mail("new@example.com.br")], now=NOW)
        work.house.folder("default", "INBOX")
        # Claim, finish, give back.
        one = work.mails.claim(owner="me", mailboxes=["default"], now=NOW, real_now=NOW)
        assert one is not None
        work.mails.seen_before("x@y", "i", mail_id=one.id)
        work.mails.same_id_other_content("x@y", "i", mail_id=one.id)
        work.mails.finish(one, MailResult(outcome=MailOutcome.TICKET), now=NOW)
        work.mails.renew("me", real_now=NOW, begun_after=NOW)
        work.mails.release("me", real_now=NOW)
        work.mails.owners()
        work.mails.untold_quarantines()
        work.mails.suspects_pending(["default"])
        work.mails.oldest_pending()
        # Thread.
        work.outbox.handles(["h1", "h2"], now=NOW)
        work.outbox.message_ids(["mb.1@example.com.br", "x@y"])
        work.tickets.tickets_with_message_ids(["x@y", "z@y"])
        work.tickets.get("2026-000001")
        work.tickets.open_requests("maria@example.com.br", "default")
        # Letters.
        work.outbox.counts(recipient="maria@example.com.br", ticket_number="2026-000001", now=NOW, cap=1000)
        work.outbox.supersede("2026-000001", "maria@example.com.br", [LetterKind.DECISION])
        work.outbox.thread_ids("2026-000001", "maria@example.com.br")
        work.tickets.message_ids_from("2026-000001", "maria@example.com.br")
        work.tickets.last_messages("2026-000001", 5)
        claimed = work.outbox.claim(owner="me", now=NOW, real_now=NOW, early=False)
        assert claimed is not None
        work.outbox.mark_transmitting(claimed, owner="me", real_now=NOW)
        work.outbox.record(claimed, LetterResult(status=LetterStatus.SENT), owner="me")
        work.outbox.claim(owner="me", now=NOW, real_now=NOW, early=True)
        work.outbox.renew("me", [claimed.id], real_now=NOW)
        work.outbox.owners()
        work.outbox.untold_held()
        work.outbox.mark_held_told()
        work.outbox.tell_of_stuck()
        work.outbox.written_since(NOW, recipient="ana@example.com.br", letter=LetterKind.DECISION)
        work.outbox.notices_to_gather()
        work.outbox.count_status(LetterStatus.HELD)
        work.outbox.notices_last_hour("ana@example.com.br", now=NOW, cap=60)
        work.outbox.alerts_not_sent(written_before=NOW, failed_since=NOW)
        work.outbox.oldest_waiting()
        work.sent.forget_failed_copies("default", sent_before=NOW)
        # Every tick of the clock, and what a member of staff asks for.
        work.workload.due_before(NOW)
        work.workload.late(NOW)
        work.workload.types_in_use()
        work.workload.assigned_to("ana@example.com.br")
        work.workload.unassigned(["geral"])
        work.tickets.waiting_since(NOW)
        work.tickets.sector_silent_since(NOW)
        work.tickets.resolved_before(NOW)
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(asked) > 30
    scans = [
        (step, statement)
        for statement, parameters in asked
        for step in plan_of(database, statement, parameters)
        # A scan of a partial index that holds only what is in hand is what the index is for.
        if step.startswith(("SCAN", "Seq Scan")) and not any(name in step for name in _SMALL)
    ]
    assert scans == [], "\n\n".join(f"{plan}: {statement}" for plan, statement in scans)


def test_a_claim_does_not_go_through_all_mails_of_its_mailbox(database: Database, storage: SqlStorage) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "ready_at <=" in statement:
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    assert claim_mail(storage) is None
    event.remove(database.engine, "before_cursor_execute", note)
    [(statement, parameters)] = asked
    plan = "\n".join(plan_of(database, statement, parameters))
    assert "ix_inbound_mails_ready" in plan
    assert "uq_inbound_mails" not in plan


def plan_of(database: Database, statement: str, parameters: Any) -> list[str]:
    """The steps of a statement's plan. Tables of a test are small: PostgreSQL has to be kept from reading them
    whole where it need not."""
    with database.read() as connection:
        if database.is_sqlite:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return [row[3] for row in plan]
        connection.execute(text("SET enable_seqscan = off"))
        try:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            return [row[0].strip().removeprefix("->").strip() for row in plan]
        finally:
            connection.execute(text("RESET enable_seqscan"))


_SMALL = (
    "ix_inbound_mails_ready",
    "ix_inbound_mails_owner",
    "ix_inbound_mails_pending",
    "ix_inbound_mails_quarantined",
    "ix_outbox_due",
    "ix_outbox_owner",
    "ix_outbox_status",
    # Derived tables and values that are no tables of ours.
    "CONSTANT",
    "anon_",
    "folders",
    "leases",
)


# --- several writers -------------------------------------------------------------------------------------------

_WRITE_SECONDS = 3.0
_EACH_AT_LEAST = 10
"""So many mails and letters each takes, however much of the time the machine stood still."""


def write_for_a_while(url: str, number: int, answers: Any) -> None:
    """Collect, process and deliver as one of several processes; says what it claimed, or what went wrong."""
    try:
        database = Database(url)
        migrate.upgrade(database)
        storage = SqlStorage(database)
        mails: list[int] = []
        letters: list[int] = []
        end = time.monotonic() + _WRITE_SECONDS
        while time.monotonic() < end or min(len(mails), len(letters)) < _EACH_AT_LEAST:
            add_mails(storage, mail(f"p{number}@example.com.br", folder=f"f{number}"))
            unique = f"{number}.{time.monotonic_ns()}"
            add_letters(storage, letter(message_id=unique, handle=unique))
            one = claim_mail(storage, owner=str(number))
            if one is not None:
                mails.append(one.id)
                with storage.write() as work:
                    work.tickets.next_number(2026)
                    work.mails.finish(one, MailResult(outcome=MailOutcome.TICKET), now=NOW)
            sent = claim_letter(storage, owner=str(number))
            if sent is not None:
                letters.append(sent.id)
                with storage.write() as work:
                    work.outbox.mark_transmitting(sent, owner=str(number), real_now=NOW)
                with storage.write() as work:
                    work.outbox.record(sent, LetterResult(status=LetterStatus.SENT), owner=str(number))
        database.close()
        answers.put((mails, letters))
    except Exception as error:
        answers.put(repr(error))


def test_four_processes_on_one_database_are_never_locked_out_and_do_nothing_twice(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    # They meet at the first migration, too.
    writers = [context.Process(target=write_for_a_while, args=(url, number, answers)) for number in range(4)]
    for writer in writers:
        writer.start()
    found = [answers.get(timeout=90) for _ in writers]
    for writer in writers:
        writer.join()
    answers.close()
    answers.join_thread()
    assert [one for one in found if isinstance(one, str)] == []
    mails = [one for mine, _ in found for one in mine]
    letters = [one for _, mine in found for one in mine]
    assert len(mails) == len(set(mails)) > 20
    assert len(letters) == len(set(letters)) > 20
    database = Database(url)
    with database.read() as connection:
        assert connection.scalar(text("SELECT last FROM ticket_numbers")) == len(mails)
    database.close()


# --- errors ----------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path}/mailbot.db"


def sqlite_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_a_locked_database_is_said_in_our_words(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.adapters.storage.engine.BUSY_TIMEOUT_MILLISECONDS", 50)
    database = Database(sqlite_url)
    migrate.upgrade(database)
    storage = SqlStorage(database)
    with closing(sqlite3.connect(sqlite_file(sqlite_url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="locked"):
            add_mails(storage, mail())
        with storage.read() as work:
            assert work.mails.browse() == []
        other.execute("ROLLBACK")
    assert len(add_mails(storage, mail())) == 1
    database.close()


def test_a_full_disk_is_said_in_our_words_and_nothing_half_is_written(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate.upgrade(database)
    storage = SqlStorage(database)
    with database.read() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))

    def keep_small(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 5}")

    event.listen(database.engine, "checkout", keep_small)
    with pytest.raises(StorageUnavailable, match="full"):
        add_mails(storage, *(mail(subject="x" * 10_000) for _ in range(50)))
    with storage.read() as work:
        assert work.mails.browse() == []
    assert len(add_mails(storage, mail())) == 1
    database.close()


def test_a_database_that_is_no_folder_of_ours_is_said_in_our_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageUnavailable):
        Database(f"sqlite:///{tmp_path}/file/mailbot.db")


def test_a_file_that_is_no_database_is_said_in_our_words(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("just some notes\n" * 100)
    with pytest.raises(StorageUnavailable, match="cannot be used"):
        migrate.upgrade(Database(f"sqlite:///{tmp_path / 'notes.txt'}"))


def waits(path: Path, monkeypatch: pytest.MonkeyPatch, *, stands_back: bool) -> list[float]:
    """How long a write waits between its looks while another process writes, for ten looks."""
    waited: list[float] = []
    database = Database(f"sqlite:///{path}", stands_back=stands_back)
    with database.write():
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def wait(seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == 10:
                other.execute("ROLLBACK")

        with monkeypatch.context() as patched:
            # Of this module alone: other threads of this process sleep as they will.
            own_time = SimpleNamespace(monotonic=time.monotonic, sleep=wait)
            patched.setattr("mailbot.adapters.storage.engine.time", own_time)
            with database.write():
                pass
    database.close()
    return waited


def test_who_stands_back_looks_so_seldom_that_another_who_waits_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mailbot.db"
    ordinary = waits(path, monkeypatch, stands_back=False)
    patient = waits(path, monkeypatch, stands_back=True)
    assert (len(ordinary), len(patient)) == (10, 10)
    assert max(ordinary) < min(patient)
