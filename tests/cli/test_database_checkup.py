"""What `mailbot doctor` says of a database server and of the files that the database names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.cli.database_checkup import check_server_clock
from tests.cli.conftest import Cli
from tests.flows.house import TestHouse, mail
from tests.peers.postgresql import PostgreSQL
from tests.storage.rows import NOW


@pytest.fixture
def served(
    postgresql: PostgreSQL, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestHouse]:
    """A house on a database server; ``cli`` looks at it."""
    with TestHouse(tmp_path / "served", database_url=postgresql.new_database()) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def told(cli: Cli, check: str) -> list[dict[str, Any]]:
    return [one for one in cli("doctor", "--json").json["findings"] if one["check"] == check]


def test_a_server_whose_commits_may_be_lost_is_a_problem(served: TestHouse, cli: Cli) -> None:
    served.receive(mail("Oi"))
    (first, *others) = told(cli, "database")
    assert (first["state"], first["message"]) == ("ok", "postgresql, can be written")
    # The server of the tests does not wait for the disk.
    assert [one["message"].split()[0] for one in others] == ["fsync", "synchronous_commit"]
    assert all(one["state"] == "problem" for one in others)
    with served.app.storage.read() as work:
        assert work.house.troubles() == []


def test_mails_that_lie_elsewhere_show_that_the_folder_is_not_shared(
    house: TestHouse, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house.receive(mail("Oi"))
    house.receive(mail("Oi", sender="outra@example.com.br"))
    (finding,) = told(cli, "stored files")
    assert (finding["state"], finding["message"].split()[:3]) == ("ok", ["the", "newest", "2"])
    monkeypatch.setenv("MAILBOT_DATA_DIR", str(tmp_path / "of another daemon"))
    (finding,) = told(cli, "stored files")
    assert (finding["state"], "2 of the newest 2" in finding["message"]) == ("problem", True)
    assert "MAILBOT_DATA_DIR" in finding["advice"]


def test_a_server_whose_clock_goes_wrong_is_a_problem() -> None:
    assert list(check_server_clock(NOW + timedelta(seconds=2), NOW, NOW)) == []
    for off in (30, -30):
        (finding,) = check_server_clock(NOW + timedelta(seconds=off), NOW, NOW)
        assert (finding.state, "30 s apart" in finding.message) == ("problem", True)


def test_a_server_that_answers_late_has_no_wrong_clock() -> None:
    for waited in (timedelta(), timedelta(seconds=20)):
        assert list(check_server_clock(NOW, NOW - waited, NOW + timedelta(seconds=20) - waited)) == []


@pytest.mark.parametrize("url", ["mysql://root@127.0.0.1/mailbot", "no url"])
def test_a_url_that_names_no_database_is_wrong(
    house: TestHouse, cli: Cli, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("MAILBOT_DATABASE_URL", url)
    ran = cli("doctor", "--json")
    assert ran.exit_code == 2
    (finding,) = [one for one in ran.json["findings"] if one["check"] == "database"]
    assert (finding["state"], "MAILBOT_DATABASE_URL" in finding["message"]) == ("wrong", True)
