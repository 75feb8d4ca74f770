"""Runs `mailbot` as a process of its own, as users and scripts do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mailbot

REPOSITORY = Path(mailbot.__file__).resolve().parent.parent
SECRET = "k" * 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What ``--json`` printed, one value."""
        return json.loads(self.stdout)

    @property
    def json_lines(self) -> list[Any]:
        """What ``--json`` printed, one value a line."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def sample_settings(folder: Path) -> dict[str, str]:
    """Settings with the sample configuration, data below ``folder``, and servers that nobody has reached yet."""
    return {
        "MAILBOT_ADDRESS": "atendimento@example.com.br",
        "MAILBOT_IMAP_URL": "imap://atendimento%40example.com.br:secret@127.0.0.1:9/INBOX",
        "MAILBOT_SMTP_URL": "smtp://atendimento%40example.com.br:secret@127.0.0.1:9",
        "MAILBOT_DATABASE_URL": f"sqlite:///{folder / 'var' / 'mailbot.db'}",
        "MAILBOT_DATA_DIR": str(folder / "var"),
        "MAILBOT_CONFIG_DIR": str(REPOSITORY / "config"),
        "MAILBOT_TEMPLATES_DIR": str(REPOSITORY / "templates"),
        "MAILBOT_SECRET_KEY": SECRET,
    }


def drop_request_type(config: Path, key: str) -> None:
    """Take a request type out of this sample configuration, and with it the mailboxes that offer it by name."""
    (config / "catalogue" / f"{key}.yaml").unlink()
    mailboxes = config / "mailboxes.yaml"
    first, mark, _ = mailboxes.read_text("utf-8").partition("  # Cinco empresas")
    assert mark
    mailboxes.write_text(first, encoding="utf-8")


def log_in_by_token(config: Path, oauth2: str) -> None:
    """Let the mailbox ``default`` of this configuration log in as ``oauth2`` (YAML in one line) says."""
    mailboxes = config / "mailboxes.yaml"
    before, mark, rest = mailboxes.read_text("utf-8").partition("    max_wire_mb: 50\n")
    assert mark
    mailboxes.write_text(f"{before}{mark}    oauth2: {oauth2}\n{rest}", encoding="utf-8")


def run_mailbot(
    *arguments: str | Path,
    cwd: Path,
    settings: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> Ran:
    """``mailbot ARGUMENTS`` with exactly these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "mailbot", *map(str, arguments)],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8", **(settings or {})},
        input=stdin,
        capture_output=True,
        timeout=600,
        check=False,
    )
    return Ran(
        code=done.returncode,
        stdout=done.stdout.decode("utf-8", "surrogateescape"),
        stderr=done.stderr.decode("utf-8", "replace"),
    )
