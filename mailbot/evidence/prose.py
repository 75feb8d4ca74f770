"""What people say without labels: the reason in their own words, a telephone, a name.

Tuples of patterns recognise Portuguese mail; none of it is ever shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.places import route_in
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.units import UnitTable
from mailbot.evidence.field_kinds.contact import phones_in

_FEWEST_LETTERS = 15
_LONGEST_PROSE = 20_000
_WRAPPED_CHARACTERS = 55
# Left out before names are looked for: *mudar o local da minha vistoria* is *mudar local vistoria*.
_SMALL = frozenset({"a", "o", "as", "os", "um", "uma", "de", "do", "da", "dos", "das", "minha", "meu"})

_GREETING = re.compile(
    r"(?:(?:ol[aá]|oi+|bom dia|boa tarde|boa noite|tudo b[eo]m|como vai|como v[aã]o|a quem possa interessar|"
    r"a todos|todos|pessoal|gente|equipe|prezad[oa]s?(?:\(as?\))?|car[oa]s?|senhor(?:es|as|a)?|srs?|sras?)\b"
    r"[\s,.!?:;–-]{0,10}){1,8}",
    re.IGNORECASE,
)
# *Prezada equipe da vistoria,* up to the comma; without one it would swallow what they say.
_ADDRESSED = re.compile(
    r"(?:prezad|car[oa]s?\b|senhor|srs?\b|sras?\b|equipe)[^.!?,:\n]{0,40}(?:[,:]|$)", re.IGNORECASE
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
_ENCLOSED_SOMEWHERE = re.compile(
    r"\b(?:em|no|nos) anexos?\b|\banexad[oa]s?\b|\bseguem? (?:anex|abaixo)", re.IGNORECASE
)
# What stands below every mail of a house, whatever words it has, and wishes for the day.
_BOILERPLATE = re.compile(
    r"(?:esta mensagem|esse e-?mail|este e-?mail|esta comunica|as informa[cç][oõ]es cont|"
    r"se (?:voc[eê] |a |o )?(?:n[aã]o [eé]|recebeu)|caso (?:tenha recebido|voc[eê] n[aã]o|n[aã]o seja)|"
    r"aviso legal|antes de imprimir|tenham? um|"
    r"(?:um )?(?:[oó]timo|bom|boa|excelente) (?:fi[mn]|trabalho|feriado|semana))",
    re.IGNORECASE,
)
# Neither the request nor a reason: where somebody waits, asks for help or says who they are.
_PLEASANTRY = re.compile(
    r"(?:aguard|no aguardo|fic(?:o|amos) |qualquer d[uú]vida|em caso de d[uú]vida|d[uú]vidas|estou [aà] disposi|"
    r"conforme (?:conversa|combina|solicita|orienta|contato)|espero (?:que|retorno|resposta)|"
    r"(?:eu )?preciso (?:muito )?d[ae] (?:uma |sua )?(?:ajuda|orienta)|como (?:eu )?(?:fa[cç]o|posso)|"
    r"(?:voc[eê]s? )?(?:podem?|poderiam?|conseguem?) (?:por favor )?(?:me )?"
    r"(?:ajud|auxili|inform|orient|verific|retorn)|"
    r"(?:eu )?me chamo|meu (?:nome|telefone|celular|contato|whats|e-?mail|cpf)|"
    r"(?:rua|avenida|av|rodovia|quadra|qd|cep|bairro|alameda|pra[cç]a|setor)\b)",
    re.IGNORECASE,
)
_CAUSE = re.compile(
    r"\b(?:porque|por que|porqu[eê]|pois|devido|por motivo|motivo|j[aá] que|uma vez que|visto que|em raz[aã]o|"
    r"por causa|me mudei|mudei|n[aã]o consigo|n[aã]o posso|n[aã]o poderei|trabalh|viaj|moro|resid|errad|"
    r"engano|erro|para que eu|fica mais|mais perto|mais pr[oó]xim|"
    r"pr[oó]xim[oa]s? (?:d[aeo]|a|à|ao)\b|longe|distante|estou em|vou estar|reprovad)",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"(?:eu )?(?:solicit|gostaria|quero|queria|preciso|pe[cç]o|venho|desejo|necessito|requeiro|favor|por favor|"
    r"poderia|altera|mudan|mudar|troca|transfer)",
    re.IGNORECASE,
)
# *Não consigo alterar o local pelo site* says why they write, not why the place should change.
_CANNOT_BY_THEMSELVES = re.compile(
    r"n[aã]o (?:estou |es?tava )?(?:cons[ie]g|posso|pude|deu)\w{0,10} (?:para |pra )?(?:fazer |solicitar )?(?:a )?"
    r"(?:alter|mud|troc|transf)",
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
    body = _unwrapped(_before_sign_off("\n".join(lines)[:_LONGEST_PROSE]))
    names = _names(request_type)
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(body)]
    kept = [sentence for sentence in sentences if _gives_reason(sentence, names, units)]
    text = "\n".join(kept)
    return text if letters_in(text) >= _FEWEST_LETTERS else ""


def letters_in(text: str) -> int:
    """How many letters ``text`` has."""
    return sum(map(str.isalpha, text))


def message_in(lines: Sequence[str]) -> str:
    """All that the sender says, without greeting and sign-off; an empty string where that is nothing."""
    body = _unwrapped(_before_sign_off("\n".join(lines)[:_LONGEST_PROSE]))
    kept = [_without_greeting_line(line) for line in body.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _without_greeting_line(line: str) -> str:
    rest = _without_greeting(line)
    # A line that only greets goes; one that says more stays as it was written.
    return line.strip() if rest else ""


def _before_sign_off(text: str) -> str:
    kept: list[str] = []
    for line in text.split("\n"):
        if SIGN_OFF.match(line.strip()) and any(kept):
            break
        kept.append(line.strip())
    return "\n".join(kept)


def _unwrapped(text: str) -> str:
    """Lines that a mail program broke put together: a long one without an end, and a small letter after it."""
    whole: list[str] = []
    unended = False
    for line in text.split("\n"):
        if unended and line[:1].islower():
            whole[-1] = f"{whole[-1]} {line}"
        else:
            whole.append(line)
        # A line counts by its own length, so that nothing is ever joined to a short one.
        unended = len(line) >= _WRAPPED_CHARACTERS and not line.endswith((".", "!", "?", ":", ";"))
    return "\n".join(whole)


def _names(request_type: RequestType) -> tuple[str, ...]:
    return _folded_names((request_type.subject, *request_type.aliases, *request_type.suggestions))


@lru_cache(maxsize=256)
def _folded_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The telling words of each name, between blanks."""
    return tuple(f" {_telling_words(fold_words(name))} " for name in names if name)


def _telling_words(words: str) -> str:
    return " ".join(word for word in words.split() if word not in _SMALL)


def _gives_reason(sentence: str, names: tuple[str, ...], units: UnitTable) -> bool:
    rest = _without_greeting(sentence)
    words = fold_words(rest)
    if not words or SIGN_OFF.match(rest) or is_signature(rest) or _BOILERPLATE.match(rest):
        return False
    told = _CANNOT_BY_THEMSELVES.sub("", rest)
    if _CAUSE.search(told):
        return True
    if _RULE.search(sentence) or _FORM_LINE.fullmatch(rest) or _PLEASANTRY.match(rest):
        return False
    if _ENCLOSED.match(rest) or _ENCLOSED_SOMEWHERE.search(rest):
        return False
    return not _merely_asks(rest, words, names, units)


def _without_greeting(sentence: str) -> str:
    rest = sentence
    for pattern in (_ADDRESSED, _GREETING, _ADDRESSED):
        found = pattern.match(rest)
        rest = rest[found.end() :].lstrip() if found else rest
    return rest.strip(" ,.!;:-")


def _merely_asks(rest: str, words: str, names: tuple[str, ...], units: UnitTable) -> bool:
    """Whether a sentence is the request itself, with or without both places, and nothing more."""
    telling = f" {_telling_words(words)} "
    if telling in names or route_in(words.split(), units) is not None:
        return True
    about_it = any(name in telling for name in names)
    return about_it and bool(_REQUEST.match(rest) or _CANNOT_BY_THEMSELVES.search(rest))


def is_signature(line: str) -> bool:
    """A name, an address or a number alone on its line."""
    words = line.split()
    if "@" in line or "://" in line or letters_in(line) * 2 < len(line.replace(" ", "")):
        return True
    if len(words) > 7 or line.rstrip().endswith((".", "!", "?")):
        return False
    return all(_NAME_WORD.fullmatch(word.strip(",.")) for word in words)


def phone_in(lines: Sequence[str]) -> str:
    """The first telephone number outside lines that are about other numbers, or an empty string."""
    for line in lines:
        phones = phones_in(line)
        if phones and not _OTHER_NUMBERS.search(line):
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
