"""Names of a request type + subject or body + units → whether somebody asks for it in a sentence, or denies it.

*Quero mudar o local da vistoria* and *trocar o local* are the catalogue's *mudar local* and *trocar local* with
articles and possessives between. *Mudar o local de entrega* is another thing, and *não quero mais mudar o local*
or *desisti da alteração* is no request (R000-09, DOMAIN C.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.units import UnitTable

_MOST_TOKENS = 20_000
_FARTHEST_NEGATION = 30


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Stance(StrEnum):
    """What a body says about one type of request."""

    SILENT = "silent"
    ASKS = "asks"
    DENIES = "denies"


NEGATIONS = _words(
    """nao nunca jamais sem cancelar cancela cancele cancelada cancelado cancelamento desistir desisto
    desistencia desconsiderar desconsidere ignorar ignore anular anulacao revogar"""
)
"""Words that turn a subject round; whose own name has one of them is not turned round by it."""

# Somebody who gives up needs no *não*; *desisti* by itself is enough, the others take back a request or a type.
_GIVES_UP = _words("desisti desisto desistimos desistiu")
_TAKES_BACK = _words(
    """cancelar cancela cancele cancelem cancelamento desistir desistencia desconsiderar desconsidere
    desconsiderem ignorar ignore ignorem anular anulem revogar"""
)
_REQUESTS = _words("pedido solicitacao requerimento")
_PLAIN_NOT = _words("nao n nem")
_MAY_TAKE_BACK = _GIVES_UP | _TAKES_BACK | _PLAIN_NOT
_NOT = _PLAIN_NOT | _words("nunca jamais sem") | _TAKES_BACK
# *Não consigo alterar o local pelo site* is a request.
_ABLE = _words(
    """consigo consegui conseguimos conseguiu consegue conseguir conseguindo posso pude pudemos podemos deu da
    apareceu aparece permite permitiu deixa deixou sei soube encontrei achei poderia poderiam"""
)
_WANTS = _words(
    """quero queria queremos gostaria gostariamos preciso precisamos precisava precisaria solicito solicitamos
    peco pedimos desejo desejamos necessito requeiro poderia poderiam venho favor"""
)
# Before a verb of wanting they carry a negation on: *não é que quero*, *não sei se preciso*.
_CARRY_ON = _words("nao n nem se que mais mesmo ainda ja eu jamais nunca")
_STILL = _words("mais nenhuma nenhum")

# Small words that stand between a verb and its object, or are left out.
_SMALL = _words(
    """a o as os um uma de do da dos das minha meu minhas meus nossa nosso nossas nossos sua seu esta este essa
    esse desta deste dessa desse desta desse"""
)
_OF = _words("de do da dos das desta deste dessa desse")
_FILLERS = _SMALL | _words("cidade unidade local posto municipio")
_OWN_OBJECTS = _words(
    "vistoria vistorias inspecao veicular agendamento atendimento boleto veiculo carro moto caminhao"
)
_TOWARDS = _words("para pra pro p ate")
_OF_TIME = _words(
    """segunda terca quarta quinta sexta sabado domingo amanha hoje dia dias data semana mes proxima proximo
    horario hora manha tarde depois antes"""
)
_HAS_DIGIT = re.compile(r"\d")

# A full stop after a short word is an abbreviation: *Ap. de Goiânia*.
_SENTENCE_END = re.compile(r"(?<=\w\w\w)[.;!?]+(?=\s|$)|\n\s*\n")
_COMMA = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Folded words of a sentence, with commas as words of their own; ``telling`` are those that are not small,
    each with its place, ``vocabulary`` is each once. ``may_take_back``: one of them might."""

    words: Sequence[str]
    telling: Sequence[tuple[int, str]]
    vocabulary: frozenset[str]
    may_take_back: bool


def sentences_of(text: str) -> tuple[Sentence, ...]:
    """``text`` in sentences, to be held against one type after the other.

    Takes time linear in the length of ``text``, which the caller bounds; never raises.
    """
    return tuple([sentence_of(words) for words in _sentences(text)])


def sentence_of(words: Sequence[str]) -> Sentence:
    """The sentence of these folded words."""
    vocabulary = frozenset(words)
    return Sentence(
        words=words,
        telling=[(index, word) for index, word in enumerate(words) if word not in _SMALL],
        vocabulary=vocabulary,
        may_take_back=not _MAY_TAKE_BACK.isdisjoint(vocabulary),
    )


def stance(names: Sequence[str], sentences: Sequence[Sentence], units: UnitTable) -> Stance:
    """What ``sentences`` say about the type that goes by ``names`` (folded); a denial anywhere wins."""
    known = _known(tuple(names))
    asks = False
    for sentence in sentences:
        words = sentence.words
        if sentence.may_take_back and _is_taken_back(words, known):
            return Stance.DENIES
        for start, end in _places(sentence, known):
            if not _may_follow(words, end, units):
                continue
            if _is_denied(words, start, known):
                return Stance.DENIES
            asks = True
    return Stance.ASKS if asks else Stance.SILENT


def is_named_in(names: Sequence[str], sentence: Sentence, units: UnitTable) -> bool:
    """Whether one of ``names`` (folded) stands in ``sentence``, small words between them or not."""
    return any(_may_follow(sentence.words, end, units) for _, end in _places(sentence, _known(tuple(names))))


def names_two_units(body: str, units: UnitTable) -> bool:
    """Whether ``body`` (folded) names two units and no third: then it is told from where to where, or nearly."""
    words = body.split()[:_MOST_TOKENS]
    found = set()
    index = 0
    while index < len(words):
        hit = units.at(words, index)
        if hit is not None:
            found.add(hit[0].key)
        index = hit[1] if hit is not None else index + 1
    return len(found) == 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """A type's names: those that tell something by their first word, and what turns a request for it round."""

    by_first: Mapping[str, tuple[tuple[str, ...], ...]]
    not_words: frozenset[str]
    takes_back: frozenset[str]

    @property
    def heads(self) -> frozenset[str]:
        """What a request for the type begins with: *alteração*, *mudar*."""
        return frozenset(self.by_first) - _REQUESTS


@lru_cache(maxsize=256)
def _known(names: tuple[str, ...]) -> _Names:
    by_first: dict[str, tuple[tuple[str, ...], ...]] = {}
    for name in names:
        telling = tuple(word for word in name.split() if word not in _SMALL)
        # One word alone, *transferência*, is too little in a sentence.
        if len(telling) >= 2:
            by_first[telling[0]] = (*by_first.get(telling[0], ()), telling)
    # *Cancelamento de boleto* takes nothing back where the type is called so.
    own = {word for name in names for word in name.split()}
    return _Names(by_first=by_first, not_words=_NOT - own, takes_back=_TAKES_BACK - own)


def _sentences(body: str) -> Iterator[list[str]]:
    """Folded words of each sentence, with commas as words of their own."""
    left = _MOST_TOKENS
    for sentence in _SENTENCE_END.split(body):
        tokens: list[str] = []
        for part in sentence.split(_COMMA):
            tokens.extend(fold_words(part).split())
            tokens.append(_COMMA)
        yield tokens[: min(len(tokens) - 1, left)]
        left -= len(tokens)
        if left <= 0:
            return


def _places(sentence: Sentence, known: _Names) -> Iterator[tuple[int, int]]:
    """Where a phrase begins and what index follows it."""
    # Most sentences have nothing to do with most types.
    if known.by_first.keys().isdisjoint(sentence.vocabulary):
        return
    telling = sentence.telling
    for position, (start, word) in enumerate(telling):
        for phrase in known.by_first.get(word, ()):
            window = telling[position : position + len(phrase)]
            if tuple(one for _, one in window) == phrase:
                yield start, window[-1][0] + 1


def _may_follow(tokens: Sequence[str], end: int, units: UnitTable) -> bool:
    """Whether what follows leaves the phrase its meaning: no *de entrega*, no *para segunda-feira*."""
    if end >= len(tokens) or tokens[end] not in _OF | _TOWARDS:
        return True
    position = end + 1
    while position < len(tokens) and tokens[position] in _FILLERS and units.at(tokens, position) is None:
        position += 1
    if position >= len(tokens):
        return True
    word = tokens[position]
    if tokens[end] in _TOWARDS:
        return word not in _OF_TIME and not _HAS_DIGIT.search(word)
    return word in _OWN_OBJECTS or units.at(tokens, position) is not None


# --- denial -------------------------------------------------------------------------------------------------


def _is_denied(tokens: Sequence[str], start: int, known: _Names) -> bool:
    """Whether a negation before ``start``, in the same sentence, still holds there."""
    nearest = max(-1, start - 1 - _FARTHEST_NEGATION)
    negation = next((at for at in range(start - 1, nearest, -1) if tokens[at] in known.not_words), None)
    if negation is None:
        return False
    between = tokens[negation + 1 : start]
    if between and between[0] in _ABLE and "se" not in between and tokens[negation] not in _TAKES_BACK:
        return False
    return not _begins_anew(between)


def _begins_anew(between: Sequence[str]) -> bool:
    """Whether another statement begins between a negation and the request: *não consigo ir, quero mudar …*."""
    if between and between[-1] == _COMMA and between.count(_COMMA) == 1:
        return True
    wants = [at for at, word in enumerate(between) if word in _WANTS]
    return bool(wants) and wants[-1] > 0 and between[wants[-1] - 1] not in _CARRY_ON


def _is_taken_back(tokens: Sequence[str], known: _Names) -> bool:
    """*Desisti*, *cancelem o pedido*, *não preciso mais da alteração*."""
    for at, word in enumerate(tokens):
        near = tokens[at + 1 : at + 7]
        negated = at > 0 and tokens[at - 1] in _PLAIN_NOT
        if word in _GIVES_UP and not negated:
            return True
        if word in known.takes_back and not negated and _meets(near, known.heads | _REQUESTS):
            return True
        if word in _PLAIN_NOT and _wants_not(near) and _meets(near, known.heads):
            return True
    return False


def _meets(near: Sequence[str], wanted: frozenset[str]) -> bool:
    """Whether one of ``wanted`` comes before anything begins anew."""
    at = next((index for index, word in enumerate(near) if word in wanted), None)
    return at is not None and not _begins_anew(near[:at])


def _wants_not(near: Sequence[str]) -> bool:
    """*(não) quero …*, *(não) vou …*, *(não) mais …*, but not *(não) consigo …*."""
    return bool(near) and near[0] not in _ABLE and near[0] in _WANTS | _STILL | {"vou", "precisa", "sera"}
