"""Locks by number, for what must not happen side by side and has no row yet that could be locked.

SQLite needs none: a writing transaction has the whole file to itself.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, text

_LOCK = text("SELECT pg_advisory_xact_lock(:number)")


class Line(IntEnum):
    """What is done by one transaction at a time. The numbers are ours among all users of the database."""

    MIGRATION = 0x6D61696C_0001
    # New mails find their place behind those of their sender.
    LEDGER = 0x6D61696C_0002
    # The first start says by which key the house is kept.
    KEY_CHECK = 0x6D61696C_0003
    # No two customers share an address or a number.
    CUSTOMERS = 0x6D61696C_0004


def stand_in_line(connection: Connection, line: Line) -> None:
    """Wait until no other transaction stands here; held until the end of this one."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"number": int(line)})
