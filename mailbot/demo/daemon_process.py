"""The real daemon as a process of its own, and the real commands beside it: nothing of them knows of a demo."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import mailbot
from mailbot.demo.servers import AUTHSERV_ID, EmbeddedServers

_STOP_WITHIN_SECONDS = 60.0
_COMMAND_WITHIN_SECONDS = 120.0


class CommandFailed(Exception):
    """A command of mailbot did not end as it should; the text tells which and what it said."""


def settings_for(
    servers: EmbeddedServers,
    *,
    address: str,
    password: str,
    admin_address: str,
    config_folder: Path,
    data_folder: Path,
) -> dict[str, str]:
    """The environment that points mailbot at the embedded servers (INTERFACE *Settings*)."""
    samples = sample_folder()
    login = f"{quote(address, safe='')}:{quote(password, safe='')}@{servers.host}"
    return {
        "MAILBOT_ADDRESS": address,
        "MAILBOT_IMAP_URL": f"imap://{login}:{servers.imap_port}/INBOX",
        "MAILBOT_SMTP_URL": f"smtp://{login}:{servers.smtp_port}",
        "MAILBOT_DATABASE_URL": f"sqlite:///{data_folder / 'mailbot.db'}",
        "MAILBOT_DATA_DIR": str(data_folder),
        "MAILBOT_CONFIG_DIR": str(config_folder),
        "MAILBOT_TEMPLATES_DIR": str(samples / "templates"),
        "MAILBOT_SECRET_KEY": secrets.token_urlsafe(48),
        "MAILBOT_AUTHSERV_ID": AUTHSERV_ID,
        "MAILBOT_ADMIN_ADDRESS": admin_address,
        # The mailbox is new: whatever lies in it when the daemon first looks belongs to the play.
        "MAILBOT_COLLECT_SINCE": "all",
        "MAILBOT_UNDO_MINUTES": "0",
        "MAILBOT_QUIET_SECONDS": "0",
    }


def config_of_play(folder: Path) -> Path:
    """The sample configuration without the morning's letter, in ``folder``: the play is the same at any hour."""
    config = Path(shutil.copytree(sample_folder() / "config", folder / "config"))
    staff = config / "staff.yaml"
    staff.write_text(re.sub(r"(?m)^digest_at:.*\n", "", staff.read_text("utf-8")), "utf-8")
    return config


def sample_folder() -> Path:
    """The folder with the sample ``config/`` and ``templates/``: beside the package, or where we are."""
    for folder in (Path(mailbot.__file__).resolve().parent.parent, Path.cwd()):
        if (folder / "config" / "catalogue").is_dir() and (folder / "templates").is_dir():
            return folder
    raise CommandFailed("the sample folders config/ and templates/ are not here: run the demo in mailbot's folder")


class DaemonProcess:
    """``mailbot run``, from ``with`` to the end of it; its log goes to a file."""

    def __init__(self, settings: Mapping[str, str], *, folder: Path, log: Path) -> None:
        self._environment = _environment(settings)
        # Not where we are: an .env there is none of the demo's business.
        self._folder = folder
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DaemonProcess:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                _command("run"),
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> int:
        """Ask it to end as systemd does (SIGTERM), wait, and return its exit code; it is killed if it does not."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(_STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def ask(self, *arguments: str) -> Any:
        """Run ``mailbot ARGUMENTS --json`` with the same settings and return what it prints.

        Raises ``CommandFailed``.
        """
        name = "mailbot " + " ".join(arguments)
        try:
            done = subprocess.run(
                _command(*arguments, "--json"),
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_COMMAND_WITHIN_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{name} did not end within {_COMMAND_WITHIN_SECONDS:g} s") from None
        if done.returncode != 0:
            raise CommandFailed(
                f"{name} ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
            )
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise CommandFailed(f"{name} --json printed something else than JSON") from None


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mailbot", *arguments]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings, what of our own environment is not mailbot's, and where to find the package."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")}
    where = str(Path(mailbot.__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (where, kept.get("PYTHONPATH", "")) if part)
    return {**kept, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **settings}
