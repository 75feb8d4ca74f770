"""What a request type asks to know of whose request it is (R002-13)."""

from __future__ import annotations

from mailbot.catalogue.entries import Entry, Flag, Text

CUSTOMER_KEY = "customer"
"""Stands among what a ticket lacks while it is asked whose it is."""

CONTRACT_KEY = "contract"
"""The field of a request type that names the contract (R002-14)."""


class CustomerNeeds(Entry):
    """A request type with this entry wants to know its customer: where a mail does not say it, it is asked.

    ``label`` and ``question`` stand in the letter, which never says what the records hold. ``register``: who is
    not found becomes a new record, marked as unconfirmed, with what was stated (R002-06).
    """

    label: Text
    question: Text
    register_unknown: Flag = False
