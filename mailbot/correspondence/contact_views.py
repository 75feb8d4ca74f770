"""View models of the letters about who may write for an account (R004-13)."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailbot.correspondence.context import THEIRS, RequesterTicketView


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactConfirmationView(RequesterTicketView):
    """What is to be confirmed. ``adding`` is false for a removal; ``account_name`` is the account's."""

    adding: bool
    contact_email: str = field(metadata=THEIRS)
    contact_name: str = field(default="", metadata=THEIRS)
    account_name: str = field(default="", metadata=THEIRS)
    answer_until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChangedView(RequesterTicketView):
    """What was changed."""

    adding: bool
    contact_email: str = field(metadata=THEIRS)
    contact_name: str = field(default="", metadata=THEIRS)
    account_name: str = field(default="", metadata=THEIRS)
