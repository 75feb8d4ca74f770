"""What every command begins with: logging, settings, warnings about names that nothing reads."""

from __future__ import annotations

import logging
import sys

import structlog

from mailbot.bootstrap import App, build_app
from mailbot.catalogue.load import Catalogue, load_catalogue
from mailbot.cli.output import complain
from mailbot.settings import Settings, load_settings, unknown_names


def set_up_logging(*, json_lines: bool | None = None) -> None:
    """Logs go to stderr: lines of JSON, or readable ones on a terminal. They hold ids, never addresses."""
    readable = sys.stderr.isatty() if json_lines is None else not json_lines
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not readable:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def read_settings() -> Settings:
    """Settings, with a warning for every unknown name. Raises ``ConfigurationError``."""
    return load_settings()


def read_catalogue(settings: Settings) -> Catalogue:
    """The catalogue; unknown ``MAILBOT_*`` names are warned of here, where all known ones are known."""
    catalogue = load_catalogue(settings.config_dir)
    names = [name for mailbox in catalogue.mailboxes for name in mailbox.environment_names]
    for sentence in unknown_names(settings, names):
        complain(f"mailbot: warning: {sentence}")
    return catalogue


def open_app() -> App:
    """The wired application. Raises ``ConfigurationError``."""
    settings = read_settings()
    return build_app(settings, catalogue=read_catalogue(settings))
