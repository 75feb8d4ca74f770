"""The corporate clients for whom service orders are opened, and what each of them may do (``clients.yaml``).

``(CNPJ, company name) -> Client``. A client is found by the root of its CNPJ or by a name of its own in the
company name; whether a mail is really its own only the sender's domain tells.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import Field

from mailbot.catalogue.entries import Entry, Flag, Key, Text
from mailbot.catalogue.folding import fold_words

_ROOT_CHARACTERS = 8


class Manager(Entry):
    """Whom a client turns to for what is not opened by mail (R001-19); ``contact`` is how: telephone, address."""

    name: Text
    contact: Text


class Establishment(Entry):
    """A place of a client's: the state in which its CNPJ is registered."""

    cnpj: Annotated[str, Field(pattern=r"^[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?\d{2}$")]
    state: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Client(Entry):
    """A corporate client.

    ``names`` are further names that stand in company names, ``cnpj_roots`` the first eight characters of its
    CNPJs, ``domains`` those of its mail addresses. ``may_change_address``: an order goes to another address than
    the registered one without a book (R001-10), with ``same_state_only`` within the registered state (R001-11).
    ``reference_number``: its own call number is required (R001-20).
    """

    key: Key
    name: Text
    names: tuple[Text, ...] = ()
    cnpj_roots: tuple[Annotated[str, Field(pattern=r"^[0-9A-Z]{8}$")], ...] = ()
    domains: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = ()
    may_change_address: Flag = False
    same_state_only: Flag = False
    reference_number: Flag = False
    manager: Manager | None = None
    establishments: tuple[Establishment, ...] = ()

    def owns(self, address: str) -> bool:
        """Whether a mail address is of one of the client's domains."""
        return address.rpartition("@")[2].lower() in self.domains


class Warranty(Entry):
    """Until which day, that day included, a piece of equipment is under warranty (R001-14)."""

    serial: Text
    until: date


class ClientsFile(Entry):
    """``clients.yaml``. ``manager`` is whom everybody turns to who has no manager of their own."""

    manager: Manager | None = None
    warranties: tuple[Warranty, ...] = ()
    clients: tuple[Client, ...] = ()


class ClientTable:
    """All clients, found by CNPJ or name."""

    __slots__ = ("_by_name", "_by_root", "_states", "_warranties", "manager")

    def __init__(self, file: ClientsFile | None = None) -> None:
        file = file or ClientsFile()
        self.manager = file.manager
        self._by_root = {root: client for client in file.clients for root in client.cnpj_roots}
        self._by_name = [
            (fold_words(name), client) for client in file.clients for name in (client.name, *client.names)
        ]
        self._warranties = {plain_serial(one.serial): one.until for one in file.warranties}
        self._states = {
            plain_cnpj(one.cnpj): one.state for client in file.clients for one in client.establishments
        }

    def find(self, cnpj: str, company: str) -> Client | None:
        """The client with this CNPJ, else the only one whose name stands in ``company`` as whole words."""
        by_root = self._by_root.get(plain_cnpj(cnpj)[:_ROOT_CHARACTERS])
        if by_root is not None:
            return by_root
        words = f" {fold_words(company)} "
        named = {client.key: client for name, client in self._by_name if f" {name} " in words}
        return next(iter(named.values())) if len(named) == 1 else None

    def manager_of(self, client: Client | None) -> Manager | None:
        """Whom the client turns to: its own manager, else everybody's."""
        return (client.manager if client is not None else None) or self.manager

    def registered_state(self, cnpj: str) -> str | None:
        """The state in which a CNPJ is registered, where the file says it."""
        return self._states.get(plain_cnpj(cnpj))

    def warranty_until(self, serial: str) -> date | None:
        """The last day of a piece of equipment's warranty, where the file knows the piece."""
        return self._warranties.get(plain_serial(serial))


def plain_serial(serial: str) -> str:
    """A serial number without what people put between its characters."""
    return re.sub(r"[\W_]", "", serial).upper()


def plain_cnpj(cnpj: str) -> str:
    """A CNPJ without punctuation."""
    return re.sub(r"[^0-9A-Z]", "", cnpj.upper())


def doubled(file: ClientsFile) -> list[tuple[int, str]]:
    """(position, what is wrong) of every key, root, name or domain that two clients share."""
    owners: dict[tuple[str, str], str] = {}
    mistakes: list[tuple[int, str]] = []
    for index, client in enumerate(file.clients):
        mine = [
            ("key", client.key),
            *(("CNPJ root", one) for one in client.cnpj_roots),
            *(("name", fold_words(one)) for one in (client.name, *client.names)),
            *(("domain", one) for one in client.domains),
        ]
        mistakes.extend(
            (index, f"{kind} {one!r} is another client's, too")
            for kind, one in mine
            if owners.setdefault((kind, one), str(index)) != str(index)
        )
    return mistakes


def doubled_warranties(file: ClientsFile) -> list[tuple[int, str]]:
    """(position, what is wrong) of every serial number that stands in the list before."""
    seen: set[str] = set()
    mistakes = []
    for index, one in enumerate(file.warranties):
        if plain_serial(one.serial) in seen:
            mistakes.append((index, f"serial {one.serial!r} stands in the list already"))
        seen.add(plain_serial(one.serial))
    return mistakes
