"""The flows' tests on every database: what a flow does must not depend on where it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.house import TestHouse
from tests.peers.postgresql import PostgreSQL

# Those that keep something. Houses that a test opens in a process of its own are on SQLite.
_ON_EVERY_DATABASE = frozenset(
    {
        "test_account_contacts",
        "test_collect",
        "test_customers",
        "test_customer_words",
        "test_digest",
        "test_due",
        "test_delivery",
        "test_feedback",
        "test_forged",
        "test_hostile_alarms",
        "test_hostile_answers",
        "test_hostile_key",
        "test_hostile_machines",
        "test_hostile_senders",
        "test_intake",
        "test_mailboxes_of_the_house",
        "test_misfortunes",
        "test_one_voice",
        "test_reprocess",
        "test_roster",
        "test_upkeep",
    }
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that opens a house once on each database."""
    if metafunc.module.__name__.rpartition(".")[2] in _ON_EVERY_DATABASE and "tmp_path" in metafunc.fixturenames:
        both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
        metafunc.parametrize("kept_in", both, indirect=True)


@pytest.fixture(autouse=True)
def kept_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which database houses are on."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    urls: dict[Path, str] = {}

    def database_of(folder: Path) -> str:
        if folder not in urls:
            urls[folder] = server.new_database()
        return urls[folder]

    monkeypatch.setattr(TestHouse, "database_of", staticmethod(database_of))
