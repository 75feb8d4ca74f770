"""The fields of a request type: how a value is recognised, asked for and checked."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mailbot.catalogue.entries import Entry, Flag, Key, Text
from mailbot.catalogue.folding import fold_words


class FieldKind(StrEnum):
    """How a field's value is recognised and checked."""

    TEXT = "text"
    CPF = "cpf"
    CNPJ = "cnpj"
    PHONE = "phone"
    EMAIL = "email"
    UNIT = "unit"
    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"


class FieldSpec(Entry):
    """A field of the request.

    ``labels`` are further names that senders write before the value; ``label`` itself always counts.
    ``default`` fills an absent field from the mail's From.
    """

    key: Key
    kind: FieldKind = FieldKind.TEXT
    label: Text
    question: Text
    labels: tuple[Text, ...] = ()
    required: Flag = True
    default: Literal["sender_address", "sender_name"] | None = None
    choices: tuple[Text, ...] = ()
    max_characters: Annotated[int, Field(ge=1, le=20_000)] = 2000

    @model_validator(mode="after")
    def _choices_fit_the_kind(self) -> Self:
        if (self.kind is FieldKind.CHOICE) != bool(self.choices):
            raise ValueError("choices belong to kind: choice, and to it alone")
        return self

    @cached_property
    def all_labels(self) -> tuple[str, ...]:
        """Label and synonyms, folded, without doubles."""
        return tuple(dict.fromkeys(fold_words(label) for label in (self.label, *self.labels)))
