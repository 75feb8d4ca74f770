"""What commands print and how they end: JSON or plain text on stdout, everything else on stderr.

Exit codes (INTERFACE *Commands*): 0 done · 1 done, but something needs a look · 2 wrong usage or configuration ·
3 a server or database could not be reached.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from typing import Any

import typer

from mailbot.domain.errors import ConfigurationError, ServerAway


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    NEEDS_A_LOOK = 1
    WRONG = 2
    UNREACHABLE = 3


def print_json(value: Any) -> None:
    """One JSON value on a line of its own on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(text + "\n")


def is_terminal() -> bool:
    """Whether a person reads stdout, so that colours and tables make sense."""
    return sys.stdout.isatty() and os.environ.get("NO_COLOR") is None


@contextmanager
def own_errors() -> Iterator[None]:
    """Turn what can go wrong into a message that says what to do, and the promised exit code."""
    try:
        yield
    except ConfigurationError as error:
        for problem in error.problems:
            complain(f"mailbot: {problem}")
        raise typer.Exit(Exit.WRONG) from None
    except ServerAway as error:
        complain(f"mailbot: {error}")
        raise typer.Exit(Exit.UNREACHABLE) from None


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
