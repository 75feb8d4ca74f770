"""What a layout of a receipt is filled with, and the rows that it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.evaluation.invented import Invented, brl, day

SHORT_MONTHS = ["JAN", "FEV", "MAR", "ABR", "MAI", "JUN", "JUL", "AGO", "SET", "OUT", "NOV", "DEZ"]
LONG_MONTHS = [
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
]

Row = tuple[str, ...]
"""``("title", words)``, ``("big", words)``, ``("head", words)``, ``("row", label, value)``, ``("note", words)``,
``("rule",)``."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a layout is filled with."""

    rng: Random
    of: Invented
    status: str
    pix: str

    @property
    def paid(self) -> bool:
        return self.status == "paid"

    @property
    def amount(self) -> str:
        return brl(self.of.cents)

    def moment(self, *, between: str = " - ", seconds: bool = True) -> str:
        clock = f"{self.of.paid:%H:%M:%S}" if seconds else f"{self.of.paid:%H:%M}"
        return f"{day(self.of.paid)}{between}{clock}"

    def say(self, paid: str, scheduled: str, failed: str) -> str:
        return {"paid": paid, "scheduled": scheduled}.get(self.status, failed)

    def chance(self, share: float = 0.5) -> bool:
        return self.rng.random() < share

    def token(self, pattern: str) -> str:
        return "".join(
            self.rng.choice("0123456789ABCDEF")
            if ch == "X"
            else self.rng.choice("0123456789")
            if ch == "9"
            else ch
            for ch in pattern
        )
