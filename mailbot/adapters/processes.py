"""Who owns a claim: a name for this process by which another one can tell whether it still lives."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

_SEPARATOR = "|"


def this_process() -> str:
    """A name for this process: host, boot, namespace of process ids, process id, start time, something random."""
    pid = os.getpid()
    started = _start_time(pid) or ""
    parts = (socket.gethostname(), _boot_id(), _pid_namespace(), str(pid), started, secrets.token_hex(4))
    return _SEPARATOR.join(part.replace(_SEPARATOR, "-") for part in parts)


def is_dead(owner: str) -> bool:
    """Whether ``owner`` was a process of this host that no longer runs.

    False for what cannot be known: a process of another host, one whose id we cannot look up because it runs
    in another container, or a name of another form. The start time tells a new process from an old one with
    the same id.
    """
    parts = owner.split(_SEPARATOR)
    if len(parts) != 6 or parts[0] != socket.gethostname().replace(_SEPARATOR, "-"):
        return False
    _, boot, namespace, pid, started, _ = parts
    if boot != _boot_id():
        return True
    if namespace != _pid_namespace() or not pid.isdigit():
        return False
    return _start_time(int(pid)) != (started or None)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    """The inode by which Linux names our namespace of process ids, "" where there is none: two containers of one
    host may bear one host name, and each has a process 1 of its own."""
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
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
