"""A whole database copied into an empty one of any kind: in order, in batches, and checked row by row.

Each batch is one commit, in the order of the primary key: what the target holds of a table tells where a copy that
was broken off goes on. Until everything is checked the target's schema has a revision that no program knows, so
that nobody begins to work on half of a house.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, Table, func, insert, inspect, literal, select, text, tuple_

from mailbot.adapters.processes import is_dead
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import (
    NEWEST_REVISION,
    UNFINISHED_COPY,
    current_revision,
    lift_time_limits,
    set_revision,
    upgrade,
)
from mailbot.adapters.storage.tables import inbound_mails, leases, metadata, outbox

BATCH_ROWS = 1000

Advance = Callable[[int], None]


class CopyNotAllowed(Exception):
    """The source is in use, or the target is somebody's: nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCopy:
    """One table after the copy. ``digest`` is SHA-256 over the source's rows in order, ``same`` whether the
    target's number and digest are the same."""

    rows: int
    digest: str
    same: bool


@contextmanager
def frozen(source: Database) -> Iterator[Connection]:
    """The source as it stands, while nobody else writes to it.

    Raises ``CopyNotAllowed`` while a process that lives has something in hand, and ``StorageUnavailable``.
    """
    with source.write() as connection:
        lift_time_limits(connection)
        if not source.is_sqlite:
            names = ", ".join(table.name for table in metadata.sorted_tables)
            connection.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))
        _require_nobody_at_work(connection)
        yield connection


def require_two(source: Database, target: Database) -> None:
    """Raises ``CopyNotAllowed`` if both are one."""
    if _place(source) == _place(target):
        raise CopyNotAllowed("the target is the very database that is to be copied")


def prepare(target: Database) -> bool:
    """Make the tables of an empty target, or find a copy that was broken off there; true for the latter.

    Raises ``CopyNotAllowed`` where anything else is, and ``StorageUnavailable``.
    """
    revision = current_revision(target)
    if revision == UNFINISHED_COPY:
        return True
    if revision is None and not _is_bare(target):
        raise CopyNotAllowed("the target holds tables that are not mailbot's: give an empty database")
    if revision not in (None, NEWEST_REVISION):
        raise CopyNotAllowed(f"the target has another schema ({revision}): give an empty database")
    upgrade(target)
    with target.write() as connection:
        if any(_count(connection, table) for table in metadata.sorted_tables):
            raise CopyNotAllowed("the target is not empty: give an empty database")
        set_revision(connection, UNFINISHED_COPY)
    return False


def count_all(connection: Connection) -> int:
    """How many rows there are to copy."""
    return sum(_count(connection, table) for table in metadata.sorted_tables)


def copy_rows(source: Connection, target: Database, advance: Advance) -> int:
    """Copy what the target does not have yet; how many rows. Raises ``StorageUnavailable``."""
    return sum(_copy_table(source, target, table, advance) for table in metadata.sorted_tables)


def compare(source: Connection, target: Database, advance: Advance) -> dict[str, TableCopy]:
    """Read everything again on both sides; table → how it stands. Raises ``StorageUnavailable``."""
    found = {}
    with target.read() as connection:
        for table in metadata.sorted_tables:
            rows, digest = _digest(source, table, advance)
            found[table.name] = TableCopy(
                rows=rows, digest=digest, same=(rows, digest) == _digest(connection, table, _nothing)
            )
    return found


def finish(target: Database) -> None:
    """The copy is whole: new rows get numbers after the copied ones, and daemons may begin."""
    with target.write() as connection:
        if not target.is_sqlite:
            for table in metadata.sorted_tables:
                _set_sequence(connection, table)
        set_revision(connection, NEWEST_REVISION)


def _require_nobody_at_work(connection: Connection) -> None:
    now = datetime.now(UTC)
    for table in (leases, inbound_mails, outbox):
        held = select(table.c.owner).where(table.c.owner.is_not(None), table.c.lease_until > now).distinct()
        if any(not is_dead(owner) for owner in connection.scalars(held)):
            raise CopyNotAllowed(
                "a daemon works on the database that is to be copied, or did within the last minute: stop it, and "
                "try again a minute later"
            )


def _place(database: Database) -> object:
    url = database.engine.url
    if database.is_sqlite:
        return Path(url.database or "").resolve()
    return url.host, url.port or 5432, url.database


def _is_bare(target: Database) -> bool:
    with target.read() as connection:
        return inspect(connection).get_table_names() == []


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _copy_table(source: Connection, target: Database, table: Table, advance: Advance) -> int:
    with target.read() as connection:
        last = _last_key(connection, table)
        advance(_count(connection, table))
    copied = 0
    while batch := _batch(source, table, after=last):
        with target.write() as connection:
            connection.execute(insert(table), batch)
        last = _key(table, batch[-1])
        copied += len(batch)
        advance(len(batch))
    return copied


def _in_order(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key.columns)


def _last_key(connection: Connection, table: Table) -> tuple[Any, ...] | None:
    columns = list(table.primary_key.columns)
    newest = select(*columns).order_by(*(column.desc() for column in columns)).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else tuple(row)


def _batch(connection: Connection, table: Table, *, after: tuple[Any, ...] | None) -> list[dict[str, Any]]:
    query = _in_order(table).limit(BATCH_ROWS)
    if after is not None:
        columns = list(table.primary_key.columns)
        values = [literal(value, column.type) for value, column in zip(after, columns, strict=True)]
        query = query.where(tuple_(*columns) > tuple_(*values))
    return [dict(row) for row in connection.execute(query).mappings()]


def _key(table: Table, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _digest(connection: Connection, table: Table, advance: Advance) -> tuple[int, str]:
    """Number of rows, and SHA-256 over them as JSON: the same on every database."""
    digest, rows, last = hashlib.sha256(), 0, None
    while batch := _batch(connection, table, after=last):
        for row in batch:
            digest.update(json.dumps(row, sort_keys=True, default=_plain).encode("ascii") + b"\n")
        rows += len(batch)
        last = _key(table, batch[-1])
        advance(len(batch))
    return rows, digest.hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"no column of ours holds a {type(value).__name__}")


def _set_sequence(connection: Connection, table: Table) -> None:
    column = table.autoincrement_column
    if column is None:
        return
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    newest = select(func.max(column)).scalar_subquery()
    # Without rows it begins with 1.
    connection.execute(select(func.setval(sequence, func.coalesce(newest, 1), newest.is_not(None))))


def _nothing(_rows: int) -> None:
    return
