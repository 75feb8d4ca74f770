"""Documents held against each other; only what is certain refuses, the rest is for an agent's eyes (R000-08)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mailbot.domain.evidence import DocumentKind, Fact, Finding, Verdict
from mailbot.evidence.agreement import held_together
from mailbot.evidence.names import Likeness, likeness

TODAY = date(2026, 11, 22)
LINE = "34199836910060267735346848745264916410000010800"
OTHER_LINE = "10492743743262229751619641341169812380000012345"


def finding(kind: DocumentKind, **said: str) -> Finding:
    return Finding(
        digest=kind,
        sha256=kind,
        filename=f"{kind}.pdf",
        media_type="application/pdf",
        size_bytes=1,
        kind=kind,
        confidence=1.0,
        verdict=Verdict.ACCEPTED,
        requirement=kind,
        facts=tuple(Fact(name=name, value=value) for name, value in said.items()),
    )


def boleto(**said: str) -> Finding:
    known = {
        "amount": "108.00",
        "due_date": "2026-11-20",
        "payer_name": "Maria de Souza Lima",
        "payer_tax_id": "52998224725",
    }
    return finding(DocumentKind.BOLETO, **{**known, "digitable_line": LINE, **said})


def receipt(**said: str) -> Finding:
    return finding(
        DocumentKind.PAYMENT_RECEIPT, **{"status": "paid", "amount": "108.00", "paid_at": "2026-11-18", **said}
    )


def licence(**said: str) -> Finding:
    return finding(DocumentKind.DRIVER_LICENCE, **said)


def second(*findings: Finding) -> tuple[Verdict, str, list[str]]:
    held = held_together(findings, TODAY)[1]
    return held.verdict, held.reasons[0] if held.reasons else "", [remark.reason for remark in held.remarks]


OK: tuple[Verdict, str, list[str]] = (Verdict.ACCEPTED, "", [])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"boleto_line": LINE}, OK),
        ({"boleto_line": LINE, "amount": "112.50"}, OK),
        ({"boleto_line": LINE, "amount": "100.00"}, (Verdict.ACCEPTED, "", ["paid_less"])),
        ({"boleto_line": OTHER_LINE}, (Verdict.MISMATCH, "boleto_differs", ["boleto_differs"])),
        ({}, OK),
        ({"amount": "99.00"}, (Verdict.MISMATCH, "amounts_differ", ["amounts_differ"])),
        ({"amount": "112.50", "paid_at": "2026-11-21"}, (Verdict.ACCEPTED, "", ["paid_with_surcharge"])),
        ({"amount": "112.50", "paid_at": "2026-11-19"}, (Verdict.MISMATCH, "amounts_differ", ["amounts_differ"])),
    ],
)
def test_a_receipt_is_held_against_the_boleto(
    said: dict[str, str], expected: tuple[Verdict, str, list[str]]
) -> None:
    assert second(boleto(), receipt(**said)) == expected


def test_a_receipt_from_before_the_boleto_is_of_another() -> None:
    verdict, reason, _ = second(boleto(issued_on="2026-11-19"), receipt())
    assert (verdict, reason) == (Verdict.MISMATCH, "receipt_before_boleto")


def test_another_payee_is_for_an_agent_to_see() -> None:
    assert second(boleto(beneficiary_tax_id="02872448000120"), receipt(payee_tax_id="11222333000181")) == (
        Verdict.ACCEPTED, "", ["payee_differs"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "verdict", "for_a_person"),
    [
        ("paid", Verdict.ACCEPTED, False),
        ("scheduled", Verdict.SCHEDULED, False),
        ("failed", Verdict.NOT_PAID, False),
        ("unknown", Verdict.NOT_CHECKED, True),
    ],
)
def test_the_status_of_a_receipt_decides_first(status: str, verdict: Verdict, for_a_person: bool) -> None:
    (held,) = held_together([receipt(status=status)], TODAY)
    assert (held.verdict, held.for_a_person) == (verdict, for_a_person)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"tax_id": "52998224725", "holder_name": "Maria S Lima"}, OK),
        ({"holder_name": "LIMA MARIA SOUZA"}, OK),
        (
            {"tax_id": "11144477735", "holder_name": "João Lima"},
            (Verdict.MISMATCH, "other_holder:Maria de Souza Lima", ["other_holder"]),
        ),
        (
            {"tax_id": "11144477735", "holder_name": "Maria de Souza Lima"},
            (Verdict.ACCEPTED, "", ["tax_ids_differ"]),
        ),
        (
            {"holder_name": "João Batista Lima"},
            (Verdict.MISMATCH, "other_holder:Maria de Souza Lima", ["other_holder"]),
        ),
        ({"holder_name": "Maria Pereira Lima"}, (Verdict.ACCEPTED, "", ["names_unlike"])),
        ({}, OK),
        ({"tax_id": "52998224725", "valid_until": "2025-01-01"}, (Verdict.ACCEPTED, "", ["licence_expired"])),
    ],
)
def test_a_licence_is_held_against_the_boleto_s_payer(
    said: dict[str, str], expected: tuple[Verdict, str, list[str]]
) -> None:
    of = boleto() if "tax_id" in said else boleto(payer_tax_id="***.982.247-**")
    assert second(of, licence(**said)) == expected


@pytest.mark.parametrize(
    ("cpf", "verdict"), [("52998224725", Verdict.ACCEPTED), ("11144477735", Verdict.MISMATCH)]
)
def test_a_masked_cpf_shows_enough(cpf: str, verdict: Verdict) -> None:
    assert second(boleto(payer_tax_id="***.982.247-**"), licence(tax_id=cpf))[0] is verdict


def test_a_company_s_boleto_is_for_an_agent() -> None:
    of = boleto(payer_tax_id="11222333000181", payer_name="Vistorias Ltda")
    assert second(of, licence(tax_id="52998224725", holder_name="Maria")) == (
        Verdict.ACCEPTED,
        "",
        ["payer_is_a_company"],
    )


def test_the_right_boleto_in_a_later_mail_makes_the_receipt_good_again() -> None:
    first = held_together([boleto(digitable_line=OTHER_LINE), receipt(boleto_line=LINE)], TODAY)
    assert first[1].verdict is Verdict.MISMATCH
    assert held_together([*first, boleto()], TODAY)[1].verdict is Verdict.ACCEPTED


def test_what_is_refused_as_a_file_stays_refused() -> None:
    large = replace(receipt(), verdict=Verdict.REFUSED_SIZE)
    assert held_together([large], TODAY) == (large,)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("JOSÉ DA SILVA", "Jose Silva", Likeness.ALIKE),
        ("Silva, José da", "José da Silva", Likeness.ALIKE),
        ("J. P. Silva Santos", "João Paulo Silva Santos", Likeness.ALIKE),
        ("Maria Aparecida Souza", "Maria Aparecida Sousa", Likeness.ALIKE),
        ("Maria Souza", "Maria Aparecida de Souza Lima", Likeness.ALIKE),
        ("Maria Souza", "Maria Lima", Likeness.UNSURE),
        ("Maria Souza", "João Souza", Likeness.UNLIKE),
        ("Maria Souza", "Pedro Lima", Likeness.UNLIKE),
        ("", "Maria", Likeness.UNSURE),
    ],
)
def test_names_are_alike_in_any_order_and_without_accents(one: str, two: str, expected: Likeness) -> None:
    assert likeness(one, two) is expected
    assert likeness(two, one) is expected
