"""Whether OCR may have misread that a payment was *not* made: ``words of a sentence -> bool``.

A misread *agendado*, *cancelado*, *recebido* or *não* leaves a title that says *paid*. Where one is likely,
a person looks.
"""

from __future__ import annotations

import re

from rapidfuzz.distance import Levenshtein

from mailbot.evidence.documents.ocr_words import is_misread
from mailbot.evidence.documents.page_text import compiled

_SCHEDULED = ("agendamento", "agendamentos", "agendado", "agendada", "agendados", "programado", "programada")
_ENDED_OTHERWISE = frozenset(
    f"{stem}{ending}"
    for stems, endings in (
        ("cancelad estornad recusad rejeitad devolvid recebid", "o a os as"),
        ("cancelament estorn recebiment", "o os"),
        ("devoluc", "ao"),
    )
    for stem in stems.split()
    for ending in endings.split()
)
# Real words that lie near one of those.
_OTHERS = frozenset(
    {"agencia", "agencias", "agenciado", "agenciamento", "andamento", "andamentos", "arrendado", "arrendamento"}
    | {"atendida", "atendido", "atendidos", "atendimento", "atendimentos", "atentado", "pagamento", "programa"}
    | {"programas", "recebedor"}
)
_SHORTEST = 7

_CARRIED_OUT = (
    r"(?:efetuad|realizad|confirmad|concluid|efetivad|enviad|aprovad|pag|liquidad|autorizad|processad|feit"
    r"|executad)[oa]s?"
)
_BETWEEN = (
    r"de|d[aoe]s?|via|com|por|em|n[oa]|pix|ted|doc|boletos?|titulos?|contas?|foi|ja|instantane[oa]|bancari[oa]"
    r"|cobranca|enviad[oa]|transacao|bem|tributos?|impostos?|guia|seu|sua|debito|acima"
)
_PERHAPS_NOT = compiled(
    rf"(?:pagamento|pix|transferencia|transacao|operacao|boleto|titulo|ted|envio) (?:(?:{_BETWEEN}) )*"
    rf"(?!(?:{_BETWEEN}) )[a-z0-9]{{1,4}} (?:[a-z0-9]{{1,4}} )?{_CARRIED_OUT}"
)
# Without the blanks that OCR may have put into words.
_IN_PIECES = re.compile(
    r"nao(?:foi)?(?:efet|realizad|conclu|autoriz|aprovad|process|pag[oa]|confirmad)|cancelad|estornad|recusad|rejeitad"
    r"|devolvid|agendad|agendament|programad|pendente|aguardando"
)


def may_say_otherwise(words: str) -> bool:
    """Whether a word is nearly one of those by which nothing was paid, or stands where a *não* may have stood."""
    if _PERHAPS_NOT.search(words) is not None or _is_in_pieces(words):
        return True
    return any(_is_nearly_scheduled(word) or _is_nearly_ended(word) for word in set(words.split()))


def _is_in_pieces(words: str) -> bool:
    """*na o efet ivada*. What stands there whole is for others to weigh."""
    whole = len(_IN_PIECES.findall(words.replace("nao ", "nao").replace("naofoi ", "naofoi")))
    return len(_IN_PIECES.findall(words.replace(" ", ""))) > whole


def _is_nearly_scheduled(word: str) -> bool:
    """*aqendado*, *agendarnento*."""
    likely = word.replace("rn", "m").replace("q", "g").replace("0", "o").replace("1", "l")
    if len(likely) < _SHORTEST or word in _OTHERS or likely[0] not in "ap49":
        return False
    return any(Levenshtein.distance(likely, one, score_cutoff=2) <= 2 for one in _SCHEDULED)


def _is_nearly_ended(word: str) -> bool:
    """*canclado*, *reoeblmento*: one letter lost or wrong, or two that look alike."""
    if len(word) < _SHORTEST or word in _ENDED_OTHERWISE or word in _OTHERS:
        return False
    for one in _ENDED_OTHERWISE:
        distance = Levenshtein.distance(word, one, score_cutoff=2)
        if distance <= 1 or (distance == 2 and is_misread(word, one)):
            return True
    return False
