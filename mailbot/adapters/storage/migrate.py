"""Brings a database to the newest schema. Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.locks import Line, stand_in_line

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST_REVISION = "0001"


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

    Of two processes that start at once the second waits, and finds nothing to do.
    """
    if current_revision(database) == NEWEST_REVISION:
        return False
    from alembic import command

    with database.write() as connection:
        stand_in_line(connection, Line.MIGRATION)
        lift_time_limits(connection)
        if _revision_on(connection) == NEWEST_REVISION:
            return False
        command.upgrade(_config(connection), "head")
    return True


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
