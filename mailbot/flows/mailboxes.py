"""A shared mailbox as the flows see it: how it is configured, who vouches for its mail, where letters leave."""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.catalogue.mailboxes import MailboxSpec
from mailbot.catalogue.providers import GENERIC, Provider
from mailbot.domain.addressing import ReplyAddressing
from mailbot.triage.authentication import AuthenticationKind, AuthenticationProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedMailbox:
    """One mailbox that this process serves."""

    spec: MailboxSpec
    address: str
    profile: AuthenticationProfile
    provider: Provider = GENERIC

    @property
    def key(self) -> str:
        """Its key in ``mailboxes.yaml``."""
        return self.spec.key

    @property
    def domain(self) -> str:
        """The domain of the Message-IDs that are made for it."""
        return self.address.rpartition("@")[2]

    @property
    def reply_addressing(self) -> ReplyAddressing:
        """Whether letters carry their handle in the reply address."""
        return ReplyAddressing(self.spec.reply_addressing)

    @property
    def max_per_minute(self) -> int | None:
        """How many letters may leave in a minute: what the configuration says, else what the provider takes."""
        return self.spec.max_per_minute or self.provider.letters_per_minute

    @property
    def can_verify_staff(self) -> bool:
        """Whether its server tells who really sent a mail."""
        return self.profile.kind is not AuthenticationKind.NONE
