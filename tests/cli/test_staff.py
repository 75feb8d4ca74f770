"""``mailbot staff``: the roster as an administrator sees and changes it."""

from __future__ import annotations

from tests.cli.conftest import Cli
from tests.flows.house import TestHouse, mail

KEYS = ["key", "name", "address", "queues", "source", "status", "absent_until", "deputy", "open_tickets"]


def row(cli: Cli, key: str) -> dict[str, object]:
    return next(one for one in cli("staff", "list", "--json").json if one["key"] == key)


def test_the_list_has_everybody_with_every_key(house: TestHouse, cli: Cli) -> None:
    rows = cli("staff", "list", "--json").json
    assert [one["key"] for one in rows] == ["ana", "bruno"]
    assert list(rows[0]) == KEYS
    assert rows[1]["queues"] == ["*"]


def test_somebody_added_stands_in_the_list_and_in_no_file(house: TestHouse, cli: Cli) -> None:
    before = (house.app.settings.config_dir / "staff.yaml").read_bytes()
    ran = cli("staff", "add", "carla", "--address", "Carla@example.com.br", "--name", "Carla", "--queue", "sau")
    assert ran.exit_code == 0
    assert row(cli, "carla") | {} == {
        "key": "carla", "name": "Carla", "address": "carla@example.com.br", "queues": ["sau"], "source":
        "database", "status": "active", "absent_until": None, "deputy": None, "open_tickets": 0,
    }  # fmt: skip
    assert (house.app.settings.config_dir / "staff.yaml").read_bytes() == before
    again = cli("staff", "add", "carla", "--address", "outra@example.com.br", "--name", "Carla")
    assert again.exit_code == 2


def test_an_absence_lasts_to_the_end_of_its_last_day_and_ends_on_the_word_back(house: TestHouse, cli: Cli) -> None:
    assert cli("staff", "absent", "ana", "--until", "2099-11-30", "--deputy", "bruno").exit_code == 0
    told = row(cli, "ana")
    assert (told["status"], told["absent_until"], told["deputy"]) == (
        "absent",
        "2099-12-01T03:00:00+00:00",
        "bruno",
    )
    assert cli("staff", "absent", "ana", "--until", "back").exit_code == 0
    assert row(cli, "ana")["status"] == "active"


def test_an_absence_must_be_ahead_and_a_deputy_somebody_else(house: TestHouse, cli: Cli) -> None:
    for arguments in (
        ("nobody", "--until", "2099-11-30"),
        ("ana", "--until", "2020-01-01"),
        ("ana", "--until", "amanhã"),
        ("ana", "--until", "9999-12-31"),
        ("ana", "--until", "2099-11-30", "--deputy", "ana"),
        ("ana", "--until", "2099-11-30", "--deputy", "nobody"),
    ):
        assert cli("staff", "absent", *arguments).exit_code == 2, arguments


def test_revoking_tells_what_ended(house: TestHouse, cli: Cli) -> None:
    house.receive(mail("Socorro", subject="Dúvida"))
    told = cli("staff", "revoke", "bruno", "--json").json
    assert told == {"key": "bruno", "handles": 1, "tickets": []}
    assert row(cli, "bruno")["status"] == "revoked"
    assert cli("staff", "revoke", "bruno").exit_code == 2
