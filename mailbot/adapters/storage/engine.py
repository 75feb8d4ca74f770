"""Opens the database: one write at a time in this process, times limits, and errors in the house's own words."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mailbot.domain.errors import ConfigurationError, Problem, StorageUnavailable, WriteConflict

_KEPT_CONNECTIONS = 8
# Half of them, so that as many may read meanwhile.
_SIDE_BY_SIDE = _KEPT_CONNECTIONS // 2

BUSY_TIMEOUT_MILLISECONDS = 30_000
"""How long a write waits for another process's write before it is told that the file or the row is locked."""

# SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_CONFLICTS = frozenset({"40001", "40P01"})
# A standby or a read-only role; a role that lacks a right.
_NOT_TO_BE_USED = frozenset({"25006", "42501"})

_LOOK_AGAIN_SECONDS = 0.0002
"""How long a write waits before it looks again whether another process still writes: less than a write takes."""

_STANDS_BACK_SECONDS = 0.001
"""So long where others' writes come first: of two that wait, who looks more often goes first."""


class Database:
    """An engine with two ways in: ``write()`` and ``read()``.

    On SQLite every write of the process goes through one lock and begins with BEGIN IMMEDIATE, so that a
    transaction never has to be upgraded. On PostgreSQL transactions run side by side under READ COMMITTED, and
    the stores lock the rows that they decide on (``FOR UPDATE``, which means nothing to SQLite). No store asks
    for the dialect: what differs stands in this module, where numbers are locked, values written and compiled
    statements run (:mod:`locks`, :mod:`columns`, :mod:`compiled`), and where a whole database is brought up to
    date or copied (:mod:`migrate`, :mod:`copying`).
    """

    def __init__(self, url: str, *, stands_back: bool = False) -> None:
        """``stands_back``: on SQLite, writes of other processes that wait as well come first, as a rule."""
        self._write_lock = threading.RLock()
        look_again_seconds = _STANDS_BACK_SECONDS if stands_back else _LOOK_AGAIN_SECONDS
        self.engine = _make_engine(understood_url(url), look_again_seconds)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is the embedded one."""
        return self.engine.dialect.name == "sqlite"

    @property
    def writes_at_once(self) -> int:
        """How many writing transactions a process may well begin side by side: those beyond would only wait."""
        return 1 if self.is_sqlite else _SIDE_BY_SIDE

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: committed at the end, rolled back on any exception.

        Raises ``StorageUnavailable`` when the database is locked, full, read-only or away, ``WriteConflict`` when
        it took the transaction back for another's sake.
        """
        with (
            self._write_lock if self.is_sqlite else nullcontext(),
            _own_errors(),
            self.engine.connect().execution_options(mailbot_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """For reading; nothing is written.

        On SQLite one consistent view. On PostgreSQL each statement sees what is committed when it begins, and is
        a transaction of its own: what is decided by it is checked again where it is written (version, fence).
        """
        with _own_errors(), self.engine.connect() as connection:
            yield connection if self.is_sqlite else connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read_at_one_moment(self) -> Iterator[Connection]:
        """For reading: one consistent view, on every database."""
        with _own_errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        if _sqlstate(error) in _CONFLICTS:
            raise WriteConflict(f"the database let another process go first: {_cause(error)}") from error
        raise StorageUnavailable(f"the database does not take part now: {_cause(error)}") from error
    except DBAPIError as error:
        if type(error) is DatabaseError or _sqlstate(error) in _NOT_TO_BE_USED:
            # Neither a wrong statement nor wrong data: the file itself is damaged, or never was a database, or the
            # server does not let us.
            raise StorageUnavailable(f"the database cannot be used: {_cause(error)}") from error
        if error.connection_invalidated:
            raise StorageUnavailable(f"the connection to the database was lost: {_cause(error)}") from error
        raise


def _cause(error: Exception) -> str:
    original = getattr(error, "orig", None)
    # What PostgreSQL adds in further lines may hold values of a row.
    return str(original if original is not None else error).partition("\n")[0]


def _sqlstate(error: Exception) -> str | None:
    state: str | None = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state


def understood_url(url: str) -> URL:
    """The URL of a database that mailbot knows. Raises ``ConfigurationError``."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _wrong_url(
            "is no URL like sqlite:///var/mailbot.db or postgresql://user:password@host/name"
        ) from None
    name = parsed.drivername
    if name in ("sqlite", "sqlite+pysqlite"):
        return parsed
    if name in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise _wrong_url(f"names {name}; mailbot knows sqlite and postgresql")


def _wrong_url(message: str) -> ConfigurationError:
    return ConfigurationError([Problem(source="settings", key="MAILBOT_DATABASE_URL", message=message)])


def _make_engine(parsed: URL, look_again_seconds: float) -> Engine:
    if parsed.get_backend_name() != "sqlite":
        from mailbot.adapters.storage.postgresql import make_postgresql_engine

        return make_postgresql_engine(
            parsed, kept_connections=_KEPT_CONNECTIONS, lock_timeout_milliseconds=BUSY_TIMEOUT_MILLISECONDS
        )
    if parsed.database and parsed.database != ":memory:":
        folder = Path(parsed.database).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"the folder of the database cannot be made: {error}") from error
    engine = create_engine(
        parsed,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MILLISECONDS / 1000},
        pool_size=_KEPT_CONNECTIONS,
        json_serializer=_as_json,
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", partial(_begin_on_sqlite, look_again_seconds=look_again_seconds))
    return engine


def _as_json(value: Any) -> str:
    # Most lists of a new ticket are empty, and an encoder is made anew at every call.
    return "[]" if value == [] else json.dumps(value)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction control is switched off: BEGIN is ours (see _begin_on_sqlite).
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _run(connection: Connection, statement: str) -> None:
    """Run a statement that has no parameters and no result; its errors are the driver's, told like all others."""
    try:
        # By the driver's own hand: it is done for every transaction.
        driver: Any = connection.connection.driver_connection
        driver.execute(statement)
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error


def _begin_on_sqlite(connection: Connection, *, look_again_seconds: float) -> None:
    if not connection.get_execution_options().get("mailbot_write", False):
        _run(connection, "BEGIN")
        return
    # SQLite would sleep longer and longer between its looks, while the turn goes to nobody.
    _run(connection, "PRAGMA busy_timeout=0")
    try:
        _take_turn(connection, look_again_seconds)
    finally:
        _run(connection, f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")


def _take_turn(connection: Connection, look_again_seconds: float) -> None:
    """Begin to write as soon as no other process does, within the busy timeout."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_MILLISECONDS / 1000
    while True:
        try:
            _run(connection, "BEGIN IMMEDIATE")
        except OperationalError as error:
            if not _is_busy(error) or time.monotonic() > give_up_at:
                raise
        else:
            return
        time.sleep(random.uniform(0.5, 1.5) * look_again_seconds)


def _is_busy(error: OperationalError) -> bool:
    # The lower byte is the error, the others say more of it.
    code = error.orig.sqlite_errorcode if isinstance(error.orig, sqlite3.Error) else 0
    return code & 0xFF == sqlite3.SQLITE_BUSY
