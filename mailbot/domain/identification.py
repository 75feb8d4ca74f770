"""Who a mail's customer is: what the mail says of it, what the records say to that, and what a ticket keeps.

A sender is a record's customer only by the address from which our server saw the mail come. Numbers that somebody
types are a claim: staff see whose they are, nobody else does (issue 5, point 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailbot.domain.customer import Customer


class ClueKind(StrEnum):
    """By what a customer can be named. The first three name one record at most."""

    CPF = "cpf"
    CNPJ = "cnpj"
    CONTRACT = "contract"
    PHONE = "phone"


STRONG_CLUES = frozenset({ClueKind.CPF, ClueKind.CNPJ, ClueKind.CONTRACT})
"""What by itself is enough to look for somebody: a telephone belongs to a family or an office."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerClue:
    """One number in a mail, checked, without punctuation."""

    kind: ClueKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCustomers:
    """What the records say: ``of_address`` is the person or company whose address the sender has,
    ``accounts`` all that this person may write for (their own first), ``by_clue`` who each clue names.
    ``confirmed`` records only, but for ``of_address``."""

    of_address: Customer | None = None
    accounts: tuple[Customer, ...] = ()
    by_clue: tuple[tuple[CustomerClue, Customer], ...] = ()


NOBODY_KNOWN = KnownCustomers()


class IdentityState(StrEnum):
    """How sure it is whose mail it is."""

    KNOWN = "known"
    """The sender has the record's address, and our server or our own letter's handle vouches for it."""
    CLAIMED = "claimed"
    """Something in the mail names one record, and nothing vouches that the sender is that customer."""
    SEVERAL = "several"
    """More than one record could be meant."""
    UNKNOWN = "unknown"
    """The mail says enough to look for a customer, and there is no such record."""
    UNNAMED = "unnamed"
    """The mail says nothing by which a customer could be looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCustomer:
    """What a ticket keeps of its customer. ``customer_id`` is set where one record is known or claimed,
    ``candidates`` are all that could be meant, in the order in which notices number them (``#cliente n``).
    ``contract`` is the one that the request is about. ``asked`` counts how often it was asked who it is;
    ``of_own_address``: the mail came in the name of the record's own address. ``by_hand``: a person of the house
    chose."""

    state: IdentityState = IdentityState.UNNAMED
    customer_id: int | None = None
    candidates: tuple[int, ...] = ()
    contract: str = ""
    contracts: tuple[str, ...] = ()
    clues: tuple[CustomerClue, ...] = ()
    asked: int = 0
    of_own_address: bool = False
    by_hand: bool = False


NOT_IDENTIFIED = TicketCustomer()
"""A ticket of which nobody has looked whose it is."""


def named_records(customer: TicketCustomer) -> tuple[int, ...]:
    """Ids of all records that a ticket names, the customer's own first."""
    own = () if customer.customer_id is None else (customer.customer_id,)
    return tuple(dict.fromkeys((*own, *customer.candidates)))
