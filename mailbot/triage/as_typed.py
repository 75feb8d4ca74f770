"""Mail addresses and subjects as people type and forward them: ``ADDRESS``, ``(subject) -> subject``. Pure."""

from __future__ import annotations

import re

ADDRESS = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}"
"""An address, as a regular expression of ASCII in any case."""

_PREFIX = re.compile(r"^(?:\s*(?:re|res|enc|fw|fwd|rv)\s*:\s*)+", re.IGNORECASE)


def without_prefix(subject: str) -> str:
    """A subject as it was before anybody answered or forwarded it."""
    return _PREFIX.sub("", subject).strip()
