"""What a boleto's 44 digits say: ``barcode -> BarcodeFields`` (DOMAIN C.2, C.3; FEBRABAN).

A bank boleto has its due date as a factor of four digits that counts days and began anew on 2025-02-22.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from mailbot.evidence.check_digits import bank_mod11, collection_mod11, is_barcode, mod10

_FIRST_EPOCH = date(1997, 10, 7)
_CYCLE_DAYS = 9000
_DAYS_BACK, _DAYS_AHEAD = 3000, 5500
_SMALLEST_FACTOR = 1000


class BoletoForm(StrEnum):
    """Who issues it: a bank for somebody, or a public body or utility by agreement."""

    BANK = "bank"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True, kw_only=True)
class BarcodeFields:
    """``amount`` is ``None`` where the code carries none. ``due_factor`` is 0 for none."""

    form: BoletoForm
    bank: str | None
    amount: Decimal | None
    due_factor: int


def barcode_fields(barcode: str) -> BarcodeFields:
    """Take 44 digits with right check digits apart. Raises ``ValueError`` for anything else."""
    if not is_barcode(barcode):
        raise ValueError("no bar code of a boleto")
    if barcode[0] == "8":
        # 6 and 8 carry an amount in money, 7 and 9 a reference.
        cents = int(barcode[4:15]) if barcode[2] in "68" else 0
        return BarcodeFields(form=BoletoForm.COLLECTION, bank=None, amount=_money(cents), due_factor=0)
    return BarcodeFields(
        form=BoletoForm.BANK,
        bank=barcode[:3],
        amount=_money(int(barcode[9:19])),
        due_factor=int(barcode[5:9]),
    )


def _money(cents: int) -> Decimal | None:
    return Decimal(cents).scaleb(-2) if cents else None


def due_date(factor: int, today: date) -> date | None:
    """The day that ``factor`` stands for, read on ``today``; ``None`` for none.

    FEBRABAN (comunicado 082/2012): from 3000 days before to 5500 days after; a cycle has 9000 days, so at most
    one day fits.
    """
    first, last = today - timedelta(days=_DAYS_BACK), today + timedelta(days=_DAYS_AHEAD)
    return next((day for day in due_dates(factor) if first <= day <= last), None)


def due_dates(factor: int) -> tuple[date, ...]:
    """The days that ``factor`` has stood for and will stand for in the first three cycles."""
    if not _SMALLEST_FACTOR <= factor <= 9999:
        return ()
    return tuple(_FIRST_EPOCH + timedelta(days=factor + cycle * _CYCLE_DAYS) for cycle in range(3))


def digitable_line(barcode: str) -> str:
    """The line that people type for ``barcode``: 47 digits of a bank's boleto, 48 of a collection slip."""
    if barcode[0] == "8":
        check = mod10 if barcode[2] in "67" else collection_mod11
        blocks = [barcode[start : start + 11] for start in range(0, 44, 11)]
        return "".join(f"{block}{check(block)}" for block in blocks)
    free = barcode[19:]
    fields = (barcode[:4] + free[:5], free[5:15], free[15:])
    general = bank_mod11(barcode[:4] + barcode[5:])
    return "".join(f"{field}{mod10(field)}" for field in fields) + f"{general}{barcode[5:19]}"
