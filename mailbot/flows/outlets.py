"""The way out for a mailbox's letters: ``Outlet``, with the troubles it may have."""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.domain.troubles import TroubleKey, TroubleKind
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import LetterTransport


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A mailbox with the way out for its letters. ``saves_copies``: what leaves is to be put into its Sent
    folder, for nobody else does."""

    mailbox: ServedMailbox
    transport: LetterTransport
    saves_copies: bool = False

    @property
    def server_away(self) -> TroubleKey:
        """The trouble that this mailbox's server is away."""
        return TroubleKey(kind=TroubleKind.SMTP, mailbox=self.mailbox.key)

    @property
    def limit_reached(self) -> TroubleKey:
        """The trouble that its provider holds us to a limit."""
        return TroubleKey(kind=TroubleKind.LIMIT, mailbox=self.mailbox.key)

    @property
    def login_over(self) -> TroubleKey:
        """The trouble that what this mailbox logs in with has come to its end."""
        return TroubleKey(kind=TroubleKind.LOGIN, mailbox=self.mailbox.key)

    @property
    def troubles(self) -> tuple[TroubleKey, ...]:
        """All that may keep its letters from leaving."""
        return (self.server_away, self.limit_reached, self.login_over)
