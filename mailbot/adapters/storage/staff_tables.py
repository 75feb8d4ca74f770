"""The tables of who works here: agents as they were changed, whose turn it is, digests that left."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Table

from mailbot.adapters.storage.columns import CleanText, UtcDateTime, metadata

agents = Table(
    "agents",
    metadata,
    Column("key", CleanText(100), primary_key=True),
    Column("address", CleanText(320), nullable=False),
    Column("name", CleanText(), nullable=False, default=""),
    # NULL for all queues.
    Column("queues", JSON(none_as_null=True)),
    Column("state", CleanText(20), nullable=False),
    Column("absent_until", UtcDateTime),
    Column("deputy", CleanText(100), nullable=False, default=""),
    Column("away_since", UtcDateTime),
    Column("rerouted_at", UtcDateTime),
)

queue_turns = Table(
    "queue_turns",
    metadata,
    Column("queue", CleanText(100), primary_key=True),
    # Key of who got a ticket last.
    Column("agent", CleanText(100), nullable=False),
)

digests = Table(
    "digests",
    metadata,
    Column("kind", CleanText(20), primary_key=True),
    Column("recipient", CleanText(320), primary_key=True),
    # A day (2026-11-23) or a week (2026-W48).
    Column("period", CleanText(10), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)
