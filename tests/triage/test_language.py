"""In which language a mail is written (R003-17)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.mail import Address, InboundMail
from mailbot.domain.self_service import CustomerWord
from mailbot.triage.customer_words import customer_query
from mailbot.triage.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Boa tarde, preciso mudar o local da vistoria do meu carro. Obrigado, João", "pt-BR"),
        ("Bom dia. Não consigo enviar o arquivo, vocês podem ver isso? Segue em anexo.", "pt-BR"),
        ("Hello, I would like to change the place of my inspection. Please tell me what you need. Thanks", "en"),
        ("Good morning, the e-mail of our site is down since yesterday. Could you help?", "en"),
        ("Buenos días, necesito cambiar el lugar de la inspección de mi auto. Gracias y saludos", "es"),
        ("Hola, quisiera saber cuándo viene el técnico. El departamento no tiene agua. Gracias", "es"),
        ("Local atual: Rio Verde\nNovo local: Jataí\nMotivo: mudança de cidade", "pt-BR"),
        ("", ""),
        ("ok", ""),
        ("Rio Verde, Jataí, 64 99999-1234", ""),
        ("CNH anexo, thanks, gracias, obrigado", ""),
    ],
)
def test_a_mails_language_is_told_by_its_commonest_words_or_not_at_all(text: str, language: str) -> None:
    assert language_of(text) == language


@given(st.text(max_size=2000))
def test_any_text_is_of_a_language_that_there_is_or_of_none(text: str) -> None:
    assert language_of(text) in {"", "pt-BR", "en", "es"}


@pytest.mark.parametrize(
    ("line", "word", "argument"),
    [
        ("MY TICKETS", CustomerWord.MY_TICKETS, ""),
        ("Mis casos", CustomerWord.MY_TICKETS, ""),
        ("details 2026-000123", CustomerWord.DETAILS, "2026-000123"),
        ("DETALLES 2026-000123", CustomerWord.DETAILS, "2026-000123"),
        ("Cancel 2026-000123", CustomerWord.CANCEL, "2026-000123"),
        ("HELP", CustomerWord.HELP, ""),
        ("Ayuda", CustomerWord.HELP, ""),
        ("Department: billing", CustomerWord.DEPARTMENT, "billing"),
    ],
)
def test_customer_words_are_understood_in_english_and_spanish(
    line: str, word: CustomerWord, argument: str
) -> None:
    mail = InboundMail(
        message_id="", sender=Address(address="ann@example.com.br"), subject=line, new_text="Thanks"
    )

    query = customer_query(mail)

    assert query is not None
    assert (query.word, query.argument) == (word, argument)
