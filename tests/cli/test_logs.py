"""How log lines look, and that no words of people get into them by way of errors and libraries."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from mailbot.cli.logs import configure_logging
from tests.cli.command import run_mailbot, sample_settings

SECRET = "maria.souza@cliente.example 529.982.247-25"

Lines = Callable[[], list[dict[str, Any]]]


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # A logger keeps the stderr of its first use.
    monkeypatch.setattr("mailbot.cli.logs._library_log", structlog.get_logger())
    handlers = list(logging.getLogger().handlers)
    yield
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What stands on stderr, each line read as JSON."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_each_event_is_one_json_object_where_nobody_looks(lines: Lines) -> None:
    configure_logging(json_lines=None)
    structlog.get_logger("test").info("mail processed", action="intake.ticket", mail_id=17, note="a\nb ç")
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "mail processed", "action": "intake.ticket", "mail_id": 17, "note": "a\nb ç", "level": "info",
    }  # fmt: skip


def test_on_a_terminal_and_by_a_setting_lines_are_for_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted, terminal, is_json in ((None, True, False), (True, True, True), (False, False, False)):
        stderr = Terminal() if terminal else io.StringIO()
        monkeypatch.setattr(sys, "stderr", stderr)
        configure_logging(json_lines=wanted)
        structlog.get_logger("test").info("stopped", action="daemon.stopped")
        assert stderr.getvalue().startswith("{") is is_json
        structlog.reset_defaults()


@pytest.mark.parametrize("terminal", [True, False])
def test_of_an_error_only_its_class_and_places_are_told(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    stderr = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logging(json_lines=None)

    def fail(words: str) -> None:
        raise ValueError(words)

    try:
        fail(SECRET)
    except ValueError:
        structlog.get_logger("test").exception("a loop died", action="daemon.loop_died")
    told = stderr.getvalue()
    assert "ValueError" in told
    assert "tests.cli.test_logs" in told
    assert " fail" in told
    assert "maria" not in told
    assert "529" not in told


def test_what_libraries_log_is_an_event_without_their_words(lines: Lines) -> None:
    configure_logging(json_lines=None)
    configure_logging(json_lines=None)
    try:
        raise OSError(SECRET)
    except OSError:
        logging.getLogger("aiosmtplib").warning("to %s", SECRET, exc_info=True)
    logging.getLogger("imapclient").info("not even this")
    [line] = lines()
    assert (line["action"], line["level"], line["logger"], line["error"]) == (
        "library.warning", "warning", "aiosmtplib", "OSError",
    )  # fmt: skip
    assert "test_logs" in line["place"]
    assert "maria" not in json.dumps(line)


def test_a_warning_of_python_is_an_event_as_well(lines: Lines) -> None:
    configure_logging(json_lines=None)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(SECRET, DeprecationWarning, stacklevel=1)
    [line] = lines()
    assert (line["action"], line["logger"]) == ("library.warning", "py.warnings")
    assert "maria" not in json.dumps(line)


def test_a_listener_hears_of_every_event(lines: Lines) -> None:
    heard: list[str] = []
    configure_logging(json_lines=None, listener=lambda event: heard.append(event["action"]))
    structlog.get_logger("test").info("stopped", action="daemon.stopped")
    assert heard == ["daemon.stopped"]
    assert len(lines()) == 1


def test_a_log_format_that_there_is_not_stops_the_start(tmp_path: Any) -> None:
    settings = sample_settings(tmp_path) | {"MAILBOT_LOG_FORMAT": "xml"}
    ran = run_mailbot("run", "--once", cwd=tmp_path, settings=settings)
    assert ran.code == 2
    assert "MAILBOT_LOG_FORMAT" in ran.stderr


@pytest.mark.parametrize(("log_format", "is_json"), [("json", True), ("text", False)])
def test_the_setting_reaches_the_log(tmp_path: Any, log_format: str, is_json: bool) -> None:
    settings = sample_settings(tmp_path) | {"MAILBOT_LOG_FORMAT": log_format}
    settings["MAILBOT_IMAP_URL"] = f"maildir://{tmp_path / 'Maildir'}"
    (tmp_path / "Maildir" / "cur").mkdir(parents=True)
    (tmp_path / "Maildir" / "new").mkdir()
    (tmp_path / "Maildir" / "tmp").mkdir()
    ran = run_mailbot("run", "--once", cwd=tmp_path, settings=settings)
    first = next(line for line in ran.stderr.splitlines() if "collect.first_contact" in line)
    assert first.startswith("{") is is_json
