"""Notices that an agent's mail carries along, however its program quotes."""

from __future__ import annotations

import time

import pytest

from mailbot.triage.quoted_notice import quotes_notice

NOTICE = """\
Quem lê sua resposta: Maria Souza, maria@example.com.br. O que você responder aqui é enviado ao cliente.

CHAMADO 2026-000001 - Alteração de Rio Verde para Jataí
Fila: Atendimento

  | Preciso mudar o local da vistoria do meu carro porque mudei.

Escreva a palavra na primeira linha da sua resposta. O texto vem depois dela.
"""
LINES = [line for line in NOTICE.splitlines() if len(line) > 30]


@pytest.mark.parametrize("mark", ["", "> ", "\t", "| ", "    ", "* "])
def test_two_lines_of_a_notice_are_a_quote_whatever_stands_before_them(mark: str) -> None:
    assert quotes_notice("Pode vir.\n\n" + "\n".join(mark + line for line in LINES[:2]), [NOTICE])


def test_a_notice_that_a_program_wrapped_is_found() -> None:
    wrapped = "\n".join(f"> {line[:40]}\n> {line[40:]}" for line in NOTICE.upper().splitlines())
    assert quotes_notice(wrapped, [NOTICE])


def test_one_line_that_an_agent_chose_to_quote_is_none() -> None:
    assert not quotes_notice(f"{LINES[2]}\nSim, pode ser em Jataí.", [NOTICE])


def test_the_same_line_twice_is_one() -> None:
    assert not quotes_notice(f"{LINES[2]}\nSim.\n{LINES[2]}", [NOTICE])


def test_lines_of_two_notices_do_not_add_up() -> None:
    assert not quotes_notice("\n".join(LINES[:2]), LINES[:2])


def test_short_lines_tell_nothing() -> None:
    assert not quotes_notice(
        "Fila: Atendimento\nRio Verde\nPlaca ABC", ["Fila: Atendimento\nRio Verde\nPlaca ABC"]
    )


def test_a_reference_token_is_enough() -> None:
    assert quotes_notice("Pode vir.\n[mb-" + "a" * 20 + "]", [])


@pytest.mark.parametrize("piece", ["a ", "\n", "quem le sua resposta ", "> "])
def test_a_megabyte_of_anything_is_compared_in_no_time(piece: str) -> None:
    begun = time.thread_time()
    quotes_notice(piece * (1_000_000 // len(piece)), [NOTICE * 20])
    assert time.thread_time() - begun < 4
