"""Thanks that do not reopen a ticket, and mails that only begin with thanks."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.triage.gratitude import is_gratitude


@pytest.mark.parametrize(
    "text",
    [
        "Obrigado!",
        "obrigada",
        "OBRIGADO",
        "Ok, obrigada",
        "ok",
        "Ciente.",
        "Recebido, obrigado.",
        "Muito obrigado pela atenção, bom dia",
        "Muito obrigada pela ajuda e pela rapidez!!!",
        "Obrigado, Ana!",
        "Bom dia, Ana.\nMuito obrigado!",
        "Boa tarde\n\nObrigado pelo retorno.\n\nAtenciosamente,\nJoão da Silva\n(62) 99999-0000",
        "Obrigado\n\nEnviado do meu iPhone",
        "Valeu 👍",
        "vlw",
        "👍",
        "🙏🙏",
        "❤️",
        "Não, obrigado.",
        "Perfeito, agradeço o atendimento. Tenham um ótimo fim de semana!",
        "Grata.\n\nAtt,\nMaria Aparecida",
        "Deus abençoe, muito obrigada",
        "Thank you very much!",
        "Thanks, have a nice day",
        "Muchas gracias por su ayuda",
        "Obrigad\u0061\u0301",
    ],
)
def test_it_recognises_thanks(text: str) -> None:
    assert is_gratitude(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Obrigado, mas o problema continua",
        "Obrigado. Segue o comprovante.",
        "Obrigado! Quando sai o laudo?",
        "Obrigada, aguardo o retorno",
        "ok, e agora?",
        "ok mas não recebi",
        "Obrigado, porém o local está errado",
        "Muito obrigado. O carro quebrou de novo.",
        "Obrigado pela atenção, preciso de outra alteração",
        "Não concordo. Obrigado.",
        "Não recebi nada",
        "Desde já agradeço. Placa ABC1D23",
        "Obrigado. Telefone 62 99999-0000",
        "Bom dia",
        "Boa tarde, Ana",
        "Ainda não funcionou 👍",
        "👎",
        "?",
        "Quero reabrir, obrigado",
        "Obrigado\n\nAtt,\nJoão\nPodem confirmar o endereço?",
        "Obrigado. Nada resolvido.",
        "Obrigado por nada, péssimo atendimento",
        "Ok, vou pagar e envio amanhã",
        "Thanks, but it still fails",
        "Gracias, pero sigue igual",
    ],
)
def test_it_takes_anything_more_as_more(text: str) -> None:
    assert not is_gratitude(text)


@given(st.text(max_size=600))
def test_it_never_raises(text: str) -> None:
    is_gratitude(text)


def test_a_long_mail_is_never_mere_thanks() -> None:
    began = time.thread_time()
    assert not is_gratitude("obrigado " * 20_000)
    assert time.thread_time() - began < 0.5
