"""What an IMAP server's refusal asks for: (its words) → for how long it wants to be left alone.

Pure. The words are those of Exchange Online, Gmail and Dovecot; that a server is busy has no response code of its
own (RFC 5530), and some say it with BAD.
"""

from __future__ import annotations

import re

# A figure that a server names is believed up to here: a slip of its tongue must not stop the mailbox for ever.
LONGEST_PATIENCE_SECONDS = 3600.0

_SUGGESTED = re.compile(r"suggested backoff time: {0,3}(\d{1,12}) {0,3}milliseconds", re.IGNORECASE)
# In seconds. Gmail lifts its limits of a day's bandwidth little by little; Exchange Online names five minutes
# where it names a figure.
_PATIENCE = (
    (re.compile(r"request is throttled", re.IGNORECASE), 300.0),
    (re.compile(r"exceeded command or bandwidth limits", re.IGNORECASE), 900.0),
    (
        re.compile(
            r"too many (?:simultaneous )?connections|maximum number of connections"
            # Exchange Online to a chatty client, and to one that may not open this mailbox.
            r"|authenticated but not connected",
            re.IGNORECASE,
        ),
        60.0,
    ),
)


def patience_asked_for(text: str) -> float | None:
    """Seconds for which the server wants no command, ``None`` if its answer is not about that."""
    suggested = _SUGGESTED.search(text)
    if suggested is not None:
        return min(int(suggested[1]) / 1000, LONGEST_PATIENCE_SECONDS)
    return next((seconds for words, seconds in _PATIENCE if words.search(text)), None)
