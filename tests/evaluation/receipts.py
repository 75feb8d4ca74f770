"""Made-up payment receipts after the layouts of Brazilian banks, wallets and lottery shops, paid and not paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tests.evaluation.drawing import Paper
from tests.evaluation.invented import (
    TODAY,
    Invented,
    brl,
    cnpj_dots,
    company,
    cpf_dots,
    cpf_hidden,
    day,
    invent,
    line_dots,
    pix_id,
)
from tests.evaluation.sample import Layout, Made

_SHORT = ["JAN", "FEV", "MAR", "ABR", "MAI", "JUN", "JUL", "AGO", "SET", "OUT", "NOV", "DEZ"]
_LONG = [
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
]

Row = tuple[str, ...]
"""``("title", words)``, ``("big", words)``, ``("head", words)``, ``("row", label, value)``, ``("note", words)``,
``("rule",)``."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What a layout is filled with."""

    rng: Random
    of: Invented
    status: str
    pix: str

    @property
    def paid(self) -> bool:
        return self.status == "paid"

    @property
    def amount(self) -> str:
        return brl(self.of.cents)

    def moment(self, *, between: str = " - ", seconds: bool = True) -> str:
        clock = f"{self.of.paid:%H:%M:%S}" if seconds else f"{self.of.paid:%H:%M}"
        return f"{day(self.of.paid)}{between}{clock}"

    def say(self, paid: str, scheduled: str, failed: str) -> str:
        return {"paid": paid, "scheduled": scheduled}.get(self.status, failed)

    def chance(self, share: float = 0.5) -> bool:
        return self.rng.random() < share

    def token(self, pattern: str) -> str:
        return "".join(
            self.rng.choice("0123456789ABCDEF")
            if ch == "X"
            else self.rng.choice("0123456789")
            if ch == "9"
            else ch
            for ch in pattern
        )


def _bb_titulos(c: _Case) -> list[Row]:
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


def _bb_pix(c: _Case) -> list[Row]:
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


def _itau_boleto(c: _Case) -> list[Row]:
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


def _itau_pix(c: _Case) -> list[Row]:
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


def _bradesco_boleto(c: _Case) -> list[Row]:
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


def _caixa_boleto(c: _Case) -> list[Row]:
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


def _caixa_pix(c: _Case) -> list[Row]:
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


def _santander(c: _Case) -> list[Row]:
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


def _nubank(c: _Case) -> list[Row]:
    when = c.of.paid
    stamp = f"{when.day:02} {_SHORT[when.month - 1]} {when.year} - {when:%H:%M:%S}"
    return [
        ("note", "nu"),
        (
            "title",
            c.say("Comprovante de transferência", "Agendamento de transferência", "Transferência não realizada"),
        ),
        ("note", stamp),
        ("row", "Valor", f"R$ {c.amount}"),
        *(
            [("row", "Data agendada", f"{when.day:02} {_SHORT[when.month - 1]} {when.year}")]
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


def _inter(c: _Case) -> list[Row]:
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


def _sicoob(c: _Case) -> list[Row]:
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


def _picpay(c: _Case) -> list[Row]:
    when = c.of.paid
    return [
        ("note", "PicPay"),
        ("title", c.say("Comprovante de Pix", "Pagamento agendado", "Pagamento recusado")),
        (
            "note",
            f"{when.day:02} {_SHORT[when.month - 1].lower()} {when.year}, {when:%H:%M:%S}"
            if c.paid
            else f"Para {when.day} de {_LONG[when.month - 1]} de {when.year}",
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


def _mercado_pago(c: _Case) -> list[Row]:
    when = c.of.paid
    return [
        ("note", "mercado pago"),
        ("title", c.say("Comprovante de pagamento", "Pagamento programado", "Seu pagamento foi rejeitado")),
        ("note", f"{when.day} de {_LONG[when.month - 1]} de {when.year} às {when:%H:%M}"),
        ("big", f"R$ {c.amount}"),
        ("row", "De", c.of.person),
        ("row", "CPF", cpf_hidden(c.of.cpf)),
        ("row", "Para", c.of.company),
        ("row", "CNPJ", cnpj_dots(c.of.cnpj)),
        ("row", "Código de barras", line_dots(c.of.line)),
        *([("row", "Número de operação", c.token("99999999999"))] if c.paid else []),
    ]


def _lottery(c: _Case) -> list[Row]:
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


def _tax(c: _Case) -> list[Row]:
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


def _unknown_bank(c: _Case) -> list[Row]:
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


_WITH_LINE = frozenset(
    [
        "bb_titulos",
        "itau_boleto",
        "bradesco_boleto",
        "caixa_boleto",
        "santander",
        "sicoob",
        "mercado_pago",
        "lottery",
        "tax",
    ]
)
_WITHOUT_SECONDS = {"santander", "mercado_pago", "unknown_bank", "bradesco_boleto", "inter"}
_FAMILIES = {
    "bb_titulos": (_bb_titulos, "mono"),
    "bb_pix": (_bb_pix, "mono"),
    "itau_boleto": (_itau_boleto, "columns"),
    "itau_pix": (_itau_pix, "stacked"),
    "bradesco_boleto": (_bradesco_boleto, "columns"),
    "caixa_boleto": (_caixa_boleto, "columns"),
    "caixa_pix": (_caixa_pix, "columns"),
    "santander": (_santander, "columns"),
    "nubank": (_nubank, "sides"),
    "inter": (_inter, "sides"),
    "sicoob": (_sicoob, "mono"),
    "picpay": (_picpay, "stacked"),
    "mercado_pago": (_mercado_pago, "stacked"),
    "lottery": (_lottery, "mono"),
    "tax": (_tax, "columns"),
    "unknown_bank": (_unknown_bank, "sides"),
}


def families() -> dict[str, Layout]:
    """Every layout as a maker of a paid receipt."""
    return {name: lambda rng, name=name: make(rng, name, "paid") for name in _FAMILIES}  # type: ignore[misc]


def make(rng: Random, family: str, status: str) -> Made:
    """A receipt of ``family``; ``status`` is ``paid``, ``scheduled`` or ``failed``."""
    rows, style = _FAMILIES[family]
    of = invent(rng, collection=True if family == "tax" else False if family in _WITH_LINE - {"lottery"} else None)
    if status == "scheduled":
        later = of.paid.replace(year=TODAY.year, month=TODAY.month, day=TODAY.day) + timedelta(
            days=rng.randint(-3, 20)
        )
        of = Invented(**{**{name: getattr(of, name) for name in of.__slots__}, "paid": later})
    case = _Case(rng=rng, of=of, status=status, pix=pix_id(rng, of.bank, of.paid))
    made = rows(case)
    truth = {"status": status, "amount": f"{of.cents / 100:.2f}"}
    if status == "paid":
        truth |= {"paid_at": f"{of.paid:%Y-%m-%d}", "payee_name": of.company, "payee_tax_id": of.cnpj}
        if family in ("lottery", "tax"):
            del truth["payee_tax_id"]
        if family in _WITH_LINE:
            truth["boleto_line"] = of.line
        if any(case.pix in words for row in made for words in row):
            truth["pix_end_to_end_id"] = case.pix
        if family != "lottery":
            truth["payer_name"] = of.person
    return Made("payment_receipt", family, truth, (_paper(rng, made, style),), style in ("stacked", "sides"))


def _paper(rng: Random, rows: list[Row], style: str) -> Paper:
    narrow = style in ("stacked", "sides")
    paper = Paper(width=380.0 if narrow else 595.0, height=760.0 if narrow else 842.0)
    font = "mono" if style == "mono" else rng.choice(("sans", "sans", "serif"))
    left, right = rng.uniform(30, 50), paper.width - rng.uniform(30, 45)
    size, y = rng.uniform(9.5, 11.0), 50.0
    column = left + (right - left) * rng.uniform(0.42, 0.5)
    for row in rows:
        y = _row(paper, row, style, font, (left, column, right), size, y)
    return paper


def _row(
    paper: Paper, row: Row, style: str, font: str, at: tuple[float, float, float], size: float, y: float
) -> float:
    left, column, right = at
    sort, words = row[0], row[1] if len(row) > 1 else ""
    large = {"title": (6, 4, 30), "big": (8, 10, 34), "head": (6, 1, 24)}.get(sort)
    if large is not None:
        paper.text(left, y + large[0], words, size=size + large[1], font=f"{font}-bold")
        return y + large[2]
    if sort == "rule":
        paper.rule(left, y - 4, right - left)
        return y + 8
    if sort == "note":
        return _wrapped(paper, left, y, words, size, font, right)
    if style == "stacked":
        paper.text(left, y, words, size=size - 1, font=font, grey=0.35)
        paper.text(left, y + size + 4, row[2], size=size, font=font)
        return y + 2 * size + 14
    paper.text(left, y, words, size=size, font=font)
    if style == "sides":
        paper.right(right, y, row[2], size=size, font=font)
    elif len(row[2]) * size * 0.6 < right - column:
        paper.text(max(column, left + len(words) * size * 0.58 + 8), y, row[2], size=size, font=font)
    else:
        paper.text(left + 12, y + size + 4, row[2], size=size, font=font)
        y += size + 4
    return y + size + 6


def _wrapped(paper: Paper, left: float, y: float, words: str, size: float, font: str, right: float) -> float:
    room = int((right - left) / (size * (0.6 if font == "mono" else 0.52)))
    while words:
        cut = words if len(words) <= room else words[:room].rpartition(" ")[0] or words[:room]
        paper.text(left, y, cut, size=size, font=font)
        words, y = words[len(cut) :].strip(), y + size + 5
    return y


def received(rng: Random) -> Made:
    """Money that came in: a receipt, and none of a payment."""
    of = invent(rng)
    rows: list[Row] = [
        ("title", rng.choice(("Pix recebido", "Você recebeu um Pix", "Comprovante de recebimento de Pix"))),
        ("big", f"R$ {brl(of.cents)}"),
        ("row", "Data", f"{day(of.paid)} {of.paid:%H:%M}"),
        ("row", "De", of.person),
        ("row", "Para", company(rng)),
        ("row", "ID da transação", pix_id(rng, of.bank, of.paid)),
    ]
    truth = {"status": "unknown", "amount": f"{of.cents / 100:.2f}"}
    return Made("payment_receipt", "received", truth, (_paper(rng, rows, "sides"),), True)


STATUS_FAMILIES = tuple(_FAMILIES)
