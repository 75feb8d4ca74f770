"""Who may write for an account, changed by its owner (R004-13)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ContactAction(StrEnum):
    """What a request type changes of an account's contacts."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    """A change that the account's owner has confirmed. ``email`` is in lower case."""

    action: ContactAction
    account_id: int
    owner_id: int
    email: str
    name: str = ""


CONFIRMATION_KEY = "confirmation"
"""Stands among what a ticket lacks until the owner has confirmed what was asked for."""

CONTACT_EMAIL_KEY = "contact_email"
CONTACT_NAME_KEY = "contact_name"
"""The fields of a request type that changes contacts."""
