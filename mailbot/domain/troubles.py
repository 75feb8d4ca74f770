"""What keeps mail from going on: a server that is away, a provider's limit, a log-in that no longer counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self


class TroubleKind(StrEnum):
    """What of a mailbox is in trouble."""

    # Its servers, and its Sent folder, do not answer or do not let us in.
    IMAP = "imap"
    SMTP = "smtp"
    SENT = "sent"
    # The server answers, and what it says is a limit of its own.
    LIMIT = "limit"
    # What we log in with has come to its end by the provider's word, or will in some days.
    LOGIN = "login"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TroubleKey:
    """Which trouble of which mailbox; there is at most one of each. ``days`` belongs to a coming expiry: the step
    that its end has come within."""

    kind: TroubleKind
    mailbox: str
    days: int = 0

    def __str__(self) -> str:
        """As monitors read it: ``smtp:default``, ``expiry:default:14``."""
        return f"{self.kind}:{self.mailbox}" + (f":{self.days}" if self.days else "")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that reads ``text``. Raises ``ValueError`` if none does."""
        kind, _, mailbox = text.partition(":")
        mailbox, _, days = mailbox.partition(":")
        if not mailbox:
            raise ValueError(f"{text!r} names no mailbox")
        return cls(kind=TroubleKind(kind), mailbox=mailbox, days=int(days or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One trouble: since when, what was said last, and whether the administrator was told."""

    key: TroubleKey
    since: datetime
    error: str
    told_at: datetime | None = None

    @property
    def kind(self) -> TroubleKind:
        """What is in trouble."""
        return self.key.kind

    @property
    def mailbox(self) -> str:
        """Key of the mailbox."""
        return self.key.mailbox

    @property
    def is_limit(self) -> bool:
        """Whether the server answers and holds us to a limit."""
        return self.kind is TroubleKind.LIMIT

    @property
    def is_login_refused(self) -> bool:
        """Whether it answers, but not to us: a password or token is wrong, expired or withdrawn."""
        return self.error.startswith(_LOGIN_REFUSED)

    @property
    def is_login_over(self) -> bool:
        """Whether the provider calls what we log in with ended."""
        return self.kind is TroubleKind.LOGIN

    @property
    def is_coming_expiry(self) -> bool:
        """Whether nothing is wrong yet: what we log in with will end in some days."""
        return self.kind is TroubleKind.EXPIRY

    @property
    def keeps_letters(self) -> bool:
        """Whether no letter of the mailbox can leave because of it."""
        return self.kind in (TroubleKind.SMTP, TroubleKind.LIMIT, TroubleKind.LOGIN)


_LOGIN_REFUSED = "our credentials do not count: "
_MOST_CHARACTERS = 500
# Of an answer without end no more is looked at.
_ANSWER_CHARACTERS = 2_000
_ADDRESS = re.compile(r"""[^\s<>()\[\],;:"'@]+@[^\s<>()\[\],;:"'@]+""")


def trouble_words(answer: str, *, login_refused: bool = False) -> str:
    """What a server answered, fit for monitors to be shown: it may have named whom a letter was for.

    No address of it is left, and no more than 500 characters. ``login_refused``: no waiting ends it.
    """
    said = f"{_LOGIN_REFUSED if login_refused else ''}{answer[:_ANSWER_CHARACTERS]}"
    return _ADDRESS.sub("(address)", said)[:_MOST_CHARACTERS]
