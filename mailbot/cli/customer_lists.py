"""A list of customers in a CSV file → the forms in its lines."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.domain.customer import Contract, CustomerKind

if TYPE_CHECKING:
    from mailbot.flows.customers import CustomerForm

CUSTOMER_COLUMNS = (
    "kind", "first_name", "last_name", "cpf", "company", "cnpj", "email", "mobile", "language", "services",
    "corporate", "contract", "property", "contract_kind",
)  # fmt: skip
"""The headings that a list may have, in any order."""

_YES = frozenset({"1", "yes", "true", "sim", "s", "x"})
_KINDS = {
    "": None,
    "person": CustomerKind.PERSON,
    "pf": CustomerKind.PERSON,
    "company": CustomerKind.COMPANY,
    "pj": CustomerKind.COMPANY,
}


class WrongList(Exception):
    """The file is no list of customers; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCustomer:
    """One line of a list, counted as an editor counts."""

    line: int
    form: CustomerForm


def read_list(file: Path) -> list[ListedCustomer]:
    """The lines of the file, empty ones left out. Raises ``WrongList``."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WrongList(f"{file}: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise WrongList(f"{file}: not UTF-8: save the list as UTF-8") from None
    first = text.partition("\n")[0]
    rows = csv.reader(
        text.splitlines(keepends=True), delimiter=";" if first.count(";") > first.count(",") else ","
    )
    try:
        headings = [one.strip().lower() for one in next(rows, [])]
        _check(file, headings)
        return [
            ListedCustomer(
                line=rows.line_num, form=_form(file, rows.line_num, dict(zip(headings, row, strict=False)))
            )
            for row in rows
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise WrongList(f"{file}:{rows.line_num}: {error}") from None


def _check(file: Path, headings: Sequence[str]) -> None:
    unknown = [one for one in headings if one not in CUSTOMER_COLUMNS]
    if unknown:
        raise WrongList(f"{file}:1: no such field: {', '.join(unknown)}; there is {', '.join(CUSTOMER_COLUMNS)}")
    if len(set(headings)) != len(headings):
        raise WrongList(f"{file}:1: a heading stands twice")
    if "last_name" not in headings:
        raise WrongList(f"{file}:1: the heading last_name is missing")


def _form(file: Path, line: int, row: dict[str, str]) -> CustomerForm:
    from mailbot.flows.customers import CustomerForm

    cell = {name: row.get(name, "").strip() for name in CUSTOMER_COLUMNS}
    kind = cell["kind"].lower()
    if kind not in _KINDS:
        raise WrongList(f"{file}:{line}: kind is person or company, not {cell['kind']!r}")
    contract = Contract(number=cell["contract"], property_address=cell["property"], kind=cell["contract_kind"])
    return CustomerForm(
        kind=_KINDS[kind],
        first_name=cell["first_name"],
        last_name=cell["last_name"],
        cpf=cell["cpf"],
        company=cell["company"],
        cnpj=cell["cnpj"],
        email=cell["email"],
        mobile=cell["mobile"],
        language=cell["language"],
        services=tuple(one.strip() for one in cell["services"].split("|") if one.strip()),
        contracts=(contract,) if cell["contract"] else (),
        corporate=cell["corporate"].lower() in _YES,
    )
