"""Memory of processes: how much one holds (``process id -> bytes``), and who goes first where it runs out."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

_OUT_OF_MEMORY_SCORE = Path("/proc/self/oom_score_adj")
_HIGHEST_SCORE = 1000
# As if it held a fifth of all memory more than it does (proc(5)).
_SCORE_OF_A_GENERATION = 200


def resident_bytes(process: int) -> int | None:
    """Memory that a process holds; ``None`` where the system does not tell (it has no ``/proc``)."""
    try:
        pages = Path(f"/proc/{process}/statm").read_bytes().split()[1]
    except OSError:
        return None
    return int(pages) * resource.getpagesize()


def end_me_before_my_parent() -> None:
    """Where memory runs out the system is to end this process rather than the one that started it (Linux).

    Each generation stands before its parent: a child that reads a file goes before the helper that asked it, a
    helper before the daemon.
    """
    with suppress(OSError, ValueError):
        inherited = int(_OUT_OF_MEMORY_SCORE.read_text("ascii"))
        score = min(_HIGHEST_SCORE, inherited + _SCORE_OF_A_GENERATION)
        _OUT_OF_MEMORY_SCORE.write_text(f"{score}\n", "ascii")
