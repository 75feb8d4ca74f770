"""`mailbot init`: a folder that works, and nothing overwritten."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from mailbot.bootstrap import build_app
from mailbot.catalogue.load import load_catalogue
from mailbot.cli import founding
from mailbot.settings import SendMode, _Values, load_settings
from tests.cli.command import REPOSITORY, run_mailbot

FILLED_IN = {
    "MAILBOT_ADDRESS": "atendimento@example.com.br",
    "MAILBOT_IMAP_URL": "imaps://atendimento@imap.example.com.br/INBOX",
    "MAILBOT_SMTP_URL": "smtps://atendimento@smtp.example.com.br",
}


def names_in(text: str) -> set[str]:
    return set(re.findall(r"^#?(MAILBOT_[A-Z_]+)=", text, re.MULTILINE))


def test_the_folder_has_all_that_a_start_needs(tmp_path: Path) -> None:
    ran = run_mailbot("init", "house", "--json", cwd=tmp_path)
    assert ran.code == 0
    folder = tmp_path / "house"
    assert ran.json["existed"] == []
    assert {".env", "mailbot.service", "config/units.yaml", "templates/pt-BR/phrases.yaml"} <= set(
        ran.json["written"]
    )
    settings = load_settings(FILLED_IN, dotenv=folder / ".env")
    assert settings.send is SendMode.HOLD
    assert len(settings.require_secret_key()) >= 32
    catalogue = load_catalogue(folder / "config")
    app = build_app(settings, catalogue=catalogue)
    assert set(app.connections) == {"default"}
    app.close()
    assert run_mailbot("catalogue", "check", cwd=folder).code == 0


def test_the_env_is_for_its_owner_alone_and_the_secret_is_fresh(tmp_path: Path) -> None:
    secrets = set()
    for name in ("one", "two"):
        run_mailbot("init", name, cwd=tmp_path)
        path = tmp_path / name / ".env"
        assert path.stat().st_mode & 0o777 == 0o600
        assert (tmp_path / name / "config" / "units.yaml").stat().st_mode & 0o777 == 0o644
        secrets.add(load_settings({}, dotenv=path).secret_key)
    assert len(secrets) == 2


def test_nothing_is_overwritten_and_what_existed_is_listed(tmp_path: Path) -> None:
    (tmp_path / "house" / "config").mkdir(parents=True)
    (tmp_path / "house" / ".env").write_text("MAILBOT_SEND=on\n")
    (tmp_path / "house" / "config" / "units.yaml").write_text("units: []\n")
    ran = run_mailbot("init", "house", "--json", cwd=tmp_path)
    assert ran.code == 1
    assert sorted(ran.json["existed"]) == [".env", "config/units.yaml"]
    assert "config/staff.yaml" in ran.json["written"]
    assert (tmp_path / "house" / ".env").read_text() == "MAILBOT_SEND=on\n"
    assert (tmp_path / "house" / "config" / "units.yaml").read_text() == "units: []\n"
    again = run_mailbot("init", "house", "--json", cwd=tmp_path)
    assert (again.code, again.json["written"]) == (1, [])
    in_words = run_mailbot("init", "house", cwd=tmp_path).stderr.splitlines()
    assert in_words[0].startswith("mailbot: exists, left alone: config/")
    assert len(in_words) == 11
    assert in_words[-1] == f"mailbot: and {len(again.json['existed']) - 10} more; --json lists them all"


def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / ".env").symlink_to(tmp_path / "elsewhere")
    ran = run_mailbot("init", "house", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["existed"]) == (1, [".env"])
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "house").write_text("a file")
    ran = run_mailbot("init", "house", cwd=tmp_path)
    assert ran.code == 2
    assert "Traceback" not in ran.stderr


def test_the_unit_starts_this_installation_in_the_folder(tmp_path: Path) -> None:
    run_mailbot("init", "house", cwd=tmp_path)
    unit = (tmp_path / "house" / "mailbot.service").read_text()
    start = re.search(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    assert f"WorkingDirectory={tmp_path / 'house'}\n" in unit
    assert start is not None and os.access(start[1], os.X_OK)
    assert not re.search(r"@[A-Z_]+@", unit)


def test_the_unit_hides_the_homes_unless_something_lies_there(tmp_path: Path) -> None:
    run_mailbot("init", "house", cwd=tmp_path)
    unit = (tmp_path / "house" / "mailbot.service").read_text()
    interpreter = Path(sys.executable)
    places = (interpreter, interpreter.resolve(), tmp_path)
    in_a_home = any(place.is_relative_to(home) for home in ("/home", "/root") for place in places)
    assert f"ProtectHome={'read-only' if in_a_home else 'yes'}\n" in unit
    home = Path("/home/mailbot-test/house")
    assert "ProtectHome=read-only\n" in founding._unit(home)


def test_the_folder_that_the_unit_lets_it_write_is_there(tmp_path: Path) -> None:
    run_mailbot("init", "house", cwd=tmp_path)
    unit = (tmp_path / "house" / "mailbot.service").read_text()
    written = re.search(r"^ReadWritePaths=(\S+)$", unit, re.MULTILINE)
    assert written is not None
    assert Path(written[1]).stat().st_mode & 0o777 == 0o700


def test_the_example_names_every_setting() -> None:
    text = (REPOSITORY / ".env.example").read_text("utf-8")
    mailbox = load_catalogue(REPOSITORY / "config").mailbox("default")
    assert mailbox is not None
    known = {f"MAILBOT_{name.upper()}" for name in _Values.model_fields} | set(mailbox.environment_names)
    assert names_in(text) == known


def test_the_defaults_that_the_example_states_are_the_real_ones() -> None:
    text = (REPOSITORY / ".env.example").read_text("utf-8")
    stated = dict(re.findall(r"^#(MAILBOT_[A-Z_]+)=(.+)$", text, re.MULTILINE))
    del stated["MAILBOT_SEND_ALLOWLIST"]
    # Paths stay as they are written.
    assert load_settings(stated, dotenv=Path("no.env")).collect_since == "now"
    plain, said = (load_settings(given, dotenv=Path("no.env")) for given in ({}, stated))
    for name in ("database_url", "data_dir", "config_dir", "templates_dir", "max_letters_per_hour"):
        assert getattr(plain, name) == getattr(said, name)
    assert (plain.quiet_seconds, plain.undo_minutes) == (said.quiet_seconds, said.undo_minutes)


def test_a_fresh_folder_says_what_the_first_mailbox_wants(tmp_path: Path) -> None:
    run_mailbot("init", "house", cwd=tmp_path)
    ran = run_mailbot("tickets", "list", cwd=tmp_path / "house")
    assert ran.code == 2
    assert "'default' wants MAILBOT_ADDRESS, MAILBOT_IMAP_URL, MAILBOT_SMTP_URL" in ran.stderr
    assert "VISTORIAS" not in ran.stderr
