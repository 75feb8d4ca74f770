"""What a reader of one kind says of a page: ``KindReading``, with facts that are certain and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.domain.evidence import DocumentKind, Fact

CERTAIN_SCORE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class FactReading:
    """A fact as read. Only a certain one is ever decided by."""

    name: str
    value: str
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KindReading:
    """How much speaks for one kind (0 to 1) and what, and the facts that a document of this kind would have."""

    kind: DocumentKind
    score: float
    facts: tuple[FactReading, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether enough speaks for the kind by itself; that no other comes near is for the caller to see."""
        return self.score >= CERTAIN_SCORE

    @property
    def certain_facts(self) -> tuple[Fact, ...]:
        """The facts to decide by."""
        return tuple(Fact(name=one.name, value=one.value) for one in self.facts if one.certain)

    @property
    def guesses(self) -> tuple[Fact, ...]:
        """The facts for a person's eyes."""
        return tuple(Fact(name=one.name, value=one.value) for one in self.facts if not one.certain)

    def has_certain(self, *names: str) -> bool:
        """Whether all these facts are certain."""
        return set(names) <= {one.name for one in self.facts if one.certain}


def only_one(values: Sequence[str]) -> str | None:
    """The value if all are equal."""
    return values[0] if values and len(set(values)) == 1 else None
