"""Made-up payment receipts after the layouts of Brazilian banks, wallets and lottery shops, paid and not paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from tests.evaluation import receipts_held_out as held_out
from tests.evaluation import receipts_of_banks as banks
from tests.evaluation import receipts_of_wallets as wallets
from tests.evaluation.invented import TODAY, brl, company, day, invent, pix_id
from tests.evaluation.receipt_case import Case, Row
from tests.evaluation.receipt_paper import is_screen, receipt_paper
from tests.evaluation.sample import Layout, Made

_FAMILIES = {
    "bb_titulos": (banks.bb_titulos, "mono"),
    "bb_pix": (banks.bb_pix, "mono"),
    "itau_boleto": (banks.itau_boleto, "columns"),
    "itau_pix": (banks.itau_pix, "stacked"),
    "bradesco_boleto": (banks.bradesco_boleto, "columns"),
    "caixa_boleto": (banks.caixa_boleto, "columns"),
    "caixa_pix": (banks.caixa_pix, "columns"),
    "santander": (banks.santander, "columns"),
    "nubank": (wallets.nubank, "sides"),
    "nubank_boleto": (wallets.nubank_boleto, "sides"),
    "inter": (wallets.inter, "sides"),
    "sicoob": (banks.sicoob, "mono"),
    "picpay": (wallets.picpay, "stacked"),
    "mercado_pago": (wallets.mercado_pago, "stacked"),
    "lottery": (wallets.lottery, "mono"),
    "tax": (wallets.tax, "columns"),
    "unknown_bank": (wallets.unknown_bank, "sides"),
    "neon_pix": (held_out.neon_pix, "sides"),
    "btg_boleto": (wallets.btg_boleto, "stacked"),
    "banrisul": (held_out.banrisul, "mono"),
    "darf": (held_out.darf, "columns"),
}
HELD_OUT = frozenset({"neon_pix", "banrisul", "darf"})
"""Layouts by which the readers were never mended."""

_COLLECTION = frozenset({"tax", "darf"})
_OF_EITHER = "lottery"
_BANK_SLIPS = frozenset(
    {
        "bb_titulos", "itau_boleto", "bradesco_boleto", "caixa_boleto", "santander", "nubank_boleto", "sicoob",
        "mercado_pago", "btg_boleto", "banrisul",
    }
)  # fmt: skip
_WITHOUT_PAYEE_NUMBER = frozenset({"lottery", "tax", "banrisul", "darf"})
_WITHOUT_PAYEE = frozenset({"darf"})
_WITHOUT_PAYER = frozenset({"lottery"})
STATUS_FAMILIES = tuple(_FAMILIES)


def families() -> dict[str, Layout]:
    """Every layout as a maker of a paid receipt."""
    return {name: lambda rng, name=name: make(rng, name, "paid") for name in _FAMILIES}  # type: ignore[misc]


_REFUNDED = (
    "ESTORNADO", "Pagamento estornado", "Transação cancelada", "ESTORNO REALIZADO", "Valor devolvido para a conta",
    "Situação: CANCELADO", "Status: estornada", "PIX DEVOLVIDO",
)  # fmt: skip


def refunded(rng: Random, family: str) -> Made:
    """A paid receipt with all that it says of a payment, and one line more by which nothing was paid in the end."""
    made = make(rng, family, "paid", said_besides=rng.choice(_REFUNDED))
    truth = {"status": "failed", "amount": made.truth["amount"]}
    return Made("payment_receipt", family, truth, made.papers, made.is_screen)


def make(rng: Random, family: str, status: str, *, said_besides: str = "") -> Made:
    """A receipt of ``family``; ``status`` is ``paid``, ``scheduled`` or ``failed``. ``said_besides`` stands on a line
    of its own."""
    layout, style = _FAMILIES[family]
    of = invent(rng, collection=True if family in _COLLECTION else False if family in _BANK_SLIPS else None)
    if status == "scheduled":
        later = of.paid.replace(year=TODAY.year, month=TODAY.month, day=TODAY.day)
        of = replace(of, paid=later + timedelta(days=rng.randint(-3, 20)))
    case = Case(rng=rng, of=of, status=status, pix=pix_id(rng, of.bank, of.paid))
    rows = layout(case)
    if said_besides:
        rows.insert(rng.randint(2, len(rows)), ("note", said_besides))
    truth = _truth(case, family, rows) if case.paid else {"status": status, "amount": f"{of.cents / 100:.2f}"}
    return Made("payment_receipt", family, truth, (receipt_paper(rng, rows, style),), is_screen(style))


def _truth(case: Case, family: str, rows: list[Row]) -> dict[str, str]:
    of = case.of
    said = {
        "status": case.status,
        "amount": f"{of.cents / 100:.2f}",
        "paid_at": f"{of.paid:%Y-%m-%d}",
        "payee_name": "" if family in _WITHOUT_PAYEE else of.company,
        "payee_tax_id": "" if family in _WITHOUT_PAYEE_NUMBER else of.cnpj,
        "payer_name": "" if family in _WITHOUT_PAYER else of.person,
        "boleto_line": of.line if family in _BANK_SLIPS | _COLLECTION or family == _OF_EITHER else "",
        "pix_end_to_end_id": case.pix if any(case.pix in words for row in rows for words in row) else "",
    }
    return {name: value for name, value in said.items() if value}


def received(rng: Random) -> Made:
    """Money that came in: a receipt, and none of a payment."""
    of = invent(rng)
    rows: list[Row] = [
        ("title", rng.choice(("Pix recebido", "Você recebeu um Pix", "Comprovante de recebimento de Pix"))),
        ("big", f"R$ {brl(of.cents)}"),
        ("row", "Data", f"{day(of.paid)} {of.paid:%H:%M}"),
        ("row", "De", of.person),
        ("row", "Para", company(rng)),
        ("row", "ID da transação", pix_id(rng, of.bank, of.paid)),
    ]
    truth = {"status": "unknown", "amount": f"{of.cents / 100:.2f}"}
    return Made("payment_receipt", "received", truth, (receipt_paper(rng, rows, "sides"),), is_screen=True)
