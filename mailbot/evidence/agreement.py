"""Documents held against each other: ``(findings, today) -> findings`` with verdicts, reasons and remarks.

Receipt against boleto (the line, else amount and payee, and the order of their dates), licence against the
boleto's payer (CPF, masked or whole, else the name). Only certain facts refuse; what may have an explanation is a
remark for the agent. *Paid* is never concluded here, only what a receipt says of itself (DOMAIN C.4, R000-08).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from mailbot.domain.evidence import DocumentKind, Finding, PaymentStatus, Remark, Verdict
from mailbot.evidence.check_digits import barcode_of_line
from mailbot.evidence.names import Likeness, likeness
from mailbot.evidence.pix_on_paper import PIX_AMOUNT_DIFFERS

_MOST_SURCHARGE = Decimal("1.3")
"""Paid late, a boleto costs its fine and interest more; not a third more."""

_CPF_DIGITS = 11
OTHER_HOLDER = "other_holder"
"""Reason where the licence is not the payer's; behind a colon stands whose is wanted."""


class Outcome(StrEnum):
    """How two documents fit."""

    AGREES = "agrees"
    UNSURE = "unsure"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``reason`` says what differs, or what to look at; ``fact`` where."""

    outcome: Outcome
    reason: str = ""
    fact: str = ""


_AGREES = Comparison(outcome=Outcome.AGREES)
_UNSURE = Comparison(outcome=Outcome.UNSURE)


def held_together(findings: Sequence[Finding], today: date) -> tuple[Finding, ...]:
    """The findings with what the documents say of themselves and of each other.

    Starts anew each time, so that a receipt that fitted no boleto fits the right one when it comes.
    """
    alone = [_by_itself(finding, today) for finding in findings]
    boletos = [one for one in alone if one.kind is DocumentKind.BOLETO and one.verdict is Verdict.ACCEPTED]
    return tuple(_against(finding, boletos) for finding in alone)


# --- one document -------------------------------------------------------------------------------------------


def _by_itself(finding: Finding, today: date) -> Finding:
    if finding.requirement is None or finding.kind is DocumentKind.UNKNOWN or finding.verdict not in _BY_CONTENT:
        return finding
    reasons = tuple(one for one in finding.reasons if one.partition(":")[0] not in _OUR_REASONS)
    anew = replace(finding, verdict=Verdict.ACCEPTED, for_a_person=False, reasons=reasons, remarks=())
    if finding.kind is DocumentKind.PAYMENT_RECEIPT:
        return _receipt(anew)
    if finding.kind is DocumentKind.DRIVER_LICENCE:
        return _licence(anew, today)
    if finding.kind is DocumentKind.BOLETO:
        codes = [one for one in _REMARKED_CODES if one in reasons]
        return replace(anew, remarks=tuple(Remark(fact=_REMARKED_CODES[one], reason=one) for one in codes))
    return anew


# Whatever a file says, it stays refused where it could not be taken as a file.
_BY_CONTENT = frozenset(
    {Verdict.ACCEPTED, Verdict.MISMATCH, Verdict.SCHEDULED, Verdict.NOT_PAID, Verdict.NOT_CHECKED}
)
_REMARKED_CODES = {
    "code_and_line_differ": "digitable_line",
    "printed_amount_differs": "amount",
    "coded_due_date_differs": "due_date",
    PIX_AMOUNT_DIFFERS: "pix_amount",
}
_OUR_REASONS = frozenset(
    {
        "boleto_differs",
        "amounts_differ",
        "receipt_before_boleto",
        OTHER_HOLDER,
        "scheduled",
        "not_paid",
        "status_unknown",
    }
)


def _receipt(finding: Finding) -> Finding:
    status = finding.fact("status")
    if status == PaymentStatus.SCHEDULED:
        return replace(finding, verdict=Verdict.SCHEDULED, reasons=("scheduled", *finding.reasons))
    if status == PaymentStatus.FAILED:
        return replace(finding, verdict=Verdict.NOT_PAID, reasons=("not_paid", *finding.reasons))
    if status == PaymentStatus.UNKNOWN:
        # It may be paid: nobody is asked again for what a person can see at a glance.
        return replace(
            finding,
            verdict=Verdict.NOT_CHECKED,
            for_a_person=True,
            reasons=("status_unknown", *finding.reasons),
            remarks=(Remark(fact="status", reason="status_unknown"),),
        )
    return finding


def _licence(finding: Finding, today: date) -> Finding:
    remarks = []
    until = finding.fact("valid_until")
    if until is not None and date.fromisoformat(until) < today:
        remarks.append(Remark(fact="valid_until", reason="licence_expired"))
    if "licence_number_check_digits" in finding.reasons:
        remarks.append(Remark(fact="licence_number", reason="licence_number_check_digits"))
    return replace(finding, remarks=tuple(remarks))


# --- two documents ------------------------------------------------------------------------------------------


def _against(finding: Finding, boletos: Sequence[Finding]) -> Finding:
    compare = _COMPARED.get(finding.kind)
    if compare is None or not boletos or finding.verdict not in (Verdict.ACCEPTED, Verdict.NOT_CHECKED):
        return finding
    results = [compare(finding, boleto) for boleto in boletos]
    if any(one.outcome is Outcome.AGREES for one in results):
        return finding
    unsure = [one for one in results if one.outcome is Outcome.UNSURE]
    if unsure:
        noted = tuple(Remark(fact=one.fact, reason=one.reason) for one in unsure if one.reason)
        return replace(finding, remarks=(*finding.remarks, *noted))
    reason = results[0].reason
    if reason == OTHER_HOLDER and (name := boletos[0].fact("payer_name")):
        reason = f"{OTHER_HOLDER}:{name}"
    return replace(
        finding,
        verdict=Verdict.MISMATCH,
        for_a_person=False,
        reasons=(reason, *finding.reasons),
        remarks=(*finding.remarks, *(Remark(fact=one.fact, reason=one.reason) for one in results[:1])),
    )


def receipt_and_boleto(receipt: Finding, boleto: Finding) -> Comparison:
    """Whether the receipt is of this boleto."""
    paid_line, line = receipt.fact("boleto_line"), boleto.fact("digitable_line")
    if paid_line is not None and line is not None:
        return _lines(receipt, boleto, is_same=barcode_of_line(paid_line) == barcode_of_line(line))
    if _is_before(receipt.fact("paid_at"), boleto.fact("issued_on")):
        return Comparison(outcome=Outcome.DIFFERS, reason="receipt_before_boleto", fact="paid_at")
    amount, due = _money(receipt.fact("amount")), _money(boleto.fact("amount"))
    if amount is None or due is None:
        return _UNSURE
    return _payees(receipt, boleto) if amount == due else _amounts(receipt, boleto, amount, due)


def _lines(receipt: Finding, boleto: Finding, *, is_same: bool) -> Comparison:
    amount, due = _money(receipt.fact("amount")), _money(boleto.fact("amount"))
    if not is_same:
        return Comparison(outcome=Outcome.DIFFERS, reason="boleto_differs", fact="boleto_line")
    if amount is not None and due is not None and amount < due:
        return Comparison(outcome=Outcome.UNSURE, reason="paid_less", fact="amount")
    return _AGREES


def _amounts(receipt: Finding, boleto: Finding, amount: Decimal, due: Decimal) -> Comparison:
    is_late = _is_before(boleto.fact("due_date"), receipt.fact("paid_at"))
    if is_late and due < amount <= due * _MOST_SURCHARGE:
        return Comparison(outcome=Outcome.UNSURE, reason="paid_with_surcharge", fact="amount")
    return Comparison(outcome=Outcome.DIFFERS, reason="amounts_differ", fact="amount")


def _payees(receipt: Finding, boleto: Finding) -> Comparison:
    """Amounts agree; another payee may be the bank or the agent that collects."""
    one, two = receipt.fact("payee_tax_id"), boleto.fact("beneficiary_tax_id")
    if one is not None and two is not None and "*" not in one + two:
        # Branches share the first eight characters of their CNPJ.
        if one[:8] == two[:8]:
            return _AGREES
        return Comparison(outcome=Outcome.UNSURE, reason="payee_differs", fact="payee_tax_id")
    names = receipt.fact("payee_name"), boleto.fact("beneficiary_name")
    if names[0] and names[1] and likeness(names[0], names[1]) is Likeness.UNLIKE:
        return Comparison(outcome=Outcome.UNSURE, reason="payee_differs", fact="payee_name")
    return _AGREES


def licence_and_boleto(licence: Finding, boleto: Finding) -> Comparison:
    """Whether the licence is that of the person to whom the boleto was issued."""
    cpf, wanted = licence.fact("tax_id"), boleto.fact("payer_tax_id")
    if wanted is not None and "*" not in wanted and len(wanted) != _CPF_DIGITS:
        return Comparison(outcome=Outcome.UNSURE, reason="payer_is_a_company", fact="holder_name")
    holder, payer = licence.fact("holder_name"), boleto.fact("payer_name")
    names = likeness(holder, payer) if holder and payer else None
    if cpf is not None and wanted is not None:
        return _by_tax_id(names, is_same=_is_cpf_of(cpf, wanted))
    return _by_name(names)


def _by_tax_id(names: Likeness | None, *, is_same: bool) -> Comparison:
    if is_same:
        return _AGREES
    if names is Likeness.ALIKE:
        return Comparison(outcome=Outcome.UNSURE, reason="tax_ids_differ", fact="tax_id")
    return Comparison(outcome=Outcome.DIFFERS, reason=OTHER_HOLDER, fact="tax_id")


def _by_name(names: Likeness | None) -> Comparison:
    if names is Likeness.ALIKE:
        return _AGREES
    if names is Likeness.UNLIKE:
        return Comparison(outcome=Outcome.DIFFERS, reason=OTHER_HOLDER, fact="holder_name")
    reason = "" if names is None else "names_unlike"
    return Comparison(outcome=Outcome.UNSURE, reason=reason, fact="holder_name")


def _is_cpf_of(cpf: str, wanted: str) -> bool:
    """Equal as far as both are shown: ``***.123.456-**`` shows the middle."""
    if "*" not in wanted:
        return cpf == wanted
    shown = "".join(ch for ch in wanted if ch.isdigit() or ch == "*")
    return len(shown) == len(cpf) and all(two in ("*", one) for one, two in zip(cpf, shown, strict=True))


def _money(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _is_before(first: str | None, second: str | None) -> bool:
    """Whether the day of ``first`` is before that of ``second``; unknown days are not."""
    return first is not None and second is not None and first[:10] < second[:10]


_COMPARED: dict[DocumentKind, Callable[[Finding, Finding], Comparison]] = {
    DocumentKind.PAYMENT_RECEIPT: receipt_and_boleto,
    DocumentKind.DRIVER_LICENCE: licence_and_boleto,
}
