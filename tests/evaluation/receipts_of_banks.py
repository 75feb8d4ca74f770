"""Receipts after the layouts of the large banks and cooperatives."""

from __future__ import annotations

from tests.evaluation.invented import cnpj_dots, cpf_dots, cpf_hidden, day, line_dots
from tests.evaluation.receipt_case import Case, Row


def bb_titulos(c: Case) -> list[Row]:
    """Banco do Brasil, a boleto."""
    title = c.say(
        "COMPROVANTE DE PAGAMENTO DE TITULOS",
        "COMPROVANTE DE AGENDAMENTO DE TITULOS",
        "COMPROVANTE DE PAGAMENTO DE TITULOS",
    )
    rows: list[Row] = [
        ("note", f"{c.moment(between='   -  BANCO DO BRASIL  -  ')}"),
        ("note", c.token("999999999                              9999")),
        ("title", title),
        ("note", f"CLIENTE: {c.of.person.upper()}"),
        ("note", f"AGENCIA: {c.token('9999-9')}        CONTA: {c.token('99.999-X')}"),
        ("rule",),
        ("note", "BANCO DO BRASIL"),
        ("rule",),
        ("note", c.of.line),
        ("note", "BENEFICIARIO:"),
        ("note", c.of.company.upper()),
        ("note", f"CNPJ: {cnpj_dots(c.of.cnpj)}"),
        ("note", "PAGADOR:"),
        ("note", c.of.person.upper()),
        ("note", f"CPF: {cpf_dots(c.of.cpf)}"),
        ("rule",),
        ("row", "NR. DOCUMENTO", c.token("99.999")),
        ("row", "DATA DE VENCIMENTO", day(c.of.due)),
        ("row", c.say("DATA DO PAGAMENTO", "DATA DO AGENDAMENTO", "DATA DO PAGAMENTO"), day(c.of.paid)),
        ("row", "VALOR DO DOCUMENTO", c.amount),
        ("row", c.say("VALOR COBRADO", "VALOR A DEBITAR", "VALOR COBRADO"), c.amount),
        ("rule",),
    ]
    if c.paid:
        rows.append(("row", "NR.AUTENTICACAO", c.token("X.XXX.XXX.XXX.XXX.XXX")))
        if c.chance():
            rows.append(("note", "PAGAMENTOS REALIZADOS APOS AS 15 HORAS SERAO PROCESSADOS NO PROXIMO DIA UTIL."))
    elif c.status == "scheduled":
        rows.append(("note", "ESTE DOCUMENTO NAO COMPROVA O PAGAMENTO. O DEBITO SERA EFETUADO SE HOUVER SALDO."))
    else:
        rows.append(("note", "DECLARAMOS QUE O PAGAMENTO ACIMA FOI CANCELADO COM SUCESSO"))
    return rows


def bb_pix(c: Case) -> list[Row]:
    """Banco do Brasil, Pix."""
    return [
        ("note", "SISBB - SISTEMA DE INFORMACOES BANCO DO BRASIL"),
        ("title", c.say("Comprovante Pix", "Comprovante Agendamento Pix", "Comprovante Pix - NAO EFETIVADO")),
        ("note", f"CLIENTE: {c.of.person.upper()}"),
        ("note", f"AGENCIA: {c.token('9999-9')} CONTA: {c.token('99.999-9')}"),
        ("rule",),
        *([("note", f"ID: {c.pix}")] if c.paid else []),
        ("note", f"CPF DO PAGADOR: {cpf_hidden(c.of.cpf)}"),
        ("row", "VALOR:", f"R$ {c.amount}"),
        (
            "row",
            c.say("DATA:", "AGENDADO PARA:", "DATA:"),
            c.moment() if c.status != "scheduled" else day(c.of.paid),
        ),
        ("note", f"PAGO PARA: {c.of.company.upper()}" if c.paid else f"PARA: {c.of.company.upper()}"),
        ("note", f"CNPJ: {cnpj_dots(c.of.cnpj)}"),
        ("note", f"INSTITUICAO: {c.token('99999999')} CAIXA ECONOMICA FEDERAL"),
        *([("note", f"AUTENTICACAO SISBB: {c.token('X.XXX.XXX.XXX.XXX.XXX')}")] if c.paid else []),
    ]


def itau_boleto(c: Case) -> list[Row]:
    """Itaú, a boleto."""
    return [
        ("note", "Banco Itaú - Comprovante de Pagamento" if c.paid else "Banco Itaú"),
        ("title", c.say("Comprovante de pagamento de boleto", "Comprovante de agendamento de boleto", "Pagamento de boleto não efetuado")),
        ("head", "dados da conta debitada"),
        ("row", "Nome:", c.of.person.upper()),
        ("row", "Agência/conta:", c.token("9999/99999-9")),
        ("head", "dados do pagamento"),
        ("row", "Identificação no meu comprovante:", "VISTORIA"),
        ("row", "Beneficiário:", c.of.company.upper()),
        ("row", "CPF/CNPJ do beneficiário:", cnpj_dots(c.of.cnpj)),
        ("row", "Nome do pagador:", c.of.person.upper()),
        ("row", "Código de barras:", line_dots(c.of.line)),
        ("row", "Data de vencimento:", day(c.of.due)),
        ("row", "Valor do boleto (R$):", c.amount),
        ("row", "(=) Valor do pagamento (R$):", c.amount),
        ("row", c.say("Data de pagamento:", "Data agendada para o pagamento:", "Data da tentativa:"), day(c.of.paid)),
        *([("row", "Autenticação mecânica:", c.token("XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"))] if c.paid else []),
        ("note", c.say(
            f"Pagamento efetuado em {day(c.of.paid)} às {c.of.paid:%H:%M:%S} via aplicativo, CTRL"
            f" {c.token('999999999')}.",
            "Este comprovante não garante a efetivação do pagamento. Agendamento sujeito a saldo disponível.",
            "Saldo insuficiente. O pagamento não foi realizado.",
        )),
    ]  # fmt: skip


def itau_pix(c: Case) -> list[Row]:
    """Itaú, Pix."""
    return [
        ("title", c.say("comprovante de Pix", "Pix agendado", "Pix não concluído")),
        (
            "head",
            c.say(
                f"Pix realizado em {c.moment(between=' às ')}",
                f"Agendado para {day(c.of.paid)}",
                "não foi possível concluir",
            ),
        ),
        ("row", "valor", f"R$ {c.amount}"),
        *([("row", "data da transferência", day(c.of.paid))] if c.paid else []),
        ("head", "Dados de quem recebeu" if c.paid else "Dados de quem vai receber"),
        ("row", "nome do recebedor", c.of.company),
        ("row", "CPF / CNPJ do recebedor", cnpj_dots(c.of.cnpj)),
        ("row", "instituição", "CAIXA ECONOMICA FEDERAL"),
        ("head", "Dados de quem pagou" if c.paid else "Dados da conta"),
        ("row", "nome do pagador", c.of.person),
        ("row", "CPF / CNPJ do pagador", cpf_hidden(c.of.cpf)),
        *([("row", "ID/transação", c.pix)] if c.paid else []),
    ]


def bradesco_boleto(c: Case) -> list[Row]:
    """Bradesco, a boleto."""
    return [
        (
            "note",
            "Comprovante de Transação Bancária" if c.status != "scheduled" else "Comprovante de Agendamento",
        ),
        ("title", "Boleto de Cobrança"),
        ("note", f"Data da operação: {day(c.of.paid)} - {c.of.paid:%Hh%M}"),
        ("note", f"N° de controle: {c.token('999.999.999.999.999')} | Documento: {c.token('9999999')}"),
        (
            "row",
            "Conta de débito:",
            f"Agência: {c.token('9999')} | Conta: {c.token('9999999-9')} | Tipo: Corrente",
        ),
        ("row", "Nome:", c.of.person.upper()),
        ("row", "Código de barras:", line_dots(c.of.line)),
        ("row", "Razão Social Beneficiário:", c.of.company.upper()),
        ("row", "CPF/CNPJ Beneficiário:", cnpj_dots(c.of.cnpj)),
        ("row", "Nome do Pagador:", c.of.person.upper()),
        ("row", "CPF/CNPJ do Pagador:", cpf_dots(c.of.cpf)),
        ("row", "Data de débito:" if c.status != "scheduled" else "Data do agendamento:", day(c.of.paid)),
        ("row", "Data de vencimento:", day(c.of.due)),
        ("row", "Valor:", f"R$ {c.amount}"),
        ("row", "Valor total:", f"R$ {c.amount}"),
        (
            "note",
            c.say(
                "A transação acima foi realizada por meio do Bradesco Celular.",
                "O lançamento consta como agendado e será debitado na data indicada, mediante saldo em conta.",
                "A transação acima foi recusada.",
            ),
        ),
        *([("head", "Autenticação"), ("note", " ".join(c.token("XXXXXXXX") for _ in range(6)))] if c.paid else []),
        (
            "note",
            "SAC - Serviço de Apoio ao Cliente 0800 704 8383 Reclamações, cancelamentos e informações gerais.",
        ),
    ]


def caixa_boleto(c: Case) -> list[Row]:
    """Caixa, a boleto."""
    rows: list[Row] = [
        (
            "title",
            c.say(
                "Comprovante de Pagamento de Boleto",
                "Comprovante de Agendamento de Pagamento de Boleto",
                "Comprovante de Pagamento de Boleto",
            ),
        ),
        ("note", "Via Internet Banking CAIXA"),
        ("head", "Pagador Final / Efetivo"),
        ("row", "CPF/CNPJ:", cpf_dots(c.of.cpf)),
        ("row", "Nome:", c.of.person.upper()),
        ("row", "Conta de débito:", c.token("9999 | 001 | 00099999999-9")),
        ("row", "Representação numérica do código de barras:", line_dots(c.of.line)),
        ("row", "Instituição Emissora - Nome do Banco:", "CAIXA ECONOMICA FEDERAL"),
        ("head", "Beneficiário original / Cedente"),
        ("row", "Nome/Razão Social:", c.of.company.upper()),
        ("row", "CPF/CNPJ:", cnpj_dots(c.of.cnpj)),
        ("row", "Data do Vencimento:", day(c.of.due)),
        ("row", "Data de Efetivação / Agendamento:", day(c.of.paid)),
        ("row", "Valor Nominal do Boleto:", c.amount),
        ("row", "Juros (R$):", "0,00"),
        ("row", "Valor Pago (R$):" if c.status != "scheduled" else "Valor a Pagar (R$):", c.amount),
    ]
    if c.status == "failed":
        rows.append(("row", "Situação:", c.rng.choice(("NÃO EFETIVADA", "CANCELADA", "DEVOLVIDA"))))
    if c.status == "scheduled":
        rows.append(
            ("note", "Operação agendada com sucesso. O agendamento não garante a efetivação do pagamento.")
        )
    if c.paid:
        rows += [
            ("row", "Data/hora da operação:", c.moment(between=" ")),
            ("row", "Código da operação:", c.token("9999999999")),
            ("row", "Chave de segurança:", c.token("XXXXXXXXXXXX9")),
            ("note", "Operação realizada com sucesso conforme as informações fornecidas pelo cliente."),
        ]
    return rows


def caixa_pix(c: Case) -> list[Row]:
    """Caixa, Pix."""
    return [
        ("title", "Comprovante de Transação Pix"),
        *([("row", "ID da transação:", c.pix)] if c.status != "scheduled" else []),
        (
            "row",
            "Situação:",
            c.say("EFETIVADA", "AGENDADA", c.rng.choice(("NÃO EFETIVADA", "REJEITADA", "DEVOLVIDA"))),
        ),
        ("row", "Data e Hora:", c.moment(between=" às ")),
        ("row", "Valor Original:", f"R$ {c.amount}"),
        ("row", "Valor Atualizado:", f"R$ {c.amount}"),
        ("head", "Origem"),
        ("row", "Nome:", c.of.person.upper()),
        ("row", "CPF:", cpf_hidden(c.of.cpf, "X")),
        ("row", "Instituição:", "CAIXA ECONOMICA FEDERAL"),
        ("head", "Destino"),
        ("row", "Nome:", c.of.company.upper()),
        ("row", "CNPJ:", cnpj_dots(c.of.cnpj)),
        ("row", "Código da operação:", c.token("99999999999")),
    ]


def santander(c: Case) -> list[Row]:
    """Santander, a boleto."""
    return [
        ("note", "Santander Internet Banking"),
        ("title", c.say("Comprovante do Pagamento", "Comprovante de Agendamento", "Pagamento Não Autorizado")),
        ("head", "Dados do Boleto"),
        ("row", "Código de Barras", line_dots(c.of.line)),
        ("row", "Data de Vencimento", day(c.of.due)),
        ("row", "Valor Nominal", f"R$ {c.amount}"),
        ("head", "Beneficiário Original"),
        ("row", "Razão Social", c.of.company.upper()),
        ("row", "CNPJ", cnpj_dots(c.of.cnpj)),
        ("head", "Pagador Original"),
        ("row", "Nome", c.of.person.upper()),
        ("row", "CPF", cpf_dots(c.of.cpf)),
        ("head", "Dados do Pagamento"),
        ("row", c.say("Valor Pago", "Valor Agendado", "Valor"), f"R$ {c.amount}"),
        ("row", c.say("Data do Pagamento", "Data Agendada", "Data da Solicitação"), day(c.of.paid)),
        *(
            [
                ("row", "Autenticação Bancária", c.token("XXXXXXXXXXXXXXXXXXXXXXXXX")),
                ("row", "Data da Transação", c.moment(between=" às ", seconds=False)),
            ]
            if c.paid
            else []
        ),
    ]


def sicoob(c: Case) -> list[Row]:
    """Sicoob, a boleto."""
    rows: list[Row] = [
        ("note", "SISBR - Sistema de Informática do SICOOB"),
        (
            "title",
            c.say(
                "COMPROVANTE DE PAGAMENTO DE BOLETO",
                "COMPROVANTE DE AGENDAMENTO DE BOLETO",
                "PAGAMENTO DE BOLETO CANCELADO",
            ),
        ),
        ("row", "Cooperativa:", c.token("9999-9 / SICOOB CENTRO")),
        ("row", "Conta:", f"{c.token('99.999-9')} / {c.of.person.upper()}"),
        ("row", "Linha digitável:", line_dots(c.of.line)),
        ("row", "Número do agendamento:", c.token("99999999")),
        ("row", "Nome/Razão Social do Beneficiário:", c.of.company.upper()),
        ("row", "CPF/CNPJ Beneficiário:", cnpj_dots(c.of.cnpj)),
        ("row", "Nome/Razão Social do Pagador:", c.of.person.upper()),
        ("row", "CPF/CNPJ Pagador:", cpf_dots(c.of.cpf)),
        ("row", "Data Vencimento:", day(c.of.due)),
        ("row", c.say("Data Pagamento:", "Agendado para:", "Data:"), day(c.of.paid)),
        ("row", "Documento:", c.amount),
        ("row", c.say("Pago:", "A pagar:", "Cancelado:"), c.amount),
    ]
    if c.paid:
        rows += [
            ("row", "Situação:", "EFETIVADO"),
            ("row", "Autenticação:", c.token("XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX")),
        ]
    elif c.status == "scheduled":
        rows.append(
            ("note", "A efetivação do pagamento está sujeita à disponibilidade de saldo na data agendada.")
        )
    return rows
