"""Copies of the embedded database while it is in use, and the files that a database names."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, func, select

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.tables import inbound_mails, outbox, ticket_messages
from mailbot.domain.errors import StorageUnavailable

_PAGES_AT_ONCE = 4096


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


def count_rows(database: Database) -> dict[str, int]:
    """How many mails, messages and letters the database has."""
    with database.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (inbound_mails, ticket_messages, outbox)
        }


def named_files(database: Database) -> frozenset[str]:
    """Digests of every file that a mail, a message or a letter names. Raises ``StorageUnavailable``."""
    with database.read() as connection:
        return frozenset(_digests(connection))


def _digests(connection: Connection) -> set[str]:
    digests = set(connection.scalars(select(inbound_mails.c.raw_digest)))
    for column in (ticket_messages.c.files, outbox.c.files):
        for files in connection.scalars(select(column)):
            digests.update(file["digest"] for file in files)
    return digests
