"""`mailbot backup`, and the restore that its help describes."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from mailbot.domain.events import Audience
from tests.cli.command import run_mailbot, sample_settings
from tests.cli.conftest import Cli
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail


def fill(house: TestHouse) -> str:
    """A ticket with files; returns its number."""
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    (ticket,) = house.tickets()
    return ticket.number


def test_a_backup_holds_the_database_and_every_file_it_names(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    fill(house)
    ran = cli("backup", str(tmp_path / "copy"), "--json")
    assert ran.exit_code == 0
    said = ran.json
    # The mail itself and its three papers.
    assert (said["mails"], said["messages"], said["files"]) == (1, 1, 4)
    assert said["letters"] == len(house.letters()) > 0
    assert (said["missing"], said["damaged"]) == ([], [])
    files = [path for path in (tmp_path / "copy" / "files").rglob("*") if path.is_file()]
    assert len(files) == 4
    assert said["bytes"] == sum(path.stat().st_size for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "copy").rglob("*.db"))
    assert (tmp_path / "copy" / "config" / "units.yaml").is_file()
    assert not (tmp_path / "copy" / "mailbot.db-wal").exists()


def test_a_restored_backup_shows_its_tickets_and_raw_mails(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    number = fill(house)
    assert cli("backup", str(tmp_path / "copy")).exit_code == 0
    expected = cli("tickets", "show", number, "--json").json
    # Another machine: the steps of the help.
    new = tmp_path / "new"
    (new / "var").mkdir(parents=True)
    shutil.copy(tmp_path / "copy" / "mailbot.db", new / "var" / "mailbot.db")
    shutil.copytree(tmp_path / "copy" / "files", new / "var" / "files")
    settings = sample_settings(new) | {
        "MAILBOT_SECRET_KEY": house.environment["MAILBOT_SECRET_KEY"],
        "MAILBOT_CONFIG_DIR": str(tmp_path / "copy" / "config"),
        "MAILBOT_TEMPLATES_DIR": str(tmp_path / "copy" / "templates"),
        "MAILBOT_SEND": "hold",
    }
    shown = run_mailbot("tickets", "show", number, "--json", cwd=new, settings=settings)
    assert (shown.code, shown.json) == (0, expected)
    raw = run_mailbot("mails", "raw", "1", cwd=new, settings=settings)
    assert raw.code == 0 and "Novo local: Jataí" in raw.stdout.replace("=C3=AD", "í")


def test_it_copies_a_database_that_is_being_written(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            house.receive(mail("Oi", subject="Dúvida", sender=f"a{len(house.mails())}@example.com.br"))

    fill(house)
    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        codes = [cli("backup", str(tmp_path / f"copy{number}"), "--json").exit_code for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert codes == [0, 0, 0]


def test_a_file_that_is_gone_or_damaged_is_named(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    fill(house)
    first, second, *_ = sorted(path for path in (tmp_path / "var" / "files").rglob("*") if path.is_file())
    first.unlink()
    second.write_bytes(b"something else")
    ran = cli("backup", str(tmp_path / "copy"), "--json")
    assert ran.exit_code == 1
    assert (ran.json["missing"], ran.json["damaged"]) == ([first.name], [second.name])
    assert ran.json["files"] == 2


def test_a_folder_that_holds_something_is_left_alone(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    fill(house)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mailbot.db").write_bytes(b"an older backup")
    assert cli("backup", str(tmp_path / "copy")).exit_code == 2
    assert (tmp_path / "copy" / "mailbot.db").read_bytes() == b"an older backup"


def test_without_a_database_it_ends_with_3(tmp_path: Path) -> None:
    ran = run_mailbot("backup", tmp_path / "copy", cwd=tmp_path, settings=sample_settings(tmp_path))
    assert ran.code == 3
    assert not (tmp_path / "copy").exists()


def test_another_databases_own_backup_is_named(tmp_path: Path) -> None:
    settings = sample_settings(tmp_path) | {"MAILBOT_DATABASE_URL": "postgresql://db.example.com.br/mailbot"}
    ran = run_mailbot("backup", tmp_path / "copy", cwd=tmp_path, settings=settings)
    assert ran.code == 2
    assert "pg_dump" in ran.stderr


def test_letters_on_their_way_are_copied_too(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    fill(house)
    assert house.letters(Audience.REQUESTER)
    assert cli("backup", str(tmp_path / "copy"), "--json").json["letters"] == len(house.letters())
