"""What may be asked of a benchmark on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Sizes: how many mails are in the mix, how many pairs of runs, how long the writers write; and where a
    profile of the intake is to be left, if anywhere."""

    mails: int = 2000
    runs: int = 3
    seconds: float = 60.0
    imports: bool = False
    profile: Path | None = None
