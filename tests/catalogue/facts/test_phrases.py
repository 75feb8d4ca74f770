"""Phrases are spotted in what people write, and not where they deny them or leave them open (R000-01, R000-02)."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.facts.phrases import Spotted, clauses_of, spot

UNPAID = ("boleto não pago", "não paguei o boleto", "ainda não paguei")
REJECTED = ("vistoria reprovada", "reprovada em outra unidade")


def spotted(text: str, phrases: Sequence[str]) -> Spotted:
    return spot(clauses_of(text), phrases)


@pytest.mark.parametrize(
    "text",
    [
        "O boleto ainda não foi pago.",
        "BOLETO NAO PAGO",
        "Bom dia. Não paguei o meu boleto, porque emiti para a cidade errada",
        "eu ainda nao paguei",
    ],
)
def test_a_phrase_is_said_with_small_words_between(text: str) -> None:
    assert spotted(text, UNPAID) is Spotted.SAID


@pytest.mark.parametrize(
    "text",
    [
        "Não é que a vistoria foi reprovada, eu só me mudei",
        "Nunca tive vistoria reprovada",
        "a moto está sem vistoria reprovada",
    ],
)
def test_a_denied_phrase_is_denied(text: str) -> None:
    assert spotted(text, REJECTED) is Spotted.DENIED


@pytest.mark.parametrize(
    "text",
    [
        "Se a vistoria for reprovada, posso ir a Jataí?",
        "Talvez vistoria reprovada",
        "quero saber se fica vistoria reprovada",
        "Vistoria reprovada?",
        "A vistoria foi reprovada. Não tive vistoria reprovada.",
    ],
)
def test_a_supposed_or_asked_or_contradicted_phrase_is_left_open(text: str) -> None:
    assert spotted(text, REJECTED) is Spotted.PERHAPS


def test_a_denial_does_not_reach_over_a_comma_or_a_new_statement() -> None:
    assert spotted("Não consegui ir, minha vistoria foi reprovada", REJECTED) is Spotted.SAID
    assert spotted("não consegui ir mas a vistoria foi reprovada", REJECTED) is Spotted.SAID


def test_the_opposite_is_no_phrase() -> None:
    assert spotted("O boleto já foi pago ontem e a vistoria foi aprovada", (*UNPAID, *REJECTED)) is Spotted.ABSENT
    assert spotted("", UNPAID) is Spotted.ABSENT
    assert spotted("qualquer coisa", ()) is Spotted.ABSENT


@given(st.text(max_size=300))
def test_no_text_is_too_strange(text: str) -> None:
    assert spotted(text, UNPAID) in set(Spotted)


def test_a_text_of_a_million_words_takes_no_longer_than_its_first_ones() -> None:
    begun = time.thread_time()
    spotted("não é boleto " * 1_000_000, UNPAID)
    assert time.thread_time() - begun < 2
