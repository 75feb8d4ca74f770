"""What a soak came to, as a table."""

from __future__ import annotations

from tests.benchmarks.report import say
from tests.soak.check import Found


def tell(found: Found) -> None:
    """All figures, then all checks, then what is wrong with those that do not hold."""
    rows = [("", *row) for row in found.figures]
    rows += [("ok" if not check.wrong else "WRONG", check.what, check.seen) for check in found.checks]
    width = max(len(row[1]) for row in rows)
    say()
    for verdict, what, seen in rows:
        say(f"{verdict:6}{what.ljust(width)}  {seen}".rstrip())
    for check in found.checks:
        for line in check.wrong[:20]:
            say(f"WRONG {check.what}: {line}")
