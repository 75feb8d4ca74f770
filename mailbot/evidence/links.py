"""New text → whether it has a link to a place where files are shared; no link is ever opened (DOMAIN C.7)."""

from __future__ import annotations

import re

_LONGEST_TEXT = 100_000

# A host by itself is an address of a signature; a shared file has a path.
_SHARED_FILE = re.compile(
    r"(?<![\w@-])(?:(?:drive|docs|photos)\.google\.com|photos\.app\.goo\.gl|onedrive\.live\.com|1drv\.ms|"
    r"[\w-]{1,60}\.sharepoint\.com|dropbox\.com|db\.tt|wetransfer\.com|we\.tl|icloud\.com|mega\.nz|"
    r"mediafire\.com)/[\w?#:]",
    re.IGNORECASE,
)


def links_to_a_shared_file(new_text: str) -> bool:
    """Whether the first 100,000 characters of ``new_text`` have a link to a file that lies somewhere else."""
    return _SHARED_FILE.search(new_text[:_LONGEST_TEXT]) is not None
