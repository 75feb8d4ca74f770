"""A reply taken apart: the sender's words, and our form as they filled it in."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.evidence.filled_form import Reply, read_reply

LETTER = (
    "Olá, Maria!\n\nPara a nossa equipe começar a análise, faltam 3 itens.\n\nDADOS PARA PREENCHER\n"
    "Copie as linhas abaixo na sua resposta e complete:\n\n"
    "Motivo: ____\n  (Por que você precisa alterar o local?)\n"
    "Novo local: ____\n  Você escreveu “Pirenópolis”. Não encontramos uma unidade com esse nome.\n"
    "  (Em qual unidade você quer fazer a vistoria?)\n\n"
    "Responda a este e-mail, sem mudar o assunto, e anexe o que falta em PDF.\nRef.: [mb-abcdefghijklmnopqrst]\n"
)


def filled(full_text: str, new_text: str = "") -> list[str]:
    form = read_reply(new_text, full_text, (LETTER,)).filled_form
    return [line.strip() for line in form.split("\n") if line.strip()]


def quote(text: str, marks: str = "> ") -> str:
    return "\n".join(f"{marks}{line}" for line in text.split("\n"))


def test_only_what_differs_from_our_letter_is_an_answer() -> None:
    text = LETTER.replace("Motivo: ____", "Motivo: mudei____")
    assert filled(f"Segue\n\nEm 1/1/2026, X escreveu:\n{quote(text)}") == ["Motivo: mudei____", "Novo local: ____"]
    assert filled(quote(LETTER)) == ["Motivo: ____", "Novo local: ____"]


def test_an_answer_that_our_letter_happens_to_say_is_still_one() -> None:
    text = LETTER.replace("Novo local: ____", "Novo local: ____\nPirenópolis")
    assert "Pirenópolis" in filled(quote(text))


def test_lines_that_a_mail_program_wrapped_are_ours_all_the_same() -> None:
    wrapped = LETTER.replace("sem mudar o assunto, e anexe", "sem mudar o assunto,\ne anexe").replace(
        "Não encontramos uma", "Não encontramos\numa"
    )
    assert filled(quote(wrapped)) == ["Motivo: ____", "Novo local: ____"]


def test_what_stands_below_our_letter_is_read_and_what_was_quoted_before_is_not() -> None:
    below = "Motivo: mudei de cidade\n\nDe: Maria\nEnviado: ontem\nMotivo: outro"
    assert filled(f"{LETTER}\n{below}")[-1] == "Motivo: mudei de cidade"
    assert "Motivo: outro" not in filled(f"{quote(LETTER)}\n{quote('Motivo: outro', '>> ')}")


def test_our_letter_is_no_part_of_what_the_sender_says_now() -> None:
    everything = f"Segue a CNH.\n\nEm 1/1/2026, Central escreveu:\n{quote(LETTER)}"
    assert read_reply(everything, everything, (LETTER,)).new_text == "Segue a CNH."


def test_without_a_letter_or_its_quote_nothing_changes() -> None:
    assert read_reply("Motivo: mudei", "Motivo: mudei", ()) == Reply(new_text="Motivo: mudei")
    assert read_reply("Motivo: mudei", "Motivo: mudei", (LETTER,)) == Reply(new_text="Motivo: mudei")


_PIECES = st.sampled_from(
    [*LETTER.split("\n"), "> ", "Motivo: ", "____", "mudei", "De: x", "\n", "escreveu:", ">>> ", ":", "\u200b"]
)


@given(st.lists(_PIECES | st.text(max_size=30), max_size=60), st.lists(_PIECES, max_size=20))
def test_no_reply_raises_and_no_question_of_ours_is_an_answer(reply: list[str], new: list[str]) -> None:
    found = read_reply("\n".join(new), "\n".join(reply), (LETTER,))
    assert "Por que você precisa alterar o local" not in found.filled_form.replace("\n", " ") or any(
        "Por que" in line and line.strip() != "(Por que você precisa alterar o local?)" for line in reply
    )


@pytest.mark.parametrize("piece", ["> ", "Motivo: ", "Motivo: ____\n", "a b c d e f ", ":", "\n", ">", "— "])
def test_a_megabyte_of_anything_is_taken_apart_in_no_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    begun = time.thread_time()
    read_reply(text, text, (LETTER, text))
    assert time.thread_time() - begun < 4
