"""What the house remembers for itself: folders, leases, troubled servers, readings of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, TextClause, bindparam, delete, select, text, update

from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.locks import Line, stand_in_line
from mailbot.adapters.storage.nested_mapping import reading_from_json, reading_to_json
from mailbot.adapters.storage.tables import folders, key_checks, leases, readings, server_troubles
from mailbot.domain.evidence import DocumentReading
from mailbot.domain.ledger import LEASE_TIME, FolderMemory
from mailbot.domain.troubles import Trouble, TroubleKey


@lru_cache(maxsize=64)
def _readings(files: int) -> CompiledStatement:
    """All that was kept of so many files."""
    digest = readings.c.digest
    return CompiledStatement(
        select(readings).where(digest.in_([bindparam(f"digest_{at}", type_=digest.type) for at in range(files)]))
    )


def _sql(statement: str, *columns: Column[Any]) -> TextClause:
    """A statement that SQLite and PostgreSQL understand alike; its parameters have the types of these columns."""
    return text(statement).bindparams(*(bindparam(column.name, type_=column.type) for column in columns))


# Whoever comes second finds the row: looking first and inserting then would fail for one of two processes.
_KEEP_READINGS = CompiledStatement(
    _sql(
        "INSERT INTO readings (digest, reader_version, reading) VALUES (:digest, :reader_version, :reading) "
        "ON CONFLICT DO NOTHING",
        *readings.c,
    )
)
_KEEP_KEY_CHECK = _sql(
    "INSERT INTO key_checks (digest) SELECT :digest WHERE NOT EXISTS (SELECT 1 FROM key_checks)",
    *key_checks.c,
)
_REMEMBER_FOLDER = _sql(
    "INSERT INTO folders (mailbox, folder, uid_validity, first_uid, floor_at, newest_received_at, "
    "last_collect_at, suspect_until) VALUES (:mailbox, :folder, :uid_validity, :first_uid, :floor_at, "
    ":newest_received_at, :last_collect_at, :suspect_until) ON CONFLICT (mailbox, folder) DO UPDATE SET "
    "uid_validity = excluded.uid_validity, first_uid = excluded.first_uid, floor_at = excluded.floor_at, "
    "newest_received_at = excluded.newest_received_at, last_collect_at = excluded.last_collect_at, "
    "suspect_until = excluded.suspect_until",
    *folders.c,
)
_NOTE_TROUBLE = _sql(
    "INSERT INTO server_troubles (server, since, error) VALUES (:server, :now, :error) "
    "ON CONFLICT (server) DO UPDATE SET error = excluded.error",
    server_troubles.c.server,
    server_troubles.c.error,
).bindparams(bindparam("now", type_=server_troubles.c.since.type))
# Taken where it is free or was ours; nothing comes back where somebody else holds it.
_TAKE_LEASE = (
    _sql(
        "INSERT INTO leases (name, owner, fence, lease_until) VALUES (:name, :owner, 1, :until) "
        "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until, "
        "fence = leases.fence + CASE WHEN leases.owner = excluded.owner THEN 0 ELSE 1 END "
        "WHERE leases.owner IS NULL OR leases.owner = excluded.owner OR leases.lease_until IS NULL "
        "OR leases.lease_until < :real_now RETURNING fence",
        leases.c.name,
        leases.c.owner,
    )
    .bindparams(bindparam("until", type_=leases.c.lease_until.type))
    .bindparams(bindparam("real_now", type_=leases.c.lease_until.type))
)


class HouseStore:
    """Small tables within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- folders ---

    def folder(self, mailbox: str, folder: str) -> FolderMemory | None:
        """What we remember of a folder; ``None`` before first contact."""
        row = self._connection.execute(
            select(folders).where(folders.c.mailbox == mailbox, folders.c.folder == folder)
        ).one_or_none()
        return None if row is None else FolderMemory(**row._mapping)

    def folders(self) -> list[FolderMemory]:
        """All folders that were ever opened."""
        return [FolderMemory(**row._mapping) for row in self._connection.execute(select(folders))]

    def remember_folder(self, memory: FolderMemory) -> None:
        """Write what we know of a folder."""
        self._connection.execute(_REMEMBER_FOLDER, asdict(memory))

    def forget_folder(self, mailbox: str, folder: str) -> None:
        """It is there no more: nothing of it is awaited."""
        self._connection.execute(delete(folders).where(folders.c.mailbox == mailbox, folders.c.folder == folder))

    # --- the secret key ---

    def key_check(self) -> str | None:
        """What the key with which this house was begun makes of a fixed word; ``None`` before the first start."""
        digest: str | None = self._connection.scalar(select(key_checks.c.digest))
        return digest

    def keep_key_check(self, digest: str) -> None:
        """Remember it, unless there is one."""
        stand_in_line(self._connection, Line.KEY_CHECK)
        self._connection.execute(_KEEP_KEY_CHECK, {"digest": digest})

    # --- leases ---

    def take_lease(self, name: str, owner: str, *, real_now: datetime) -> int | None:
        """Take or renew a named lease; returns its fencing number, ``None`` while somebody else holds it."""
        values = {"name": name, "owner": owner, "until": real_now + LEASE_TIME, "real_now": real_now}
        fence: int | None = self._connection.scalar(_TAKE_LEASE, values)
        return fence

    def renew_lease(self, name: str, owner: str, *, real_now: datetime) -> bool:
        """Lengthen a lease that ``owner`` holds; false, and nothing changed, if somebody else has it."""
        result = self._connection.execute(
            update(leases)
            .where(leases.c.name == name, leases.c.owner == owner)
            .values(lease_until=real_now + LEASE_TIME)
        )
        return result.rowcount == 1

    def drop_lease(self, name: str, owner: str) -> None:
        """Give a lease back."""
        self._connection.execute(
            update(leases)
            .where(leases.c.name == name, leases.c.owner == owner)
            .values(owner=None, lease_until=None)
        )

    def lease_owners(self) -> set[str]:
        """Everybody who holds a lease."""
        found = self._connection.scalars(select(leases.c.owner).where(leases.c.owner.is_not(None)))
        return {owner for owner in found if owner is not None}

    def release_leases(self, owner: str) -> None:
        """Free the leases of a dead owner."""
        self._connection.execute(
            update(leases).where(leases.c.owner == owner).values(owner=None, lease_until=None)
        )

    # --- troubles ---

    def note_trouble(self, key: TroubleKey, error: str, *, now: datetime) -> None:
        """Something is in trouble; the first time counts as *since*."""
        self._connection.execute(_NOTE_TROUBLE, {"server": str(key), "error": error, "now": now})

    def clear_trouble(self, key: TroubleKey) -> None:
        """It is over."""
        self._connection.execute(delete(server_troubles).where(server_troubles.c.server == str(key)))

    def troubles(self) -> list[Trouble]:
        """All that is in trouble now, the oldest first."""
        query = select(server_troubles).order_by(server_troubles.c.since, server_troubles.c.server)
        return [
            Trouble(key=TroubleKey.parse(row.server), since=row.since, error=row.error, told_at=row.told_at)
            for row in self._connection.execute(query)
        ]

    def mark_trouble_told(self, key: TroubleKey, *, now: datetime) -> None:
        """The administrator was told."""
        self._connection.execute(
            update(server_troubles).where(server_troubles.c.server == str(key)).values(told_at=now)
        )

    # --- readings ---

    def readings(self, digests: Sequence[str], reader_version: int) -> list[DocumentReading]:
        """Readings of these files made by this version of the reader."""
        if not digests:
            return []
        wanted = {f"digest_{at}": digest for at, digest in enumerate(digests)}
        found = _readings(len(digests)).rows(self._connection, wanted)
        return [
            reading_from_json(row["digest"], row["reader_version"], row["reading"])
            for row in found
            if row["reader_version"] == reader_version
        ]

    def keep_readings(self, made: Sequence[DocumentReading]) -> None:
        """Keep readings; one that is there already stays."""
        if not made:
            return
        # In one order, so that of two processes that keep the same ones none waits for the other.
        fresh = sorted({(one.digest, one.reader_version): one for one in made}.items())
        rows = [
            {"digest": digest, "reader_version": version, "reading": reading_to_json(one)}
            for (digest, version), one in fresh
        ]
        _KEEP_READINGS.run_many(self._connection, rows)
