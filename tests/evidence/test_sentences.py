"""What people state in sentences, by the kind of field."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.evidence.sentences import stated_in_sentences


def spec(kind: FieldKind, label: str, **options: Any) -> FieldSpec:
    return FieldSpec(key="x", kind=kind, label=label, question="?", **options)


CNPJ = spec(FieldKind.CNPJ, "CNPJ")
COUNT = spec(FieldKind.NUMBER, "Quantidade de equipamentos", counted=("máquinas", "impressoras", "equipamentos"))
CONTRACT = spec(FieldKind.CONTRACT, "Contrato")
SERIALS = spec(FieldKind.SERIALS, "Número de série")
PRIORITY = spec(
    FieldKind.CHOICE,
    "Prioridade",
    labels=("urgência",),
    choices=({"name": "Alta", "synonyms": ("máxima",)}, "Baixa"),
)
TIMES = spec(FieldKind.TIME_WINDOWS, "Restrição de horário")
EMAIL = spec(FieldKind.EMAIL, "E-mail")
ADDRESS = spec(FieldKind.ADDRESS, "Endereço")
LAST_NAME = spec(FieldKind.LAST_NAME, "Sobrenome")


@pytest.mark.parametrize(
    ("field", "line", "stated"),
    [
        (CNPJ, "Bom dia, meu cnpj é 11.222.333/0001-81, obrigado.", "11.222.333/0001-81"),
        (CNPJ, "CNPJ 12ABC34501DE35 da loja", "12.ABC.345/01DE-35"),
        (CNPJ, "os CNPJs 11.222.333/0001-81 e 12.ABC.345/01DE-35", ""),
        (CNPJ, "meu cnpj é 11.222.333/0001-82", ""),
        (COUNT, "Somos 6 máquinas com defeito", "6"),
        (COUNT, "são duas impressoras e três equipamentos", ""),
        (COUNT, "temos seis impressoras", "6"),
        (COUNT, "faz 6 dias que parou", ""),
        (CONTRACT, "É sobre o contrato nº 2024/0815-A do apartamento.", "2024/0815-A"),
        (CONTRACT, "o contrato acabou", ""),
        (CONTRACT, "contrato 1234 ou contrato 5678", ""),
        (SERIALS, "o número de série é BEM1234", "BEM1234"),
        (PRIORITY, "peço prioridade alta", "Alta"),
        (PRIORITY, "a urgência é máxima", "Alta"),
        (PRIORITY, "a parede é alta", ""),
        (TIMES, "Moro no centro. Não posso às terças de manhã.", "Não posso às terças de manhã"),
        (TIMES, "O técnico veio terça de manhã.", ""),
        (EMAIL, "meu e-mail é ana@example.com.br", "ana@example.com.br"),
        (EMAIL, "ana@example.com.br", ""),
        (ADDRESS, "Rua 10, 55, Setor Central, Goiânia", "Rua 10, 55, Setor Central, Goiânia"),
        (ADDRESS, "moro na rua de trás", ""),
        (LAST_NAME, "Meu nome é Maria da Silva", "da Silva"),
    ],
)
def test_a_sentence_states_what_it_names_and_nothing_else(field: FieldSpec, line: str, stated: str) -> None:
    assert stated_in_sentences(field, [line]) == stated


@given(st.sampled_from([CNPJ, COUNT, CONTRACT, SERIALS, PRIORITY, TIMES, EMAIL, ADDRESS]), st.lists(st.text()))
def test_no_sentence_raises(field: FieldSpec, lines: list[str]) -> None:
    assert isinstance(stated_in_sentences(field, lines), str)


@pytest.mark.parametrize("field", [CNPJ, COUNT, CONTRACT, SERIALS, PRIORITY, TIMES, EMAIL, ADDRESS])
@pytest.mark.parametrize(
    "piece", ["contrato ", "prioridade é ", "1 ", "e-mail a@b.c ", "rua 1 ", "não posso terça "]
)
def test_many_sentences_take_no_time(field: FieldSpec, piece: str) -> None:
    lines = [piece * 100] * 5000
    begun = time.thread_time()
    stated_in_sentences(field, lines)
    assert time.thread_time() - begun < 4
