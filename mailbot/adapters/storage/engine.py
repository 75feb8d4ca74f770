"""Opens the database: one write at a time in this process, times limits, and errors in the house's own words."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mailbot.domain.errors import StorageUnavailable

BUSY_TIMEOUT_MILLISECONDS = 30_000
"""How long a write waits for another process's write on SQLite before it is told that the file is locked."""


_LOOK_AGAIN_SECONDS = 0.0004
"""How long a write waits before it looks again whether another process still writes: less than a write takes."""


class Database:
    """An engine with two ways in: ``write()`` and ``read()``, each one transaction.

    On SQLite every write of the process goes through one lock and begins with BEGIN IMMEDIATE, so that a
    transaction never has to be upgraded; this is the one place that asks for the dialect.
    """

    def __init__(self, url: str) -> None:
        self._write_lock = threading.RLock()
        self.engine = _make_engine(url)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is the embedded one."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: committed at the end, rolled back on any exception.

        Raises ``StorageUnavailable`` when the database is locked, full, read-only or away.
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
        """One reading transaction: a consistent view; nothing is written."""
        with _own_errors(), self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise StorageUnavailable(f"the database does not take part now: {_cause(error)}") from error
    except DBAPIError as error:
        if type(error) is DatabaseError:
            # Neither a wrong statement nor wrong data: the file itself is damaged, or never was a database.
            raise StorageUnavailable(f"the database cannot be used: {_cause(error)}") from error
        if error.connection_invalidated:
            raise StorageUnavailable(f"the connection to the database was lost: {_cause(error)}") from error
        raise


def _cause(error: Exception) -> str:
    original = getattr(error, "orig", None)
    return str(original if original is not None else error)


def _make_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, pool_size=8)
    if parsed.database and parsed.database != ":memory:":
        folder = Path(parsed.database).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"the folder of the database cannot be made: {error}") from error
    engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": 30}, pool_size=8)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_on_sqlite)
    return engine


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


def _begin_on_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("mailbot_write", False):
        _run(connection, "BEGIN")
        return
    # SQLite would sleep longer and longer between its looks, while the turn goes to nobody.
    _run(connection, "PRAGMA busy_timeout=0")
    try:
        _take_turn(connection)
    finally:
        _run(connection, f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")


def _take_turn(connection: Connection) -> None:
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
        time.sleep(random.uniform(0.5, 1.5) * _LOOK_AGAIN_SECONDS)


def _is_busy(error: OperationalError) -> bool:
    # The lower byte is the error, the others say more of it.
    code = error.orig.sqlite_errorcode if isinstance(error.orig, sqlite3.Error) else 0
    return code & 0xFF == sqlite3.SQLITE_BUSY
