"""Check digits, held against published numbers and numbers that are wrong on purpose (DOMAIN C.2, C.3, C.6)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.evidence.check_digits import barcode_of_line, is_barcode, is_cnpj, is_cpf, lines_in, mod10

# Published as samples by Itaú and Banco do Brasil.
BANK_LINES = {
    "34191.10121 34567.880058 71234.570001 6 16670000012345": "34196166700000123451101234567880057123457000",
    "00190.50095 40144.816069 06809.350314 3 37370000000100": "00193373700000001000500940144816060680935031",
}
# Published as samples of collection slips: mod 10 (identifiers 6 and 7), mod 11 (8 and 9).
COLLECTION_LINES = {
    "83640000001-1 33120138000-2 81288462711-6 08013618155-1": "83640000001331201380008128846271108013618155",
    "85890000460-9 52460179160-5 60759305086-5 83148300001-0": "85890000460524601791606075930508683148300001",
    "84670000001-7 43590024020-9 02405000243-5 84221010811-9": "84670000001435900240200240500024384221010811",
}
LINES = {**BANK_LINES, **COLLECTION_LINES}


@pytest.mark.parametrize(("line", "barcode"), LINES.items())
def test_a_published_line_gives_its_bar_code(line: str, barcode: str) -> None:
    assert barcode_of_line(line) == barcode
    assert is_barcode(barcode)


@pytest.mark.parametrize("line", BANK_LINES)
@given(place=st.integers(0, 32), other=st.integers(1, 9))
def test_one_wrong_digit_of_the_first_four_fields_is_always_noticed(line: str, place: int, other: int) -> None:
    digits = line.replace(".", "").replace(" ", "")
    wrong = str((int(digits[place]) + other) % 10)
    assert barcode_of_line(digits[:place] + wrong + digits[place + 1 :]) is None


@pytest.mark.parametrize(
    "line",
    [
        "23790.12345 67890.123456 78901.234567 8 91230000048763",
        # Every block is right, the general digit is not: a bank refused this one.
        "85800000003-8 03600270100-7 70001731762-7 19552025113-2",
        "3419110121345678800587123457000161667000001234",
        "341911012134567880058712345700016166700000123450",
        "0" * 47,
        "0" * 48,
        "8" * 48,
        "",
        "x" * 47,
        "٣" * 47,
    ],
)
def test_what_is_no_line_is_refused(line: str) -> None:
    assert barcode_of_line(line) is None
    assert lines_in(line) == ()


@pytest.mark.parametrize(
    "barcode", ["34184166700000123451101234567880057123457000", "00091166700000123451101234567880057123457000"]
)
def test_another_currency_or_no_bank_is_no_boleto_even_with_right_digits(barcode: str) -> None:
    assert not is_barcode(barcode)


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_found_between_other_digits(line: str) -> None:
    text = f"Vencimento 20/11/2026\nLinha digitável: 12 {line} 341-7\nValor 108,00"
    assert lines_in(text) == ("".join(ch for ch in line if ch.isdigit()),)


@pytest.mark.parametrize("text", ["1" * 300_000, "1 " * 150_000, ("1" * 43 + "  a") * 6000, ".1" * 150_000])
def test_looking_for_lines_takes_linear_time(text: str) -> None:
    begun = time.thread_time()
    assert lines_in(text) == ()
    assert time.thread_time() - begun < 3


@pytest.mark.parametrize("text", ["52998224725", "529.982.247-25", "111.444.777-35", " 63112972724 "])
def test_a_right_cpf_is_accepted(text: str) -> None:
    assert is_cpf(text)


@pytest.mark.parametrize(
    "text", ["52998224724", "11111111111", "5299822472", "529982247255", "529.982.247-2A", "", "٥" * 11]
)
def test_a_wrong_cpf_is_refused(text: str) -> None:
    assert not is_cpf(text)


@pytest.mark.parametrize(
    "text", ["12ABC34501DE35", "12.ABC.345/01DE-35", "12abc34501de35", "11222333000181", "02.872.448/0001-20"]
)
def test_a_right_cnpj_is_accepted_numeric_or_not(text: str) -> None:
    assert is_cnpj(text)


@pytest.mark.parametrize(
    "text", ["12ABC34501DE36", "12ABC34501DE3A", "12ÁBC34501DE35", "00000000000000", "11222333000182", ""]
)
def test_a_wrong_cnpj_is_refused(text: str) -> None:
    assert not is_cnpj(text)


@given(st.text(alphabet=st.characters(codec="ascii", categories=["Nd"]), min_size=1, max_size=40))
def test_mod10_notices_every_single_changed_digit(digits: str) -> None:
    right = mod10(digits)
    changed = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    assert mod10(changed) != right


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    lines_in(text)
    barcode_of_line(text)
    is_cpf(text)
    is_cnpj(text)
    is_barcode(text)
