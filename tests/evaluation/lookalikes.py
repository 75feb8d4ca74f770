"""Papers that look like evidence and are none: bills, invoices, manuals, other cards, Pix keys."""

from __future__ import annotations

from random import Random

from tests.evaluation.drawing import Paper
from tests.evaluation.invented import (
    CITIES,
    brl,
    cnpj_dots,
    cpf,
    cpf_dots,
    day,
    invent,
    line_dots,
    person,
)
from tests.evaluation.sample import Layout, Made


def _page(rng: Random, title: str, rows: list[str], *, width: float = 595.0, height: float = 842.0) -> Paper:
    paper, font = Paper(width=width, height=height), rng.choice(("sans", "serif"))
    paper.text(40, 50, title, size=14, font=f"{font}-bold")
    y = 84.0
    for row in rows:
        left, _, right = row.partition("|")
        while left:
            cut = left if len(left) < 95 else left[:95].rpartition(" ")[0]
            paper.text(40, y, cut, size=9.5, font=font)
            left, y = left[len(cut) :].strip(), y + 15
        if right:
            paper.text(min(width * 0.55, 330), y - 15, right, size=9.5, font=font)
    return paper


def _none(family: str, *papers: Paper, is_screen: bool = False) -> Made:
    return Made("none", family, {}, papers, is_screen)


def _invoice(rng: Random) -> Made:
    of = invent(rng)
    key = "".join(rng.choices("0123456789", k=44))
    return _none("invoice", _page(rng, "DANFE - Documento Auxiliar da Nota Fiscal Eletrônica", [
        f"Emitente: {of.company}|CNPJ {cnpj_dots(of.cnpj)}", (f"Natureza da operação: VENDA DE SERVIÇOS"
        f"|Nº {rng.randint(100, 99999)}"),
        f"Chave de acesso: {' '.join(key[i : i + 4] for i in range(0, 44, 4))}", (f"Destinatário: {of.person}"
        f"|CPF {cpf_dots(of.cpf)}"),
        f"Data de emissão {day(of.issued)}|Vencimento {day(of.due)}", "Dados dos produtos|NCM  CST  CFOP",
        f"VISTORIA VEICULAR|{brl(of.cents)}", f"Base de cálculo do ICMS 0,00|Valor total da nota {brl(of.cents)}",
        "Forma de pagamento: boleto bancário, pagamento em 30 dias",
    ]))  # fmt: skip


def _card_bill(rng: Random) -> Made:
    of = invent(rng, collection=False)
    first = _page(rng, "Sua fatura do cartão", [
        f"Olá, {of.person}", f"Total da fatura|R$ {brl(of.cents)}", f"Vencimento|{day(of.due)}", f"Pagamento mínimo|R$ {brl(of.cents // 7)}",
        f"Limite total de crédito|R$ {brl(of.cents * 3)}", "Melhor dia de compra|15", "Lançamentos no período", f"{day(of.issued)} MERCADO CENTRAL|{brl(of.cents // 2)}",
        "Compras parceladas|Parcela 2/5", f"Pagamento recebido em {day(of.issued)}|{brl(of.cents // 3)}",
    ])  # fmt: skip
    second = _page(rng, "Ficha de Compensação", [
        f"Banco {of.bank}|{line_dots(of.line)}", (f"Beneficiário: {of.company}"
        f"|Vencimento {day(of.due)}"), f"Pagador: {of.person} CPF {cpf_dots(of.cpf)}",
        (f"Valor do documento"
        f"|{brl(of.cents)}"), "Local de pagamento: pagável em qualquer banco", "Autenticação mecânica",
    ])  # fmt: skip
    second.bars(44, 400, of.barcode)
    if rng.random() < 0.5:
        return _none("card_bill", first, second)
    return _none("card_bill", first)


def _manual(rng: Random) -> Made:
    of = invent(rng, collection=False)
    rows = [
        "Este manual descreve o layout do boleto de cobrança e o cálculo do dígito verificador do código de barras.",
        "1. Linha digitável. A linha digitável tem 47 posições divididas em cinco campos; cada um dos três primeiros tem um dígito verificador calculado em módulo 10.",
        f"Exemplo: {line_dots(of.line)}",
        "2. Fator de vencimento: quantidade de dias corridos desde a data base. Valor do documento: 10 posições com zeros à esquerda.",
        "3. Recibo do pagador: contém beneficiário, pagador, nosso número, vencimento, valor do documento e local de pagamento.",
        (
            f"Exemplo de preenchimento: Beneficiário {of.company}, Pagador {of.person}, Vencimento {day(of.due)},"
            f" Valor {brl(of.cents)}."
        ),
        "4. Ficha de compensação: deve trazer o código de barras no padrão intercalado 2 de 5, com 103 mm por 13 mm.",
        "5. Autenticação mecânica: espaço reservado ao caixa.",
    ]
    return _none(
        "manual",
        _page(
            rng,
            rng.choice(
                ("Manual de Cobrança", "Manual do boleto bancário", "Cobrança - Layout de Arquivos e Boletos")
            ),
            rows,
        ),
    )


def _pix_key(rng: Random) -> Made:
    of = invent(rng)
    if rng.random() < 0.5:
        rows = [
            "Minhas chaves Pix",
            "CPF",
            cpf_dots(of.cpf),
            "Celular",
            "(62) 99999-1234",
            "Chave aleatória",
            "123e4567-e12b-12d1-a456-426655440000",
            "Cadastrar nova chave",
            "Compartilhar chave",
        ]
        return _none("pix_key", _page(rng, "Área Pix", rows, width=380, height=700), is_screen=True)
    rows = [
        f"Valor R$ {brl(of.cents)}",
        f"Recebedor {of.company}",
        "Escaneie o QR Code ou use o Pix copia e cola",
        "00020126580014br.gov.bcb.pix0136123e4567e12b12d1a4564266554400005204000053039865802BR",
        f"Pagar até {day(of.due)}",
        "Copiar código",
    ]
    return _none("pix_charge", _page(rng, "Pague com Pix", rows, width=380, height=700), is_screen=True)


def _checkout(rng: Random) -> Made:
    """The screen before the payment."""
    of = invent(rng, collection=False)
    rows = [
        f"Valor|R$ {brl(of.cents)}",
        f"Beneficiário|{of.company}",
        f"CNPJ|{cnpj_dots(of.cnpj)}",
        f"Vencimento|{day(of.due)}",
        f"Data do pagamento|{day(of.paid)}",
        line_dots(of.line),
        "Confirmar pagamento",
        "Digite sua senha",
    ]
    return _none("checkout", _page(rng, "Confira os dados do boleto", rows, width=380, height=700), is_screen=True)


def _vehicle(rng: Random) -> Made:
    name = person(rng).upper()
    return _none("vehicle_paper", _page(rng, "CERTIFICADO DE REGISTRO E LICENCIAMENTO DE VEÍCULO - DIGITAL", [
        "REPÚBLICA FEDERATIVA DO BRASIL - MINISTÉRIO DOS TRANSPORTES - SECRETARIA NACIONAL DE TRÂNSITO", "DETRAN - GO",
        f"CÓDIGO RENAVAM|{rng.randint(10**10, 10**11 - 1)}", "PLACA|ABC1D23", "EXERCÍCIO|2026", "ANO FABRICAÇÃO|2019", "MARCA / MODELO / VERSÃO|FIAT/ARGO DRIVE 1.0",
        "CHASSI|9BWZZZ377VT004251", "CATEGORIA|PARTICULAR", f"NOME|{name}", f"CPF / CNPJ|{cpf_dots(cpf(rng))}", f"LOCAL|{rng.choice(CITIES).upper()} GO",
        "Documento emitido por CDT. QR-CODE. Assinador Serpro / SENATRAN",
    ]))  # fmt: skip


def _identity(rng: Random) -> Made:
    return _none("identity_card", _page(rng, "CARTEIRA DE IDENTIDADE", [
        "REPÚBLICA FEDERATIVA DO BRASIL", "ESTADO DE GOIÁS - SECRETARIA DE SEGURANÇA PÚBLICA - INSTITUTO DE IDENTIFICAÇÃO",
        (f"REGISTRO GERAL"
        f"|{rng.randint(10**6, 10**7 - 1)}"), "NOME", person(rng).upper(), "FILIAÇÃO", person(rng).upper(), person(rng).upper(),
        f"NATURALIDADE {rng.choice(CITIES).upper()} GO|DATA DE NASCIMENTO 11/05/1987", f"CPF|{cpf_dots(cpf(rng))}", "DATA DE EXPEDIÇÃO|03/02/2015",
        "VÁLIDA EM TODO O TERRITÓRIO NACIONAL - LEI Nº 7.116 DE 29/08/83",
    ], width=470, height=420))  # fmt: skip


def _tax_card(rng: Random) -> Made:
    return _none("tax_card", _page(rng, rng.choice(("CADASTRO DE PESSOAS FÍSICAS - CPF", "Comprovante de Situação Cadastral no CPF")), [
        "MINISTÉRIO DA FAZENDA - RECEITA FEDERAL", f"Número de inscrição|{cpf_dots(cpf(rng))}", f"Nome|{person(rng).upper()}", "Data de nascimento|11/05/1987", "Situação cadastral|REGULAR",
        "Comprovante emitido às 10:22:45 do dia 20/11/2026. Código de controle: 1A2B.3C4D.5E6F.7A8B",
    ], width=470, height=420))  # fmt: skip


def _residence(rng: Random) -> Made:
    of = invent(rng)
    return _none("residence", _page(rng, "Declaração e comprovante de residência", [
        f"Eu, {of.person}, CPF {cpf_dots(of.cpf)}, declaro que resido em {rng.choice(CITIES)}, GO.", f"Data {day(of.issued)}", "Assinatura",
    ]))  # fmt: skip


def _statement(rng: Random) -> Made:
    of = invent(rng)
    rows = [f"Cliente {of.person}|Agência 1234 Conta 56789-0", "Saldo anterior|1.200,00"]
    rows += [f"{day(of.issued)} Pix enviado {person(rng)}|-{brl(rng.randint(1000, 90000))}" for _ in range(8)]
    return _none("statement", _page(rng, "Extrato de conta corrente", [*rows, "Saldo final|830,15"]))


def _booking(rng: Random) -> Made:
    """When a vehicle is to be inspected, with the fee: a *comprovante*, and none of a payment."""
    of = invent(rng)
    return _none("booking", _page(rng, rng.choice(("Comprovante de Agendamento de Vistoria", "Agendamento realizado com sucesso!")), [
        f"Protocolo|{rng.randint(10**7, 10**8)}", f"Cliente|{of.person}", f"CPF|{cpf_dots(of.cpf)}", f"Unidade|{rng.choice(CITIES)}",
        f"Data e hora da vistoria|{day(of.due)} 14:00", f"Taxa|R$ {brl(of.cents)}",
        "Leve a CNH e o comprovante de pagamento da taxa no dia da vistoria.",
    ]))  # fmt: skip


def _contract(rng: Random) -> Made:
    of = invent(rng)
    return _none("contract", _page(rng, "CONTRATO DE PRESTAÇÃO DE SERVIÇOS", [
        f"CONTRATANTE: {of.person}, CPF {cpf_dots(of.cpf)}.", f"CONTRATADA: {of.company}, CNPJ {cnpj_dots(of.cnpj)}.",
        (f"Cláusula 3ª. O pagamento de R$ {brl(of.cents)} será efetuado até {day(of.due)} por meio de boleto bancário,"
        " valendo o comprovante de pagamento como recibo."), f"{rng.choice(CITIES)}, {day(of.issued)}",
    ]))  # fmt: skip


def _quotation(rng: Random) -> Made:
    of = invent(rng)
    return _none("quotation", _page(rng, f"ORÇAMENTO Nº {rng.randint(100, 9999)}", [
        f"{of.company} - CNPJ {cnpj_dots(of.cnpj)}", f"Cliente: {of.person}", f"Vistoria cautelar|R$ {brl(of.cents)}", f"Total|R$ {brl(of.cents)}",
        f"Validade da proposta|{day(of.due)}", "Condições de pagamento|à vista no Pix ou boleto bancário",
    ]))  # fmt: skip


def families() -> dict[str, Layout]:
    """Every look-alike; an unpaid boleto that is offered as a receipt is a boleto, and counts as one."""
    return {
        "invoice": _invoice, "card_bill": _card_bill, "manual": _manual, "pix_key": _pix_key, "checkout": _checkout,
        "vehicle_paper": _vehicle, "identity_card": _identity, "tax_card": _tax_card, "residence": _residence,
        "statement": _statement, "booking": _booking, "contract": _contract, "quotation": _quotation,
    }  # fmt: skip
