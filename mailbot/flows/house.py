"""The mailboxes of the house as one: ``(mailbox, its mail's recipients) -> what is done elsewhere, and where``.

A mail may come to a mailbox that does not do what it asks for. Where exactly one other does, the request belongs
there; where several do, the ones to which the mail was written too; where that leaves more than one, nobody
guesses between two companies, and a person of the mailbox to which it came reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mailbot.catalogue.load import GENERAL, Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.flows.mailboxes import ServedMailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneElsewhere:
    """A request type that a mailbox does not offer, and the one other mailbox that does."""

    request_type: RequestType
    mailbox: ServedMailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """All mailboxes that this process serves, by key; one that is switched off takes nothing over."""

    catalogue: Catalogue
    mailboxes: Mapping[str, ServedMailbox]

    def others(self, mailbox: ServedMailbox) -> tuple[ServedMailbox, ...]:
        """All but ``mailbox``."""
        return tuple(one for key, one in self.mailboxes.items() if key != mailbox.key)

    def elsewhere(self, mailbox: ServedMailbox, addressed: frozenset[str]) -> tuple[DoneElsewhere, ...]:
        """What is done in another mailbox than ``mailbox``; ``addressed`` are a mail's recipients."""
        others = self.others(mailbox)
        return tuple(self._done_in(others, mailbox, addressed)) if others else ()

    def _done_in(
        self, others: tuple[ServedMailbox, ...], mailbox: ServedMailbox, addressed: frozenset[str]
    ) -> Iterator[DoneElsewhere]:
        for kind in self.catalogue.request_types.values():
            # What fits nothing is read where it came.
            if kind.key == GENERAL or mailbox.spec.offers(kind.key):
                continue
            offering = [one for one in others if one.spec.offers(kind.key)]
            # Who names a service knows it better than who takes everything.
            offering = [one for one in offering if one.spec.request_types != "*"] or offering
            named = [one for one in offering if one.address in addressed]
            found = named if len(offering) > 1 else offering
            if len(found) == 1:
                yield DoneElsewhere(request_type=kind, mailbox=found[0])
