"""Boletos of banks and collection slips such as the DUA: ``PageText -> KindReading`` (DOMAIN C.2 to C.4).

What is to be paid, not that it was. The bar code and the digitable line say bank, amount and due date; what is
printed must say the same, or the fact is not certain: one changed digit of the line's last field goes unnoticed in
6 % of cases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.barcode_fields import (
    BarcodeFields,
    BoletoForm,
    barcode_fields,
    digitable_line,
    due_date,
    due_dates,
)
from mailbot.evidence.documents.boleto_numbers import barcodes_in, printed_barcodes, scanned_barcodes
from mailbot.evidence.documents.kind_reading import FactReading, KindReading, only_one
from mailbot.evidence.documents.page_text import PageText
from mailbot.evidence.documents.parties import Party, party_near
from mailbot.evidence.documents.printed import days_in, money, money_in, tax_ids_in
from mailbot.evidence.documents.scoring import Clue, weighed

KIND = DocumentKind.BOLETO
NAME = r"boletos?|bol|dua|dare|guia|fatura|titulo|2a? via"

_CLUES = (
    Clue(reason="payers_slip", weight=0.35, pattern=r"recibo do (?:pagador|sacado)"),
    Clue(reason="collection_form", weight=0.35, pattern=r"ficha de (?:compensacao|caixa)"),
    Clue(
        reason="tax_slip",
        weight=0.4,
        pattern=r"documento unico de arrecadacao|documento de arrecadacao|guia de (?:recolhimento|arrecadacao"
        r"|pagamento)"
        r"|dua|dare|gru|via (?:do )?(?:contribuinte|banco)",
    ),
    Clue(reason="mechanical_authentication", weight=0.15, pattern=r"autenticacao mecanica"),
    Clue(reason="our_number", weight=0.15, pattern=r"nosso numero"),
    Clue(
        reason="payable_at",
        weight=0.15,
        pattern=r"local de pagamento|pagavel (?:em|preferencialmente|ate)|pagar (?:em qualquer"
        r"|preferencialmente|ate)",
    ),
    Clue(reason="kind_of_paper", weight=0.1, pattern=r"especie (?:doc|documento|moeda)?|aceite"),
    Clue(reason="parties", weight=0.1, pattern=r"beneficiario|cedente|sacado|pagador|contribuinte"),
    Clue(reason="due_date", weight=0.1, pattern=r"vencimento|pag(?:ar|ue) ate|vence (?:em|dia)|validade"),
    Clue(
        reason="document_amount",
        weight=0.1,
        pattern=r"valor (?:do )?documento|valor cobrado|(?:valor|total|valor total) a (?:pagar|recolher)",
    ),
    Clue(reason="named_boleto", weight=0.1, pattern=r"boleto"),
    # A receipt repeats the boleto that it paid.
    Clue(
        reason="says_paid",
        weight=-0.9,
        pattern=r"(?:comprovante|recibo) (?:d[eoa]s? )?(?:\w+ ){0,2}(?:pagamentos?|pix|transferencias?|agendamento"
        r"|titulos?|operacao|transacao|transacoes|arrecadacao|boletos?|convenios?)"
        r"|agendamento d[eo] (?:\w+ ){0,2}(?:boletos?|pagamentos?|titulos?|tributos?)"
        r"|(?:pagamento|boleto|titulo|conta|tributo|debito) (?:\w+ ){0,2}(?:efetuad|realizad|confirmad|agendad|pag"
        r"|concluid|recusad|cancelad|programad|rejeitad|estornad|autorizad|expirad|devolvid|liquidad|processad"
        r"|negad|compensad|quitad)[oa]"
        r"|valor pago(?! \d* ?(?:x|=))|data d[eo] (?:efetivacao|pagamento)|pix enviado|voce pagou|agendado para"
        r"|nr autenticacao|autenticacao (?:sisbb|bancaria|eletronica|digital)|(?:data|valor) do debito"
        r"|conta (?:de debito|debitada)|debitad[oa] em conta",
    ),
    # What a bank shows of a payment that is being made, waits, or was ordered.
    Clue(
        reason="is_a_payment_order",
        weight=-0.6,
        pattern=r"quem (?:pagou|recebeu|vai receber|enviou|transferiu)|conta (?:de )?origem|id (?:da )?transacao"
        r"|forma de pagamento (?:conta|saldo|debito|cartao|ag)|numero do agendamento|agendamento (?:\w+ )?"
        r"(?:realizad|efetuad|confirmad|registrad|concluid|incluid)[oa]|data (?:d[eo] )?agenda(?:da|mento)"
        r"|(?:pagamento|boleto|titulo|conta|tributo|debito)(?: \w+){0,3} (?:em (?:processamento|analise)"
        r"|pendente)|(?:situacao|status) (?:nao )?(?:efetiv|efetu|agend|pendente|estorn|cancel|pag|process"
        r"|aguard)\w*"
        r"|(?:confira|revise|confirm[ae]r?) (?:o |os |seu )?(?:dados|pagamento|boleto)|digite (?:sua )?senha"
        r"|pagar (?:agora|em hoje|em amanha)|pagador final correntista|estorno|nsu|guarde este comprovante"
        r"|pagamento (?:de |do )?convenios?|forma(?: de pagamento)? dinheiro",
    ),
    # Papers that only talk about boletos, or bill something and carry one.
    Clue(
        reason="is_a_manual",
        weight=-0.9,
        pattern=r"este manual|manual (?:de|do|tecnico|operacional)|layout|posicoes|tamanho do campo|modulo 1[01]"
        r"|digito verificador|fator de vencimento|especificac(?:ao|oes) tecnicas?|cnab|perguntas frequentes"
        r"|passo a passo|codigo de barras (?:deve|possui|contem|tem)",
    ),
    Clue(
        reason="is_a_card_bill",
        weight=-0.9,
        pattern=r"fatura (?:d[oe] )?(?:seu )?cartao|pagamento minimo|limite (?:total|disponivel|de credito)"
        r"|melhor dia (?:de|para) compra|compras parceladas|credito rotativo|parcelamento (?:da|de) fatura"
        r"|total (?:d[ae] )?(?:sua |esta )?fatura|final do cartao|cartao final|encargos rotativo",
    ),
    Clue(
        reason="is_an_invoice",
        weight=-0.9,
        pattern=r"danfe|chave de acesso|natureza da operacao|documento auxiliar|fatura comercial|invoice",
    ),
)
_SLIP_SIGNS = frozenset(
    {
        "payers_slip", "collection_form", "tax_slip", "mechanical_authentication", "our_number", "payable_at",
        "kind_of_paper",
    }
)  # fmt: skip
_OTHER_PAPERS = frozenset({"is_a_manual", "is_a_card_bill", "is_an_invoice"})
_DOUBTED = 0.55
_CODE_WEIGHT = 0.5
# A receipt repeats the line, hardly ever the bars.
_BARS_WEIGHT = 0.15
_MOST_CODES = 2

_AMOUNT = (
    r"(?:\( ?=? ?\) ?|= ?)?valor (?:do |total do )?documento(?: r\$)?|(?:\( ?=? ?\) ?|= ?)?valor cobrado"
    r"|valor (?:total )?a (?:pagar|recolher)|valor (?:total|nominal|do titulo|do boleto|principal)"
    r"|total a (?:pagar|recolher)"
    r"|valor r\$|valor|total"
)
_DOCUMENT_AMOUNT = (
    r"(?:\( ?=? ?\) ?|= ?)?valor (?:do |total do )?documento|valor (?:total )?a (?:pagar"
    r"|recolher)|valor total|valor"
)
_DUE = (
    r"(?:data (?:d[eo] )?)?vencimento|vcto|venc|pag(?:ar|avel|ue) ate|data limite(?: (?:de|para) pagamento)?"
    r"|valid[oa] ate|vence (?:em|dia)|(?:data (?:de )?)?validade(?: (?:para|d[oe]) (?:o )?(?:pagamento"
    r"|documento|boleto|guia))?"
)
_ISSUED = r"data (?:d[eo] )?(?:documento|emissao|processamento)|emissao|emitido em|data doc"
_PAYER = (
    r"(?:nome do )?pagador(?: ?/ ?cpf ?/ ?cnpj ?/ ?endereco(?: ?/ ?cidade ?/ ?uf ?/ ?cep)?)?|(?:nome do )?sacado"
    r"|contribuinte|nome do contribuinte|(?:nome d[eo] )?(?:cliente|consumidor)"
    r"|nome ?/ ?razao social|nome ou razao social|devedor|proprietario"
)
_BENEFICIARY = (
    r"(?:nome do )?beneficiario(?: ?/ ?cpf ?/ ?cnpj ?/ ?endereco(?: ?/ ?cidade ?/ ?uf ?/ ?cep)?)?"
    r"|(?:nome do )?cedente"
    r"|orgao (?:arrecadador|favorecido|emissor)|favorecido|empresa"
)
_DOTTED_CPF = re.compile(r"(?<![\d.*])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\d-])")
_OTHER_PARTIES = r"sacador|avalista|sacador ?/ ?avalista|beneficiario final"
_STOP = (
    r"instrucoes|nosso numero|local de pagamento|data do|especie|autenticacao|agencia ?/ ?codigo|vencimento"
    r"|uso do banco|carteira|numero do documento|n do documento|codigo de baixa|ficha de"
)


def read(page: PageText, *, today: date) -> KindReading:
    """How much speaks for a boleto, and what it says; ``today`` tells the cycle of the due date's factor."""
    score, reasons = weighed(page.words, _CLUES)
    barcodes = barcodes_in(page)
    if barcodes:
        score, reasons = score + _CODE_WEIGHT, ("digitable_line", *reasons)
        if scanned_barcodes(page):
            score, reasons = score + _BARS_WEIGHT, (*reasons, "bars")
        if len(barcodes) > _MOST_CODES:
            score, reasons = score - _CODE_WEIGHT, (*reasons, "several_boletos")
    elif not {"payers_slip", "collection_form", "tax_slip"} & set(reasons):
        score = min(score, 0.4)
    if not _SLIP_SIGNS & set(reasons) and not scanned_barcodes(page):
        # Whoever pays one sees its line, amount and payee too: a screen of a bank, and no paper to pay by.
        score = min(score, _DOUBTED)
    if _OTHER_PAPERS & set(reasons):
        # However much of a boleto stands in it: a person looks.
        score = min(score, _DOUBTED)
    score = round(max(0.0, min(1.0, score)), 3)
    coded = tuple(_coded(page, barcodes[0], today)) if len(barcodes) == 1 else ()
    facts = tuple(_facts(page, barcodes, coded)) if score >= 0.2 else ()
    return KindReading(kind=KIND, score=score, facts=facts, reasons=reasons + _contradictions(page, coded))


def _facts(page: PageText, barcodes: Sequence[str], coded: Sequence[FactReading]) -> Iterator[FactReading]:
    if coded:
        yield from coded
    else:
        yield from _printed_only(page)
    issued = page.near(_ISSUED, days_in, below=2)
    if issued:
        yield FactReading(
            name="issued_on", value=issued[0].isoformat(), certain=not page.is_ocr and len(set(issued)) == 1
        )
    yield from _parties(page, is_collected=_is_collected(barcodes))


def _is_collected(barcodes: Sequence[str]) -> bool:
    """Whether a public body or a utility is paid, so that no natural person is."""
    return len(barcodes) == 1 and barcode_fields(barcodes[0]).form is BoletoForm.COLLECTION


def _coded(page: PageText, barcode: str, today: date) -> Iterator[FactReading]:
    fields = barcode_fields(barcode)
    # A scanned code has its check digit and the scanner's own; a line that OCR read may hide one wrong digit.
    is_sure = not page.is_ocr or barcode in scanned_barcodes(page)
    confirmed = is_sure or _is_confirmed(page, fields)
    yield FactReading(name="digitable_line", value=digitable_line(barcode), certain=confirmed)
    yield FactReading(name="barcode", value=barcode, certain=confirmed)
    yield FactReading(name="form", value=fields.form, certain=True)
    if fields.bank is not None:
        yield FactReading(name="bank", value=fields.bank, certain=True)
    yield from _amount(page, fields, sure=is_sure)
    yield from _due(page, fields, today, sure=is_sure)


def _is_confirmed(page: PageText, fields: BarcodeFields) -> bool:
    """Whether the line's amount or due date is printed too; the rest has a check digit for each of its parts."""
    if fields.form is BoletoForm.COLLECTION:
        return True
    amounts = {amount for line in page.lines for amount in money_in(line.raw)}
    days = {day for line in page.lines for day in days_in(line.raw)}
    return (fields.amount is None or fields.amount in amounts) and (
        not fields.due_factor or bool(days & set(due_dates(fields.due_factor)))
    )


def _amount(page: PageText, fields: BarcodeFields, *, sure: bool) -> Iterator[FactReading]:
    printed = page.near(_AMOUNT, money_in, below=2)
    document = page.near(_DOCUMENT_AMOUNT, money_in, below=2) or printed
    if fields.amount is None:
        if printed:
            certain = len(set(printed)) == 1 and page.is_confirmed(printed[0], money_in)
            yield FactReading(name="amount", value=money(printed[0]), certain=certain)
        return
    agrees = fields.amount in printed or fields.amount in _amounts(page)
    contradicted = bool(document) and fields.amount not in document and not agrees
    certain = agrees or (sure and not contradicted)
    yield FactReading(name="amount", value=money(fields.amount), certain=certain)
    if contradicted:
        yield FactReading(name="printed_amount", value=money(document[0]), certain=False)


def _amounts(page: PageText) -> set[Decimal]:
    return {amount for line in page.lines for amount in money_in(line.raw)}


def _due(page: PageText, fields: BarcodeFields, today: date, *, sure: bool) -> Iterator[FactReading]:
    printed = page.near(_DUE, days_in, below=2)
    coded = due_date(fields.due_factor, today)
    older = [day for day in due_dates(fields.due_factor) if day in printed]
    if older:
        # The printed day is the coded one, of whichever cycle.
        yield FactReading(name="due_date", value=older[0].isoformat(), certain=True)
    elif coded is not None and not printed:
        yield FactReading(name="due_date", value=coded.isoformat(), certain=sure)
    elif printed:
        is_one = fields.due_factor == 0 and len(set(printed)) == 1
        certain = is_one and page.is_confirmed(printed[0], days_in)
        yield FactReading(name="due_date", value=printed[0].isoformat(), certain=certain)
        if coded is not None:
            yield FactReading(name="coded_due_date", value=coded.isoformat(), certain=False)


def _printed_only(page: PageText) -> Iterator[FactReading]:
    for name, values in (
        ("amount", [money(amount) for amount in page.near(_DOCUMENT_AMOUNT, money_in, below=2)]),
        ("due_date", [day.isoformat() for day in page.near(_DUE, days_in, below=2)]),
    ):
        if values:
            yield FactReading(name=name, value=values[0], certain=False)


def _parties(page: PageText, *, is_collected: bool) -> Iterator[FactReading]:
    payer = party_near(page, _PAYER, f"{_BENEFICIARY}|{_OTHER_PARTIES}|{_STOP}")
    beneficiary = party_near(page, _BENEFICIARY, f"{_PAYER}|{_OTHER_PARTIES}|{_STOP}")
    if payer.tax_id and payer.tax_id == beneficiary.tax_id:
        # One number cannot be both: somebody's column was misread.
        payer, beneficiary = _untold(payer.name), _untold(beneficiary.name)
    if is_collected and not payer.tax_id:
        # Bills often print whose they are without a label.
        payer = Party(name=payer.name, tax_id=only_one(_cpfs(page)) or "")
    for prefix, party in (("payer", payer), ("beneficiary", beneficiary)):
        if party.name:
            certain = not page.is_ocr or page.times(party.name) > 1
            yield FactReading(name=f"{prefix}_name", value=party.name, certain=certain)
        if party.tax_id:
            yield FactReading(name=f"{prefix}_tax_id", value=party.tax_id, certain=True)


def _cpfs(page: PageText) -> list[str]:
    """Every CPF that is printed as one, with dots."""
    return [one for line in page.lines for printed in _DOTTED_CPF.findall(line.raw) for one in tax_ids_in(printed)]


def _untold(name: str) -> Party:
    return Party(name=name)


def _contradictions(page: PageText, coded: Sequence[FactReading]) -> tuple[str, ...]:
    """What an agent should hear: a code and a line, or a code and the print, that do not say the same."""
    found = []
    scanned, printed = scanned_barcodes(page), printed_barcodes(page)
    if scanned and printed and not set(scanned) & set(printed):
        found.append("code_and_line_differ")
    names = {fact.name for fact in coded}
    found += [f"{name}_differs" for name in ("printed_amount", "coded_due_date") if name in names]
    return tuple(found)
