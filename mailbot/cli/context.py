"""What every command begins with: logging, settings, warnings about names that nothing reads."""

from __future__ import annotations

from mailbot.bootstrap import App, build_app
from mailbot.catalogue.load import Catalogue, load_catalogue
from mailbot.cli.logs import LogListener, configure_logging
from mailbot.cli.output import complain
from mailbot.settings import LogFormat, Settings, load_settings, unknown_names


def set_up_logging(settings: Settings | None = None, *, listener: LogListener | None = None) -> None:
    """Logs go to stderr: lines of JSON, or readable ones on a terminal, unless MAILBOT_LOG_FORMAT says which.

    To be called before anything is logged; again as soon as the settings are known. ``listener`` hears of
    every event.
    """
    log_format = LogFormat.AUTO if settings is None else settings.log_format
    json_lines = None if log_format is LogFormat.AUTO else log_format is LogFormat.JSON
    configure_logging(json_lines=json_lines, listener=listener)


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


def wired_app() -> App:
    """The wired application, its database not yet open. Raises ``ConfigurationError``."""
    settings = read_settings()
    return build_app(settings, catalogue=read_catalogue(settings))


def open_app() -> App:
    """The wired application with its database open. Raises ``ConfigurationError`` and ``StorageUnavailable``."""
    app = wired_app()
    try:
        app.open_storage()
    except BaseException:
        app.close()
        raise
    return app
