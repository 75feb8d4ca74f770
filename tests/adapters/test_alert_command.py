"""The administrator's command: what it gets, what it does not get, and that it keeps nobody waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters import alert_command
from mailbot.adapters.alert_command import AlertCommand
from mailbot.domain.errors import AlertNotSent
from mailbot.domain.incidents import Notice, NoticeState
from tests.peers.process import PATIENCE_SECONDS, wait_until

NOTICE = Notice(
    state=NoticeState.ALARM, subject="the disk is full", lines=("ALARM: the disk is full", "OVER: ação")
)
WRITES_ALL = (
    "import json, os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(json.dumps("
    "{'argv': sys.argv[2:], 'stdin': sys.stdin.buffer.read().decode(), 'env': dict(os.environ)}))"
)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_command, "TIME_LIMIT_SECONDS", PATIENCE_SECONDS)


def python(program: str, *arguments: str | Path) -> tuple[str, ...]:
    return (sys.executable, "-c", program, *map(str, arguments))


def test_it_gets_the_text_on_its_input_and_the_state_in_its_environment(tmp_path: Path) -> None:
    AlertCommand(python(WRITES_ALL, tmp_path / "told")).tell(NOTICE)
    told = json.loads((tmp_path / "told").read_text())
    first, *rest = told["stdin"].splitlines()
    assert first == told["env"]["MAILBOT_ALERT_SUBJECT"]
    assert first.endswith(": the disk is full")
    assert rest == ["", "ALARM: the disk is full", "OVER: ação"]
    assert told["env"]["MAILBOT_ALERT_STATE"] == "alarm"


def test_no_shell_sees_its_words(tmp_path: Path) -> None:
    odd = ("$(touch pwned)", "; touch pwned", "*", "a b")
    AlertCommand(python(WRITES_ALL, tmp_path / "told", *odd)).tell(NOTICE)
    assert json.loads((tmp_path / "told").read_text())["argv"] == list(odd)


def test_it_gets_none_of_our_settings_and_secrets(tmp_path: Path) -> None:
    environment = {
        "PATH": os.defpath,
        "CHANNEL_TOKEN": "the administrator's",
        "MAILBOT_SECRET_KEY": "s" * 40,
        "MAILBOT_IMAP_URL": "imaps://a:b@c",
        "SUPPORT_PASSWORD": "of a mailbox",
        "SUPPORT_PASSWORD_FILE": "/run/secret",
        "PGPASSWORD": "of the database",
        "PGPASSFILE": "/run/pgpass",
        "PGSERVICE": "tickets",
        "PGSERVICEFILE": "/run/pg_service.conf",
        "PGSSLKEY": "/run/key",
        "CREDENTIALS_DIRECTORY": "/run/credentials/mailbot.service",
        "NOTIFY_SOCKET": "/run/notify",
        "WATCHDOG_USEC": "1",
    }
    command = AlertCommand(
        python(WRITES_ALL, tmp_path / "told"), secret_names=["SUPPORT_PASSWORD"], environment=environment
    )
    command.tell(NOTICE)
    told = json.loads((tmp_path / "told").read_text())["env"]
    # What C adds for the sake of its locale is not ours.
    assert told.keys() - {"LC_CTYPE"} == {
        *("PATH", "CHANNEL_TOKEN", "MAILBOT_ALERT_STATE", "MAILBOT_ALERT_SUBJECT"),
    }


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("/no/such/program",), "cannot be started"),
        (("/",), "cannot be started"),
        (python("raise SystemExit(7)"), "ended with 7"),
        (python("import os; os.kill(os.getpid(), 9)"), "ended with -9"),
    ],
)
def test_a_command_that_fails_says_how(words: tuple[str, ...], cause: str) -> None:
    with pytest.raises(AlertNotSent, match=cause):
        AlertCommand(words).tell(NOTICE)


def test_a_command_that_does_not_read_its_input_may_do_so() -> None:
    AlertCommand(python("pass")).tell(Notice(state=NoticeState.ALARM, subject="x", lines=("y" * 1_000_000,)))


def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_command, "TIME_LIMIT_SECONDS", 1.0)
    child = (
        "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
    )
    program = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]]); time.sleep(600)"
    )
    told = tmp_path / "pid"
    start = subprocess.Popen

    def started(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = start(*arguments, **options)
        # Its time begins when it hangs: Python itself may take longer to start than it has.
        wait_until(lambda: told.exists() and bool(told.read_text()), "the child")
        return process

    monkeypatch.setattr(subprocess, "Popen", started)
    with pytest.raises(AlertNotSent, match="longer than 1 s"):
        AlertCommand(python(program, child, told)).tell(NOTICE)
    wait_until(lambda: _is_over(int(told.read_text())), "the child's end")


def _is_over(process: int) -> bool:
    """A dead process that nobody has waited for has no command line any more."""
    try:
        return not (Path("/proc") / str(process) / "cmdline").read_bytes()
    except OSError:
        return True
