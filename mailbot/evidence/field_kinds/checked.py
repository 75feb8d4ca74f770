"""What a check makes of words: the value as it is kept, or why it is none."""

from __future__ import annotations

from typing import NamedTuple

LONGEST_SHOWN = 200
"""More of what somebody wrote is never looked at or shown where a short value is expected."""


class Checked(NamedTuple):
    """``value`` as it is kept. Where it is none of its kind, ``reason`` says why, as ``code`` or ``code:detail``
    (``too_small:1``), and ``value`` is what was written."""

    value: str
    reason: str = ""
