"""Copies of a database while it is in use, and the files that it names."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from mailbot.adapters.storage.drawing_rows import drawing_from_json
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import lift_time_limits
from mailbot.adapters.storage.tables import inbound_mails, outbox, page_pictures, ticket_messages
from mailbot.domain.errors import ConfigurationError, Problem, StorageUnavailable

_PAGES_AT_ONCE = 4096
_NO_PG_DUMP = (
    "is PostgreSQL, and pg_dump is not on PATH: install PostgreSQL's client programs (Debian: postgresql-client, "
    "of the server's version or newer), or use the server's own backup and copy MAILBOT_DATA_DIR/files after it"
)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite file to a new file ``target`` (mode 0600) as it stands at one moment; writers may go on.

    Uses SQLite's online backup (https://sqlite.org/backup.html), checks the copy's integrity and makes it
    durable. Raises ``StorageUnavailable``.
    """
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as original,
            closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy, pages=_PAGES_AT_ONCE)
            # One file that stands for itself, without a journal beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except (sqlite3.Error, OSError) as error:
        raise StorageUnavailable(f"the database cannot be copied: {error}") from error
    if verdict != "ok":
        raise StorageUnavailable(f"the copy of the database is damaged: {verdict}")


@contextmanager
def dumped(database: Database, target: Path) -> Iterator[Connection]:
    """Write a PostgreSQL database to a new file ``target`` (mode 0600) with its own ``pg_dump``, in the format
    that ``pg_restore`` reads, as it stands at one moment; gives a connection that sees that very moment.

    Raises ``ConfigurationError`` where ``pg_dump`` is not installed, ``StorageUnavailable`` where it fails.
    """
    program = shutil.which("pg_dump")
    if program is None:
        raise ConfigurationError([Problem(source="settings", key="MAILBOT_DATABASE_URL", message=_NO_PG_DUMP)])
    with database.read_at_one_moment() as connection:
        lift_time_limits(connection)
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        url = database.engine.url
        bare = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        # The password goes by the environment: a command line can be read by every user of the machine.
        password = {} if url.password is None else {"PGPASSWORD": str(url.password)}
        dump = [program, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        _run([*dump, f"--file={target}", f"--dbname={bare}"], password)
        _run([str(Path(program).with_name("pg_restore")), "--list", str(target)], {})
        yield connection


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **environment},
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip()
        raise StorageUnavailable(f"the database cannot be copied: {said}") from error
    except OSError as error:
        raise StorageUnavailable(f"the database cannot be copied: {error}") from error


def count_rows(connection: Connection) -> dict[str, int]:
    """How many mails, messages and letters the database has."""
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in (inbound_mails, ticket_messages, outbox)
    }


def named_files(connection: Connection) -> frozenset[str]:
    """Digests of every file that a mail, a message or a letter names, and of every page that was drawn."""
    digests = set(connection.scalars(select(inbound_mails.c.raw_digest)))
    for column in (ticket_messages.c.files, outbox.c.files):
        for files in connection.scalars(select(column)):
            digests.update(file["digest"] for file in files)
    for row in connection.execute(select(page_pictures)):
        digests.update(one.digest for one in drawing_from_json(row.digest, row.version, row.drawing).pictures)
    return frozenset(digests)
