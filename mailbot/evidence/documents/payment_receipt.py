"""Payment receipts of banks and Pix, scheduled ones too: whether it was paid is not told here (DOMAIN C.4)."""

from __future__ import annotations

import re

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.documents.scoring import Clue, KindScore, folded_text, name_says, weigh

NAME = r"comprovantes?|compr|recibos?|pagamento|pagto|pgto|pago|paga|pix|receipt|transferencia"

_CLUES = (
    Clue(
        reason="title",
        weight=0.55,
        pattern=r"comprovante (?:de |do )?"
        r"(?:pagamento|pix|transferencia|agendamento|titulo|operacao|transacao|deposito)",
    ),
    Clue(
        reason="done",
        weight=0.35,
        pattern=r"pagamento (?:efetuado|realizado|confirmado|agendado|de titulos?)"
        r"|pix (?:enviado|agendado|realizado)|voce pagou"
        r"|transferencia (?:realizada|enviada|agendada)|transacao (?:efetuada|realizada|concluida)",
    ),
    Clue(
        reason="paid_amount",
        weight=0.2,
        pattern=r"valor (?:pago|cobrado|do pagamento|debitado|da transferencia)|total pago",
    ),
    Clue(
        reason="paid_on",
        weight=0.2,
        pattern=r"data (?:do|de) (?:pagamento|debito|efetivacao|transferencia|agendamento)"
        r"|pago em|paga em|pago para",
    ),
    Clue(
        reason="authentication",
        weight=0.2,
        pattern=r"autenticacao (?:bancaria|sisbb|eletronica|digital)|nr ?autenticacao|codigo de autenticacao|sisbb"
        r"|id (?:da )?transacao|identificador da transacao"
        r"|numero (?:da operacao|de operacao|do agendamento|de controle)",
    ),
    Clue(reason="debited_account", weight=0.1, pattern=r"conta (?:debitada|de debito|origem)|agencia e? ?conta"),
    # Every boleto says these; a receipt of it does not.
    Clue(reason="payers_slip", weight=-0.6, pattern=r"recibo do (?:pagador|sacado)|ficha de compensacao"),
    Clue(reason="mechanical_authentication", weight=-0.3, pattern=r"autenticacao mecanica"),
)
# E, ISPB, time in UTC, eleven characters: the Pix end-to-end id.
_PIX_ID = re.compile(
    r"(?<![A-Za-z0-9])E[0-9]{8}20[0-9]{2}[01][0-9][0-3][0-9][0-2][0-9][0-5][0-9][A-Za-z0-9]{11}(?![A-Za-z0-9])"
)
_PIX_WEIGHT = 0.3


def score(text: str, filename: str) -> KindScore:
    """How much speaks for a payment receipt in the text layer ``text`` and the name ``filename``."""
    weighed = weigh(DocumentKind.PAYMENT_RECEIPT, folded_text(text), _CLUES, name_tells=name_says(NAME, filename))
    if not _PIX_ID.search(text):
        return weighed
    return KindScore(
        kind=weighed.kind,
        score=round(min(1.0, weighed.score + _PIX_WEIGHT), 3),
        reasons=("pix_id", *weighed.reasons),
    )
