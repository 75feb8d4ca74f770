"""A database that takes part and cannot say so: the connection breaks between a commit and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from mailbot.adapters.storage.engine import Database
from mailbot.domain.errors import StorageUnavailable


@contextmanager
def answer_is_lost(monkeypatch: pytest.MonkeyPatch, *, of_write: int) -> Iterator[None]:
    """Of the transactions that write, counted from 1, this one is committed and raises nevertheless."""
    write = Database.write
    number = 0

    @contextmanager
    def failing(self: Database) -> Iterator[Connection]:
        nonlocal number
        number += 1
        ours = number
        with write(self) as connection:
            yield connection
        if ours == of_write:
            raise StorageUnavailable("the connection to the database was lost")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", failing)
        yield
    assert number >= of_write
