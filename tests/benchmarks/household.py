"""A mailbot pointed at the real servers: its settings, its processes, its mailbox filled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mailbot.demo.daemon_process import sample_folder
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import DISCARD_DOMAIN, HOSTNAME, Postfix
from tests.sample_config import copied_without_digest

_ROOT = Path(__file__).resolve().parents[2]

# One for all runs: a database that is filled once is used by several of them.
_SECRET_KEY = "for benchmarks on this machine, and for nothing else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a child process took: wall clock and its own CPU time, in seconds, and what it printed."""

    seconds: float
    cpu_seconds: float
    said: Any


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk that databases lie on, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mailbot-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bench_config(folder: Path) -> Path:
    """The sample configuration, its staff reading their mail where letters are dropped."""
    config = copied_without_digest(folder)
    staff = config / "staff.yaml"
    text = staff.read_text(encoding="utf-8").replace("@example.com.br", f"@{DISCARD_DOMAIN}")
    staff.write_text(text, encoding="utf-8")
    return config


def settings(
    folder: Path,
    *,
    imap_url: str,
    smtp_url: str,
    address: str,
    database: Path | None = None,
    database_url: str | None = None,
) -> dict[str, str]:
    """Settings of a mailbot that keeps everything in ``folder``, but for a database of its own at ``database`` or
    ``database_url``; no cap holds its letters back."""
    config = folder / "config" if (folder / "config").is_dir() else bench_config(folder)
    return {
        "MAILBOT_ADDRESS": address,
        "MAILBOT_IMAP_URL": imap_url,
        "MAILBOT_SMTP_URL": smtp_url,
        "MAILBOT_DATABASE_URL": database_url or f"sqlite:///{database or folder / 'mailbot.db'}",
        "MAILBOT_DATA_DIR": str(folder / "data"),
        "MAILBOT_CONFIG_DIR": str(config),
        "MAILBOT_TEMPLATES_DIR": str(sample_folder() / "templates"),
        "MAILBOT_SECRET_KEY": _SECRET_KEY,
        "MAILBOT_AUTHSERV_ID": HOSTNAME,
        "MAILBOT_COLLECT_SINCE": "all",
        "MAILBOT_QUIET_SECONDS": "0",
        "MAILBOT_UNDO_MINUTES": "0",
        "MAILBOT_MAX_LETTERS_PER_HOUR": "5000",
    }


def settings_on(folder: Path, dovecot: Dovecot, postfix: Postfix | None, address: str) -> dict[str, str]:
    """Settings for a mailbox on these servers; without Postfix letters go nowhere."""
    login = f"{quote(address, safe='')}:{quote(dovecot.users[address], safe='')}"
    smtp = f"{login}@127.0.0.1:{postfix.submission_port}" if postfix is not None else "127.0.0.1:9"
    return settings(
        folder,
        imap_url=f"imap://{login}@127.0.0.1:{dovecot.imap_port}/INBOX",
        smtp_url=f"smtp://{smtp}",
        address=address,
    )


def fill(dovecot: Dovecot, name: str, mails: Iterable[bytes]) -> str:
    """A new mailbox with these mails; returns its address."""
    address = dovecot.new_user(name)
    dovecot.append_all(address, mails)
    return address


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings, and of our own environment what is not mailbot's; compiled modules are kept, as they are
    wherever mailbot is installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPATH": str(_ROOT), **settings}


def run(arguments: list[str], settings: Mapping[str, str], folder: Path) -> Usage:
    """Run ``python ARGUMENTS`` to its end; what it prints is JSON. Raises ``CalledProcessError``."""
    log = folder / "stderr.log"
    with log.open("ab") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
    if process.returncode != 0:
        end = log.read_text(encoding="utf-8", errors="replace")[-3000:]
        raise subprocess.CalledProcessError(process.returncode, arguments, output, end)
    cpu_seconds = used.ru_utime + used.ru_stime
    return Usage(seconds=seconds, cpu_seconds=cpu_seconds, said=json.loads(output))
