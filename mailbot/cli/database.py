"""``mailbot db``: the database's schema; and how commands look at a database without making or changing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mailbot.cli.listing import Json
from mailbot.cli.output import own_errors, print_json, say

if TYPE_CHECKING:
    from mailbot.adapters.storage.engine import Database
    from mailbot.settings import Settings

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.callback()
def _db() -> None:
    """The database."""


@app.command("upgrade")
def upgrade_database(json: Json = False) -> None:
    """Bring the database to the newest schema; every start does the same by itself.

    Make a backup first: there is no way back.
    """
    from mailbot.adapters.storage.engine import Database
    from mailbot.adapters.storage.migrate import current_revision, upgrade
    from mailbot.cli.context import read_settings

    with own_errors():
        database = Database(read_settings().database_url)
        try:
            before = current_revision(database)
            changed = upgrade(database)
            after = current_revision(database)
        finally:
            database.close()
    if json:
        print_json({"before": before, "after": after, "changed": changed})
    else:
        say(f"upgraded from {before or 'nothing'} to {after}" if changed else f"already at {after}")


class NoDatabaseYet(Exception):
    """The SQLite file does not exist: the daemon has never run here."""


class OtherSchema(Exception):
    """The database's schema is not this program's."""


def existing_database(settings: Settings) -> Database:
    """The database as it is, neither made nor upgraded.

    Raises ``ConfigurationError``, ``StorageUnavailable``, ``NoDatabaseYet`` and ``OtherSchema``.
    """
    from sqlalchemy.exc import DatabaseError

    from mailbot.adapters.storage.engine import Database
    from mailbot.adapters.storage.migrate import NEWEST_REVISION, current_revision
    from mailbot.domain.errors import StorageUnavailable

    file = sqlite_file(settings)
    if file is not None and not file.exists():
        raise NoDatabaseYet
    database = Database(settings.database_url)
    try:
        revision = current_revision(database)
    except DatabaseError as error:
        database.close()
        raise StorageUnavailable(f"this is no database that can be read: {error.orig}") from error
    except BaseException:
        database.close()
        raise
    if revision != NEWEST_REVISION:
        database.close()
        raise OtherSchema(f"the schema is at {revision or 'nothing'}, this program's at {NEWEST_REVISION}")
    return database


def sqlite_file(settings: Settings) -> Path | None:
    """Where the embedded database lies; ``None`` for a server or a database in memory.

    Raises ``ConfigurationError``.
    """
    from mailbot.adapters.storage.engine import understood_url

    url = understood_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)
