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
    text = json.dumps(value, ensure_ascii=False, default=_plain)
    # Broken surrogates, as in file names that are not UTF-8, can only be escaped.
    _write(text if _fits(text) else json.dumps(value, default=_plain))
    sys.stdout.flush()


def say(text: str) -> None:
    """A line on stdout."""
    _write(text if _fits(text) else text.encode("ascii", "backslashreplace").decode())


def visible(text: str) -> str:
    """``text`` without what a terminal would take for a command; a stranger may have written it."""
    return "".join(ch for ch in text if ch in "\n\t" or ch.isprintable())


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")


def _fits(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


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
