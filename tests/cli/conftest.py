"""The command line on a house of its own: ``cli("tickets", "list", "--json")``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from mailbot.cli.main import app
from tests.flows.house import TestHouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str
    stdout_bytes: bytes

    @property
    def json(self) -> Any:
        """What ``--json`` printed: one value, and nothing else."""
        return json.loads(self.stdout)


Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    """Log lines would be kept for a stderr that is closed when the command has ended."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), cache_logger_on_first_use=False)
    yield
    structlog.reset_defaults()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    """A mailbot without servers, as it stood a while ago."""
    with TestHouse(tmp_path) as made:
        yield made


@pytest.fixture
def cli(house: TestHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Runs ``mailbot`` with the house's settings; exceptions that it should have told pass through."""
    for name in [name for name in os.environ if name.startswith("MAILBOT_")]:
        monkeypatch.delenv(name)
    for name, value in house.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("structlog.configure", lambda **_: None)

    def run(*arguments: str) -> Ran:
        result = CliRunner().invoke(app, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(
            exit_code=result.exit_code,
            stdout=result.stdout,
            stderr=result.stderr,
            stdout_bytes=result.stdout_bytes,
        )

    return run
