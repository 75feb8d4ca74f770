"""What only several transactions at a time, a server that goes away, or PostgreSQL's own limits can show."""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text

from mailbot.adapters.storage import engine
from mailbot.adapters.storage import postgresql as connections
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.unit_of_work import SqlStorage, UnitOfWork
from mailbot.domain.errors import ConcurrentChange, ConfigurationError, StorageUnavailable, WriteConflict
from mailbot.domain.evidence import DocumentKind, DocumentReading, Readability
from mailbot.domain.ledger import MailOutcome, MailResult
from mailbot.domain.ticket import Status
from mailbot.domain.troubles import TroubleKey
from tests.peers.postgresql import PostgreSQL
from tests.peers.process import wait_until
from tests.storage.rows import MINUTE, NOW, add_letters, add_mails, claim_letter, claim_mail, letter, mail, ticket

pytestmark = pytest.mark.postgresql


@pytest.fixture
def url(postgresql: PostgreSQL) -> str:
    """An empty database on the server."""
    return postgresql.new_database()


@pytest.fixture
def other(url: str, database: Database) -> Iterator[SqlStorage]:
    """Another process on the same database."""
    opened = Database(url)
    yield SqlStorage(opened)
    opened.close()


class Beside:
    """Something that another process does meanwhile."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.error: Exception | None = None
        self.result: object = None
        self._act = act
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._act()
        except Exception as error:
            self.error = error

    @property
    def waits(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> object:
        self._thread.join(60)
        assert not self._thread.is_alive(), "it still waits"
        if self.error is not None:
            raise self.error
        return self.result


def waits_for_a_lock(server: PostgreSQL, database: str) -> bool:
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'"
    return server.run_sql(query) != [(0,)]


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


# --- transactions side by side ---------------------------------------------------------------------------------


def test_a_mail_that_comes_while_the_one_before_is_finished_is_not_forgotten(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    add_mails(storage, mail())
    first = claim_mail(storage)
    assert first is not None
    with storage.write() as work:
        work.mails.finish(first, MailResult(outcome=MailOutcome.TICKET), now=NOW)
        collecting = Beside(lambda: add_mails(other, mail()))
        wait_until(lambda: waits_for_a_lock(postgresql, name_of(url)) or not collecting.waits, "the collector")
    collecting.end()
    second = claim_mail(storage)
    assert second is not None
    assert second.id > first.id


def test_a_mail_is_not_finished_while_one_is_put_in_line_behind_it(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    add_mails(storage, mail())
    first = claim_mail(storage)
    assert first is not None

    def finish() -> None:
        with other.write() as work:
            work.mails.finish(first, MailResult(outcome=MailOutcome.TICKET), now=NOW)

    with storage.write() as work:
        work.mails.add([mail()], now=NOW)
        finishing = Beside(finish)
        wait_until(lambda: waits_for_a_lock(postgresql, name_of(url)) or not finishing.waits, "the intake")
    finishing.end()
    assert claim_mail(storage) is not None


def test_two_folders_that_bring_mails_of_one_sender_make_one_line_of_them(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    with storage.write() as work:
        work.mails.add([mail(folder="INBOX")], now=NOW)
        collecting = Beside(lambda: add_mails(other, mail(folder="Junk")))
        wait_until(lambda: waits_for_a_lock(postgresql, name_of(url)) or not collecting.waits, "the other")
    collecting.end()
    assert claim_mail(storage) is not None
    assert claim_mail(storage, owner="other") is None


def test_a_mail_reopened_while_an_older_one_is_finished_comes_forward(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    add_mails(storage, mail(), mail())
    first = claim_mail(storage)
    assert first is not None
    with storage.write() as work:
        work.mails.finish(first, MailResult(outcome=MailOutcome.TICKET), now=NOW)
    second = claim_mail(storage)
    assert second is not None
    with storage.write() as work:
        work.mails.finish(second, MailResult(outcome=MailOutcome.QUARANTINED), now=NOW)
        work.mails.reopen(first.id, now=NOW, released=False)
    again = claim_mail(storage)
    assert again is not None
    assert again.id == first.id

    def reopen() -> bool:
        with other.write() as work:
            return work.mails.reopen(second.id, now=NOW, released=True)

    with storage.write() as work:
        work.mails.finish(again, MailResult(outcome=MailOutcome.TICKET), now=NOW)
        reopening = Beside(reopen)
        wait_until(lambda: waits_for_a_lock(postgresql, name_of(url)) or not reopening.waits, "the other")
    assert reopening.end() is True
    claimed = claim_mail(storage)
    assert claimed is not None
    assert claimed.id == second.id


def test_a_mail_and_a_letter_that_somebody_is_taking_are_passed_by(storage: SqlStorage, other: SqlStorage) -> None:
    add_mails(storage, mail("a@example.com"), mail("b@example.com"))
    add_letters(storage, letter(), letter())
    with storage.write() as work:
        mine = work.mails.claim(owner="me", mailboxes=["default"], now=NOW, real_now=NOW)
        my_letter = work.outbox.claim(owner="me", now=NOW, real_now=NOW, early=False)
        theirs = Beside(lambda: (claim_mail(other, owner="other"), claim_letter(other, owner="other"))).end()
    assert isinstance(theirs, tuple)
    assert mine is not None
    assert my_letter is not None
    assert None not in theirs
    assert theirs[0].id != mine.id
    assert theirs[1].id != my_letter.id


def test_the_first_number_of_a_year_is_drawn_once(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    def draw() -> str:
        with other.write() as work:
            return work.tickets.next_number(2027)

    with storage.write() as work:
        assert work.tickets.next_number(2027) == "2027-000001"
        drawing = Beside(draw)
        wait_until(lambda: waits_for_a_lock(postgresql, name_of(url)) or not drawing.waits, "the other")
    assert drawing.end() == "2027-000002"


def test_of_two_who_take_a_lease_at_once_one_has_it(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    def take() -> int | None:
        with other.write() as work:
            return work.house.take_lease("upkeep", "other", real_now=NOW)

    with storage.write() as work:
        assert work.house.take_lease("upkeep", "me", real_now=NOW) == 1
        taking = Beside(take)
        wait_until(lambda: waits_for_a_lock(postgresql, name_of(url)) or not taking.waits, "the other")
    assert taking.end() is None
    with storage.write() as work:
        assert work.house.take_lease("upkeep", "other", real_now=NOW + 2 * MINUTE) == 2


def test_what_two_processes_note_at_once_is_noted_once(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    reading = DocumentReading(
        digest="d" * 64, reader_version=1, pages=1, kind=DocumentKind.BOLETO, confidence=1.0,
        readability=Readability.READABLE,
    )  # fmt: skip

    def note(work: UnitOfWork) -> None:
        work.house.note_trouble(TroubleKey.parse("imap:default"), "away", now=NOW)
        work.house.keep_readings([reading])
        work.house.keep_key_check("k")

    def note_too() -> None:
        with other.write() as work:
            note(work)

    with storage.write() as work:
        note(work)
        noting = Beside(note_too)
        wait_until(lambda: waits_for_a_lock(postgresql, name_of(url)) or not noting.waits, "the other")
    noting.end()
    with storage.read() as work:
        assert len(work.house.troubles()) == len(work.house.readings(["d" * 64], 1)) == 1
        assert work.house.key_check() == "k"


def test_a_ticket_that_is_read_to_be_changed_is_not_changed_by_another(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    with storage.write() as work:
        work.tickets.add(ticket("2026-000001"))

    def change() -> None:
        with other.write() as work:
            work.tickets.change(ticket("2026-000001", status=Status.CLOSED), expected_version=0)

    with storage.write() as work:
        read = work.tickets.get("2026-000001")
        assert read is not None
        changing = Beside(change)
        wait_until(lambda: waits_for_a_lock(postgresql, name_of(url)) or not changing.waits, "the other")
        work.tickets.change(read, expected_version=read.version)
    with pytest.raises(ConcurrentChange):
        changing.end()


def test_a_deadlock_is_a_conflict_that_can_be_tried_again_at_once(
    storage: SqlStorage, other: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    with storage.write() as work:
        for number in (1, 2):
            work.tickets.add(ticket(f"2026-00000{number}"))

    def crosswise(where: SqlStorage, numbers: tuple[int, int], met: threading.Barrier) -> None:
        with where.write() as work:
            work.tickets.get(f"2026-00000{numbers[0]}")
            met.wait(60)
            work.tickets.get(f"2026-00000{numbers[1]}")

    met = threading.Barrier(2)
    both = [Beside(lambda: crosswise(storage, (1, 2), met)), Beside(lambda: crosswise(other, (2, 1), met))]
    for one in both:
        with suppress(WriteConflict):
            one.end()
    errors = [one.error for one in both if one.error is not None]
    assert len(errors) == 1
    assert isinstance(errors[0], StorageUnavailable)
    assert isinstance(errors[0], ConcurrentChange)


# --- a server that does not take part --------------------------------------------------------------------------


def test_a_connection_that_was_cut_off_is_said_in_our_words_and_made_anew(
    storage: SqlStorage, url: str, postgresql: PostgreSQL
) -> None:
    add_mails(storage, mail())
    with pytest.raises(StorageUnavailable), storage.write() as work:
        work.mails.add([mail()], now=NOW)
        postgresql.drop_connections(database=name_of(url))
        work.mails.add([mail()], now=NOW)
    assert len(add_mails(storage, mail())) == 1
    with storage.read() as work:
        assert len(work.mails.browse()) == 2


def test_a_server_that_was_restarted_is_found_again_without_an_error_after_a_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "_RESTED_SECONDS", 0.0)
    with PostgreSQL() as server:
        database = Database(server.new_database())
        upgrade(database)
        storage = SqlStorage(database)
        add_mails(storage, mail())
        with server.stopped(), pytest.raises(StorageUnavailable):
            add_mails(storage, mail())
        assert len(add_mails(storage, mail())) == 1
        database.close()


def test_a_process_that_stops_within_a_transaction_loses_it_and_holds_nobody_up(
    url: str, database: Database, other: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Connected before: the other may take as long as a busy machine needs.
    with other.read() as work:
        work.mails.browse()
    monkeypatch.setattr(connections, "IDLE_IN_TRANSACTION_SECONDS", 1)
    hanging = Database(url)
    with pytest.raises(StorageUnavailable), SqlStorage(hanging).write() as work:
        assert work.tickets.next_number(2026) == "2026-000001"
        # It waits for the one that hangs, and no longer.
        with other.write() as beside:
            assert beside.tickets.next_number(2026) == "2026-000001"
        work.tickets.next_number(2026)
    hanging.close()


def test_a_row_that_stays_locked_is_said_in_our_words(
    url: str, storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MILLISECONDS", 50)
    impatient = Database(url)
    with storage.write() as work:
        work.tickets.next_number(2026)
        with (
            pytest.raises(StorageUnavailable, match="lock timeout"),
            SqlStorage(impatient).write() as beside,
        ):
            beside.tickets.next_number(2026)
    impatient.close()


def test_a_server_that_is_not_there_is_said_in_our_words_and_without_the_password(postgresql: PostgreSQL) -> None:
    unused = postgresql.ports.take()
    database = Database(f"postgresql://mailbot:geheim@127.0.0.1:{unused}/mailbot")
    with pytest.raises(StorageUnavailable) as caught:
        upgrade(database)
    assert "geheim" not in str(caught.value)
    assert str(unused) in str(caught.value)


def test_a_server_that_takes_no_writes_is_said_in_our_words(
    url: str, storage: SqlStorage, postgresql: PostgreSQL
) -> None:
    postgresql.run_sql(f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = on")
    reading_only = Database(url)
    with pytest.raises(StorageUnavailable, match="read-only"):
        add_mails(SqlStorage(reading_only), mail())
    reading_only.close()


def test_a_role_without_rights_is_said_in_our_words(url: str, storage: SqlStorage, postgresql: PostgreSQL) -> None:
    with suppress(Exception):
        postgresql.run_sql("CREATE ROLE visitor LOGIN")
    visiting = Database(url.replace("mailbot@", "visitor@"))
    with pytest.raises(StorageUnavailable, match="permission denied"):
        add_mails(SqlStorage(visiting), mail())
    visiting.close()


# --- settings --------------------------------------------------------------------------------------------------


def test_a_database_in_another_encoding_is_refused_with_what_to_do(postgresql: PostgreSQL) -> None:
    database = Database(postgresql.new_database(encoding="LATIN1"))
    with pytest.raises(ConfigurationError, match=r"LATIN1.*UTF8"):
        upgrade(database)
    database.close()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_way_to_write_the_scheme_is_understood(url: str, scheme: str) -> None:
    database = Database(f"{scheme}:{url.partition(':')[2]}")
    with database.read() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    database.close()


def test_what_the_url_says_goes_before_our_own_parameters(url: str) -> None:
    database = Database(f"{url}?application_name=central&connect_timeout=3")
    with database.read() as connection:
        assert connection.scalar(text("SHOW application_name")) == "central"
    database.close()


# --- what senders put into mails -------------------------------------------------------------------------------


def test_a_message_id_of_any_length_is_kept_and_found(storage: SqlStorage) -> None:
    # Nothing that could be compressed into an index's row.
    long_id = secrets.token_hex(40_000)
    address = f"{'a' * 64}@{'b' * 255}"
    add_mails(storage, mail(address, message_id=long_id, subject=long_id))
    [one] = add_mails(storage, mail("maria@example.com.br", message_id=long_id))
    with storage.write() as work:
        claimed = work.mails.claim(owner="me", mailboxes=["default"], now=NOW, real_now=NOW)
        assert claimed is not None
        work.mails.finish(
            claimed, MailResult(outcome=MailOutcome.TICKET, message_id=long_id, identity="i"), now=NOW
        )
        assert work.mails.seen_before(long_id, "i", mail_id=one) == claimed.id
        assert work.mails.same_id_other_content(long_id, "j", mail_id=one)


def test_numbers_of_a_strange_server_are_kept(storage: SqlStorage) -> None:
    add_mails(storage, mail(uid_validity=2**32 - 1, size_bytes=2**33, oversize_bytes=2**33))
    claimed = claim_mail(storage)
    assert claimed is not None
    assert claimed.oversize_bytes == 2**33


def test_order_and_search_do_not_depend_on_the_servers_locale(database: Database, storage: SqlStorage) -> None:
    words = ["b", "B", "á", "a", "-a", "Z", "ç", "2026-000010", "2026 000010"]
    with storage.write() as work:
        for number, word in enumerate(words, start=1):
            work.tickets.add(ticket(f"2026-{number:06d}", queue=word, subject=f"Alteração {word}", title=word))
        assert len(work.tickets.browse(words="alteracao")) == len(words)
        assert len(work.tickets.browse(words="ALTERAÇÃO 2026-000010")) == 1
        assert work.tickets.browse(words="%") == []
    with database.read() as connection:
        assert connection.scalar(text("SELECT 'B' < 'a'")) is False, "the server itself sorts by a language"
        in_order = list(connection.scalars(text("SELECT queue FROM tickets ORDER BY queue")))
    assert in_order == sorted(words)


def test_times_do_not_depend_on_the_servers_zone(url: str, storage: SqlStorage, postgresql: PostgreSQL) -> None:
    postgresql.run_sql(f"ALTER DATABASE {name_of(url)} SET timezone = 'America/Sao_Paulo'")
    there = Database(url)
    with SqlStorage(there).write() as work:
        here = NOW.astimezone(timezone(timedelta(hours=-3)))
        work.mails.add([mail(received_at=here), mail(received_at=datetime.max.replace(tzinfo=UTC))], now=here)
        last, first = work.mails.browse()
        assert (first.received_at, first.received_at.tzinfo) == (NOW, UTC)
        assert last.received_at == datetime.max.replace(tzinfo=UTC)
        assert len(work.mails.browse(since=NOW + MINUTE)) == 1
    there.close()


def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("psycopg", "psycopg_binary")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"MAILBOT_DATABASE_URL.*pip install 'mailbot\[postgresql\]'"):
        Database("postgresql://mailbot@127.0.0.1/mailbot")


@pytest.mark.parametrize("wrong", ["mysql://root@127.0.0.1/mailbot", "mailbot.db", "postgresql+psycopg2://a@b/c"])
def test_a_url_that_names_no_database_we_know_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="MAILBOT_DATABASE_URL"):
        Database(wrong)
