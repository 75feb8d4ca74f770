"""`mailbot knowledge` from outside."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command import REPOSITORY, run_mailbot

SETTINGS = {
    "MAILBOT_ADDRESS": "atendimento@example.com.br",
    "MAILBOT_IMAP_URL": "maildir://Maildir",
    "MAILBOT_SMTP_URL": "smtp://127.0.0.1:9",
    "MAILBOT_SECRET_KEY": "a key that only the tests know, of 32 bytes",
    "MAILBOT_CONFIG_DIR": str(REPOSITORY / "config"),
    "MAILBOT_TEMPLATES_DIR": str(REPOSITORY / "templates"),
}


def test_articles_are_listed_with_their_votes(tmp_path: Path) -> None:
    ran = run_mailbot("knowledge", "list", "--json", cwd=tmp_path, settings=SETTINGS)
    assert ran.code == 0
    (one,) = [each for each in ran.json if each["key"] == "arquivo-grande"]
    assert (one["useful"], one["not_useful"], one["request_types"]) == (0, 0, "*")
    plain = run_mailbot("knowledge", "list", cwd=tmp_path, settings=SETTINGS)
    assert "Como enviar um arquivo muito grande" in plain.stdout


def test_a_search_shows_what_a_confirmation_would_suggest(tmp_path: Path) -> None:
    asked = "knowledge", "search", "o arquivo é muito grande", "--json"
    ran = run_mailbot(*asked, cwd=tmp_path, settings=SETTINGS)
    assert [one["key"] for one in ran.json] == ["arquivo-grande"]
    ran = run_mailbot("knowledge", "search", "x", "--type", "nothing", cwd=tmp_path, settings=SETTINGS)
    assert ran.code == 2
