"""Pix codes: the Banco Central's published example and one of ours, and everything that is none."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.evidence.br_code import br_code

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))
PUBLISHED, WITH_AMOUNT = VECTORS["brcode_valid"]


def test_the_published_example_is_taken_apart() -> None:
    code = br_code(PUBLISHED)
    assert code is not None
    assert (code.key, code.amount, code.txid) == ("123e4567-e12b-12d1-a456-426655440000", None, "***")
    assert (code.payee_name, code.payee_city, code.url) == ("Fulano de Tal", "BRASILIA", "")


def test_an_amount_and_an_identifier_are_read() -> None:
    code = br_code(f" {WITH_AMOUNT}\n")
    assert code is not None
    assert (code.key, code.amount, code.txid) == ("02872448000120", Decimal("108.00"), "VIST123")
    assert code.payee_name == "DETRAN GO"


@pytest.mark.parametrize("whole", VECTORS["brcode_valid"])
def test_one_wrong_character_anywhere_is_noticed(whole: str) -> None:
    for place, character in enumerate(whole):
        other = "0" if character != "0" else "1"
        assert br_code(whole[:place] + other + whole[place + 1 :]) is None


@pytest.mark.parametrize("whole", VECTORS["brcode_valid"])
def test_a_code_that_was_cut_is_none(whole: str) -> None:
    assert all(br_code(whole[:length]) is None for length in range(len(whole)))


@pytest.mark.parametrize("other", ["", "000201", "https://pix.example.com.br/qr/v2/1", "34191" * 9, "0" * 5000])
def test_other_codes_are_none(other: str) -> None:
    assert br_code(other) is None


@given(st.text(max_size=300))
def test_no_text_makes_it_fail(text: str) -> None:
    assert br_code("000201" + text) is None or "6304" in text
