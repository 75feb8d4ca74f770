"""What all tables are made of: their naming, and the types of their columns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, String, Text, TypeDecorator
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class _SqliteDateTime(sqlite.DATETIME):
    """Written as SQLAlchemy writes it, but by one call of the standard library: a mail has some twenty times."""

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None]:  # noqa: ARG002
        """Date, a space, and the time to the microsecond."""
        return _to_the_microsecond


def _to_the_microsecond(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(" ", "microseconds")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out; a naive one is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values; SQLite keeps no offset, so store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without time zone reached the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite keeps it as text, PostgreSQL as a time with its zone."""
        if dialect.name != "sqlite":
            return dialect.type_descriptor(self.impl_instance)
        return dialect.type_descriptor(_SqliteDateTime())  # type: ignore[no-untyped-call]  # SQLAlchemy's has none

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give SQLite's values their zone back."""
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise TypeError(f"expected a datetime from the database, got {type(value).__name__}")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CleanText(TypeDecorator[str]):
    """Text that every database takes: without NUL (PostgreSQL has none) and without half surrogates, which no
    encoding has. A sender can put both into a mail; what is compared is cleaned like what is stored."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Take out what cannot be stored; nothing else is changed."""
        if value is None:
            return value
        if not value.isascii():
            value = _without_half_surrogates(value)
        return value.replace("\x00", "") if "\x00" in value else value

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Without a length it is a text of any length.

        PostgreSQL would refuse what is longer than the length, where SQLite takes it as a hint: there it is always
        of any length. It compares and sorts by code, as SQLite does, whatever the cluster's locale.
        """
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Text(collation="C"))
        length: int | None = getattr(self.impl_instance, "length", None)
        return dialect.type_descriptor(Text() if length is None else String(length))


def _without_half_surrogates(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
