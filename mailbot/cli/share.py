"""Where the samples are that come with the program: ``config/``, ``templates/``, ``.env``, systemd unit.

In a checkout ``mailbot/_share`` holds links to them; a built wheel holds them themselves.
"""

from __future__ import annotations

from pathlib import Path

import mailbot
from mailbot.domain.errors import ConfigurationError, Problem

_SHARE = Path(mailbot.__file__).resolve().parent / "_share"


def shared(name: str) -> Path:
    """The shipped file or folder ``name``; raises ``ConfigurationError`` where the installation lacks it."""
    path = (_SHARE / name).resolve()
    if not path.exists():
        problem = Problem(source=str(_SHARE / name), message="is missing: mailbot is not installed completely")
        raise ConfigurationError([problem])
    return path
