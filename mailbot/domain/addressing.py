"""Addresses that carry a handle: where replies and bounces of one letter come in.

With ``plus`` addressing a letter's replies go to ``mailbox+t.<handle>@domain`` and its bounces to
``mailbox+b.<handle>@domain`` (INTERFACE *Mails that we send*); with ``plain`` both go to the mailbox itself.
"""

from __future__ import annotations

from enum import StrEnum


class ReplyAddressing(StrEnum):
    """Whether the mail server of a mailbox delivers ``mailbox+anything@domain`` to it (RFC 5233)."""

    PLAIN = "plain"
    PLUS = "plus"


class AddressTag(StrEnum):
    """What a tagged address is for; the value stands between ``+`` and the handle."""

    REPLY = "t"
    BOUNCE = "b"


def tagged_address(mailbox_address: str, tag: AddressTag, handle: str) -> str:
    """``mailbox_address`` with tag and handle in its local part."""
    local_part, _, domain = mailbox_address.rpartition("@")
    return f"{local_part}+{tag}.{handle}@{domain}"
