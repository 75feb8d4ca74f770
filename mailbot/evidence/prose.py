"""What people say without labels: the reason in their own words, a telephone, a name.

Tuples of patterns recognise Portuguese mail; none of it is ever shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mailbot.catalogue.folding import fold_words, plain_prepositions
from mailbot.catalogue.models import RequestType, UnitTable
from mailbot.catalogue.places import route_in
from mailbot.evidence.values import phones_in

_FEWEST_LETTERS = 15
_LONGEST_PROSE = 20_000

_GREETING = re.compile(
    r"(?:ol[aá]|oi+|bom dia|boa tarde|boa noite|prezad[oa]s?(?:\(as?\))?|car[oa]s?|senhor(?:es|a|as)?|srs?|sra|"
    r"a quem possa interessar|tudo bem|como vai|equipe)\b[^.!?\n]{0,60}",
    re.IGNORECASE,
)
SIGN_OFF = re.compile(
    r"(?:att|atte|atenciosamente|cordialmente|respeitosamente|obrigad[oa]s?|muito obrigad[oa]|grat[oa]|"
    r"agrade[cç]o|desde j[aá]|abra[cç]os?|abs|enviado do meu|obter o outlook|sent from|--)(?:\b|$)",
    re.IGNORECASE,
)
_ENCLOSED = re.compile(
    r"(?:segu(?:e|em)|anex(?:o|os|ei|ado)|em anexo|conforme anexo|est[aã]o? anexad|encaminho|envio|estou enviando|"
    r"estou mandando|mando|documentos? (?:em )?anex)\b",
    re.IGNORECASE,
)
_CAUSE = re.compile(
    r"\b(?:porque|por que|porqu[eê]|pois|devido|por motivo|motivo|j[aá] que|uma vez que|visto que|em raz[aã]o|"
    r"por causa|me mudei|mudei|n[aã]o consigo|n[aã]o posso|n[aã]o poderei|trabalh|viaj|moro|resid|errad|"
    r"engano|erro|para que eu|fica mais|mais perto|pr[oó]xim|estou em|vou estar|reprovad)",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"(?:eu )?(?:solicit|gostaria|quero|queria|preciso|pe[cç]o|venho|desejo|necessito|requeiro|favor|por favor|"
    r"poderia|altera|mudan|troca|transfer)",
    re.IGNORECASE,
)
# A line that mail programs draw, and *Placa: ABC1D23*: somebody's form, but no reason.
_RULE = re.compile(r"[-=_*]{4,}")
_FORM_LINE = re.compile(r"[^:.!?\n]{2,40}:\s?[^\n]{0,60}")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n+")
_NAME = re.compile(
    r"\b(?:meu nome [eé]|me chamo|aqui [eé] [oa]|sou [oa])\s+((?:[^\W\d_]{2,20}\s?){1,6})", re.IGNORECASE
)
_NAME_WORD = re.compile(r"[A-ZÀ-Ý][^\W\d_]+|d[aeo]s?|e")
_OTHER_NUMBERS = re.compile(
    r"cpf|cnpj|renavam|chassi|protocolo|boleto|linha digit|c[oó]digo|placa|rg\b|registro", re.IGNORECASE
)


def reason_in(request_type: RequestType, lines: Sequence[str], units: UnitTable) -> str:
    """The reason in the sender's own words, or an empty string: at least 15 letters that are no greeting,
    no sign-off, no announcement of files, no signature and not merely the request itself (R000-10)."""
    body = _before_sign_off("\n".join(lines)[:_LONGEST_PROSE])
    names = _names(request_type)
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(body)]
    kept = [sentence for sentence in sentences if _gives_reason(sentence, names, units)]
    text = "\n".join(kept)
    return text if sum(ch.isalpha() for ch in text) >= _FEWEST_LETTERS else ""


def _before_sign_off(text: str) -> str:
    kept: list[str] = []
    for line in text.split("\n"):
        if SIGN_OFF.match(line.strip()) and any(kept):
            break
        kept.append(line.strip())
    return "\n".join(kept)


def _names(request_type: RequestType) -> tuple[str, ...]:
    return _folded_names((request_type.subject, *request_type.aliases, *request_type.suggestions))


@lru_cache(maxsize=256)
def _folded_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(plain_prepositions(fold_words(name)) for name in names if name)


def _gives_reason(sentence: str, names: tuple[str, ...], units: UnitTable) -> bool:
    rest = _GREETING.sub("", sentence, count=1).strip(" ,.!;:-") if _GREETING.match(sentence) else sentence
    words = plain_prepositions(fold_words(rest))
    if not words or SIGN_OFF.match(rest) or is_signature(rest):
        return False
    if _CAUSE.search(rest):
        return True
    if _RULE.search(rest) or _FORM_LINE.fullmatch(rest):
        return False
    if _ENCLOSED.match(rest) or words in names:
        return False
    about_it = any(f" {name} " in f" {words} " for name in names) or route_in(words.split(), units) is not None
    return not (about_it and (_REQUEST.match(rest) or route_in(words.split(), units) is not None))


def is_signature(line: str) -> bool:
    """A name, an address or a number alone on its line."""
    words = line.split()
    letters = sum(ch.isalpha() for ch in line)
    if "@" in line or "://" in line or letters * 2 < len(line.replace(" ", "")):
        return True
    all_names = all(_NAME_WORD.fullmatch(word.strip(",.")) for word in words)
    return len(words) <= 7 and all_names and not line.rstrip().endswith((".", "!", "?"))


def phone_in(lines: Sequence[str]) -> str:
    """The first telephone number outside lines that are about other numbers, or an empty string."""
    for line in lines:
        if not _OTHER_NUMBERS.search(line):
            phones = phones_in(line)
            if phones:
                return phones[0]
    return ""


def name_in(text: str) -> str:
    """The name in *meu nome é Maria Silva*, or an empty string."""
    match = _NAME.search(text[:_LONGEST_PROSE])
    words: list[str] = []
    for word in match[1].split() if match else []:
        if not _NAME_WORD.fullmatch(word):
            break
        words.append(word)
    while words and words[-1].islower():
        words.pop()
    return " ".join(words)
