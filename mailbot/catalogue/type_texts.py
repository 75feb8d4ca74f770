"""What customers read of a request type, in another language: ``en:`` and ``es:`` of its file.

What is not given there is read in Portuguese. The labels are also understood where a form is filled in with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from mailbot.catalogue.entries import Entry, Key, Text
from mailbot.domain.ticket import Status


class GuidanceTexts(Entry):
    """Title and text of a guidance, with the places of the Portuguese ones."""

    title: Text
    text: Annotated[str, Field(min_length=1, max_length=5000)]
    link_label: Annotated[str, Field(max_length=100)] = ""


class CustomerTexts(Entry):
    """How it is asked whose request it is."""

    label: Text
    question: Text


class TypeTexts(Entry):
    """``labels`` are of documents and fields, ``questions`` of fields, ``hints`` of documents, by their keys."""

    name: str = ""
    labels: Mapping[Key, Text] = Field(default_factory=dict)
    questions: Mapping[Key, Text] = Field(default_factory=dict)
    hints: Mapping[Key, Text] = Field(default_factory=dict)
    status_labels: Mapping[Status, Text] = Field(default_factory=dict)
    guidance: Mapping[Key, GuidanceTexts] = Field(default_factory=dict)
    customer: CustomerTexts | None = None
    received_note: Annotated[str, Field(max_length=2000)] = ""
    resolved_note: Annotated[str, Field(max_length=2000)] = ""
    closing_line: Annotated[str, Field(max_length=300)] = ""

    def strangers(
        self, *, documents: frozenset[str], fields: frozenset[str], guidance: frozenset[str], asks_customer: bool
    ) -> Iterator[str]:
        """What is worded here and does not exist in the type."""
        if self.customer is not None and not asks_customer:
            yield "customer: the type does not ask for one"
        for texts, name, known in (
            (self.labels, "labels", documents | fields),
            (self.questions, "questions", fields),
            (self.hints, "hints", documents),
            (self.guidance, "guidance", guidance),
        ):
            yield from (f"{name}: there is no {key!r}" for key in texts if key not in known)
