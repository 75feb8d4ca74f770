"""What a benchmark found, beside what is asked: one line each as it comes, and a table at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One result: ``value`` in ``unit``, the ``goal`` in words, whether it is met (``None``: nothing is asked),
    and in ``detail`` how it came about."""

    benchmark: str
    what: str
    value: float
    unit: str = ""
    goal: str = ""
    met: bool | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """In one word or two."""
        if self.met is None:
            return ""
        return "met" if self.met else "BELOW THE GOAL"

    @property
    def amount(self) -> str:
        """The value with its unit."""
        digits = 0 if abs(self.value) >= 100 else 2
        return f"{self.value:.{digits}f}{' ' if self.unit else ''}{self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A benchmark that was not run, and why."""

    benchmark: str
    reason: str


def say(line: str = "") -> None:
    """One line to whoever watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(figure: Figure) -> None:
    """A figure as soon as it is known."""
    asked = f" (asked: {figure.goal}; {figure.verdict})" if figure.goal else ""
    detail = f"  [{figure.detail}]" if figure.detail else ""
    say(f"{figure.benchmark}: {figure.what}: {figure.amount}{asked}{detail}")


def summarise(results: Iterable[Figure | Skipped]) -> None:
    """The table at the end."""
    rows = [("benchmark", "what", "measured", "asked", "")]
    for result in results:
        if isinstance(result, Skipped):
            rows.append((result.benchmark, "skipped: " + result.reason, "", "", ""))
        else:
            rows.append((result.benchmark, result.what, result.amount, result.goal, result.verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    say()
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        say("  ".join([*cells, row[4]]).rstrip())
