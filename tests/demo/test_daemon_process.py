"""The daemon as a process: its settings, its end, and commands that fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mailbot.catalogue.load import load_catalogue
from mailbot.demo import daemon_process


def test_the_daemon_sees_no_setting_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILBOT_SEND", "hold")
    monkeypatch.setattr(daemon_process, "_command", lambda *_: [sys.executable, "-c", _PRINT_SETTINGS])
    with daemon_process.DaemonProcess({"MAILBOT_ADDRESS": "x"}, folder=tmp_path, log=tmp_path / "log") as daemon:
        assert daemon.ask("anything") == ["MAILBOT_ADDRESS"]


_PRINT_SETTINGS = (
    "import json, os; print(json.dumps([name for name in os.environ if name.startswith('MAILBOT_')]))"
)


def test_a_command_that_fails_is_told_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; sys.exit('no such thing')"
    monkeypatch.setattr(daemon_process, "_command", lambda *_: [sys.executable, "-c", program])
    with (
        daemon_process.DaemonProcess({}, folder=tmp_path, log=tmp_path / "log") as daemon,
        pytest.raises(daemon_process.CommandFailed, match="mailbot mails list ended with 1: no such thing"),
    ):
        daemon.ask("mails", "list")


def test_a_command_that_does_not_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_process, "_command", lambda *_: [sys.executable, "-c", _DEAF])
    monkeypatch.setattr(daemon_process, "_COMMAND_WITHIN_SECONDS", 0.2)
    monkeypatch.setattr(daemon_process, "_STOP_WITHIN_SECONDS", 0.2)
    with (
        daemon_process.DaemonProcess({}, folder=tmp_path, log=tmp_path / "log") as daemon,
        pytest.raises(daemon_process.CommandFailed, match="mailbot tickets list did not end within"),
    ):
        daemon.ask("tickets", "list")


def test_a_daemon_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_process, "_command", lambda *_: [sys.executable, "-c", _DEAF])
    monkeypatch.setattr(daemon_process, "_STOP_WITHIN_SECONDS", 0.3)
    log = tmp_path / "log"
    with daemon_process.DaemonProcess({}, folder=tmp_path, log=log) as daemon:
        while not log.read_text(encoding="utf-8"):
            assert daemon.is_running
        assert daemon.stop() == -9


_DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


def test_no_morning_letter_comes_between_the_letters_of_the_play(tmp_path: Path) -> None:
    config = daemon_process.config_of_play(tmp_path)
    assert load_catalogue(config).staff.digest_at is None
    assert load_catalogue(daemon_process.sample_folder() / "config").staff.digest_at is not None
