"""How a log line is made: one JSON object, or readable on a terminal; ids and places, never words of people.

``docs/logs.md`` lists every ``action``. What an exception says is left out wherever it comes from: its text may be
a sender's.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import structlog
import typer

from mailbot.cli.output import Exit
from mailbot.domain.errors import ConfigurationError, ServerAway

LogListener = Callable[[Mapping[str, Any]], None]
"""Is given each event as it is logged; must not raise."""

_INNERMOST_FRAMES = 12


def configure_logging(*, json_lines: bool | None, listener: LogListener | None = None) -> None:
    """Send every log line to stderr; ``None`` for JSON wherever stderr is no terminal.

    Loggers keep what they were made with at first use: to be called before anything is logged.
    """
    readable = sys.stderr.isatty() if json_lines is None else not json_lines
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_words_of_errors,
    ]
    if listener is not None:
        processors.append(_passing_on(listener))
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    _take_in_libraries()


def without_words_of_errors(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Replace ``exc_info`` by the error's class and the places it came through, innermost last."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["trace"] = _places(error.__traceback__)
    return event


def _places(trace: TracebackType | None) -> list[str]:
    frames = [frame for frame, _ in traceback.walk_tb(trace)]
    lines = [line for _, line in traceback.walk_tb(trace)]
    places = [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in zip(frames, lines, strict=True)
    ]
    return places[-_INNERMOST_FRAMES:]


def _passing_on(listener: LogListener) -> structlog.typing.Processor:
    def pass_on(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        listener(event)
        return event

    return pass_on


@contextmanager
def unforeseen_errors() -> Iterator[None]:
    """An error that nobody foresaw is a line of the log: Python's own words of it may hold a sender's."""
    try:
        yield
    except (ConfigurationError, ServerAway, typer.Exit):
        raise
    except Exception:
        _run_log.exception("ended by an error", action="run.error")
        raise SystemExit(Exit.NEEDS_A_LOOK) from None


class _FromLibraries(logging.Handler):
    """Warnings of libraries, which use Python's own logging, as lines like ours: where, not what."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by ``logging``."""
        error = record.exc_info[1] if record.exc_info else None
        _library_log.log(
            record.levelno,
            "a library warns",
            action="library.warning",
            logger=record.name,
            place=f"{record.module}:{record.lineno} {record.funcName}",
            error=type(error).__name__ if error is not None else None,
        )


_library_log = structlog.get_logger("mailbot.libraries")
_run_log = structlog.get_logger("mailbot.run")


def _take_in_libraries() -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _FromLibraries) for handler in root.handlers):
        root.addHandler(_FromLibraries(logging.WARNING))
    logging.captureWarnings(True)
