"""Who owns a claim: a name for this process by which another one can tell whether it still lives; and on how many
processors it may run.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

_SEPARATOR = "|"
_HIDDEN = ""


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def this_process() -> str:
    """A name for this process: host, boot, namespace of process ids, process id, start time, something random."""
    pid = os.getpid()
    started = _start_time(pid) or ""
    parts = (_host_name(), _boot_id(), _pid_namespace(), str(pid), started, secrets.token_hex(4))
    return _SEPARATOR.join(part.replace(_SEPARATOR, "-") for part in parts)


def is_dead(owner: str) -> bool:
    """Whether ``owner`` was a process of this host that no longer runs.

    False for what cannot be known: a process of another host, one whose id we cannot look up because it runs
    in another container, or a name of another form. The kernel's boot id is what tells hosts apart: containers
    and cloned machines often bear one host name. So what ran before this host's last boot is not known to be dead,
    and its lease runs out by itself, as that of another host's does. The start time tells a new process from an
    old one with the same id.
    """
    parts = owner.split(_SEPARATOR)
    if len(parts) != 6:
        return False
    host, boot, namespace, pid, started, _ = parts
    ours = (_boot_id(), _pid_namespace()) if boot else (_host_name(),)
    if ours != ((boot, namespace) if boot else (host,)) or not pid.isdigit():
        return False
    return _is_gone(int(pid)) or (started != _HIDDEN and _start_time(int(pid)) not in (started, _HIDDEN))


def _host_name() -> str:
    return socket.gethostname().replace(_SEPARATOR, "-")


def _boot_id() -> str:
    """By which Linux tells one run of one kernel from every other, "" where there is none."""
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


def _is_gone(pid: int) -> bool:
    """Whether there is no such process; one that we may not signal is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _start_time(pid: int) -> str | None:
    """Start time in clock ticks since boot; ``None`` for a zombie, "" where nobody says (``/proc`` may be missing,
    or hide other users' processes)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _HIDDEN
    # The second field, the command in parentheses, may hold anything.
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in "ZX":
        return None
    return fields[19]
