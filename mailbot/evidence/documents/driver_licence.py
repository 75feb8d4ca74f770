"""The driver's licence (CNH). A CNH-e has little text, and the CRLV-e carries the same sentence (DOMAIN C.5)."""

from __future__ import annotations

import re

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.check_digits import lines_in
from mailbot.evidence.documents.scoring import Clue, KindScore, folded_text, name_says, weigh

NAME = (
    r"cnh|cnh e|cnhe|habilitacao|motorista|carteira de (?:motorista|habilitacao)|driver licence|carta de motorista"
)

_CLUES = (
    Clue(reason="title", weight=0.5, pattern=r"carteira nacional de habilitacao|cnh (?:digital|e)"),
    Clue(
        reason="title_in_other_language",
        weight=0.2,
        pattern=r"driver licen[sc]e|driving licen[sc]e|permiso de conduccion",
    ),
    Clue(reason="first_licence", weight=0.15, pattern=r"(?:1a?|primeira) habilitacao|cat hab|categoria"),
    Clue(reason="licence_numbers", weight=0.15, pattern=r"n[or]? (?:de )?registro|renach|numero espelho|acc"),
    Clue(reason="parents", weight=0.1, pattern=r"filiacao|doc identidade org emissor(?: uf)?"),
    Clue(reason="authority", weight=0.1, pattern=r"senatran|denatran|detran|secretaria nacional de transito"),
    # Says that the file came from the government's app: the licence or the vehicle's paper.
    Clue(reason="government_signer", weight=0.35, pattern=r"assinador serpro|assinatura do serpro"),
    Clue(
        reason="vehicle_paper",
        weight=-0.8,
        pattern=r"crlv|crv|certificado de registro e licenciamento|licenciamento (?:anual|de veiculo)"
        r"|codigo renavam|chassi",
    ),
    Clue(
        reason="is_about_money",
        weight=-0.5,
        pattern=r"comprovante (?:de )?(?:pagamento|pix|transferencia)|recibo do pagador|ficha de compensacao"
        r"|documento unico de arrecadacao|linha digitavel",
    ),
)
_MRZ = re.compile(r"I<BRA[A-Z0-9<]{9,}")
_MRZ_WEIGHT = 0.4


def score(text: str, filename: str) -> KindScore:
    """How much speaks for a driver's licence in the text layer ``text`` and the name ``filename``."""
    weighed = weigh(DocumentKind.DRIVER_LICENCE, folded_text(text), _CLUES, name_tells=name_says(NAME, filename))
    if lines_in(text):
        return KindScore(kind=weighed.kind, score=0.0, reasons=("has_digitable_line",))
    if not _MRZ.search(text):
        return weighed
    return KindScore(
        kind=weighed.kind, score=round(min(1.0, weighed.score + _MRZ_WEIGHT), 3), reasons=("mrz", *weighed.reasons)
    )
