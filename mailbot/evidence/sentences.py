"""What people state in sentences instead of behind labels, by kind: *meu CNPJ é …*, *somos 6 máquinas*, *não
posso às terças de manhã*.

Only what proves itself or stands beside a word that names it is taken, and only where there is one of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.folding import fold_words, plain_lines
from mailbot.evidence.field_kinds.amounts import written_number
from mailbot.evidence.field_kinds.contact import emails_in
from mailbot.evidence.field_kinds.identity import cnpjs_in, cpfs_in, name_parts
from mailbot.evidence.field_kinds.time_windows import speaks_of_visits
from mailbot.evidence.field_kinds.written import address, codes_in
from mailbot.evidence.prose import name_in, phone_in

_MOST_LINES = 1000
_LONGEST_LINE = 1000
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")
_EMAIL_WORD = re.compile(r"e-?mail|correio", re.IGNORECASE)


def stated_in_sentences(spec: FieldSpec, lines: Sequence[str]) -> str:
    """What ``lines`` state of the field in sentences, as it is written there; empty where they do not, or where
    they state several."""
    reader = _READERS.get(spec.kind)
    if reader is None:
        return ""
    return reader(spec, [line[:_LONGEST_LINE] for line in lines[:_MOST_LINES]])


def _only(found: Sequence[str]) -> str:
    different = list(dict.fromkeys(found))
    return different[0] if len(different) == 1 else ""


def _phone(spec: FieldSpec, lines: Sequence[str]) -> str:
    del spec
    return phone_in(lines)


def _cpf(spec: FieldSpec, lines: Sequence[str]) -> str:
    del spec
    return _only([one for line in lines for one in cpfs_in(line)])


def _cnpj(spec: FieldSpec, lines: Sequence[str]) -> str:
    del spec
    return _only([one for line in lines for one in cnpjs_in(line)])


def _email(spec: FieldSpec, lines: Sequence[str]) -> str:
    del spec
    with_sign = [line for line in lines if "@" in line]
    return _only(
        [one for line in with_sign if _EMAIL_WORD.search(line.partition("@")[0]) for one in emails_in(line)]
    )


def _first_name(spec: FieldSpec, lines: Sequence[str]) -> str:
    del spec
    return name_parts(name_in("\n".join(lines)))[0]


def _last_name(spec: FieldSpec, lines: Sequence[str]) -> str:
    del spec
    return name_parts(name_in("\n".join(lines)))[1]


def _count(spec: FieldSpec, lines: Sequence[str]) -> str:
    """*6 máquinas*, *seis impressoras*."""
    names = [tuple(fold_words(name).split()) for name in spec.counted]
    found = []
    for line in lines:
        words = fold_words(line).split()
        for at, word in enumerate(words):
            count = written_number(word)
            if count is not None and any(tuple(words[at + 1 : at + 1 + len(name)]) == name for name in names):
                found.append(str(count))
    return _only(found)


def _codes(spec: FieldSpec, lines: Sequence[str]) -> str:
    """Numbers behind the field's own words: *o contrato nº 1234/A*."""
    pattern = _behind(spec.all_labels)
    found: list[str] = []
    for line in lines:
        plain = plain_lines(line)
        for match in pattern.finditer(plain) if len(plain) == len(line) else ():
            found.extend(codes_in(line[match.end() : match.end() + 60])[:1])
    return ", ".join(dict.fromkeys(found)) if spec.kind is FieldKind.SERIALS else _only(found)


def _choice(spec: FieldSpec, lines: Sequence[str]) -> str:
    """A choice right behind the field's own words: *prioridade alta*."""
    pattern = _behind(spec.all_labels)
    found: list[str] = []
    for line in lines:
        plain = plain_lines(line)
        for match in pattern.finditer(plain):
            behind = f"{fold_words(plain[match.end() : match.end() + 120])} "
            found.extend(
                choice.name
                for choice in spec.choices
                if any(behind.startswith(f"{name} ") for name in choice.all_names)
            )
    return _only(found)


def _address(spec: FieldSpec, lines: Sequence[str]) -> str:
    del spec
    return _only(
        [line.strip() for line in lines if _STREET_FIRST.match(line.strip()) and not address(line).reason]
    )


def _visit_times(spec: FieldSpec, lines: Sequence[str]) -> str:
    del spec
    sentences = (sentence for line in lines for sentence in _SENTENCE_END.split(line))
    return "; ".join(sentence.strip(" .;!?") for sentence in sentences if speaks_of_visits(sentence))


_STREET_FIRST = re.compile(
    r"(?:(?:o |meu |nosso )?endere[cç]o (?:[eé]|fica)\s)?(?:rua|r\.|avenida|av\.?|alameda|travessa|rodovia|quadra|"
    r"qd\.?|pra[cç]a|estrada)\s",
    re.IGNORECASE,
)


@lru_cache(maxsize=512)
def _behind(labels: tuple[str, ...]) -> re.Pattern[str]:
    """The end of one of ``labels`` in a line of plain letters, with the small words that may follow it."""
    alternatives = "|".join(re.escape(label).replace(r"\ ", r"\s{1,3}") for label in sorted(labels, key=len)[::-1])
    return re.compile(
        rf"\b(?:{alternatives})s?(?:\s?(?:n[o°º.]?|numero|nro|:|e|eh|sao|de|do|da))*\s+", re.IGNORECASE
    )


_READERS: Mapping[FieldKind, Callable[[FieldSpec, Sequence[str]], str]] = {
    FieldKind.PHONE: _phone,
    FieldKind.CPF: _cpf,
    FieldKind.CNPJ: _cnpj,
    FieldKind.EMAIL: _email,
    FieldKind.FIRST_NAME: _first_name,
    FieldKind.LAST_NAME: _last_name,
    FieldKind.NUMBER: _count,
    FieldKind.CONTRACT: _codes,
    FieldKind.SERIALS: _codes,
    FieldKind.CHOICE: _choice,
    FieldKind.ADDRESS: _address,
    FieldKind.TIME_WINDOWS: _visit_times,
}
