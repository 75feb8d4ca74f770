"""`mailbot backup`, and the restore that its help describes."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mailbot.adapters.storage import backup as backup_of_storage
from mailbot.domain.events import Audience
from tests.cli.command import run_mailbot, sample_settings
from tests.cli.conftest import Cli
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail
from tests.peers import find_program
from tests.peers.postgresql import PostgreSQL

FILES = 1 + 3 + 3 * 2
"""The mail itself, its three papers, and the page of each as it is read and small."""


def fill(house: TestHouse) -> str:
    """A ticket with files; returns its number."""
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    house.app.notice_pages.complete_all()
    (ticket,) = house.tickets()
    return ticket.number


def test_a_backup_holds_the_database_and_every_file_it_names(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    fill(house)
    ran = cli("backup", str(tmp_path / "copy"), "--json")
    assert ran.exit_code == 0
    said = ran.json
    assert (said["mails"], said["messages"], said["files"]) == (1, 1, FILES)
    assert said["letters"] == len(house.letters()) > 0
    assert (said["missing"], said["damaged"]) == ([], [])
    files = [path for path in (tmp_path / "copy" / "files").rglob("*") if path.is_file()]
    assert len(files) == FILES
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
    assert ran.json["files"] == FILES - 2


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


# --- PostgreSQL ------------------------------------------------------------------------------------------------


@pytest.fixture
def on_postgresql(
    postgresql: PostgreSQL, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestHouse]:
    """A house on a database server; ``cli`` looks at it."""
    (tmp_path / "served").mkdir()
    monkeypatch.setenv("PATH", f"{Path(find_program('pg_dump') or '').parent}{os.pathsep}{os.environ['PATH']}")
    with TestHouse(tmp_path / "served", database_url=postgresql.new_database()) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def test_a_database_on_a_server_is_dumped_and_comes_back(
    on_postgresql: TestHouse, cli: Cli, postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = fill(on_postgresql)
    ran = cli("backup", str(tmp_path / "copy"), "--json")
    assert ran.exit_code == 0, ran.stderr
    assert (ran.json["mails"], ran.json["messages"], ran.json["files"]) == (1, 1, FILES)
    dump = tmp_path / "copy" / "mailbot.dump"
    assert dump.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "copy" / "mailbot.db").exists()
    expected = cli("tickets", "show", number, "--json").json
    # Another server: the steps of the help.
    restored = postgresql.new_database()
    program = find_program("pg_restore")
    assert program is not None
    subprocess.run([program, "--no-owner", "-d", restored, str(dump)], check=True)
    monkeypatch.setenv("MAILBOT_DATABASE_URL", restored)
    monkeypatch.setenv("MAILBOT_DATA_DIR", str(tmp_path / "copy"))
    assert cli("tickets", "show", number, "--json").json == expected
    assert "Novo local" in cli("mails", "raw", "1").stdout


def test_a_dump_and_its_files_are_of_one_moment(
    on_postgresql: TestHouse, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes while the server writes its dump is in neither."""
    fill(on_postgresql)
    run = backup_of_storage._run

    def meanwhile(command: Sequence[str], environment: dict[str, str]) -> None:
        on_postgresql.receive(mail("Oi", subject="Dúvida", sender=f"a{len(command)}@example.com.br"))
        run(command, environment)

    monkeypatch.setattr(backup_of_storage, "_run", meanwhile)
    ran = cli("backup", str(tmp_path / "copy"), "--json")
    assert (ran.exit_code, ran.json["mails"], ran.json["files"]) == (0, 1, FILES)
    assert len(on_postgresql.mails()) == 3


def test_without_pg_dump_it_is_said_what_to_do(
    on_postgresql: TestHouse, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(on_postgresql)
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = cli("backup", str(tmp_path / "copy"))
    assert (ran.exit_code, "postgresql-client" in ran.stderr, "MAILBOT_DATA_DIR/files" in ran.stderr) == (
        2,
        True,
        True,
    )


def test_what_pg_dump_says_is_told(
    on_postgresql: TestHouse, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(on_postgresql)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pg_dump"
    program.write_text("#!/bin/sh\necho 'aborting because of server version mismatch' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    ran = cli("backup", str(tmp_path / "copy"))
    assert (ran.exit_code, "version mismatch" in ran.stderr) == (3, True)


def test_letters_on_their_way_are_copied_too(house: TestHouse, cli: Cli, tmp_path: Path) -> None:
    fill(house)
    assert house.letters(Audience.REQUESTER)
    assert cli("backup", str(tmp_path / "copy"), "--json").json["letters"] == len(house.letters())
