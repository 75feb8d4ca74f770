"""Receipts after layouts that nobody looked at while the readers were written: how well they read the unknown.

Whoever mends the readers by one of these takes it out of here, and puts another in its place.
"""

from __future__ import annotations

from tests.evaluation.invented import cnpj_dots, cpf_hidden, day, line_dots
from tests.evaluation.receipt_case import LONG_MONTHS, Case, Row


def neon_pix(c: Case) -> list[Row]:
    """A fintech's Pix, in the words of a chat."""
    when = c.of.paid
    return [
        ("note", "neon"),
        ("title", c.say("Pix feito!", "Pix programado", "Seu Pix não foi concluído")),
        ("big", f"R$ {c.amount}"),
        (
            "row",
            c.say("Quando", "Vai sair em", "Quando"),
            f"{when.day:02}/{when.month:02}/{when.year} {when:%H:%M}",
        ),
        ("row", "Quem mandou", c.of.person),
        ("row", "CPF", cpf_hidden(c.of.cpf, "•")),
        ("row", "Quem recebeu" if c.paid else "Quem vai receber", c.of.company),
        ("row", "CNPJ", cnpj_dots(c.of.cnpj)),
        *([("row", "ID da transação Pix", c.pix)] if c.paid else []),
    ]


def banrisul(c: Case) -> list[Row]:
    """A state's bank, in a typewriter's letters."""
    return [
        ("note", "BANRISUL - HOME BANKING"),
        ("note", c.moment(between="  ")),
        ("rule",),
        (
            "title",
            c.say("PAGAMENTO DE TITULO EFETUADO", "AGENDAMENTO DE PAGAMENTO DE TITULO", "PAGAMENTO REJEITADO"),
        ),
        ("note", f"AGENCIA/CONTA: {c.token('9999 / 99.999999.9-9')}"),
        ("note", f"TITULAR: {c.of.person.upper()}"),
        ("row", "CEDENTE", c.of.company.upper()),
        ("row", "VENCIMENTO", day(c.of.due)),
        ("row", c.say("PAGO EM", "AGENDADO PARA", "TENTATIVA EM"), day(c.of.paid)),
        ("row", c.say("VALOR PAGO", "VALOR", "VALOR"), f"R$ {c.amount}"),
        ("note", line_dots(c.of.line)),
        *([("note", f"AUTENTICACAO {c.token('XXXXXXXXXXXX.999999')}")] if c.paid else []),
    ]


def darf(c: Case) -> list[Row]:
    """A federal tax paid at a bank."""
    when = c.of.paid
    return [
        ("title", c.say(
            "Comprovante de Pagamento - Tributos Federais",
            "Comprovante de Agendamento - Tributos Federais",
            "Pagamento de tributo não efetivado",
        )),
        ("row", "Agente arrecadador:", "CNC 104 CAIXA ECONOMICA FEDERAL"),
        ("row", "Contribuinte:", c.of.person.upper()),
        ("row", "Código de barras:", line_dots(c.of.line)),
        ("row", c.say("Data da arrecadação:", "Data agendada:", "Data:"), day(when)),
        ("row", "Valor total:", f"R$ {c.amount}"),
        ("note", c.say(
            f"Pagamento efetuado em {when.day} de {LONG_MONTHS[when.month - 1]} de {when.year}."
            f" Autenticação {c.token('XXXXXXXXXXXX')}",
            "O pagamento será efetuado na data escolhida, se houver saldo.",
            "Não houve débito em conta.",
        )),
    ]  # fmt: skip
