"""The storage suite's one fixture: every test runs on every database that is named here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.unit_of_work import SqlStorage
from tests.peers.postgresql import PostgreSQL

DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/mailbot.db"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database with the newest schema."""
    opened = Database(url)
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def storage(database: Database) -> SqlStorage:
    """The storage as the flows see it."""
    return SqlStorage(database)
