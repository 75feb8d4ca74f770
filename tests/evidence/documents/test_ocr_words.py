"""Words of forms that OCR misread are put right, and other words are left what they are."""

from __future__ import annotations

import pytest

from mailbot.evidence.documents.ocr_words import corrected


@pytest.mark.parametrize(
    ("misread", "meant"),
    [
        ("vencirnento", "vencimento"),
        ("benef1ciario", "beneficiario"),
        ("canceiado", "cancelado"),
        ("agendarnento", "agendamento"),
        ("pagarnento em", "pagamento em"),
        ("cnp) do favorecido", "cnpj do favorecido"),
    ],
)
def test_letters_that_look_alike_are_put_right(misread: str, meant: str) -> None:
    assert corrected(misread) == meant


@pytest.mark.parametrize(
    "words",
    [
        "central de atendimento",
        "valor calculado",
        "sujeito a confirmacao",
        "simulacao",
        "falta autorizar",
        "parlamento",
        "barros",
        "especial",
    ],
)
def test_another_word_is_not_made_one_of_a_form(words: str) -> None:
    """*Atendimento* was read as *agendamento*, *calculado* as *cancelado*: no receipt with them was paid."""
    assert corrected(words) == words
