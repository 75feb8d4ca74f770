"""How much memory a process holds: ``process id -> bytes``."""

from __future__ import annotations

import resource
from pathlib import Path


def resident_bytes(process: int) -> int | None:
    """Memory that a process holds; ``None`` where the system does not tell (it has no ``/proc``)."""
    try:
        pages = Path(f"/proc/{process}/statm").read_bytes().split()[1]
    except OSError:
        return None
    return int(pages) * resource.getpagesize()
