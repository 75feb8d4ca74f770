"""Brings a database to the newest schema. Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.locks import Line, stand_in_line
from mailbot.domain.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST_REVISION = "0012"
UNFINISHED_COPY = "unfinished copy"
"""In the place of a revision, as long as ``mailbot db copy`` has not come to its end."""


def current_revision(database: Database) -> str | None:
    """The schema's revision, ``None`` for an empty database. Raises ``StorageUnavailable``."""
    with database.read() as connection:
        return _revision_on(connection)


def _revision_on(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def upgrade(database: Database) -> bool:
    """Run the missing migrations in one transaction; true if there were any. Raises ``StorageUnavailable``.

    Of two processes that start at once the second waits, and finds nothing to do. Raises ``ConfigurationError``
    for a database that was not copied to its end.
    """
    revision = current_revision(database)
    if revision == NEWEST_REVISION:
        return False
    if revision == UNFINISHED_COPY:
        message = "names a database that holds an unfinished copy: run `mailbot db copy` again, to its end"
        raise ConfigurationError([Problem(source="settings", key="MAILBOT_DATABASE_URL", message=message)])
    from alembic import command

    with database.write() as connection:
        stand_in_line(connection, Line.MIGRATION)
        lift_time_limits(connection)
        if _revision_on(connection) == NEWEST_REVISION:
            return False
        command.upgrade(_config(connection), "head")
    return True


def set_revision(connection: Connection, revision: str) -> None:
    """Say which schema this is."""
    connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def lift_time_limits(connection: Connection) -> None:
    """Let this transaction's statements take as long as they need; others are not held up for seconds by them."""
    if connection.dialect.name == "postgresql":
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
