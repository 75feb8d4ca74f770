"""Everything that can go wrong, in one drawn tree.

::

    MailbotError
    ├── SenderMistake            answer politely, go on
    │   └── MailTooLarge
    ├── OurFault                 quarantine the mail, raise an alarm, go on
    │   ├── ConfigurationError   every problem at once; the program does not start (exit 2)
    │   ├── ServerAway           a mail server or the database cannot be reached (exit 3)
    │   │   ├── CredentialsRefused
    │   │   │   └── LoginExpired
    │   │   ├── ServerThrottles
    │   │   ├── FolderMissing    the mailbox has no such folder
    │   │   └── StorageUnavailable
    │   │       └── WriteConflict    (a ConcurrentChange, too)
    │   ├── CopyRefused          a server does not take the copy of a letter that left
    │   ├── AlertNotSent         the administrator's alert command did not do its work
    │   ├── UnreadableMail       this mail's bytes cannot be read within the limits
    │   └── LetterError          a template or its view model is wrong
    ├── TransitionNotAllowed     a status change that the table of transitions does not have
    ├── ConcurrentChange         somebody else changed the ticket meanwhile: start again
    └── LeaseLost                the work in hand belongs to somebody else now: throw it away
"""

from __future__ import annotations

from dataclasses import dataclass


class MailbotError(Exception):
    """Root of all errors that mailbot raises on purpose."""


class SenderMistake(MailbotError):
    """The sender did something that we answer politely."""


class MailTooLarge(SenderMistake):
    """A mail exceeds ``max_wire_mb`` or cannot be read within the memory that such a mail is given."""


class OurFault(MailbotError):
    """Something on our side: quarantine the mail with its cause, raise an alarm, go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with the configuration, and where."""

    source: str
    message: str
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{place}: {self.message}" if self.key is None else f"{place}: {self.key}: {self.message}"


class ConfigurationError(OurFault):
    """Settings, catalogue or templates are wrong; carries every :class:`Problem` found."""

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ServerAway(OurFault):
    """A server cannot be reached or broke off; trying again later makes sense."""


class CredentialsRefused(ServerAway):
    """A server does not accept our user name, password or token."""


class ServerThrottles(ServerAway):
    """A server is there and wants to be left alone for ``retry_after_seconds``."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class LoginExpired(CredentialsRefused):
    """What we log in with has come to its end: a person has to renew it, waiting does not help."""


class FolderMissing(ServerAway):
    """The server answers, and the mailbox has no such folder; ``lookalikes`` are names that might be meant."""

    def __init__(self, message: str, *, lookalikes: tuple[str, ...] = ()) -> None:
        self.lookalikes = lookalikes
        super().__init__(message)


class StorageUnavailable(ServerAway):
    """The database or the disk does not take writes now (locked, full, read-only, gone)."""


class CopyRefused(OurFault):
    """A server does not take the copy of a letter into the Sent folder; the letter itself has left."""


class AlertNotSent(OurFault):
    """The administrator's alert command could not be started, took too long or failed."""


class UnreadableMail(OurFault):
    """A mail's bytes could not be read within the limits of time, memory, depth or parts."""


class LetterError(OurFault):
    """A letter could not be rendered: its template or its view model is wrong."""


class TransitionNotAllowed(MailbotError):
    """The table of transitions does not have this change of status."""


class ConcurrentChange(MailbotError):
    """The ticket was changed by somebody else between reading and writing: start again from threading."""


class WriteConflict(StorageUnavailable, ConcurrentChange):
    """The database took our transaction back in favour of another process's: start again, at once if you can."""


class LeaseLost(MailbotError):
    """The claim on a row was lost (too slow, or taken over): its result must not be written."""
