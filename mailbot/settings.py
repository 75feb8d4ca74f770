"""Settings: environment, ``.env`` and ``NAME_FILE`` in; checked values out, or every problem at once.

The names are INTERFACE *Settings*. What describes one mailbox (address, servers) is read by name from
:class:`Settings` when the catalogue's entry asks for it.
"""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mailbot.domain.errors import ConfigurationError, Problem

PREFIX = "MAILBOT_"
_FILE = "_FILE"
SECRET_BYTES_AT_LEAST = 32
# Read by make, CI and tests, not by the program.
_NOT_OURS = frozenset({"MAILBOT_CORPORA", "MAILBOT_REQUIRE_PEERS"})


class SendMode(StrEnum):
    """Whether letters leave."""

    ON = "on"
    HOLD = "hold"
    ALLOWLIST = "allowlist"


class LogFormat(StrEnum):
    """How log lines look; ``auto`` is JSON wherever stderr is no terminal."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class _Values(BaseModel):
    """The settings that do not belong to one mailbox, as pydantic checks them."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    database_url: Annotated[str, Field(min_length=1)] = "sqlite:///var/mailbot.db"
    data_dir: Path = Path("var")
    config_dir: Path = Path("config")
    templates_dir: Path = Path("templates")
    secret_key: str | None = None
    admin_address: Annotated[str, Field(pattern=r"^[^\s@<>]+@[^\s@<>]+$")] | None = None
    collect_since: Literal["now", "all"] | datetime = "now"
    send: SendMode = SendMode.ON
    send_allowlist: str = ""
    max_letters_per_hour: Annotated[int, Field(ge=1)] = 1000
    quiet_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60
    undo_minutes: Annotated[int, Field(ge=0, le=1440)] = 5
    now: datetime | None = None
    allow_plain: bool = False
    workers: Annotated[int, Field(ge=0, le=64)] | None = None
    log_format: LogFormat = LogFormat.AUTO
    alert_command: str | None = None
    alert_after_minutes: Annotated[int, Field(ge=0, le=1440)] = 10
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    metrics_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    metrics_allow_remote: bool = False

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: str | None) -> str | None:
        if value is not None and len(value.encode()) < SECRET_BYTES_AT_LEAST:
            raise ValueError(f"needs at least {SECRET_BYTES_AT_LEAST} bytes")
        return value

    @field_validator("alert_command")
    @classmethod
    def _words(cls, value: str | None) -> str | None:
        if value is not None and not all(_split_command(value)[:1] or ("",)):
            raise ValueError("names no program")
        return value

    @field_validator("collect_since", "now")
    @classmethod
    def _aware(cls, value: Any) -> Any:
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the environment says. ``secret_key`` is absent where none was given: commands that
    need it ask with :meth:`require_secret_key`."""

    database_url: str
    data_dir: Path
    config_dir: Path
    templates_dir: Path
    admin_address: str | None
    collect_since: Literal["now", "all"] | datetime
    send: SendMode
    send_allowlist: tuple[str, ...]
    max_letters_per_hour: int
    quiet_seconds: int
    undo_minutes: int
    start_of_business_clock: datetime | None
    allow_plain: bool
    workers: int | None
    log_format: LogFormat
    alert_command: tuple[str, ...]
    alert_after_minutes: int
    metrics_port: int | None
    metrics_host: str
    metrics_allow_remote: bool
    secret_key: bytes | None = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)

    def get(self, name: str) -> str | None:
        """The variable ``name`` (or what the file named by ``name_FILE`` holds); ``None`` if unset or empty."""
        return self.environment.get(name) or None

    def require_secret_key(self) -> bytes:
        """The secret key; raises ``ConfigurationError`` if none was given."""
        if self.secret_key is None:
            problem = Problem(
                source="settings",
                key="MAILBOT_SECRET_KEY",
                message="is not set; `mailbot init DIR` writes an .env with a fresh one",
            )
            raise ConfigurationError([problem])
        return self.secret_key

    def sends_to(self, address: str) -> bool:
        """Whether a letter to ``address`` may leave under ``MAILBOT_SEND``."""
        if self.send is not SendMode.ALLOWLIST:
            return self.send is SendMode.ON
        domain = "@" + address.rpartition("@")[2]
        return address in self.send_allowlist or domain in self.send_allowlist


def load_settings(environ: Mapping[str, str] | None = None, *, dotenv: Path = Path(".env")) -> Settings:
    """Read the environment over ``.env``. Raises ``ConfigurationError`` with every bad value by its name."""
    environment = {**_read_dotenv(dotenv), **(os.environ if environ is None else environ)}
    problems: list[Problem] = []
    resolved = _with_secret_files(environment, problems)
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in resolved.items()
        if name.startswith(PREFIX) and value != ""
    }
    try:
        values = _Values.model_validate(given)
    except ValidationError as error:
        # A setting that may be of several kinds is none of them once.
        problems.extend({item["loc"][0]: _problem(item) for item in error.errors()}.values())
        raise ConfigurationError(problems) from None
    if problems:
        raise ConfigurationError(problems)
    return Settings(
        database_url=values.database_url,
        data_dir=values.data_dir,
        config_dir=values.config_dir,
        templates_dir=values.templates_dir,
        admin_address=values.admin_address,
        collect_since=values.collect_since,
        send=values.send,
        send_allowlist=_split_allowlist(values.send_allowlist),
        max_letters_per_hour=values.max_letters_per_hour,
        quiet_seconds=values.quiet_seconds,
        undo_minutes=values.undo_minutes,
        start_of_business_clock=values.now,
        allow_plain=values.allow_plain,
        workers=values.workers,
        log_format=values.log_format,
        alert_command=_split_command(values.alert_command or ""),
        alert_after_minutes=values.alert_after_minutes,
        metrics_port=values.metrics_port,
        metrics_host=values.metrics_host,
        metrics_allow_remote=values.metrics_allow_remote,
        secret_key=values.secret_key.encode() if values.secret_key else None,
        environment=resolved,
    )


def unknown_names(settings: Settings, mailbox_names: Iterable[str]) -> list[str]:
    """A sentence for every ``MAILBOT_*`` variable that nothing reads, with the name it resembles."""
    known = {PREFIX + name.upper() for name in _Values.model_fields} | set(mailbox_names) | _NOT_OURS
    known |= {f"{name}{_FILE}" for name in known}
    sentences = []
    for name in sorted(settings.environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            sentences.append(f"{name} is no setting of mailbot{hint}")
    return sentences


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _with_secret_files(environment: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    resolved = dict(environment)
    for name, path in environment.items():
        if not (name.startswith(PREFIX) and name.endswith(_FILE) and path):
            continue
        try:
            resolved.setdefault(name.removesuffix(_FILE), Path(path).read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(source="settings", key=name, message=f"the file cannot be read: {error}"))
    return resolved


_MOMENT = "a moment like 2026-11-23T08:00-03:00"
_EXPECTED = {"collect_since": f"should be now, all or {_MOMENT}", "now": f"should be {_MOMENT}"}
# Of others the value may be a secret, or somebody's.
_QUOTABLE = {
    "alert_after_minutes", "allow_plain", "collect_since", "log_format", "max_letters_per_hour",
    "metrics_allow_remote", "metrics_port", "now", "quiet_seconds", "send", "undo_minutes", "workers",
}  # fmt: skip


def _problem(item: Any) -> Problem:
    name = str(item["loc"][0])
    message = _EXPECTED.get(name) or str(item["msg"]).removeprefix("Value error, ")
    value = f", not {item['input']!r}" if name in _QUOTABLE else ""
    return Problem(source="settings", key=PREFIX + name.upper(), message=message + value)


def _split_command(text: str) -> tuple[str, ...]:
    """A command as its words, as a shell would part them; raises ``ValueError`` for a quote without its end."""
    return tuple(shlex.split(text))


def _split_allowlist(text: str) -> tuple[str, ...]:
    return tuple(entry.strip().lower() for entry in text.replace(";", ",").split(",") if entry.strip())
