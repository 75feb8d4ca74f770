"""A book: the mail by which a sector that works by e-mail gets a request, as a request type's YAML states it.

It has exactly the fields that stand here, and leaves only when all of them are there (R001-12, R001-15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from mailbot.catalogue.entries import Entry, Key, Text
from mailbot.catalogue.field_specs import FieldSpec


class Remark(Entry):
    """A line that is always the same: ``Observações Atendimento: Cortesia``."""

    label: Text
    value: Text


class BookSpec(Entry):
    """One kind of book. ``fields`` all have to be known, ``optional_fields`` stand there where they are.
    ``number_label`` is what the ticket's number is called in it, empty where it does not stand there."""

    name: Text
    intro: Annotated[str, Field(max_length=2000)] = ""
    fields: Annotated[tuple[Key, ...], Field(min_length=1)]
    optional_fields: tuple[Key, ...] = ()
    number_label: Annotated[str, Field(max_length=100)] = ""
    remark: Remark | None = None


def book_mistakes(
    books: Mapping[str, BookSpec], noted_fields: Iterable[str], fields: tuple[FieldSpec, ...]
) -> list[str]:
    """Fields that a book or the internal note names and that are none, or that nobody may fill (R001-06, -30)."""
    known = {spec.key: spec for spec in fields}
    problems = [f"noted_fields: no field {key!r}" for key in noted_fields if key not in known]
    for name, book in books.items():
        for key in (*book.fields, *book.optional_fields):
            if key not in known:
                problems.append(f"books: {name}: no field {key!r}")
            elif known[key].stays_empty:
                problems.append(f"books: {name}: {key} stays empty and may not stand in a book")
    return problems
