"""What the house remembers for itself: folders, leases, troubled servers, readings of documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from mailbot.adapters.storage.mapping import reading_from_json, reading_to_json
from mailbot.adapters.storage.tables import folders, key_checks, leases, readings, server_troubles
from mailbot.domain.evidence import DocumentReading
from mailbot.domain.ledger import LEASE_TIME, FolderMemory, ServerTrouble

_READINGS = select(readings).where(readings.c.digest.in_(bindparam("digests", expanding=True)))
_KEEP_READINGS = insert(readings)


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
        values = {
            "uid_validity": memory.uid_validity,
            "first_uid": memory.first_uid,
            "floor_at": memory.floor_at,
            "newest_received_at": memory.newest_received_at,
            "last_collect_at": memory.last_collect_at,
            "suspect_until": memory.suspect_until,
        }
        here = (folders.c.mailbox == memory.mailbox, folders.c.folder == memory.folder)
        if self._connection.execute(update(folders).where(*here).values(**values)).rowcount == 0:
            self._connection.execute(
                insert(folders).values(mailbox=memory.mailbox, folder=memory.folder, **values)
            )

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
        if self.key_check() is None:
            self._connection.execute(insert(key_checks).values(digest=digest))

    # --- leases ---

    def take_lease(self, name: str, owner: str, *, real_now: datetime) -> int | None:
        """Take or renew a named lease; returns its fencing number, ``None`` while somebody else holds it."""
        row = self._connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
        until = real_now + LEASE_TIME
        if row is None:
            self._connection.execute(insert(leases).values(name=name, owner=owner, fence=1, lease_until=until))
            return 1
        if row.owner == owner:
            fence: int = row.fence
        elif row.owner is None or row.lease_until is None or row.lease_until < real_now:
            fence = row.fence + 1
        else:
            return None
        self._connection.execute(
            update(leases).where(leases.c.name == name).values(owner=owner, fence=fence, lease_until=until)
        )
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

    # --- servers in trouble ---

    def note_trouble(self, server: str, error: str, *, now: datetime) -> None:
        """A server does not answer; the first time counts as *since*."""
        changed = self._connection.execute(
            update(server_troubles).where(server_troubles.c.server == server).values(error=error)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(server_troubles).values(server=server, since=now, error=error))

    def clear_trouble(self, server: str) -> None:
        """The server answers again."""
        self._connection.execute(delete(server_troubles).where(server_troubles.c.server == server))

    def troubles(self) -> list[ServerTrouble]:
        """All servers that do not answer now."""
        query = select(server_troubles).order_by(server_troubles.c.since)
        return [ServerTrouble(**row._mapping) for row in self._connection.execute(query)]

    def mark_trouble_told(self, server: str, *, now: datetime) -> None:
        """The administrator was told."""
        self._connection.execute(
            update(server_troubles).where(server_troubles.c.server == server).values(told_at=now)
        )

    # --- readings ---

    def readings(self, digests: Sequence[str], reader_version: int) -> list[DocumentReading]:
        """Readings of these files made by this version of the reader."""
        if not digests:
            return []
        found = self._connection.execute(_READINGS, {"digests": list(digests)})
        return [
            reading_from_json(row.digest, row.reader_version, row.reading)
            for row in found
            if row.reader_version == reader_version
        ]

    def keep_readings(self, made: Sequence[DocumentReading]) -> None:
        """Keep readings; one that is there already stays."""
        if not made:
            return
        digests = {"digests": [reading.digest for reading in made]}
        known = {(row.digest, row.reader_version) for row in self._connection.execute(_READINGS, digests)}
        fresh = {(one.digest, one.reader_version): one for one in made}
        rows = [
            {"digest": one.digest, "reader_version": one.reader_version, "reading": reading_to_json(one)}
            for key, one in fresh.items()
            if key not in known
        ]
        if rows:
            self._connection.execute(_KEEP_READINGS, rows)
