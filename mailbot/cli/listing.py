"""What the commands that list things share: options, moments, and tables for people or for other programs.

On a terminal a list is a table; elsewhere it is one line a row with tabs between, headings first. Whatever
strangers wrote is shown without control characters.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Annotated

import typer

from mailbot.cli.output import Exit, complain, is_terminal, say, visible

Json = Annotated[bool, typer.Option("--json", help="Machine-readable on stdout, nothing else there.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many (default: all).")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="DATE", help="2026-11-23, or with a time: 2026-11-23T14:00.")
]


def moment(text: str | None, zone: tzinfo) -> datetime | None:
    """The moment that ``--since`` means: a day begins at midnight in ``zone``, where a time without zone is
    too. Raises ``typer.BadParameter`` (exit 2)."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no date like 2026-11-23 and no time like 2026-11-23T14:00", param_hint="--since"
        ) from None
    if found.tzinfo is not None:
        return found
    return found.replace(tzinfo=zone)


def fail(sentence: str, code: Exit = Exit.WRONG) -> typer.Exit:
    """Say what is wrong on stderr; to be raised."""
    complain(f"mailbot: {sentence}")
    return typer.Exit(code)


def one_line(text: str) -> str:
    """``text`` fit for one cell of a list."""
    return " ".join(visible(text).split())


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A list for people on a terminal, lines with tabs elsewhere."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if is_terminal():
        _print_rich_table(headings, cells)
        return
    for line in (headings, *cells):
        say("\t".join(line))


def _print_rich_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        # The first column names the thing: it must stay whole, to be copied.
        table.add_column(heading, no_wrap=number == 0, overflow="ellipsis" if number else "fold")
    for row in rows:
        # Text, not str: square brackets in a subject are no markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_title(text: str) -> None:
    """A heading within a longer account."""
    say("")
    if is_terminal():
        from rich.console import Console
        from rich.text import Text

        Console().print(Text(text, style="bold"))
    else:
        say(text)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while somebody looks there; gives a function that is told how much more is done."""
    if not sys.stderr.isatty() or total <= 0:
        yield lambda _done: None
        return
    import structlog
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    # A line for each mail would tear the bar apart; what goes wrong is still told.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def local(at: datetime | None, zone: tzinfo) -> str:
    """A moment as people read it here, or nothing."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""
