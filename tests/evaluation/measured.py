"""What was read against what is true: counts of certain, right and wrong, and how sure such a share is."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from math import sqrt

CRITICAL = {
    "boleto": ("digitable_line", "amount", "due_date", "payer_tax_id"),
    "payment_receipt": ("status", "amount", "paid_at", "boleto_line"),
    "driver_licence": ("tax_id", "birth_date", "valid_until"),
}
"""Facts that may be wrong in one of two hundred at most: amount, dates, line, CPF."""


@dataclass(frozen=True, slots=True)
class Read:
    """One document after reading; ``facts`` are the certain ones."""

    made_as: str
    family: str
    form: str
    kind: str
    truth: dict[str, str]
    facts: dict[str, str]
    seconds: float
    all_kinds: tuple[str, ...] = ()


@dataclass(slots=True)
class Share:
    """So many of so many."""

    hits: int = 0
    total: int = 0

    def add(self, hit: bool) -> None:
        self.hits += hit
        self.total += 1

    @property
    def rate(self) -> float:
        return self.hits / self.total if self.total else 0.0

    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval."""
        if not self.total:
            return 0.0, 1.0
        z, n, p = 1.96, self.total, self.rate
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.hits:4}/{self.total:<4} {self.rate:7.2%}  [{low:.1%}, {high:.1%}]"


def is_same(name: str, one: str, two: str) -> bool:
    """Whether a fact is right; names regardless of accents and case, moments by their day, masked numbers by
    what they show."""
    if name == "paid_at":
        return one[:10] == two[:10]
    if name.endswith("_name"):
        return _plain(one) == _plain(two)
    if "*" in one:
        return all(a in ("*", b) for a, b in zip(re.sub(r"[.\-]", "", one), two, strict=False))
    return one == two


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFD", text.upper())
    return " ".join(re.sub(r"[^A-Z0-9 ]", " ", "".join(ch for ch in folded if ord(ch) < 128)).split())


@dataclass(slots=True)
class Tally:
    """All that is counted of one form (born digital, scan, photo)."""

    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    precision: Share = field(default_factory=Share)
    coverage: Share = field(default_factory=Share)
    facts: dict[str, tuple[Share, Share]] = field(default_factory=dict)
    lookalikes: Share = field(default_factory=Share)
    not_paid_as_paid: Share = field(default_factory=Share)
    wrong: list[str] = field(default_factory=list)

    def add(self, read: Read) -> None:
        """Count one document."""
        self.confusion[read.made_as, read.kind] += 1
        evidence = read.kind in CRITICAL or bool(set(read.all_kinds) & set(CRITICAL))
        if read.made_as == "none":
            self.lookalikes.add(evidence)
            if evidence:
                self._note(read, "taken for evidence", read.kind)
            return
        if read.truth.get("status") in ("scheduled", "failed", "unknown"):
            as_paid = read.kind == "payment_receipt" and read.facts.get("status") == "paid"
            self.not_paid_as_paid.add(as_paid)
            if as_paid:
                self._note(read, "NOT PAID read as paid", read.truth["status"])
            return
        if read.kind in CRITICAL:
            self.precision.add(read.kind == read.made_as)
            if read.kind != read.made_as:
                self._note(read, "kind", read.kind)
        complete = read.kind == read.made_as
        for name, truth in read.truth.items():
            said = read.facts.get(name) if read.kind == read.made_as else None
            if name == "status" and said == "unknown":
                # It says that nobody knows: a person looks.
                said = None
            right = said is not None and is_same(name, said, truth)
            self._fact(f"{read.made_as}.{name}", said, right)
            if name in CRITICAL[read.made_as]:
                complete = complete and right
                if said is not None:
                    self.precision.add(right)
            if said is not None and not right:
                self._note(read, name, f"{said!r} instead of {truth!r}")
        self.coverage.add(complete)

    def _fact(self, name: str, said: str | None, right: bool) -> None:
        precision, coverage = self.facts.setdefault(name, (Share(), Share()))
        if said is not None:
            precision.add(right)
        coverage.add(right)

    def _note(self, read: Read, what: str, how: str) -> None:
        self.wrong.append(f"{read.made_as}/{read.family}/{read.form}: {what}: {how}")
