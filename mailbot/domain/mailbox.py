"""What an administrator says about a mailbox: where its server is, and how a mail is marked as taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

SENT_FOLDER = "\\Sent"
"""By this attribute (RFC 6154 §2) stands what lies in a mailbox's Sent folder, whatever the folder's name."""


LONGEST_WAIT_SECONDS = 540.0
"""So long at most a folder is not looked into: servers end an IDLE after half an hour at the latest (RFC 2177 §3),
the big providers earlier."""


class Settle(StrEnum):
    """What happens to a mail on the server once it is safe with us."""

    MOVE = "move"
    KEYWORD = "keyword"
    # Nothing is ever written to the mailbox.
    NONE = "none"


class Security(StrEnum):
    """How a connection is protected."""

    TLS = "tls"
    # Begins in the open and must be upgraded before anything is said.
    STARTTLS = "starttls"
    PLAIN = "plain"


class ServerKind(StrEnum):
    """The protocol that a server's address is for."""

    IMAP = "imap"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """A mail server and how to log in to it.

    Without ``username`` nobody logs in. ``password`` may be absent where a token takes its place. ``folder``
    is for IMAP only. ``plain_allowed`` is the administrator's word that log-in without TLS may leave this
    machine; without it PLAIN is for loopback only.
    """

    security: Security
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    folder: str = "INBOX"
    plain_allowed: bool = False
