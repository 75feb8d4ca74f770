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


_SHORT_CELL = len("2026-11-23 14:00")
_NARROWEST = 10


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


def no_such_ticket(number: str) -> typer.Exit:
    """Say that no ticket has this number; to be raised."""
    return fail(f"there is no ticket {visible(number)}: `mailbot tickets list` shows their numbers")


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
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
    console = Console()
    whole = columns_shown_whole(widths, console.width)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for number, (heading, width) in enumerate(zip(headings, widths, strict=True)):
        is_whole = number in whole
        table.add_column(
            heading,
            no_wrap=is_whole,
            min_width=width if is_whole else None,
            overflow="fold",
        )
    for row in rows:
        # Text, not str: square brackets in a subject are no markup.
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def columns_shown_whole(widths: Sequence[int], terminal_width: int) -> frozenset[int]:
    """The columns whose cells are not broken into lines: the first, which names the thing, and of numbers, states
    and moments the narrowest for which there is room; they are what people copy."""
    parted_by = 2
    room = terminal_width - sum(min(width, _NARROWEST) + parted_by for width in widths)
    whole: set[int] = set()
    for number in sorted(range(len(widths)), key=lambda one: (one > 0, widths[one])):
        further = max(0, widths[number] - _NARROWEST)
        if number == 0 or (widths[number] <= _SHORT_CELL and further <= room):
            whole.add(number)
            room -= further
    return frozenset(whole)


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
