"""The storage suite's one fixture: every test runs on every database that is named here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.unit_of_work import SqlStorage

DATABASES = ("sqlite:///{folder}/mailbot.db",)


@pytest.fixture(params=DATABASES, ids=lambda url: url.partition(":")[0])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    return str(request.param).format(folder=tmp_path)


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
