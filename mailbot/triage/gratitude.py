"""Thanks: does a mail say nothing but thank you?

``text → bool``. A requester's thanks do not reopen a resolved ticket; anything more does. In doubt it is more.
"""

from __future__ import annotations

import re

from mailbot.catalogue.folding import plain_lines

_LONGEST = 400
_LONGEST_SIGNATURE_LINE = 60
_MOST_SIGNATURE_LINES = 6
_MOST_NAMES = 3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_THANKS = _words(
    """
    obrigado obrigada obrigados obrigadas obg obgd obgda brigado brigada brigadao obrigadao agradeco agradecemos
    agradecido agradecida agradecidos grato grata gratos gratidao valeu vlw thanks thank thankyou thx ty gracias
    agradezco agradecimentos
    """
)
_ACKNOWLEDGES = _words(
    """
    ok okay oki okey certo certinho perfeito perfeita ciente recebido recebida entendi entendido beleza blz
    combinado otimo otima excelente maravilha show top joia legal great perfect perfecto genial vale
    """
)
# Words that thanks are dressed in; none of them alone is thanks.
_COURTESY = _words(
    """
    a as o os e de da do das dos em no na pela pelo pelas pelos por para ao aos com que voce voces sua seu suas tua
    muito muita muitissimo mesmo demais imensamente desde ja mais uma vez novamente tudo todos todas toda equipe
    time pessoal senhor senhora sr sra dr dra atencao ajuda apoio retorno resposta atendimento rapidez agilidade
    rapida rapido pronto pronta gentileza presteza esclarecimento esclarecimentos informacao informacoes suporte
    auxilio colaboracao compreensao cuidado eficiencia servico trabalho bom boa bons boas dia tarde noite semana
    fim final ola oi prezado prezada prezados prezadas caro cara caros bem deus abencoe lhe te vos eu nos fico
    ficamos foi estou tenha tenham tenho um feliz abraco abracos abs att atenciosamente cordialmente
    disponha imagina resolvido resolveu agora
    you very much so for your the help support quick prompt reply answer attention have nice day good all again
    regards best kind sincerely
    muchas muchisimas muy amable su ayuda atencion buen buenas buenos dias tardes saludos
    """
)
# One of these, and it is more than thanks, whatever stands around it.
_MORE = _words(
    """
    nao nada mas porem contudo entretanto so apenas porque quando como onde qual quanto quem cade segue
    seguem anexo anexos anexa anexado envio enviei enviando mandei mando problema erro errado errada duvida
    preciso precisava precisamos queria gostaria poderia pode podem favor continua continuo ainda faltou
    falta faltando aguardo aguardando aguardamos urgente reabrir reabra cancelar cancela mudar alterar troca
    trocar corrigir boleto cnh comprovante documento but however still please problem not where when how
    pero todavia sigue
    """
)

_SIGN_OFF = re.compile(
    r"^[\s>*_-]*(att|atte|atenciosamente|cordialmente|abs|abracos?|cumprimentos|respeitosamente|grat[oa]|saludos|"
    r"best regards|kind regards|regards|sincerely|--|enviado (do|de|pelo|via)\b.*|sent from\b.*|"
    r"obter o outlook\b.*|get outlook\b.*)[\s,.!*_-]*$"
)
_WORD = re.compile(r"[^\W\d_]+|\d+")
_CLAUSE_END = re.compile(r"[.!,;:\n()\u2026-]+")
_NO_THANKS = re.compile(r"^\s*nao\s*,?\s*(?=(muit[oa] )?obrigad[oa])")
_EMOJI = re.compile(
    "[\U0001f44d\U0001f44f\U0001f64f\U0001f64c\U0001f44c\U0001f91d\U0001f600-\U0001f60e\U0001f618\U0001f917"
    "\U0001f970\U0001f929\U0001f973\u2764\u2665\U0001f499-\U0001f49c\U0001f90d\U0001fae1\U0001faf6\u2705\u2714\u263a\U0001f389]"
)


def is_gratitude(text: str) -> bool:
    """Whether ``text`` is thanks, an acknowledgement or a friendly emoji and nothing else.

    Names and a short signature are tolerated; a question, a number, a "but" or any word that is not part of
    thanking is not. Empty text is no thanks.
    """
    trimmed = text.strip()
    if not trimmed or len(trimmed) > _LONGEST * 3:
        return False
    said, signature = _without_signature(trimmed)
    if "?" in said or len(said) > _LONGEST or not _is_signature(signature):
        return False
    plain = _NO_THANKS.sub("", plain_lines(said))
    words = _WORD.findall(plain)
    if not words:
        return _EMOJI.search(said) is not None
    if any(word in _MORE or word.isdigit() for word in words):
        return False
    return any(word in _THANKS or word in _ACKNOWLEDGES for word in words) and _rest_is_names(said)


def _without_signature(text: str) -> tuple[str, list[str]]:
    """What is said, and the lines from a closing formula on."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if at > 0 and _SIGN_OFF.match(plain_lines(line)):
            return "\n".join(lines[:at]), [rest for rest in lines[at + 1 :] if rest.strip()]
    return text, []


def _is_signature(lines: list[str]) -> bool:
    return len(lines) <= _MOST_SIGNATURE_LINES and not any(
        "?" in line or len(line) > _LONGEST_SIGNATURE_LINE for line in lines
    )


def _rest_is_names(said: str) -> bool:
    """Whether every word outside the vocabulary of thanking can be a name: capital first, few of them."""
    names = 0
    for clause in _CLAUSE_END.split(said):
        for word in _WORD.findall(clause):
            if plain_lines(word) in _THANKS | _ACKNOWLEDGES | _COURTESY:
                continue
            names += 1
            if not word[0].isupper() or word.isupper() or names > _MOST_NAMES:
                return False
    return True
