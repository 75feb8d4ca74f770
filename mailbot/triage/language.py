"""In which language a mail is written: ``text -> "pt-BR" | "en" | "es" | ""``, by its commonest words (R003-17).

Portuguese and Spanish share half of their small words: only words that one of the three has alone are counted, and
a language must be clearly ahead. In doubt nothing is said, and the mailbox's own language is spoken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

_LONGEST_TEXT = 5000
_LEAST_WORDS = 3
_TIMES_AHEAD = 2
_WORD = re.compile(r"[^\W\d_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OWN_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "pt-BR": _words(
            """
            não você vocês meu minha seu sua obrigado obrigada olá bom boa dia tarde noite estou
            está é são em do da dos das um uma ao à pelo pela com também muito fazer preciso
            gostaria quero segue anexo aguardo favor atenciosamente isso este esta já mais quando
            foi tenho tem nosso nossa pedido chamado mudança local prezados solicito boleto
            comprovante telefone motivo novo atual sem até eu ele ela
            """
        ),
        "en": _words(
            """
            the and is are was were have has had not you your my our we it this that these with from
            for please thank thanks hello hi dear good morning afternoon regards would could can
            need want like to of on at been will there what when where which attached change request
            help i am
            """
        ),
        "es": _words(
            """
            el los las y es usted ustedes mi su gracias hola buenos buenas días tardes noches estoy
            está en del al un una con también muy hacer necesito quisiera quiero adjunto espero
            favor saludos atentamente eso esto ya más cuando fue tengo tiene nuestro nuestra
            solicitud cambio lugar pero sí sin hasta yo ella señores cordial ayuda puedo pueden
            """
        ),
    }
)


def _only(language: str) -> frozenset[str]:
    others = frozenset[str]().union(*(words for other, words in _OWN_WORDS.items() if other != language))
    return _OWN_WORDS[language] - others


_TELLING: Mapping[str, frozenset[str]] = MappingProxyType({language: _only(language) for language in _OWN_WORDS})


def language_of(text: str) -> str:
    """The language of ``text``, an empty string where that is not clear. Never raises."""
    words = Counter(word.lower() for word in _WORD.findall(text[:_LONGEST_TEXT]))
    counts = {
        language: sum(words[word] for word in telling if word in words) for language, telling in _TELLING.items()
    }
    (best, most), (_, second), *_ = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return best if most >= _LEAST_WORDS and most >= _TIMES_AHEAD * second else ""
