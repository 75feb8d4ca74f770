"""``mailbot db``: the database's schema; and how commands look at a database without making or changing it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli.listing import Json, progress
from mailbot.cli.output import Exit, complain, own_errors, print_json, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailbot.adapters.storage.copying import TableCopy
    from mailbot.adapters.storage.engine import Database
    from mailbot.domain.errors import ConfigurationError
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


@app.command("copy")
def copy_database(
    url: Annotated[str, typer.Argument(metavar="URL", help="Of an empty database: postgresql://… or sqlite:///…")],
    json: Json = False,
) -> None:
    """Copy everything from MAILBOT_DATABASE_URL's database to the empty one at URL, and check it.

    For the move from SQLite to PostgreSQL, or back:

    1. stop every daemon;

    2. `mailbot db copy URL`; broken off, say it again, and it goes on where it was;

    3. set MAILBOT_DATABASE_URL to URL and start the daemon; files and secret key stay as they are.

    Nobody can write to the old database meanwhile, and no daemon begins on the new one before all is checked: each
    table's number of rows, and a digest of all rows read again on both sides. The old database stays as it was.
    A password in URL can be seen by other users of this machine: rather use PostgreSQL's password file, ~/.pgpass.

    Ends with 1 if old and new differ, 2 if a daemon works on the old database or the new one is not empty.
    """
    with own_errors():
        report = _copy(url)
    if json:
        print_json(asdict(report))
    else:
        _show_copy(report)
    raise typer.Exit(Exit.DONE if report.same else Exit.NEEDS_A_LOOK)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """What ``db copy --json`` prints. ``rows`` are all, ``copied`` those of this run; ``resumed`` says whether an
    earlier run was broken off."""

    rows: int
    copied: int
    resumed: bool
    same: bool
    tables: dict[str, TableCopy]


def _copy(url: str) -> CopyReport:
    from mailbot.adapters.storage import copying
    from mailbot.cli.context import read_settings
    from mailbot.domain.errors import StorageUnavailable

    try:
        source = existing_database(read_settings())
    except NoDatabaseYet:
        raise StorageUnavailable("there is no database yet to copy: the daemon has never run here") from None
    except OtherSchema as error:
        raise _refused(f"{error}: run `mailbot db upgrade` first", key="MAILBOT_DATABASE_URL") from None
    try:
        target = _target(url)
        try:
            copying.require_two(source, target)
            with copying.frozen(source) as rows:
                return _copy_frozen(rows, target)
        except copying.CopyNotAllowed as error:
            raise _refused(str(error)) from None
        finally:
            target.close()
    finally:
        source.close()


def _target(url: str) -> Database:
    from mailbot.adapters.storage.engine import Database
    from mailbot.domain.errors import ConfigurationError

    try:
        return Database(url)
    except ConfigurationError as error:
        (problem,) = error.problems
        raise _refused(f"the address to copy to {problem.message}") from None


def _copy_frozen(source: Connection, target: Database) -> CopyReport:
    from mailbot.adapters.storage import copying

    resumed = copying.prepare(target)
    total = copying.count_all(source)
    with progress("copying", total) as advance:
        copied = copying.copy_rows(source, target, advance)
    with progress("checking", total) as advance:
        tables = copying.compare(source, target, advance)
    same = all(table.same for table in tables.values())
    if same:
        copying.finish(target)
    return CopyReport(rows=total, copied=copied, resumed=resumed, same=same, tables=tables)


def _refused(message: str, *, key: str | None = None) -> ConfigurationError:
    from mailbot.domain.errors import ConfigurationError, Problem

    return ConfigurationError([Problem(source="db copy", key=key, message=message)])


def _show_copy(report: CopyReport) -> None:
    for name, table in report.tables.items():
        say(f"{name:<18} {table.rows:>9} rows  {table.digest[:16]}  {'same' if table.same else 'DIFFERENT'}")
    if report.same:
        say(f"{report.rows} rows copied and checked. Now set MAILBOT_DATABASE_URL to the new database.")
    else:
        complain(
            "mailbot: the copy differs: something was written to one side between two runs. "
            "Empty the new database and copy again"
        )


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
