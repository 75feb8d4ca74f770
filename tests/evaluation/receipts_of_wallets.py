"""Receipts after the layouts of wallets, lottery shops and tax offices, and of a bank that nobody knows."""

from __future__ import annotations

from tests.evaluation.invented import cnpj_dots, cpf_dots, cpf_hidden, day, line_dots
from tests.evaluation.receipt_case import LONG_MONTHS, SHORT_MONTHS, Case, Row


def nubank(c: Case) -> list[Row]:
    """Nubank, Pix."""
    when = c.of.paid
    stamp = f"{when.day:02} {SHORT_MONTHS[when.month - 1]} {when.year} - {when:%H:%M:%S}"
    return [
        ("note", "nu"),
        (
            "title",
            c.say("Comprovante de transferência", "Agendamento de transferência", "Transferência não realizada"),
        ),
        ("note", stamp),
        ("row", "Valor", f"R$ {c.amount}"),
        *(
            [("row", "Data agendada", f"{when.day:02} {SHORT_MONTHS[when.month - 1]} {when.year}")]
            if c.status == "scheduled"
            else []
        ),
        ("row", "Tipo de transferência", "Pix"),
        ("head", "Destino"),
        ("row", "Nome", c.of.company),
        ("row", "CNPJ", cnpj_dots(c.of.cnpj)),
        ("row", "Instituição", "CAIXA ECONOMICA FEDERAL"),
        ("head", "Origem"),
        ("row", "Nome", c.of.person),
        ("row", "Instituição", "NU PAGAMENTOS - IP"),
        ("row", "CPF", cpf_hidden(c.of.cpf, "•")),
        *([("note", "ID da transação:"), ("note", c.pix)] if c.paid else []),
        ("note", "Nu Pagamentos S.A. - Instituição de Pagamento CNPJ 18.236.120/0001-58"),
        ("note", "Ouvidoria: 0800 887 0463 atendimento em dias úteis, das 09h às 18h."),
    ]


def nubank_boleto(c: Case) -> list[Row]:
    """Nubank, a boleto: its line in one piece, and a day on which it was due beside that of the payment."""
    when = c.of.paid
    return [
        ("note", "nu"),
        (
            "title",
            c.say("Comprovante de pagamento", "Comprovante de agendamento", "Pagamento não realizado"),
        ),
        ("note", f"{when.day:02} {SHORT_MONTHS[when.month - 1]} {when.year} - {when:%H:%M:%S}"),
        ("row", "Valor", f"R$ {c.amount}"),
        ("row", "Tipo de pagamento", "Boleto"),
        ("row", "Data de vencimento", day(c.of.due)),
        ("head", "Beneficiário"),
        ("row", "Nome", c.of.company),
        ("row", "CNPJ", cnpj_dots(c.of.cnpj)),
        ("head", "Pagador"),
        ("row", "Nome", c.of.person),
        ("row", "CPF", cpf_hidden(c.of.cpf, "•")),
        ("head", "Código de barras"),
        ("note", c.of.line),
        *(
            [("head", "Autenticação"), ("note", c.token("XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX").lower())]
            if c.paid
            else []
        ),
        ("note", "Nu Pagamentos S.A. - Instituição de Pagamento CNPJ 18.236.120/0001-58"),
    ]


def inter(c: Case) -> list[Row]:
    """Inter, Pix."""
    return [
        ("title", c.say("Pix enviado", "Pix agendado", "Pix devolvido")),
        ("big", f"R$ {c.amount}"),
        ("head", "Sobre a transação"),
        ("row", c.say("Data do pagamento", "Data do agendamento", "Data da devolução"), day(c.of.paid)),
        ("row", "Horário", f"{c.of.paid:%Hh%M}"),
        *([("row", "ID da transação", c.pix)] if c.paid else []),
        ("head", "Quem recebeu" if c.paid else "Quem vai receber"),
        ("row", "Nome", c.of.company),
        ("row", "CPF/CNPJ", cnpj_dots(c.of.cnpj)),
        ("row", "Instituição", "CAIXA ECONOMICA FEDERAL"),
        ("head", "Quem pagou" if c.paid else "Quem vai pagar"),
        ("row", "Nome", c.of.person),
        ("row", "CPF/CNPJ", cpf_hidden(c.of.cpf)),
        ("row", "Instituição", "BANCO INTER S.A."),
    ]


def picpay(c: Case) -> list[Row]:
    """PicPay, Pix."""
    when = c.of.paid
    return [
        ("note", "PicPay"),
        ("title", c.say("Comprovante de Pix", "Pagamento agendado", "Pagamento recusado")),
        (
            "note",
            f"{when.day:02} {SHORT_MONTHS[when.month - 1].lower()} {when.year}, {when:%H:%M:%S}"
            if c.paid
            else f"Para {when.day} de {LONG_MONTHS[when.month - 1]} de {when.year}",
        ),
        ("head", c.say("Você pagou", "Você vai pagar", "Você tentou pagar")),
        ("big", f"R$ {c.amount}"),
        ("head", "Para"),
        ("note", c.of.company),
        ("note", cnpj_dots(c.of.cnpj)),
        ("head", "De"),
        ("note", c.of.person),
        ("note", cpf_hidden(c.of.cpf)),
        *([("row", "ID da transação", c.pix)] if c.paid else []),
    ]


def mercado_pago(c: Case) -> list[Row]:
    """Mercado Pago, a boleto."""
    when = c.of.paid
    return [
        ("note", "mercado pago"),
        ("title", c.say("Comprovante de pagamento", "Pagamento programado", "Seu pagamento foi rejeitado")),
        ("note", f"{when.day} de {LONG_MONTHS[when.month - 1]} de {when.year} às {when:%H:%M}"),
        ("big", f"R$ {c.amount}"),
        ("row", "De", c.of.person),
        ("row", "CPF", cpf_hidden(c.of.cpf)),
        ("row", "Para", c.of.company),
        ("row", "CNPJ", cnpj_dots(c.of.cnpj)),
        ("row", "Código de barras", line_dots(c.of.line)),
        *([("row", "Número de operação", c.token("99999999999"))] if c.paid else []),
    ]


def lottery(c: Case) -> list[Row]:
    """A lottery shop's slip."""
    return [
        ("note", "CAIXA ECONOMICA FEDERAL"),
        ("note", "LOTERIAS CAIXA"),
        ("note", f"TERMINAL {c.token('999999')} LOT {c.token('99.999999-9')}"),
        ("note", c.moment(between="   HORA: ")),
        ("rule",),
        ("title", c.say("COMPROVANTE DE PAGAMENTO", "COMPROVANTE DE AGENDAMENTO", "PAGAMENTO ESTORNADO")),
        ("note", "BLOQUETO" if not c.of.collection else "ARRECADACAO"),
        ("note", c.of.line),
        ("row", "BENEFICIARIO:", c.of.company.upper()),
        ("row", "DATA PAGAMENTO:", day(c.of.paid)),
        ("row", "VALOR PAGO:", f"R$ {c.amount}"),
        *([("note", f"AUTENTICACAO: {c.token('XXXX.9999.XXXX.9999')}")] if c.paid else []),
        ("note", "SAC CAIXA 0800 726 0101 INFORMACOES, RECLAMACOES, SUGESTOES E ELOGIOS"),
    ]


def tax(c: Case) -> list[Row]:
    """A tax, paid at a bank."""
    return [
        (
            "title",
            c.say(
                "Comprovante de Pagamento de Arrecadação",
                "Agendamento de Pagamento de Tributo",
                "Pagamento de Tributo não autorizado",
            ),
        ),
        ("note", "GOVERNO DO ESTADO - DOCUMENTO ESTADUAL"),
        ("row", "Convênio:", c.of.company.upper()),
        ("row", "Código de barras:", line_dots(c.of.line)),
        ("row", "Cliente:", c.of.person.upper()),
        ("row", "Agência / Conta:", c.token("9999 / 99999-9")),
        ("row", c.say("Data do pagamento:", "Pagamento previsto para:", "Data:"), day(c.of.paid)),
        ("row", "Valor do principal:", c.amount),
        ("row", "Valor total:", c.amount),
        *([("row", "Autenticação eletrônica:", c.token("9.XXX.XXX.XXX"))] if c.paid else []),
    ]


def unknown_bank(c: Case) -> list[Row]:
    """A bank that nobody thought of, in words of its own."""
    return [
        ("note", f"Banco {c.rng.choice(('Aroeira', 'Pequi', 'Cerrado', 'Buriti'))} S.A."),
        ("title", c.say(
            c.rng.choice(("Comprovante da operação", "Recibo de pagamento", "Pagamento concluído", "Transferência realizada")),
            c.rng.choice(("Agendamento confirmado", "Pagamento programado", "Transferência agendada", "Lançamento futuro")),
            c.rng.choice(("Operação não realizada", "Pagamento cancelado", "Transferência estornada", "Pagamento expirado")),
        )),
        ("row", "Quantia", f"R$ {c.amount}"),
        ("row", c.say("Efetuado em", "Previsto para", "Quando"), c.moment(between=", ", seconds=False)),
        ("row", "Favorecido", c.of.company),
        ("row", "Documento do favorecido", cnpj_dots(c.of.cnpj)),
        ("row", "Remetente", c.of.person),
        *([("row", "Identificador da transação", c.pix)] if c.paid and c.chance() else []),
        *([("note", "O valor será debitado na data escolhida, desde que haja saldo.")] if c.status == "scheduled" else []),
    ]  # fmt: skip


def btg_boleto(c: Case) -> list[Row]:
    """An investment bank's receipt of a boleto."""
    when = c.of.paid
    return [
        ("note", "BTG Pactual"),
        ("title", c.say("Comprovante de pagamento", "Comprovante de agendamento", "Pagamento não processado")),
        ("head", "Informações da transação"),
        ("row", "Tipo", "Pagamento de boleto"),
        ("row", "Valor do pagamento", f"R$ {c.amount}"),
        ("row", c.say("Data do pagamento", "Data programada", "Data"), day(when)),
        ("row", "Vencimento original", day(c.of.due)),
        ("row", "Linha digitável", line_dots(c.of.line)),
        ("head", "Beneficiário"),
        ("row", "Razão social", c.of.company.upper()),
        ("row", "CNPJ", cnpj_dots(c.of.cnpj)),
        ("head", "Pagador"),
        ("row", "Nome", c.of.person.upper()),
        ("row", "CPF", cpf_dots(c.of.cpf)),
        *([("row", "Código de autenticação", c.token("XXXXXXXX-XXXX-9999-XXXX"))] if c.paid else []),
    ]
