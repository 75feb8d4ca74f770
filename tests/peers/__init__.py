"""Real servers for tests and benchmarks, each started privately on free loopback ports in a temporary folder.

`Dovecot`, `Postfix`, `Rspamd`, `MailStack` and `PostgreSQL` are context managers, in the modules of their names;
this one says what a machine lacks for them. Everything they start ends with the process that started them,
however it dies.
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
    "postgresql": ("initdb", "postgres", "pg_ctl", "pg_dump"),
    "systemd": ("systemd-analyze",),
    "tesseract": (),
}
_NEEDED_TOO = {"postfix": ("dovecot",), "rspamd": ("dovecot", "postfix")}
_BY_ANYBODY = ("chromium", "postgresql", "systemd", "tesseract")
# Debian keeps the programs of each version in a folder of its own, the newest last.
_POSTGRESQL_VERSIONS = Path("/usr/lib/postgresql")

PEERS = tuple(_PROGRAMS)
"""The peers by name; also the names of the pytest markers for tests that need them."""


def missing(peer: str) -> str | None:
    """Say what this machine lacks for the peer, as "needs dovecot: … not found"; None when nothing."""
    for name in (*_NEEDED_TOO.get(peer, ()), peer):
        for program in _PROGRAMS[name]:
            if find_program(program) is None:
                return f"needs {name}: {program} not found"
    if peer == "tesseract":
        return _missing_ocr()
    if peer not in ("chromium", "systemd") and sys.platform != "linux":
        return f"needs {peer}: it is started on Linux only"
    if peer not in _BY_ANYBODY and os.geteuid() != 0:
        return f"needs {peer}: it is started by root"
    return None


def find_program(name: str) -> str | None:
    """Where a program of a peer lies: on PATH, or where Debian puts those of PostgreSQL."""
    folders = sorted(_POSTGRESQL_VERSIONS.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    found = (shutil.which(name, path=folder) for folder in (None, *folders))
    return next((path for path in found if path is not None), None)


def _missing_ocr() -> str | None:
    """Tesseract is a library of the program, with models: it is here when it can be loaded."""
    from mailbot.evidence.ocr import MissingOcr, tesseract

    found = tesseract()
    return f"needs tesseract: {found.what} not found" if isinstance(found, MissingOcr) else None


def missing_corpora() -> str | None:
    """Say what is wrong with MAILBOT_CORPORA, the folder of real mails; None when it is there."""
    folder = os.environ.get("MAILBOT_CORPORA")
    if not folder:
        return "needs corpora: MAILBOT_CORPORA is not set"
    return None if Path(folder).is_dir() else "needs corpora: MAILBOT_CORPORA is not a folder"


def are_required() -> bool:
    """Say whether a lacking peer fails a test instead of skipping it (MAILBOT_REQUIRE_PEERS=1)."""
    return os.environ.get("MAILBOT_REQUIRE_PEERS") == "1"
