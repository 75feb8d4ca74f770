"""Payment receipts of banks, Pix, wallets, lottery shops and taxes: ``PageText -> KindReading`` (DOMAIN C.4).

No bank's layout is known by heart: banks change them, and a receipt of a bank that nobody thought of is one too.
What all have in common is read: a title or status, one amount, a moment, parties, numbers. Whether it was paid
is told by ``payment_status``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from mailbot.domain.evidence import DocumentKind, PaymentStatus
from mailbot.evidence.barcode_fields import BoletoForm, barcode_fields, digitable_line
from mailbot.evidence.check_digits import barcode_of_line
from mailbot.evidence.documents.boleto_numbers import barcodes_in, scanned_barcodes
from mailbot.evidence.documents.kind_reading import FactReading, KindReading
from mailbot.evidence.documents.page_text import PageText
from mailbot.evidence.documents.parties import Party, party_at
from mailbot.evidence.documents.payment_status import payment_status
from mailbot.evidence.documents.printed import Moment, days_in, moments_in, money, money_in
from mailbot.evidence.documents.scoring import Clue, weighed

KIND = DocumentKind.PAYMENT_RECEIPT
NAME = r"comprovantes?|compr|recibos?|pagamento|pagto|pgto|pago|paga|pix|receipt|transferencia"

_PAYMENT = (
    r"(?:pagamentos?|pix|transferencias?|titulos?|operacao|transacao|transacoes|deposito|ted|doc|tev|arrecadacao|"
    r"boletos?|debito|quitacao|cobranca|convenios?|recolhimento|darf|gps|dare|dua|tributos?|impostos?)"
)
_CLUES = (
    Clue(
        reason="title",
        weight=0.5,
        # *Leve o comprovante de pagamento* is a sentence, and no title.
        pattern=r"(?<! o )(?<! e )(?<! do )(?<! ao )(?<! um )(?<! com )(?<! este )(?<! esse )"
        rf"(?:comprovante|recibo) (?:d[eoa]s? )?(?:\w+ (?:d[eoa]s? )?){{0,2}}{_PAYMENT}"
        rf"|(?<!apos o )(?<!do )(?<!para ){_PAYMENT}(?: (?:d[eo] )?(?:boleto|titulo|conta|tributo|convenio|pix))?"
        r" (?:comprovante|2a? via|segunda via)(?! (?:de|do|da|sera|deve|em))",
    ),
    Clue(
        reason="scheduled_title",
        weight=0.5,
        pattern=rf"comprovante (?:d[eo] )?agendamento|agendamento (?:d[eoa] )?{_PAYMENT}"
        rf"|{_PAYMENT} (?:\w+ ){{0,2}}(?:agendad|programad)[oa]"
        r"|agendamento (?:foi )?(?:realizad|efetuad|confirmad|registrad|concluid|incluid)[oa]"
        r"(?=.*(?:favorecido|beneficiario|codigo de barras|linha digitavel|conta (?:de )?(?:origem|debit)))",
    ),
    Clue(
        reason="done",
        weight=0.4,
        pattern=r"(?:pagamento|pix|transferencia|transacao|operacao|boleto|titulo|conta|envio|ted|tev)"
        r"(?: \w+){0,2} (?:efetuad|realizad|confirmad|concluid|enviad|aprovad|pag|agendad|programad|efetivad|"
        r"recebid|recusad|cancelad|estornad|devolvid|reembolsad|negad|rejeitad)[oa]"
        r"|voce (?:pagou|transferiu|enviou|recebeu)"
        r"|pag[oa] com sucesso|nao (?:foi )?(?:efetuad|realizad|concluid|efetivad|autorizad|aprovad|processad"
        r"|liquidad|enviad|compensad)[oa]"
        r"|(?:pagamento|pix|transferencia|transacao|transacao bancaria|operacao)(?: \w+){0,3}"
        r" (?:em (?:processamento|analise)|pendente)"
        r"|(?:situacao|status) (?:d[eo] (?:pagamento|transacao) )?(?:nao )?(?:liquidad|efetivad|efetuad|pag"
        r"|concluid|aprovad|agendad|recusad|cancelad|estornad|devolvid|rejeitad|pendente|em processamento)",
    ),
    Clue(
        reason="paid_amount",
        weight=0.2,
        pattern=r"(?:valor|total) (?:total )?(?:pago|cobrado|debitado|d[aeo] (?:pagamento|transferencia|transacao"
        r"|operacao|pix))"
        r"|total pago|valor final|vlr (?:do )?pagamento|valor creditado",
    ),
    Clue(
        reason="paid_on",
        weight=0.2,
        pattern=r"data (?:e hora )?(?:d[aeo] )?(?:pagamento|debito|efetivacao|transferencia|agendamento|transacao|"
        r"operacao)|pag[oa] em|pago para|realizad[oa] em|data e hora|quando",
    ),
    Clue(
        reason="authentication",
        weight=0.2,
        pattern=r"autenticacao (?:bancaria|sisbb|eletronica|digital)|nr autenticacao|codigo de autenticacao|sisbb"
        r"|id (?:da )?(?:transacao|operacao)|id/transacao|identificador da transacao|numero (?:da"
        r"|de) (?:operacao|transacao)"
        r"|numero do agendamento|numero de controle|codigo da (?:operacao|transacao)|id do pagamento|nsu|protocolo"
        r"|comprovante n|controle",
    ),
    Clue(
        reason="parties",
        weight=0.15,
        pattern=r"conta (?:debitada|de debito|origem|de origem)|agencia e? ?conta|pago para|favorecido|recebedor"
        r"|destinatario|quem (?:recebeu|pagou|enviou|vai receber)|destino|origem",
    ),
    # Papers that are no proof of a payment, though some are called *comprovante*.
    Clue(reason="payers_slip", weight=-0.7, pattern=r"recibo do (?:pagador|sacado)|ficha de compensacao"),
    Clue(reason="mechanical_authentication", weight=-0.4, pattern=r"autenticacao mecanica(?! \d)"),
    Clue(
        reason="other_proof",
        weight=-0.9,
        pattern=r"comprovante (?:de |do )?(?:inscricao|residencia|endereco|situacao cadastral|renda|rendimentos|"
        r"matricula|votacao|vacinacao|entrega|cadastro|vinculo)|agendamento d[ea] (?:vistoria|consulta"
        r"|atendimento|visita|exame|prova)|(?:vistoria|consulta|atendimento|visita|exame|prova) agendad[oa]",
    ),
    Clue(
        reason="own_pix_key",
        weight=-0.7,
        pattern=r"(?:minhas|suas|cadastrar|gerenciar) chaves|chaves? (?:pix )?(?:cadastradas?"
        r"|aleatoria cadastrada)"
        r"|copia e cola|receber com pix|compartilhar chave|area pix|pagar com qr|meu qr code"
        r"|portabilidade de chave",
    ),
    Clue(
        reason="statement_or_bill",
        weight=-0.7,
        pattern=r"extrato (?:de |da )?conta|saldo (?:anterior|do dia|final)|pagamento minimo|limite (?:total"
        r"|disponivel)"
        r"|danfe|nota fiscal|melhor dia de compra|fatura (?:atual|fechada|do cartao)|prestacao de contas",
    ),
    Clue(
        reason="contract_or_offer",
        weight=-0.7,
        pattern=r"contratante|contratad[oa]|clausula|orcamento n?|proposta (?:comercial|n)|validade da proposta",
    ),
)
_PIX_ID = re.compile(
    r"(?<![A-Za-z0-9])([ED])(\d{8})(20\d{2})([01]\d)([0-3]\d)([0-2]\d)([0-5]\d)([A-Za-z0-9]{11})(?![A-Za-z0-9])"
)
_BROKEN_PIX_ID = re.compile(
    r"(?<![A-Za-z0-9])[ED]\d{8}20\d{2}[01]\d[0-3]\d[0-2]\d[0-5]\d[A-Za-z0-9]*(?:\s+[A-Za-z0-9]+)?"
)

_AMOUNT_LABELS = (
    (
        r"(?:valor|total) (?:total )?(?:pago|cobrado|debitado|creditado)(?: \(?r\$\)?)?"
        r"|(?:valor|vlr|vl) (?:total )?(?:d[aeo] )?(?:pagamento|debito|transferencia|transacao|operacao|pix|envio)"
    ),
    r"valor total|valor final|valor (?:principal|enviado|transferido|agendado)|total",
    (
        r"valor(?: \(?r\$\)?)?|voce (?:pagou|transferiu|enviou)(?: um pix de)?|quantia|valor (?:original"
        r"|do documento|nominal)"
    ),
)
_DATE_LABELS = (
    (
        r"data (?:e hora |/hora |hora )?(?:d[aeo] )?(?:pagamento|efetivacao(?: / agendamento)?|debito"
        r"|transferencia"
        r"|transacao|pix)"
        r"|pag[oa] em|data de efetivacao / agendamento|pagamento (?:realizado|efetuado) em|realizad[oa] em"
        r"|efetuad[oa] em"
        r"|data (?:do )?pgto|dt pagamento|pagamento em|enviado em|transferido em"
    ),
    (
        r"data (?:e|da|/) ?hora(?: da (?:operacao|transacao))?|data/hora(?: da operacao)?|data (?:da )?operacao"
        r"|quando"
        r"|data do (?:movimento|registro|lancamento)|data hora"
        # A date of something else is none of the payment.
        r"|data(?! (?:d[aeo]s? |prevista|agendada|programada|limite|base|doc|venc|emis|valid))"
    ),
)
_SCHEDULE_LABELS = (
    r"agendad[oa] para|data (?:d[eo] )?(?:agendamento|agendada|programada)|pagamento em|data prevista|para o dia"
)
_NOT_THE_PAYMENT = r"(?:data (?:d[eo] )?)?vencimento|emissao|nascimento|data do documento|validade"

_PAYEES = (
    (
        r"(?:dados d[eo] )?(?:quem recebeu|quem vai receber|recebedor|favorecido|destinatario"
        r"|beneficiario(?: final| original)?(?: / cedente)?|cedente|destino|pago para|pagamento para"
        r"|transferido para|enviado para)"
        r"|(?:nome ?/ ?razao social|nome fantasia|razao social|nome) (?:d[oa] )?(?:recebedor|favorecido"
        r"|beneficiario|destinatario"
        r"|empresa|cedente)|nome destinatario|recebido por"
    ),
    r"para|convenio|orgao (?:arrecadador|recebedor)?|empresa|estabelecimento",
)
_PAYERS = (
    (
        r"(?:dados d[eo] )?(?:quem pagou|quem enviou|quem fez a transacao|quem transferiu"
        r"|pagador(?: final| efetivo)?(?: / efetivo)?|remetente|sacado|origem|debitado de|pago por|enviado por)"
        r"|(?:nome ?/ ?razao social|razao social|nome) (?:d[oa] )?(?:pagador|remetente|sacado)"
    ),
    r"de|(?:nome (?:d[oa] )?)?(?:cliente|correntista|titular)",
)
_PAYEE, _PAYER = "|".join(_PAYEES), "|".join(_PAYERS)
_AUTHENTICATION = (
    r"(?:(?:nr|n|no|numero|codigo|cod)[.º° ]*)?(?:d[ae] )?autenticacao(?: (?:bancaria|sisbb|eletronica|digital"
    r"|mecanica"
    r"|do banco))?"
    r"|chave de (?:seguranca|autenticacao)|codigo de (?:seguranca|controle)"
)
_AUTHENTICATION_VALUE = re.compile(
    r"(?=[\w.\-/:]*\d)[A-Z0-9][A-Z0-9.\-/:]{5,79}(?: [A-Z0-9.]{3,}){0,9}", re.IGNORECASE
)

# What a receipt of a payment that was made says besides its title.
_COMPLETED = (
    r"autenticacao|aut|nsu|id (?:da )?transacao|id/transacao|(?:numero|codigo|n|no) d[ae] (?:operacao|transacao)"
    r"|protocolo"
    r"|chave de seguranca|identificador da transacao|com sucesso|voce (?:pagou|transferiu|enviou)"
    r"|(?:pagamento|pix|transferencia|operacao|transacao|boleto)(?: \w+){0,2} "
    r"(?:efetuad|realizad|concluid|confirmad|efetivad|enviad|aprovad)[oa]|(?:efetuad|realizad|pag)[oa] em"
    r"|(?:situacao|status) (?:efetivad|efetuad|concluid|pag|aprovad|liquidad)[oa]"
)
_OTHER_PAPERS = frozenset({"other_proof", "contract_or_offer"})
_DOUBTED = 0.5
_PIX_WEIGHT = 0.3
_AMOUNT_AND_DAY_WEIGHT = 0.15
_LONGEST_CELL_OF_A_FORM = 60
_CLOSE = timedelta(minutes=30)
_BRASILIA = timedelta(hours=-3)
_SURE_OCR = 0.4
"""So sure must OCR be of a page, on average, that what it does not say is believed to be absent."""


def read(page: PageText, *, today: date) -> KindReading:
    """How much speaks for a payment receipt, and what it says; ``today`` tells the past from the future."""
    score, reasons = weighed(page.words, _CLUES)
    pix_ids = _pix_ids(page)
    if pix_ids:
        score, reasons = score + _PIX_WEIGHT, (*reasons, "pix_id")
    if _has_title(reasons) and _has_amount_and_day(page):
        score, reasons = score + _AMOUNT_AND_DAY_WEIGHT, (*reasons, "amount_and_day")
    if not _has_title(reasons):
        # Amounts and dates stand in everything; only a title or a status makes a receipt.
        score = min(score, 0.5)
    if _OTHER_PAPERS & set(reasons):
        # However much of a receipt stands in it: a person looks.
        score = min(score, _DOUBTED)
    score = round(max(0.0, min(1.0, score)), 3)
    if score < 0.2:
        return KindReading(kind=KIND, score=score, reasons=reasons)
    facts = tuple(_facts(page, pix_ids, today))
    return KindReading(kind=KIND, score=score, facts=facts, reasons=reasons)


def _has_title(reasons: tuple[str, ...]) -> bool:
    return bool({"title", "scheduled_title", "done", "pix_id"} & set(reasons))


def _has_amount_and_day(page: PageText) -> bool:
    """Both as a form has them: in prose, as of a contract, they are anybody's."""
    cells = [cell.raw for line in page.lines for cell in line.cells if len(cell.raw) <= _LONGEST_CELL_OF_A_FORM]
    return any(money_in(cell) for cell in cells) and any(moments_in(cell) for cell in cells)


def _facts(page: PageText, pix_ids: tuple[str, ...], today: date) -> Iterator[FactReading]:
    barcodes = barcodes_in(page)
    barcode = barcodes[0] if len(barcodes) == 1 else None
    amount, amount_certain = _amount(page, barcode)
    moment, moment_certain = _paid_at(page, pix_ids)
    status = _status(page, moment, amount, today, sure_moment=moment_certain)
    yield FactReading(name="status", value=status, certain=True)
    if amount is not None:
        yield FactReading(name="amount", value=money(amount), certain=amount_certain)
    if moment is not None:
        # Nothing was paid on the day for which it is scheduled.
        was_paid = status in (PaymentStatus.PAID, PaymentStatus.UNKNOWN)
        yield FactReading(name="paid_at", value=moment.isoformat(), certain=moment_certain and was_paid)
    yield from _parties(page)
    if barcode is not None:
        yield FactReading(name="boleto_line", value=digitable_line(barcode), certain=_is_sure_line(page, barcode))
    if len(pix_ids) == 1:
        # Its last eleven characters have no check: OCR takes o for 0, and nobody can tell.
        yield FactReading(name="pix_end_to_end_id", value=pix_ids[0], certain=not page.is_ocr)
    authentication = _authentication(page)
    if authentication:
        yield FactReading(name="authentication", value=authentication, certain=not page.is_ocr)


def _status(
    page: PageText, moment: Moment | None, amount: Decimal | None, today: date, *, sure_moment: bool
) -> PaymentStatus:
    said = payment_status(page)
    if said is not PaymentStatus.PAID:
        return said
    ahead = [one.day for one in page.near(_SCHEDULE_LABELS, moments_in, below=2)]
    if moment is not None:
        ahead.append(moment.day)
    # A day later than anybody's clock: what is to come was not paid, unless OCR took one figure for another.
    if any(day > today + timedelta(days=1) for day in ahead):
        return PaymentStatus.UNKNOWN if page.is_ocr and not sure_moment else PaymentStatus.SCHEDULED
    if page.has_unread_mark:
        # Whatever the stamp says: a person reads it.
        return PaymentStatus.UNKNOWN
    if page.is_ocr and (page.confidence < _SURE_OCR or not page.has(_COMPLETED)):
        # A line that says *cancelled* may be one that OCR did not see: a title alone is no proof.
        return PaymentStatus.UNKNOWN
    return PaymentStatus.PAID if amount is not None or moment is not None else PaymentStatus.UNKNOWN


# --- amount -------------------------------------------------------------------------------------------------


def _amount(page: PageText, barcode: str | None) -> tuple[Decimal | None, bool]:
    """The amount that was paid, and whether it is certain.

    The first sort of label with an amount decides. OCR is believed if the boleto's code says the same, or
    if it read the amount twice.
    """
    everywhere = [amount for line in page.lines for amount in money_in(line.raw)]
    coded = barcode_fields(barcode).amount if barcode is not None else None
    for labels in _AMOUNT_LABELS:
        found = page.near(labels, money_in, below=2)
        if not found:
            continue
        amount = found[0]
        if len(set(found)) > 1:
            return amount, False
        return amount, _is_sure_amount(page, amount, coded)
    if everywhere and len(set(everywhere)) == 1:
        return everywhere[0], _is_sure_amount(page, everywhere[0], coded)
    if coded is not None and coded in everywhere:
        return coded, False
    return (everywhere[0], False) if everywhere else (None, False)


def _is_sure_amount(page: PageText, amount: Decimal, coded: Decimal | None) -> bool:
    return amount == coded or page.is_confirmed(amount, money_in)


def _is_sure_line(page: PageText, barcode: str) -> bool:
    """OCR may misread a bank's line and its last check digit still be right: then the amount is printed too.

    Each part of a collection slip's line has a check digit of its own."""
    if not page.is_ocr or barcode in scanned_barcodes(page):
        return True
    fields = barcode_fields(barcode)
    if fields.form is BoletoForm.COLLECTION:
        return True
    return any(fields.amount in money_in(line.raw) for line in page.lines)


# --- moment -------------------------------------------------------------------------------------------------


def _paid_at(page: PageText, pix_ids: tuple[str, ...]) -> tuple[Moment | None, bool]:
    for labels in _DATE_LABELS:
        found = page.near(labels, moments_in, below=2)
        if found:
            return _best(page, found, pix_ids)
    others = page.near(_NOT_THE_PAYMENT, moments_in, below=2)
    left = [
        one for line in page.lines for one in moments_in(line.raw) if one.day not in {two.day for two in others}
    ]
    if not left:
        return None, False
    moment, certain = _best(page, tuple(left), pix_ids)
    days = {one.day for line in page.lines for one in moments_in(line.raw)}
    # Rows that OCR moved apart put the due date where no label tells it from the day of payment.
    return moment, certain and (not page.is_ocr or moment.at is not None or len(days) == 1)


def _best(page: PageText, found: tuple[Moment, ...], pix_ids: tuple[str, ...]) -> tuple[Moment, bool]:
    """The first moment, with a time of day if any on its day has one; certain if all are of one day."""
    day = found[0].day
    everywhere = [one for line in page.lines for one in moments_in(line.raw)]
    same_day = [one for one in (*found, *everywhere) if one.day == day]
    moment = next((one for one in same_day if one.at is not None), found[0])
    if len({one.day for one in found}) > 1:
        return moment, False
    if not page.is_ocr:
        return moment, True
    by_id = len(pix_ids) == 1 and _agrees(pix_ids[0], moment)
    return moment, by_id or page.is_confirmed(day, days_in)


# --- numbers ------------------------------------------------------------------------------------------------


def _pix_ids(page: PageText) -> tuple[str, ...]:
    """End-to-end ids (32 characters, BCB), also where a line's end cuts one in two."""
    found = ["".join(match.groups()) for match in _PIX_ID.finditer(page.raw)]
    if not found:
        for broken in _BROKEN_PIX_ID.finditer(page.raw):
            whole = _PIX_ID.fullmatch("".join(broken.group().split()))
            if whole:
                found.append("".join(whole.groups()))
    return tuple(dict.fromkeys(one for one in found if _utc(one) is not None and one[0] == "E"))


def _utc(pix_id: str) -> datetime | None:
    try:
        return datetime.strptime(pix_id[9:21], "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def _agrees(pix_id: str, moment: Moment | None) -> bool:
    """Whether the time in the id (UTC) is the printed one (Brasília)."""
    utc = _utc(pix_id)
    if utc is None or moment is None:
        return False
    local = (utc + _BRASILIA).replace(tzinfo=None)
    if moment.at is None:
        return local.date() == moment.day
    return abs(local - datetime.combine(moment.day, moment.at)) <= _CLOSE


def _authentication(page: PageText) -> str:
    found = page.near(_AUTHENTICATION, _authentication_values, below=2)
    return found[0] if found else ""


def _authentication_values(text: str) -> list[str]:
    if moments_in(text) or barcode_of_line(text):
        return []
    match = _AUTHENTICATION_VALUE.match(text.strip())
    return [" ".join(match.group().split())] if match else []


# --- parties ------------------------------------------------------------------------------------------------


def _parties(page: PageText) -> Iterator[FactReading]:
    payee = party_at(page, _PAYEES, _PAYER)
    payer = party_at(page, _PAYERS, _PAYEE)
    if payee.name == payer.name and payee.name:
        payee = Party(tax_id=payee.tax_id)
    for name, value in (
        ("payer_name", payer.name),
        ("payee_name", payee.name),
        ("payee_tax_id", payee.tax_id),
    ):
        if value:
            yield FactReading(name=name, value=value, certain=_sure_text(page, name, value))


def _sure_text(page: PageText, name: str, value: str) -> bool:
    """Tax numbers are believed for their check digits; a name that OCR read only if it stands there twice."""
    return not page.is_ocr or (name.endswith("_tax_id") and "*" not in value) or page.times(value) > 1
