"""Customer words: ``InboundMail -> CustomerQuery | None``.

A word counts where it stands as the subject or in the first line and that line holds nothing else: *STATUS* does,
*status do meu pedido está errado* is a message (INTERFACE *Customer words*). Accents and case are free. A mail
that says more than the word and a signature is a message as well, except for the words that take a note with them:
in doubt a person reads it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from mailbot.catalogue.folding import fold
from mailbot.domain.mail import InboundMail
from mailbot.domain.self_service import CustomerQuery, CustomerWord

_LONGEST_LINE = 200
_LONGEST_NOTE = 4000
_NUMBER = r"(?:(?:(?:chamado|ticket|caso) )?(?:n[o.]{0,2} ?)?#? ?(?P<argument>\d{4}-\d{6,9}|\d{1,9}))"
_WORDS: tuple[tuple[CustomerWord, re.Pattern[str]], ...] = (
    (CustomerWord.STATUS, re.compile(rf"status(?: {_NUMBER})?")),
    (
        CustomerWord.MY_TICKETS,
        re.compile(
            r"(?P<pt>meus (?:chamados|tickets))|(?P<en>my (?:tickets|requests|cases))|"
            r"(?P<es>mis (?:casos|tickets))"
        ),
    ),
    (
        CustomerWord.DETAILS,
        re.compile(rf"(?:(?P<pt>detalhes?)|(?P<en>details?)|(?P<es>detalles?))(?: {_NUMBER})?"),
    ),
    (CustomerWord.CANCEL, re.compile(rf"cancel(?:ar)?(?: {_NUMBER})?")),
    (CustomerWord.HELP, re.compile(r"(?P<pt>ajuda)|(?P<en>help)|(?P<es>ayuda)")),
    (CustomerWord.TYPE, re.compile(r"(?:tipo|(?P<en>type)) ?: ?(?P<argument>\S.*)")),
    (CustomerWord.DEPARTMENT, re.compile(r"(?:departamento|(?P<en>department)) ?: ?(?P<argument>\S.*)")),
    # As the links of our letters fill them in.
    (
        CustomerWord.SOLVED,
        re.compile(r"(?:(?P<pt>resolvido)|(?P<en>solved)|(?P<es>resuelto)) (?P<argument>\d{4}-\d{6,9})"),
    ),
    (
        CustomerWord.RATE,
        re.compile(
            r"(?:(?P<pt>avaliacao)|(?P<en>rating)|(?P<es>calificacion)) "
            r"(?P<argument>\d{4}-\d{6,9}) ?: ?(?P<value>[1-5]|[a-z]+)"
        ),
    ),
    (
        CustomerWord.VOTE,
        re.compile(
            r"(?:(?P<pt>artigo)|(?P<en>article)|(?P<es>articulo)) "
            r"(?P<argument>[a-z0-9-]{1,60}) ?: ?(?P<value>util|nao util|no util|useful|not useful)"
        ),
    ),
)
_LANGUAGES = {"pt": "pt-BR", "en": "en", "es": "es"}
_VALUE_OF = {
    **{str(number): number for number in range(1, 6)},
    **dict.fromkeys(("otimo", "otima", "great", "excellent", "excelente"), 5),
    **dict.fromkeys(("bom", "boa", "good", "buena", "bueno"), 4),
    **dict.fromkeys(("regular", "fair"), 3),
    **dict.fromkeys(("ruim", "bad", "mala", "malo"), 2),
    **dict.fromkeys(("pessimo", "pessima", "terrible", "pesima", "pesimo"), 1),
    **dict.fromkeys(("util", "useful"), 1),
    **dict.fromkeys(("nao util", "no util", "not useful"), 0),
}
_WITH_NOTE = frozenset(
    {
        CustomerWord.CANCEL,
        CustomerWord.SOLVED,
        CustomerWord.RATE,
        CustomerWord.TYPE,
        CustomerWord.DEPARTMENT,
    }
)
"""Words that something else may be said with: it is kept on the ticket."""

_AROUND = " \t\"'“”‘’«»<>*_.!?;:,-–—"

_SIGN_OFF = re.compile(
    r"[\s*_-]*(?:att|atte|atenciosamente|cordialmente|abs|abracos?|cumprimentos|obrigad[oa]|grat[oa]|--|__+|"
    r"(?:best |kind )?regards|thanks|thank you|saludos|gracias|"
    r"enviado (?:do|de|pelo|via)\b.*|sent from\b.*|obter o outlook\b.*|get outlook\b.*|"
    r"(?:esta|este) (?:mensagem|e-?mail)\b.*|aviso legal\b.*)[\s,.!*_-]*"
)
_COURTESY = re.compile(
    r"(?:hello|hi|please|thanks|thank you|hola|buenos dias|buenas tardes|gracias|muchas gracias)[\s,.!]*|"
    r"(?:ola|oi|bom dia|boa tarde|boa noite|prezad[oa]s?|por favor|obrigad[oa]|muito obrigad[oa]|grat[oa])[\s,.!]*"
)
_MOST_SIGNATURE_LINES = 6
_LONGEST_SIGNATURE_LINE = 60
_ENDS_A_SENTENCE = (".", "!", "?", ":", ";", ",")


def customer_query(mail: InboundMail) -> CustomerQuery | None:
    """The word that the mail is, or ``None``. Takes at most a bounded part of a hostile mail; never raises."""
    text = mail.new_text.strip()
    first, _, below = text.partition("\n")
    in_text = _query(first)
    found, note = (in_text, below) if in_text is not None else (_query(mail.subject), text)
    if found is None:
        return None
    if found.word in _WITH_NOTE:
        note = note.strip()[:_LONGEST_NOTE]
        return replace(found, note=note)
    brings_files = any(not file.inline for file in mail.attachments)
    return None if brings_files or not _says_nothing(note) else found


def _query(line: str) -> CustomerQuery | None:
    if not line or len(line) > _LONGEST_LINE:
        return None
    folded = fold(line).strip(_AROUND)
    for word, pattern in _WORDS:
        match = pattern.fullmatch(folded)
        if match is not None:
            groups = match.groupdict()
            value = groups.get("value")
            if value is not None and value not in _VALUE_OF:
                return None
            return CustomerQuery(
                word=word,
                argument=groups.get("argument") or "",
                value=_VALUE_OF[value] if value else 0,
                language=next((language for name, language in _LANGUAGES.items() if groups.get(name)), ""),
            )
    return None


def _says_nothing(text: str) -> bool:
    """Whether ``text`` is empty, a courtesy or a signature: nothing that anybody would miss."""
    lines = [line.strip() for line in text[:_LONGEST_NOTE].splitlines() if line.strip()]
    said = []
    for line in lines:
        folded = fold(line[:_LONGEST_LINE])
        if _SIGN_OFF.fullmatch(folded):
            break
        if not _COURTESY.fullmatch(folded):
            said.append(line)
    return len(said) <= _MOST_SIGNATURE_LINES and all(_may_sign(line) for line in said)


def _may_sign(line: str) -> bool:
    """A name, a position, a telephone: short, begins with a capital or a digit, is no sentence."""
    begins_well = not line[0].islower()
    return begins_well and len(line) <= _LONGEST_SIGNATURE_LINE and not line.endswith(_ENDS_A_SENTENCE)
