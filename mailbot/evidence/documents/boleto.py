"""Boletos of banks and collection slips such as the DUA: what is to be paid, not that it was (DOMAIN C.2–C.4)."""

from __future__ import annotations

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.check_digits import lines_in
from mailbot.evidence.documents.scoring import Clue, KindScore, folded_text, name_says, weigh

NAME = r"boletos?|bol|dua|dare|guia|fatura|titulo|2a? via"

_CLUES = (
    Clue(reason="payers_slip", weight=0.4, pattern=r"recibo do (?:pagador|sacado)"),
    Clue(reason="collection_form", weight=0.4, pattern=r"ficha de compensacao"),
    Clue(reason="tax_slip", weight=0.5, pattern=r"documento unico de arrecadacao|documento de arrecadacao"),
    Clue(reason="mechanical_authentication", weight=0.2, pattern=r"autenticacao mecanica"),
    Clue(reason="our_number", weight=0.15, pattern=r"nosso numero"),
    Clue(reason="payable_at", weight=0.15, pattern=r"local de pagamento|pagavel (?:em|preferencialmente)"),
    Clue(reason="kind_of_paper", weight=0.1, pattern=r"especie (?:doc|documento)|aceite"),
    Clue(reason="parties", weight=0.1, pattern=r"beneficiario|cedente|sacado|pagador"),
    Clue(reason="due_date", weight=0.05, pattern=r"vencimento"),
    Clue(reason="named_boleto", weight=0.1, pattern=r"boleto"),
    # A receipt repeats the boleto that it paid.
    Clue(
        reason="says_paid",
        weight=-0.6,
        pattern=r"comprovante (?:de )?(?:pagamento|pix|transferencia|agendamento|titulo|operacao|transacao)"
        r"|pagamento (?:efetuado|realizado|confirmado)|valor pago|data de efetivacao|pix enviado",
    ),
)
_LINE_WEIGHT = 0.45


def score(text: str, filename: str) -> KindScore:
    """How much speaks for a boleto in the text layer ``text`` and the name ``filename``."""
    weighed = weigh(DocumentKind.BOLETO, folded_text(text), _CLUES, name_tells=name_says(NAME, filename))
    if not lines_in(text):
        return weighed
    paid = _LINE_WEIGHT / 3 if "says_paid" in weighed.reasons else _LINE_WEIGHT
    return KindScore(
        kind=weighed.kind,
        score=round(min(1.0, weighed.score + paid), 3),
        reasons=("digitable_line", *weighed.reasons),
    )
