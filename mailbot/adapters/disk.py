"""How much room is left where mails are stored."""

from __future__ import annotations

import shutil
from pathlib import Path

LOW_DISK_BYTES = 500_000_000
"""Below so much free space somebody should look: a few dozen large mails fill it."""


def free_bytes(folder: Path) -> int:
    """Free bytes for this user on the disk that ``folder`` lies on, or will lie on once it is made."""
    existing = next((one for one in (folder.absolute(), *folder.absolute().parents) if one.exists()), Path("/"))
    return shutil.disk_usage(existing).free


def readable_bytes(count: int) -> str:
    """``1500000000`` → ``1.5 GB``."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
