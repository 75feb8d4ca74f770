"""Numbers by which a customer can be named: found wherever they stand, checked, and never guessed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.identification import ClueKind
from mailbot.evidence.identifiers import clues_in, email_of, phone_of


def found(text: str) -> dict[ClueKind, str]:
    return {one.kind: one.value for one in clues_in(text)}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Meu CPF é 529.982.247-25.", ClueKind.CPF, "52998224725"),
        ("cpf:52998224725", ClueKind.CPF, "52998224725"),
        ("CPF 529 982 247 25", ClueKind.CPF, "52998224725"),
        ("nosso CNPJ é 12.ABC.345/01DE-35, ok?", ClueKind.CNPJ, "12ABC34501DE35"),
        ("cnpj 12abc34501de35", ClueKind.CNPJ, "12ABC34501DE35"),
        ("Contrato nº LOC-2024/17", ClueKind.CONTRACT, "LOC202417"),
        ("CONTRATO: 4711", ClueKind.CONTRACT, "4711"),
        ("o número do meu contrato é 4711", ClueKind.CONTRACT, "4711"),
        ("contrato de locação n. 4711.", ClueKind.CONTRACT, "4711"),
        ("fone (62) 99999-8888", ClueKind.PHONE, "62999998888"),
    ],
)
def test_a_number_is_found_where_people_write_it(text: str, kind: ClueKind, value: str) -> None:
    assert found(text) == {kind: value}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CPF 529.982.247-26",
        "protocolo 1529.982.247-25",
        "52998224725-7",
        "CNPJ 12.ABC.345/01DE-36",
        "contrato de aluguel vencido",
        "o contrato não chegou",
        "CPF 529.982.247-25 ou 111.444.777-35",
        "contrato 12 e contrato 13",
    ],
)
def test_what_is_wrong_or_stands_twice_differently_names_nobody(text: str) -> None:
    assert found(text) == {}


def test_the_same_number_twice_is_one() -> None:
    assert found("CPF 529.982.247-25\nCPF: 52998224725") == {ClueKind.CPF: "52998224725"}


@given(st.text(max_size=300))
def test_whatever_text_comes_it_is_read(text: str) -> None:
    assert all(one.value for one in clues_in(text))
    assert (phone_of(text) or "1").isdigit()
    assert email_of(text) is None or "@" in text


@pytest.mark.parametrize("part", ["contrato ", "1", "1.", "a@", "529.982.247-2", "12.ABC.345/", "contrato n", " "])
def test_hostile_length_costs_no_time(part: str) -> None:
    began = time.thread_time()
    clues_in(part * 200_000)
    email_of(part * 100_000)
    assert time.thread_time() - began < 3


@pytest.mark.parametrize(
    "text", ["a b@x.com.br", "a@x", "@x.com.br", "a..b@x.com.br", "a@x.com.br, b@x.com.br", ""]
)
def test_no_address_is_made_of_what_is_none(text: str) -> None:
    assert email_of(text) is None
