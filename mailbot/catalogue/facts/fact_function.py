"""What every function of ``facts:`` is: the YAML of one fact together with ``(FactSources) -> Fact``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from mailbot.catalogue.entries import Entry
from mailbot.catalogue.facts.values import Fact, FactKind, FactSources


class FactFunction(Entry, ABC):
    """One fact of a request type. ``label`` is what agents read where it was not known."""

    kind: ClassVar[FactKind]
    house_words: ClassVar[bool] = False
    """Whether its text stands in the configuration, so that letters may show it."""
    label: str = ""

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Keys of the fields that it is computed from."""

    @property
    def choices(self) -> tuple[str, ...]:
        """All values that it can have, where they are few."""
        return ()

    @abstractmethod
    def compute(self, sources: FactSources) -> Fact:
        """The fact, ``None`` where it cannot be told."""
