"""Is one of these phrases said in a text, denied, or left open? ``(clauses of the text, phrases) -> Spotted``.

*O boleto ainda não foi pago* says *boleto não pago*; *não é que a vistoria foi reprovada* denies *vistoria
reprovada*; *se o boleto não for pago* leaves it open. Patterns here recognise Portuguese; none of it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mailbot.catalogue.folding import fold_words

_LONGEST_TEXT = 20_000
_FARTHEST = 6

# Words that may stand between the words of a phrase, or be left out of it.
_SMALL = frozenset(
    [
        "a",
        "o",
        "as",
        "os",
        "um",
        "uma",
        "de",
        "do",
        "da",
        "dos",
        "das",
        "no",
        "na",
        "nos",
        "nas",
        "em",
        "ao",
        "aos",
        "pelo",
        "pela",
        "por",
        "para",
        "pra",
        "que",
        "meu",
        "minha",
        "meus",
        "minhas",
        "este",
        "esta",
        "esse",
        "essa",
        "deste",
        "desta",
        "foi",
        "fui",
        "foram",
        "for",
        "esta",
        "esteve",
        "estava",
        "estou",
        "ainda",
        "ser",
        "sido",
        "tinha",
        "tenho",
        "tem",
        "eu",
        "ele",
        "ela",
        "me",
        "se",
        "la",
        "ali",
        "aqui",
    ]
) - {"se"}
_DENIES = frozenset(["nao", "nunca", "jamais", "sem", "nem"])
_LEAVES_OPEN = frozenset(
    [
        "se",
        "caso",
        "talvez",
        "acho",
        "suponho",
        "parece",
        "quando",
        "quero",
        "saber",
        "duvida",
        "sera",
        "antes",
        "seria",
    ]
)
# A denial does not reach over a comma: *não consegui ir, a vistoria foi reprovada*.
_CLAUSE = re.compile(r"[^.!?;,\n]+[.!?;,\n]?")
_BEGIN_ANEW = frozenset(["mas", "e", "pois", "entao", "porem"])


class Spotted(StrEnum):
    """How a text stands to some phrases. What is said plainly anywhere outweighs what is left open."""

    ABSENT = "absent"
    DENIED = "denied"
    PERHAPS = "perhaps"
    SAID = "said"


_WEIGHT = {Spotted.ABSENT: 0, Spotted.DENIED: 1, Spotted.PERHAPS: 2, Spotted.SAID: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause's words, folded, without those that may stand anywhere."""

    words: Sequence[str]
    is_question: bool


def clauses_of(text: str) -> tuple[Clause, ...]:
    """The clauses of a text's first 20,000 characters, to be held against one group of phrases after the other."""
    return tuple(
        Clause(
            words=[word for word in fold_words(clause).split() if word not in _SMALL],
            is_question=clause.rstrip().endswith("?"),
        )
        for clause in _CLAUSE.findall(text[:_LONGEST_TEXT])
    )


def spot(clauses: Sequence[Clause], phrases: Sequence[str]) -> Spotted:
    """How a text stands to ``phrases``; takes time linear in its length.

    What is said in one sentence and denied in another is left open.
    """
    wanted = _wanted(tuple(phrases))
    seen = {one for clause in clauses for one in _in_clause(clause, wanted)}
    if Spotted.SAID in seen and Spotted.DENIED in seen:
        return Spotted.PERHAPS
    return max(seen, key=_WEIGHT.__getitem__, default=Spotted.ABSENT)


@lru_cache(maxsize=512)
def _wanted(phrases: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    folded = (tuple(word for word in fold_words(phrase).split() if word not in _SMALL) for phrase in phrases)
    return tuple(words for words in folded if words)


def _in_clause(clause: Clause, wanted: Sequence[tuple[str, ...]]) -> Iterator[Spotted]:
    words = clause.words
    for phrase in wanted:
        if phrase[0] not in words:
            continue
        for start in range(len(words) - len(phrase) + 1):
            if tuple(words[start : start + len(phrase)]) == phrase:
                before = _still_in_force(words[max(0, start - _FARTHEST) : start])
                yield _judged(before, is_question=clause.is_question)


def _still_in_force(before: Sequence[str]) -> Sequence[str]:
    """The words before a phrase that belong to the same statement."""
    # Folded, *não é* has an *e* as well, which begins nothing.
    anew = [at for at, word in enumerate(before) if word in _BEGIN_ANEW and not (at and before[at - 1] in _DENIES)]
    return before[anew[-1] + 1 :] if anew else before


def _judged(before: Sequence[str], *, is_question: bool) -> Spotted:
    # *Não sei se …* denies nothing.
    if is_question or any(word in _LEAVES_OPEN for word in before):
        return Spotted.PERHAPS
    return Spotted.DENIED if any(word in _DENIES for word in before) else Spotted.SAID
