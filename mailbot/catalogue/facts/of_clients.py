"""Facts about corporate clients and their equipment: the ``facts:`` functions of service orders (R001-*)."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mailbot.catalogue.clients import Client
from mailbot.catalogue.entries import Key
from mailbot.catalogue.facts.fact_function import FactFunction
from mailbot.catalogue.facts.values import Fact, FactKind, FactSources, KnownFact, said_yes_or_no


class _OfClient(FactFunction):
    """``cnpj`` and ``company`` are the fields by which the client is found."""

    cnpj: Key = "cnpj"
    company: Key = "company_name"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.cnpj, self.company)

    def _client(self, sources: FactSources) -> Client | None:
        return sources.clients.find(sources.text(self.cnpj), sources.text(self.company))

    def _is_its_own_mail(self, client: Client, sources: FactSources) -> bool:
        """A CNPJ and a name are known to everybody: who speaks for a client has an address of its own."""
        return client.owns(sources.requester) and not sources.is_unverified(self.cnpj)


class ClientIs(_OfClient):
    """What ``clients.yaml`` says of the client: ``listed``, ``reference_required`` (R001-20),
    ``may_change_address`` (R001-10), ``same_state_only`` (R001-11). That it may do something is
    unknown where the mail is not certainly its own."""

    kind = FactKind.BOOLEAN
    source: Literal["client_is"] = Field(alias="from")
    what: Literal["listed", "reference_required", "may_change_address", "same_state_only"]

    def compute(self, sources: FactSources) -> Fact:
        if not sources.text(self.cnpj):
            return None
        client = self._client(sources)
        if client is None:
            return KnownFact(value=False)
        match self.what:
            case "listed":
                return KnownFact(value=True)
            case "reference_required":
                return KnownFact(value=client.reference_number)
            case "same_state_only":
                return KnownFact(value=client.same_state_only)
            case "may_change_address":
                claimed_only = client.may_change_address and not self._is_its_own_mail(client, sources)
                return None if claimed_only else KnownFact(value=client.may_change_address)


class ClientManager(_OfClient):
    """Whom the client turns to, with name and contact as ``clients.yaml`` has them (R001-19). Certain for
    everybody's manager, and for a client's own in answer to its own mail."""

    kind = FactKind.TEXT
    house_words: ClassVar[bool] = True
    source: Literal["client_manager"] = Field(alias="from")

    def compute(self, sources: FactSources) -> Fact:
        client = self._client(sources)
        manager = sources.clients.manager_of(client)
        if manager is None:
            return None
        is_everybodys = client is None or client.manager is None
        certain = is_everybodys or (client is not None and self._is_its_own_mail(client, sources))
        return KnownFact(value=f"{manager.name}, {manager.contact}", certain=certain)


class SameState(FactFunction):
    """Whether the stated state is the one in which the CNPJ is registered (R001-11)."""

    kind = FactKind.BOOLEAN
    source: Literal["same_state"] = Field(alias="from")
    cnpj: Key = "cnpj"
    state: Key = "state"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.cnpj, self.state)

    def compute(self, sources: FactSources) -> Fact:
        registered, stated = sources.clients.registered_state(sources.text(self.cnpj)), sources.text(self.state)
        if registered is None or not stated:
            return None
        return KnownFact(value=registered == stated)


class EquipmentCounted(FactFunction):
    """How many pieces of equipment a request is about: the stated number or the listed serial numbers, whichever
    is more (R001-19)."""

    kind = FactKind.NUMBER
    source: Literal["equipment_counted"] = Field(alias="from")
    serials: Key = "equipment_serials"
    count: Key = "equipment_count"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.serials,)

    def compute(self, sources: FactSources) -> Fact:
        listed = _listed(sources.text(self.serials))
        counts = [(Decimal(len(listed)), self.serials)] if listed else []
        with suppress(InvalidOperation):
            counts.append((Decimal(sources.text(self.count)), self.count))
        if not counts:
            return None
        number, key = max(counts)
        return KnownFact(value=number, certain=sources.is_certain(key))


class UnderWarranty(FactFunction):
    """Whether all listed pieces of equipment are under warranty: as staff or the sector have said in the field
    ``stated``, else as ``warranties:`` in ``clients.yaml`` has them; unknown where a piece is not listed there
    (R001-14)."""

    kind = FactKind.BOOLEAN
    source: Literal["under_warranty"] = Field(alias="from")
    serials: Key = "equipment_serials"
    stated: Key = "in_warranty"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.serials,)

    def compute(self, sources: FactSources) -> Fact:
        said = said_yes_or_no(sources.text(self.stated))
        if said is not None:
            return KnownFact(value=said)
        serials = _listed(sources.text(self.serials))
        ends = [sources.clients.warranty_until(one) for one in serials]
        known = [end for end in ends if end is not None]
        if any(end < sources.today for end in known):
            return KnownFact(value=False)
        return KnownFact(value=True) if serials and len(known) == len(ends) else None


def _listed(serials: str) -> list[str]:
    """The numbers of a field of serial numbers, as it is kept."""
    return [one for one in serials.split(", ") if one]


class AllStated(FactFunction):
    """Whether every field of ``fields`` holds a valid value; always known."""

    kind = FactKind.BOOLEAN
    source: Literal["all_stated"] = Field(alias="from")
    fields_: Annotated[tuple[Key, ...], Field(alias="fields", min_length=1)]

    @property
    def needs(self) -> tuple[str, ...]:
        return self.fields_

    def compute(self, sources: FactSources) -> Fact:
        return KnownFact(value=all(sources.text(key) for key in self.fields_))
