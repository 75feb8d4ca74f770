"""Customers with their addresses, contacts, contracts and audit, within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    union_all,
    update,
)

from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.customer_tables import (
    customer_addresses,
    customer_contacts,
    customer_contracts,
    customer_events,
    customer_words,
    customers,
)
from mailbot.adapters.storage.locks import Line, stand_in_line
from mailbot.adapters.storage.mapping import folded
from mailbot.domain.customer import (
    Company,
    Contract,
    Customer,
    CustomerAddress,
    CustomerEvent,
    CustomerEventKind,
    CustomerKind,
    CustomerSearch,
    Person,
    PersonFound,
    contract_key,
)
from mailbot.domain.identification import NOBODY_KNOWN, ClueKind, CustomerClue, KnownCustomers

_C, _A, _L, _K, _W = (
    customers.c,
    customer_addresses.c,
    customer_contacts.c,
    customer_contracts.c,
    customer_words.c,
)
_CHUNK = 500
_MOST_BY_CLUE = 10
"""A telephone of an office may stand in hundreds of records: so many are enough to see that it names nobody."""

# Word for word what the indexes are for: a value that is bound late would not be recognised.
_HAS_CPF = text("customers.confirmed AND customers.cpf <> ''")
_HAS_CNPJ = text("customers.confirmed AND customers.cnpj <> ''")
_HAS_MOBILE = text("customers.confirmed AND customers.mobile <> ''")


def _text(value: str) -> BindParameter[str]:
    return bindparam(None, value, type_=_C.kind.type)


# Made once: asked for every mail, most of which name nobody.
_ITS_OWN = _A.address == bindparam("of_address", type_=_A.address.type)
_BY_ADDRESS = (
    select(_A.customer_id, _text("address"), _text("")).where(_ITS_OWN),
    select(_L.customer_id, _text("account"), _text("")).where(
        _L.person_id.in_(select(_A.customer_id).where(_ITS_OWN))
    ),
)
_OF_ADDRESS = CompiledStatement(union_all(*_BY_ADDRESS))

_OWNER, _AUTHORISED = "owner", "authorised"
_Row = Mapping[Any, Any]


class CustomerStore:
    """Rows of ``customers`` and what hangs on them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading ---

    def get(self, customer_id: int) -> Customer | None:
        """One record."""
        return next(iter(self.get_many([customer_id])), None)

    def get_many(self, ids: Collection[int]) -> list[Customer]:
        """These records, in this order; those that do not exist are left out."""
        found: dict[int, Customer] = {}
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _CHUNK):
            found |= self._records(wanted[start : start + _CHUNK])
        return [found[one] for one in wanted if one in found]

    def of_address(self, address: str) -> Customer | None:
        """Whose this address is."""
        owner = self._connection.scalar(select(_A.customer_id).where(_A.address == address.lower()))
        return None if owner is None else self.get(owner)

    def of_cpf(self, cpf: str) -> Person | None:
        """The confirmed person with this CPF (digits only)."""
        found = self._connection.scalar(select(_C.id).where(_C.cpf == cpf, _HAS_CPF))
        record = None if found is None else self.get(found)
        return record if isinstance(record, Person) else None

    def of_cnpj(self, cnpj: str) -> Company | None:
        """The confirmed company with this CNPJ (no punctuation)."""
        found = self._connection.scalar(select(_C.id).where(_C.cnpj == cnpj, _HAS_CNPJ))
        record = None if found is None else self.get(found)
        return record if isinstance(record, Company) else None

    def of_contract(self, number: str) -> int | None:
        """Id of the customer who has this contract."""
        key = contract_key(number)
        found: int | None = self._connection.scalar(select(_K.customer_id).where(_K.key == key)) if key else None
        return found

    def accounts_of(self, person_id: int) -> list[Customer]:
        """The accounts for which this person may write, their own first."""
        linked = self._connection.scalars(
            select(_L.customer_id).where(_L.person_id == person_id).order_by(_L.customer_id)
        )
        return self.get_many([person_id, *linked])

    def known(self, address: str, clues: Sequence[CustomerClue]) -> KnownCustomers:
        """Whose this address is, for whom they may write, and whom the clues name: one statement where that is
        nobody, and the records' own."""
        if not (address or clues):
            return NOBODY_KNOWN
        values = {"of_address": address.lower()} if address else {}
        if clues:
            asked = union_all(*(_BY_ADDRESS if address else ()), *map(_naming, clues))
            rows: Sequence[Sequence[Any]] = self._connection.execute(asked, values).all()
        else:
            rows = _OF_ADDRESS.run(self._connection, values).rows
        records = {one.id: one for one in self.get_many([row[0] for row in rows])}
        of_address = next((records.get(row[0]) for row in rows if row[1] == "address"), None)
        accounts = [row[0] for row in rows if row[1] in ("address", "account")]
        by_kind = {(one.kind.value, one.value): one for one in clues}
        return KnownCustomers(
            of_address=of_address,
            accounts=tuple(records[one] for one in dict.fromkeys(accounts) if one in records),
            by_clue=tuple(
                (by_kind[row[1], row[2]], records[row[0]])
                for row in rows
                if (row[1], row[2]) in by_kind and row[0] in records
            ),
        )

    def search(self, wanted: CustomerSearch, *, limit: int | None = None) -> list[PersonFound]:
        """Persons by any part of any field, by name; companies appear with their person (R002-02 … -05)."""
        found: list[PersonFound] = []
        query = (
            select(_C.id)
            .join(customer_words, _W.person_id == _C.id)
            .order_by(func.lower(_C.last_name), func.lower(_C.first_name), _C.id)
        )
        for part in _parts(wanted):
            query = query.where(_W.words.contains(part, autoescape=True))
        ids = list(self._connection.scalars(query))
        for start in range(0, len(ids), _CHUNK):
            for one in self._found(ids[start : start + _CHUNK]):
                if _has_each_field(one, wanted):
                    found.append(one)
                if limit is not None and len(found) >= limit:
                    return found
        return found

    def events(self, customer_id: int) -> list[CustomerEvent]:
        """The audit of a record, oldest first."""
        query = select(customer_events).where(customer_events.c.customer_id == customer_id)
        return [
            CustomerEvent(
                at=row["at"],
                actor=row["actor"],
                kind=CustomerEventKind(row["kind"]),
                field=row["field"],
                old=row["old"],
                new=row["new"],
            )
            for row in self._connection.execute(query.order_by(customer_events.c.id)).mappings()
        ]

    # --- writing ---

    def lock(self) -> None:
        """Let nobody else enter customers before the end of this transaction: what is unique is looked up first
        and written then."""
        stand_in_line(self._connection, Line.CUSTOMERS)

    def add(self, record: Customer, *, at: datetime) -> int:
        """Write a new record; its id."""
        values = {**_to_row(record), "created_at": at, "updated_at": at}
        inserted = self._connection.execute(insert(customers).values(**values)).inserted_primary_key
        assert inserted is not None
        customer_id = int(inserted[0])
        self._write_parts(customer_id, record)
        return customer_id

    def change(self, record: Customer, *, at: datetime) -> None:
        """Write a changed record over the one with its id; its kind stays (R002-12)."""
        values = {**_to_row(record), "updated_at": at}
        kind = values.pop("kind")
        changed = self._connection.execute(
            update(customers).where(_C.id == record.id, _C.kind == kind).values(**values)
        )
        if changed.rowcount != 1:
            raise ValueError(f"there is no {kind} with the id {record.id}")
        self._write_parts(record.id, record)

    def add_events(self, customer_id: int, events: Sequence[CustomerEvent]) -> None:
        """Append to the audit."""
        if events:
            rows = [
                {
                    "customer_id": customer_id,
                    "at": one.at,
                    "actor": one.actor,
                    "kind": one.kind.value,
                    "field": one.field,
                    "old": one.old,
                    "new": one.new,
                }
                for one in events
            ]
            self._connection.execute(insert(customer_events), rows)

    def _write_parts(self, customer_id: int, record: Customer) -> None:
        persons = {record.owner or customer_id, *self._connection.scalars(self._owner_of(customer_id))}
        self._replace(
            customer_addresses,
            _A.customer_id == customer_id,
            [
                {"address": one.address, "customer_id": customer_id, "position": at, "verified": one.verified}
                for at, one in enumerate(record.addresses)
            ],
        )
        self._replace(
            customer_contracts,
            _K.customer_id == customer_id,
            [
                {
                    "key": contract_key(one.number),
                    "number": one.number,
                    "customer_id": customer_id,
                    "property_address": one.property_address,
                    "kind": one.kind,
                }
                for one in record.contracts
            ],
        )
        roles = dict.fromkeys(record.authorised, _AUTHORISED)
        if isinstance(record, Company):
            roles[record.owner] = _OWNER
        self._replace(
            customer_contacts,
            _L.customer_id == customer_id,
            [{"customer_id": customer_id, "person_id": one, "role": role} for one, role in roles.items()],
        )
        # A company's words stand with its person, and with the one it had before no longer.
        for person_id in persons:
            self._write_words(person_id)

    def _replace(self, table: Any, which: Any, rows: list[dict[str, Any]]) -> None:
        self._connection.execute(delete(table).where(which))
        if rows:
            self._connection.execute(insert(table), rows)

    @staticmethod
    def _owner_of(customer_id: int) -> Select[tuple[int]]:
        return select(_L.person_id).where(_L.customer_id == customer_id, _L.role == _OWNER)

    def _write_words(self, person_id: int) -> None:
        found = next(iter(self._found([person_id])), None)
        rows = [] if found is None else [{"person_id": person_id, "words": _words_of(found)}]
        self._replace(customer_words, _W.person_id == person_id, rows)

    # --- assembling ---

    def _found(self, person_ids: Sequence[int]) -> Iterator[PersonFound]:
        owned = select(_L.person_id, _L.customer_id).where(_L.person_id.in_(person_ids), _L.role == _OWNER)
        companies: dict[int, list[int]] = {}
        for row in self._connection.execute(owned.order_by(_L.customer_id)):
            companies.setdefault(row.person_id, []).append(row.customer_id)
        records = self._records([*person_ids, *(one for ids in companies.values() for one in ids)])
        for person_id in person_ids:
            person = records.get(person_id)
            if isinstance(person, Person):
                theirs = [records.get(one) for one in companies.get(person_id, [])]
                yield PersonFound(
                    person=person, companies=tuple(one for one in theirs if isinstance(one, Company))
                )

    def _records(self, ids: Sequence[int]) -> dict[int, Customer]:
        if not ids:
            return {}
        addresses = self._grouped(select(customer_addresses).order_by(_A.position), _A.customer_id, ids)
        contracts = self._grouped(select(customer_contracts).order_by(_K.key), _K.customer_id, ids)
        contacts = self._grouped(select(customer_contacts).order_by(_L.person_id), _L.customer_id, ids)
        rows = self._connection.execute(select(customers).where(_C.id.in_(ids))).mappings()
        return {
            row["id"]: _from_row(
                row,
                addresses.get(row["id"], ()),
                contracts.get(row["id"], ()),
                contacts.get(row["id"], ()),
            )
            for row in rows
        }

    def _grouped(self, query: Select[Any], column: Any, ids: Sequence[int]) -> dict[int, list[_Row]]:
        found: dict[int, list[_Row]] = {}
        for row in self._connection.execute(query.where(column.in_(ids))).mappings():
            found.setdefault(row["customer_id"], []).append(row)
        return found


def _naming(clue: CustomerClue) -> Select[Any]:
    """The ids of those whom a clue names, with the clue beside them."""
    kind, value = _text(clue.kind.value).label("kind"), _text(clue.value).label("value")
    match clue.kind:
        case ClueKind.CONTRACT:
            query = (
                select(_C.id, kind, value)
                .join(customer_contracts, _K.customer_id == _C.id)
                .where(_K.key == contract_key(clue.value), _C.confirmed)
            )
        case ClueKind.CPF:
            query = select(_C.id, kind, value).where(_C.cpf == clue.value, _HAS_CPF)
        case ClueKind.CNPJ:
            query = select(_C.id, kind, value).where(_C.cnpj == clue.value, _HAS_CNPJ)
        case ClueKind.PHONE:
            query = select(_C.id, kind, value).where(_C.mobile == clue.value, _HAS_MOBILE)
        case _:
            assert_never(clue.kind)
    limited = query.order_by(_C.id).limit(_MOST_BY_CLUE).subquery()
    return select(limited.c.id, limited.c.kind, limited.c.value)


# --- words ---------------------------------------------------------------------------------------------------


def _words_of(found: PersonFound) -> str:
    person = found.person
    parts = [person.first_name, person.last_name, person.cpf, person.mobile, *_common_words(person)]
    for company in found.companies:
        parts += [company.company, company.cnpj, *_common_words(company)]
    return folded(" ".join(part for part in parts if part))


def _common_words(record: Customer) -> Iterator[str]:
    yield from (one.address for one in record.addresses)
    for contract in record.contracts:
        yield from (contract.number, contract_key(contract.number), contract.property_address)


def _parts(wanted: CustomerSearch) -> list[str]:
    """What must stand in the words of who is found."""
    texts = (wanted.words, wanted.name, wanted.last_name, wanted.company, wanted.email)
    parts = [_plain(word) for given in texts for word in folded(given).split()]
    parts += [_digits(one) for one in (wanted.cpf, wanted.cnpj, wanted.phone)]
    parts += [contract_key(wanted.contract).lower()]
    return [part for part in parts if part]


def _plain(word: str) -> str:
    """A word as it stands in the records: a number without its punctuation."""
    bare = _digits(word)
    return bare if any(ch.isdigit() for ch in bare) and "@" not in word and _is_number(word) else word


def _is_number(word: str) -> bool:
    """Digits (and a CNPJ's letters) with punctuation between, as CPF, CNPJ and telephones are written."""
    return all(ch.isdigit() or ch in "./-()+" for ch in word) or ("/" in word and "-" in word)


def _digits(text: str) -> str:
    return "".join(ch for ch in folded(text) if ch.isalnum())


def _has_each_field(found: PersonFound, wanted: CustomerSearch) -> bool:
    """Whether each named field, of the person or of one of the companies, holds what was given for it."""
    records: tuple[Customer, ...] = (found.person, *found.companies)
    person = found.person
    texts = (
        (wanted.name, [person.name]),
        (wanted.last_name, [person.last_name]),
        (wanted.company, [one.company for one in found.companies]),
        (wanted.email, [one.address for record in records for one in record.addresses]),
    )
    numbers = (
        (wanted.cpf, [person.cpf]),
        (wanted.cnpj, [one.cnpj for one in found.companies]),
        (wanted.phone, [person.mobile]),
        (wanted.contract, [one.number for record in records for one in record.contracts]),
    )
    return all(
        any(all(word in folded(value) for word in folded(given).split()) for value in values)
        for given, values in texts
        if given.strip()
    ) and all(
        any(_digits(given) in _digits(value) for value in values) for given, values in numbers if given.strip()
    )


# --- rows ----------------------------------------------------------------------------------------------------


def _to_row(record: Customer) -> dict[str, Any]:
    common = {"services": list(record.services), "language": record.language, "confirmed": record.confirmed}
    match record:
        case Person():
            return {
                **common,
                "kind": CustomerKind.PERSON.value,
                "first_name": record.first_name,
                "last_name": record.last_name,
                "cpf": record.cpf,
                "mobile": record.mobile,
            }
        case Company():
            return {
                **common,
                "kind": CustomerKind.COMPANY.value,
                "company": record.company,
                "cnpj": record.cnpj,
                "corporate": record.corporate,
            }
        case _:
            assert_never(record)


def _from_row(
    row: _Row, addresses: Sequence[_Row], contracts: Sequence[_Row], contacts: Sequence[_Row]
) -> Customer:
    shared: dict[str, Any] = {
        "id": row["id"],
        "addresses": tuple(CustomerAddress(address=one["address"], verified=one["verified"]) for one in addresses),
        "contracts": tuple(
            Contract(number=one["number"], property_address=one["property_address"], kind=one["kind"])
            for one in contracts
        ),
        "authorised": tuple(one["person_id"] for one in contacts if one["role"] == _AUTHORISED),
        "services": tuple(row["services"]),
        "language": row["language"],
        "confirmed": row["confirmed"],
    }
    if CustomerKind(row["kind"]) is CustomerKind.PERSON:
        return Person(
            **shared,
            first_name=row["first_name"],
            last_name=row["last_name"],
            cpf=row["cpf"],
            mobile=row["mobile"],
        )
    return Company(
        **shared,
        company=row["company"],
        cnpj=row["cnpj"],
        corporate=row["corporate"],
        owner=next((one["person_id"] for one in contacts if one["role"] == _OWNER), 0),
    )
