"""Who owns a claim: a name for this process by which another one can tell whether it still lives."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

_SEPARATOR = "|"


def this_process() -> str:
    """A name for this process: host, boot, process id, start time and something random."""
    pid = os.getpid()
    parts = (socket.gethostname(), _boot_id(), str(pid), _start_time(pid) or "", secrets.token_hex(4))
    return _SEPARATOR.join(part.replace(_SEPARATOR, "-") for part in parts)


def is_dead(owner: str) -> bool:
    """Whether ``owner`` was a process of this host that no longer runs.

    False for what cannot be known: a process of another host, or a name of another form. The start time
    tells a new process from an old one with the same id.
    """
    parts = owner.split(_SEPARATOR)
    if len(parts) != 5 or parts[0] != socket.gethostname().replace(_SEPARATOR, "-"):
        return False
    _, boot, pid, started, _ = parts
    if boot != _boot_id():
        return True
    if not pid.isdigit():
        return False
    return _start_time(int(pid)) != (started or None)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _start_time(pid: int) -> str | None:
    """Start time in clock ticks since boot, ``None`` if there is no such process (or it is a zombie)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return _without_proc(pid)
    except OSError:
        return None
    # The second field, the command in parentheses, may hold anything.
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in "ZX":
        return None
    return fields[19]


def _without_proc(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return ""
