"""One made-up document: what it is, what it truly says, and the paper that it stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.evaluation.drawing import Paper


@dataclass(frozen=True, slots=True)
class Made:
    """``kind`` as mailbot names it, ``none`` for a look-alike; ``family`` is the layout; ``truth`` what it says."""

    kind: str
    family: str
    truth: dict[str, str]
    papers: tuple[Paper, ...]
    is_screen: bool = field(default=False)


Layout = Callable[[Random], Made]
