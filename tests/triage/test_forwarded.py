"""A customer's mail within an agent's forward, as mail programs write it in Portuguese (imitations)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.triage.forwarded import forwarded_part

TEXT = "Bom dia, preciso mudar o local da vistoria.\n\nMaria"
FORWARDS = {
    "outlook": (
        "#abrir\n\n________________________________\nDe: Maria Souza <Maria@Cliente.example>\n"
        "Enviado: segunda-feira, 23 de novembro de 2026 09:12\nPara: SAU <sau@example.com.br>\n"
        f"Assunto: Mudança de local\n\n{TEXT}"
    ),
    "outlook_mobile": (
        "#abrir\nObter o Outlook para Android\n________________________________\n"
        "From: Maria Souza <maria@cliente.example>\nSent: Monday, November 23, 2026 9:12:00 AM\n"
        f"To: sau@example.com.br <sau@example.com.br>\nSubject: Mudança de local\n\n{TEXT}"
    ),
    "gmail": (
        "#abrir\n\n---------- Forwarded message ---------\nDe: Maria Souza <maria@cliente.example>\n"
        "Date: seg., 23 de nov. de 2026 às 09:12\nSubject: Mudança de local\nTo: <sau@example.com.br>\n\n\n" + TEXT
    ),
    "gmail_bold": (
        "#abrir\n\n---------- Mensagem encaminhada ---------\n*De:* *Maria Souza* <maria@cliente.example>\n"
        f"*Data:* seg.\n*Assunto:* Mudança de local\n*Para:* <sau@example.com.br>\n\n{TEXT}"
    ),
    "apple": (
        "#abrir\n\nInício da mensagem encaminhada:\n\n> De: Maria Souza <maria@cliente.example>\n"
        "> Assunto: Mudança de local\n> Data: 23 de novembro de 2026 09:12:00 BRT\n"
        "> Para: sau@example.com.br\n> \n"
        "> Bom dia, preciso mudar o local da vistoria.\n> \n> Maria"
    ),
    "thunderbird": (
        "#abrir\n\n\n-------- Mensagem encaminhada --------\nAssunto: \tMudança de local\n"
        "Data: \tMon, 23 Nov 2026 09:12:00 -0300\nDe: \tMaria Souza <maria@cliente.example>\n"
        f"Para: \tsau@example.com.br\n\n\n\n{TEXT}"
    ),
    "roundcube": (
        "#abrir\n\n-------- Mensagem original --------\nAssunto: Mudança de local\nData: 2026-11-23 09:12\n"
        f"De: Maria Souza <maria@cliente.example>\nPara: sau@example.com.br\n\n{TEXT}"
    ),
    "samsung": (
        "#abrir\n\nEnviado do meu Galaxy\n\n-------- Mensagem original --------\n"
        "De : Maria Souza <maria@cliente.example> \nData: 23/11/2026  09:12  (GMT-03:00) \n"
        f"Para: sau@example.com.br \nAssunto: Mudança de local \n\n{TEXT}"
    ),
    "an empty line between": (
        "#abrir\n\nDe: Maria Souza <maria@cliente.example>\n\nEnviado: seg.\n\nPara: sau@example.com.br\n\n"
        f"Assunto: Mudança de local\n\n{TEXT}"
    ),
    "a folded address": (
        "#abrir\n\nDe: Maria Souza\n<maria@cliente.example>\nEnviado: seg.\nPara: sau@example.com.br;\n"
        f" outra@example.com.br\nAssunto: ENC: RES: Mudança de local\n\n{TEXT}"
    ),
}


@pytest.mark.parametrize("program", FORWARDS)
def test_r000_13_who_wrote_what_is_found_in_what_each_program_writes(program: str) -> None:
    part = forwarded_part(FORWARDS[program])
    assert part is not None
    assert (part.sender.address, part.sender.name) == ("maria@cliente.example", "Maria Souza")
    assert (part.subject, part.text) == ("Mudança de local", TEXT)


def test_what_a_colleague_forwarded_is_looked_into() -> None:
    head = "#abrir\n\nDe: Bruno <bruno@example.com.br>\nEnviado: ontem\nAssunto: ENC: x\n\nveja\n\n"
    outer = head + FORWARDS["outlook"]
    part = forwarded_part(outer, nobody_of={"bruno@example.com.br"})
    assert part is not None
    assert part.sender.address == "maria@cliente.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#abrir\nDe: Rio Verde\nPara: Jataí\nAssunto: mudança",
        "De: maria@cliente.example",
        "De: Maria\nEnviado: hoje\nAssunto: x",
    ],
)
def test_lines_that_are_no_head_are_none(text: str) -> None:
    assert forwarded_part(text) is None


@given(st.text(alphabet=st.sampled_from("De:>*_ @.\nmPara<\u202eé"), max_size=400))
def test_no_text_raises(text: str) -> None:
    forwarded_part(text)


@pytest.mark.parametrize("line", ["De: a@b.example\n", "De:\n", "> \n", "Para: x@y.example\n", "De:De:De:"])
def test_a_hostile_text_costs_bounded_time(line: str) -> None:
    began = time.thread_time()
    forwarded_part(line * (200_000 // len(line)))
    assert time.thread_time() - began < 5
