"""Each kind of field: what is understood, in which form it is kept, and what is said of what is none."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.units import Unit, UnitTable
from mailbot.domain.evidence import FieldOrigin, FieldValue
from mailbot.evidence.values import checked_value

TODAY = date(2026, 11, 23)
"""A Monday."""


def unit(key: str, name: str, city: str) -> Unit:
    return Unit(key=key, name=name, city=city, latitude=-16, longitude=-49)


UNITS = UnitTable(
    (
        unit("north", "Goiânia Norte", "Goiânia"),
        unit("south", "Goiânia Sul", "Goiânia"),
        unit("jatai", "Jataí", "Jataí"),
    )
)


def spec_of(kind: FieldKind, **options: Any) -> FieldSpec:
    return FieldSpec(key="x", kind=kind, label="X", question="?", **options)


def checked(kind: FieldKind, raw: str, **options: Any) -> FieldValue:
    return checked_value(spec_of(kind, **options), raw, UNITS, FieldOrigin.LABEL, today=TODAY)


def kept(kind: FieldKind, raw: str, **options: Any) -> str:
    found = checked(kind, raw, **options)
    return found.value if found.valid else f"! {found.reason}"


@pytest.mark.parametrize("kind", FieldKind)
def test_every_kind_has_a_check_that_refuses_nothing_at_all(kind: FieldKind) -> None:
    options = {"choices": ("Alta", "Baixa")} if kind is FieldKind.CHOICE else {}
    assert not checked(kind, "", **options).valid


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (FieldKind.CPF, "meu cpf é 529.982.247-25, ok?", "529.982.247-25"),
        (FieldKind.CPF, "529 982 247 25", "529.982.247-25"),
        (FieldKind.CPF, "529.982.247-26", "! cpf_check_digits"),
        (FieldKind.CPF, "111.111.111-11", "! cpf_check_digits"),
        (FieldKind.CPF, "52998", "! not_a_cpf"),
        (FieldKind.CPF, "529.982.247-25 ou 111.444.777-35", "! several_cpf"),
        (FieldKind.CNPJ, "CNPJ 11.222.333/0001-81", "11.222.333/0001-81"),
        (FieldKind.CNPJ, "12.abc.345/01de-35", "12.ABC.345/01DE-35"),
        (FieldKind.CNPJ, "12.ABC.345/01DE-36", "! cnpj_check_digits"),
        (FieldKind.CNPJ, "12.ABC.345/01DE-3X", "! not_a_cnpj"),
        (FieldKind.CNPJ, "não sei", "! not_a_cnpj"),
        (FieldKind.PERSON_TYPE, "PJ", "Pessoa jurídica"),
        (FieldKind.PERSON_TYPE, "sou pessoa física", "Pessoa física"),
        (FieldKind.PERSON_TYPE, "física e jurídica", "! not_a_choice"),
        (FieldKind.FIRST_NAME, "Maria da Silva", "Maria"),
        (FieldKind.LAST_NAME, "da Silva Souza", "da Silva Souza"),
        (FieldKind.LAST_NAME, "12345", "! not_a_name"),
        (FieldKind.YES_NO, "Sim, está", "sim"),
        (FieldKind.YES_NO, "não tem", "não"),
        (FieldKind.YES_NO, "talvez", "! not_yes_or_no"),
        (FieldKind.STATE, "goiás", "GO"),
        (FieldKind.STATE, "Goiânia - GO", "GO"),
        (FieldKind.STATE, "Mato Grosso do Sul", "MS"),
        (FieldKind.STATE, "XX", "! not_a_state"),
        (FieldKind.MONEY, "R$ 1.234,50", "1234.50"),
        (FieldKind.MONEY, "108", "108.00"),
        (FieldKind.MONEY, "uns 10 ou 20 reais", "! not_an_amount"),
        (FieldKind.NUMBER, "duas", "2"),
        (FieldKind.NUMBER, "1.500", "1500"),
        (FieldKind.NUMBER, "5 ou 6", "! several_numbers"),
        (FieldKind.CONTRACT, "contrato nº 2024/0815-a", "2024/0815-A"),
        (FieldKind.CONTRACT, "o do apartamento", "! not_a_contract"),
        (FieldKind.CONTRACT, "1234 e 5678", "! several_contracts"),
        (FieldKind.SERIALS, "bem1234; BEM1235\n- bem1234", "BEM1234, BEM1235"),
        (FieldKind.SERIALS, "está na etiqueta", "! not_a_serial"),
        (FieldKind.ADDRESS, "Rua 10, 55\nSetor Central, Goiânia", "Rua 10, 55, Setor Central, Goiânia"),
        (FieldKind.ADDRESS, "aqui perto", "! not_an_address"),
        (FieldKind.UNIT, "Jataí", "Jataí"),
        (FieldKind.UNIT, "Goiânia", "! several_units:Goiânia Norte, Goiânia Sul"),
        (FieldKind.UNIT, "Goiânia Sul", "Goiânia Sul"),
        (FieldKind.UNIT, "unidade de Goiânia", "! several_units:Goiânia Norte, Goiânia Sul"),
    ],
)
def test_a_value_is_kept_in_one_form_or_refused_with_a_reason(kind: FieldKind, raw: str, value: str) -> None:
    assert kept(kind, raw) == value


@pytest.mark.parametrize(
    ("raw", "day", "value"),
    [
        ("amanhã", "any", "2026-11-24"),
        ("depois de amanhã", "any", "2026-11-25"),
        ("hoje", "any", "2026-11-23"),
        ("ontem", "past", "2026-11-22"),
        ("3 de dezembro", "any", "2026-12-03"),
        ("03/12", "any", "2026-12-03"),
        ("1º de março de 2027", "any", "2027-03-01"),
        ("10 dez 2026", "any", "2026-12-10"),
        ("5/1", "any", "2027-01-05"),
        ("5/12", "past", "2025-12-05"),
        ("próxima sexta", "any", "2026-11-27"),
        ("03.12.26", "any", "2026-12-03"),
        ("2026-12-03", "future", "2026-12-03"),
        ("20/11/2026", "future", "! date_in_the_past"),
        ("23/11/2026", "future", "! date_in_the_past"),
        ("23/11/2026", "today_or_future", "2026-11-23"),
        ("24/11/2026", "today_or_past", "! date_in_the_future"),
        ("31/02/2026", "any", "! not_a_date"),
        ("03/12/9999", "any", "! not_a_date"),
        ("dia 3 ou 4/12 ou 5/12", "any", "! several_dates"),
        ("logo", "any", "! not_a_date"),
    ],
)
def test_a_date_is_read_from_the_day_of_the_mail_on(raw: str, day: str, value: str) -> None:
    assert kept(FieldKind.DATE, raw, day=day) == value


_PRIORITIES = (
    {"name": "Alta", "synonyms": ("urgente", "prioridade máxima")},
    "Média",
    {"name": "Baixa", "synonyms": ("sem pressa",)},
)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("ALTA", "Alta"),
        ("é urgente", "Alta"),
        ("2", "Média"),
        ("2) Média", "Média"),
        ("3 - sem pressa", "Baixa"),
        ("média, por favor", "Média"),
        ("alta ou média", "! several_choices"),
        ("não é urgente", "! not_a_choice"),
        ("9", "! not_a_choice"),
        ("qualquer uma", "! not_a_choice"),
    ],
)
def test_a_choice_is_known_by_name_synonym_or_number_and_never_guessed(raw: str, value: str) -> None:
    assert kept(FieldKind.CHOICE, raw, choices=_PRIORITIES) == value


def test_of_choices_that_contain_each_other_the_longer_name_counts() -> None:
    choices = ("Manutenção", "Manutenção elétrica")
    assert kept(FieldKind.CHOICE, "preciso de manutenção elétrica", choices=choices) == "Manutenção elétrica"


def test_numbers_and_lists_have_bounds() -> None:
    assert kept(FieldKind.NUMBER, "0", minimum=1, maximum=5) == "! too_small:1"
    assert kept(FieldKind.NUMBER, "6", minimum=1, maximum=5) == "! too_large:5"
    assert kept(FieldKind.SERIALS, "A1234, B1234, C1234", maximum=2) == "! too_large:2"
    assert kept(FieldKind.MONEY, "R$ 5,00", minimum=10) == "! too_small:10"


def test_r003_06_a_description_that_is_too_short_is_asked_for_with_the_length_that_is_wanted() -> None:
    assert kept(FieldKind.TEXT, "vazou", min_characters=20) == "! too_short:20"
    assert kept(FieldKind.TEXT, "o cano da cozinha está vazando", min_characters=20).startswith("o cano")


@given(st.sampled_from(list(FieldKind)), st.text(max_size=400), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_no_words_raise_and_what_was_written_stays_short(kind: FieldKind, raw: str, today: date) -> None:
    options = {"choices": _PRIORITIES} if kind is FieldKind.CHOICE else {}
    found = checked_value(spec_of(kind, **options), raw, UNITS, FieldOrigin.LABEL, today=today)
    assert found.valid is (found.reason == "")
    assert found.valid or len(found.value) <= 200


@given(st.sampled_from([kind for kind in FieldKind if kind not in (FieldKind.UNIT, FieldKind.CHOICE)]), st.text())
def test_what_is_kept_reads_back_as_itself(kind: FieldKind, raw: str) -> None:
    found = checked(kind, raw)
    if found.valid:
        assert checked(kind, found.value).value == found.value


@pytest.mark.parametrize("kind", FieldKind)
@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1.",
        "a",
        "a1",
        "a-",
        " ",
        "-",
        "segunda ",
        "das 8 as 9 ",
        "nao posso ",
        "R$",
        "3/",
        "rua 1 ",
        "1/2 ",
        "x,",
    ],
)
def test_a_megabyte_of_anything_is_checked_in_no_time(kind: FieldKind, piece: str) -> None:
    options = {"choices": _PRIORITIES} if kind is FieldKind.CHOICE else {}
    begun = time.thread_time()
    checked(kind, piece * (1_000_000 // len(piece)), **options)
    assert time.thread_time() - begun < 1
