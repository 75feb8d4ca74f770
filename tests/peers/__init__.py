"""Real servers for tests and benchmarks, each started privately on free loopback ports in a temporary folder.

`Dovecot`, `Postfix`, `Rspamd` and `MailStack` are context managers, in the modules of their names; this one says
what a machine lacks for them. Everything they start ends with the process that started them, however it dies.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_PROGRAMS = {
    "dovecot": ("/usr/sbin/dovecot", "/usr/lib/dovecot/lmtp", "openssl"),
    "postfix": ("/usr/sbin/postfix", "/usr/sbin/postmap"),
    "rspamd": ("/usr/bin/rspamd", "/usr/sbin/dnsmasq"),
    "chromium": ("chromium",),
    "systemd": ("systemd-analyze",),
}
_NEEDED_TOO = {"postfix": ("dovecot",), "rspamd": ("dovecot", "postfix")}
_NEED_NO_ROOT = ("chromium", "systemd")

PEERS = tuple(_PROGRAMS)
"""The peers by name; also the names of the pytest markers for tests that need them."""


def missing(peer: str) -> str | None:
    """Say what this machine lacks for the peer, as "needs dovecot: … not found"; None when nothing."""
    for name in (*_NEEDED_TOO.get(peer, ()), peer):
        for program in _PROGRAMS[name]:
            if shutil.which(program) is None:
                return f"needs {name}: {program} not found"
    if peer not in _NEED_NO_ROOT and not (sys.platform == "linux" and os.geteuid() == 0):
        return f"needs {peer}: it is started by root on Linux"
    return None


def missing_corpora() -> str | None:
    """Say what is wrong with MAILBOT_CORPORA, the folder of real mails; None when it is there."""
    folder = os.environ.get("MAILBOT_CORPORA")
    if not folder:
        return "needs corpora: MAILBOT_CORPORA is not set"
    return None if Path(folder).is_dir() else "needs corpora: MAILBOT_CORPORA is not a folder"


def are_required() -> bool:
    """Say whether a lacking peer fails a test instead of skipping it (MAILBOT_REQUIRE_PEERS=1)."""
    return os.environ.get("MAILBOT_REQUIRE_PEERS") == "1"
