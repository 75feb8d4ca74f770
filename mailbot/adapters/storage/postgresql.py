"""Connections to PostgreSQL: how they are made, kept alive, and kept from holding others up."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError

from mailbot.domain.errors import ConfigurationError, Problem

STATEMENT_TIMEOUT_SECONDS = 60
"""A statement that takes longer is ended by the server; migrations and copies lift it."""

IDLE_IN_TRANSACTION_SECONDS = 20
"""A process that stops within a transaction is cut off after it, and its locks are free: well within a lease."""

# A connection that rested longer is asked whether it is still there: a firewall or a restart may have ended it.
_RESTED_SECONDS = 3.0
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_PARAMETERS = {
    "connect_timeout": 10,
    "application_name": "mailbot",
    "client_encoding": "utf8",
    # A server that vanished without a word is noticed within half a minute.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_NO_DRIVER = "needs the driver for PostgreSQL: pip install 'mailbot[postgresql]'"
_WRONG_ENCODING = (
    "names a database whose encoding is {}: letters and names need UTF8 (CREATE DATABASE … TEMPLATE template0 "
    "ENCODING 'UTF8')"
)


def make_postgresql_engine(url: URL, *, kept_connections: int, lock_timeout_milliseconds: int) -> Engine:
    """An engine that is not yet connected. Raises ``ConfigurationError`` without the driver."""
    try:
        engine = create_engine(
            url,
            isolation_level="READ COMMITTED",
            pool_size=kept_connections,
            # What the URL says goes first.
            connect_args={name: value for name, value in _PARAMETERS.items() if name not in url.query},
        )
    except ImportError:
        raise _wrong(_NO_DRIVER) from None
    session = (
        "SET timezone = 'UTC';"
        f"SET lock_timeout = {lock_timeout_milliseconds};"
        f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s';"
        f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_SECONDS}s';"
        # The server, too, is to notice that we vanished: our locks would stay.
        "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
    )

    def set_up(connection: Any, _record: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            connection.close()
            raise _wrong(_WRONG_ENCODING.format(encoding))
        _run(connection, session)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "checkin", _note_rest)
    event.listen(engine, "checkout", _look_after_rest)
    return engine


def _wrong(message: str) -> ConfigurationError:
    return ConfigurationError([Problem(source="settings", key="MAILBOT_DATABASE_URL", message=message)])


def _run(connection: Any, statements: str) -> None:
    """Run statements in one round trip, outside any transaction; their errors are the driver's."""
    connection.autocommit = True
    connection.execute(statements)
    connection.autocommit = False


def _note_rest(_connection: object, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


def _look_after_rest(connection: Any, record: Any, _proxy: object) -> None:
    """Have the pool take a new connection for one that is gone."""
    if time.monotonic() - record.info.get("rests_since", time.monotonic()) < _RESTED_SECONDS:
        return
    from psycopg.pq import ExecStatus

    # The empty query: one round trip, and no transaction is begun.
    if connection.closed or connection.pgconn.exec_(b"").status != ExecStatus.EMPTY_QUERY:
        raise DisconnectionError("the connection is gone")
