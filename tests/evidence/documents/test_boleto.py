"""What boletos say: code, line and print each confirm the other (DOMAIN C.2, C.3)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.barcode_fields import barcode_fields, digitable_line, due_date
from mailbot.evidence.check_digits import barcode_of_line, is_licence_number
from mailbot.evidence.content import Code
from tests.evidence.pages import TODAY, facts, read

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text("utf-8"))
LINE = "34199.83691 00602.677353 46848.745264 9 16410000010800"
BARCODE = "34199164100000108009836900602677354684874526"
BOLETO = f"""Banco Exemplo  341-7  {LINE}
Local de pagamento  Vencimento
PAGÁVEL EM QUALQUER BANCO  25/11/2026
Beneficiário  Agência/Código do Beneficiário
VISTORIAS EXEMPLO LTDA - CNPJ 02.872.448/0001-20  1234/56789-0
Data do documento  Nosso número  (=) Valor do documento
10/11/2026  109/12345678-9  108,00
Pagador
MARIA DE SOUZA LIMA - CPF: 529.982.247-25
RUA 1 - GOIANIA - GO
Recibo do Pagador - Autenticação mecânica"""


def test_all_that_a_boleto_says_is_read() -> None:
    assert facts(read(BOLETO)) == {
        "digitable_line": LINE.replace(".", "").replace(" ", ""),
        "barcode": BARCODE,
        "form": "bank",
        "bank": "341",
        "amount": "108.00",
        "due_date": "2026-11-25",
        "issued_on": "2026-11-10",
        "payer_name": "MARIA DE SOUZA LIMA",
        "payer_tax_id": "52998224725",
        "beneficiary_name": "VISTORIAS EXEMPLO LTDA",
        "beneficiary_tax_id": "02872448000120",
    }


@pytest.mark.parametrize("one", VECTORS["boleto_valid"] + VECTORS["boleto_published"], ids=lambda one: one["line"])
def test_a_valid_line_gives_bar_code_bank_and_amount(one: dict[str, Any]) -> None:
    fields = barcode_fields(one["barcode"])
    assert (barcode_of_line(one["line"]), digitable_line(one["barcode"])) == (one["barcode"], one["line"])
    assert (fields.bank, int((fields.amount or 0) * 100)) == (one["bank"], one["cents"])


@pytest.mark.parametrize("one", VECTORS["boleto_valid"], ids=lambda one: one["line"])
def test_a_valid_line_gives_its_due_date(one: dict[str, Any]) -> None:
    due = due_date(barcode_fields(one["barcode"]).due_factor, TODAY)
    assert (due.isoformat() if due else None) == one["due"]


@pytest.mark.parametrize("one", VECTORS["factor_read_on_2026-11-22"], ids=lambda one: str(one["factor"]))
def test_a_factor_is_read_within_the_window_around_today(one: dict[str, Any]) -> None:
    due = due_date(one["factor"], date(2026, 11, 22))
    assert (due.isoformat() if due else None) == one["due"]


@pytest.mark.parametrize("one", VECTORS["factor"], ids=lambda one: one["date"])
def test_a_factor_is_the_day_it_was_made_for_when_read_that_day(one: dict[str, Any]) -> None:
    day = date.fromisoformat(one["date"])
    assert due_date(one["factor"], day) == day


@pytest.mark.parametrize("one", VECTORS["arrec_valid"], ids=lambda one: one["segment"])
def test_a_collection_slip_s_line_is_read(one: dict[str, Any]) -> None:
    said = facts(read(f"DOCUMENTO DE ARRECADAÇÃO\n{one['formatted']}\nVencimento 25/11/2026"))
    assert (said["barcode"], said["form"], said["due_date"]) == (one["barcode"], "collection", "2026-11-25")
    cents = None if one["cents"] is None else f"{one['cents'] / 100:.2f}"
    assert said.get("amount") == cents


@pytest.mark.parametrize("one", VECTORS["boleto_invalid"] + VECTORS["arrec_invalid"], ids=lambda one: one["line"])
def test_a_line_with_a_wrong_check_digit_is_no_line(one: dict[str, Any]) -> None:
    assert "digitable_line" not in facts(
        read(f"Recibo do Pagador\n{one['line']}\nNosso número 1\nVencimento 25/11/2026")
    )


@pytest.mark.parametrize("number", VECTORS["cnh_valid"])
def test_published_licence_numbers_have_right_check_digits(number: str) -> None:
    assert is_licence_number(number)


@pytest.mark.parametrize("number", VECTORS["cnh_invalid"])
def test_wrong_licence_numbers_have_not(number: str) -> None:
    assert not is_licence_number(number)


def test_a_printed_amount_that_is_not_the_coded_one_makes_it_uncertain() -> None:
    reading = read(BOLETO.replace("108,00", "180,00"))
    assert "amount" not in facts(reading)
    assert "printed_amount_differs" in reading.reasons


def test_a_printed_due_date_that_is_not_the_coded_one_makes_it_uncertain() -> None:
    reading = read(BOLETO.replace("25/11/2026", "26/11/2026"))
    assert "due_date" not in facts(reading)
    assert "coded_due_date_differs" in reading.reasons


def test_an_old_boleto_has_the_printed_day_of_its_own_cycle() -> None:
    old = "34191.10121 34567.880058 71234.570001 6 16670000012345"
    text = BOLETO.replace(LINE, old).replace("25/11/2026", "01/05/2002").replace("108,00", "123,45")
    assert facts(read(text))["due_date"] == "2002-05-01"


def test_a_scanned_code_says_what_a_page_without_a_line_does_not() -> None:
    text = BOLETO.replace(LINE, "")
    assert facts(read(text, codes=(Code(format="ITF", text=BARCODE),), ocr=0.9))["amount"] == "108.00"


def test_a_code_and_a_line_that_differ_are_for_an_agent_to_see() -> None:
    other = VECTORS["boleto_valid"][1]["barcode"]
    reading = read(BOLETO, codes=(Code(format="ITF", text=other),))
    assert "code_and_line_differ" in reading.reasons
    assert "digitable_line" not in facts(reading)


def test_digits_that_ocr_took_for_letters_count_with_right_check_digits() -> None:
    misread = BOLETO.replace(LINE, "34l99.8369l OO6O2.677353 46848.745264 9 l64lOOOOOlO8OO")
    assert facts(read(misread, ocr=0.9))["barcode"] == BARCODE


def test_a_line_that_ocr_read_and_nothing_confirms_is_not_certain() -> None:
    alone = f"Recibo do Pagador\n{LINE}\nNosso número 1"
    assert "digitable_line" not in facts(read(alone, ocr=0.9))
    assert "digitable_line" in facts(read(f"{alone}\nVencimento 25/11/2026\nValor do documento 108,00", ocr=0.9))


@pytest.mark.parametrize(
    "text",
    [
        f"Manual do boleto\nEste manual descreve o layout e o dígito verificador em módulo 10\nExemplo: {LINE}",
        (
            f"Sua fatura do cartão\nTotal da fatura R$ 108,00\nPagamento mínimo R$ 20,00\nFicha de"
            f" compensação\n{LINE}"
        ),
        "DANFE\nNota fiscal eletrônica\nChave de acesso 1234\nNatureza da operação\nVencimento",
    ],
)
def test_papers_about_boletos_are_none(text: str) -> None:
    assert read(text).kind is DocumentKind.OTHER


def test_a_line_printed_with_wide_gaps_is_read() -> None:
    wide = LINE.replace(" ", "        ")
    assert facts(read(BOLETO.replace(LINE, wide)))["barcode"] == BARCODE


def test_pieces_of_other_numbers_are_no_bar_code() -> None:
    """By its check digit alone one in eleven would be: only whole digitable lines are put together."""
    pieces = "\n".join((BARCODE[:15], BARCODE[15:30], BARCODE[30:]))
    assert "barcode" not in facts(read(f"Recibo do Pagador\nAutenticação mecânica\nNosso número\n{pieces}"))


def test_a_stub_beside_the_slip_does_not_name_its_payer() -> None:
    stub = "Pagador          Vistoria veicular - unidade Jataí\nMARIA DE S"
    assert facts(read(f"{stub}\n{BOLETO}"))["payer_name"] == "MARIA DE SOUZA LIMA"


SLIP = "85890000460-9 52460179160-5 60759305086-5 83148300001-0"
BILL = f"""COMPANHIA DE ÁGUA EXEMPLO\nCNPJ 02.872.448/0001-20
MARIA DE SOUZA LIMA
RUA 1, 20
529.982.247-25
Validade para pagamento
25/11/2026
Via do banco\nAutenticação mecânica\n{SLIP}"""


def test_the_only_cpf_on_a_bill_is_its_payers() -> None:
    """A utility or a public body is never a natural person; a bank's boleto may be a person's."""
    assert facts(read(BILL))["payer_tax_id"] == "52998224725"
    assert "payer_tax_id" not in facts(read(f"{BILL}\n153.509.460-56"))
    private = f"Recibo do Pagador\nAutenticação mecânica\n{LINE}\n529.982.247-25"
    assert "payer_tax_id" not in facts(read(private))


def test_a_bill_says_in_many_words_until_when_it_can_be_paid() -> None:
    said = ("Validade para pagamento\n25/11/2026", "Pague até 25/11/2026", "Data de validade: 25/11/2026")
    for words in said:
        assert facts(read(BILL.replace(said[0], words)))["due_date"] == "2026-11-25"


def test_a_dot_that_ocr_misread_does_not_break_a_line_that_goes_on_below() -> None:
    broken = LINE.replace("34199.83691", "34199/83691").replace(" 9 164", "\n9 164")
    assert facts(read(BOLETO.replace(LINE, broken), ocr=0.9))["barcode"] == BARCODE
