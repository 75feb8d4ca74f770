"""Text → the numbers by which a customer can be named: CPF, CNPJ, contract, telephone.

Only what is right by its check digits counts, wherever it stands; a contract only behind the word for it. One of
each kind at most is taken where a text names several: whoever forwards a list of customers names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailbot.catalogue.folding import plain_lines, visible_text
from mailbot.domain.customer import contract_key
from mailbot.domain.identification import ClueKind, CustomerClue
from mailbot.evidence.check_digits import compact, is_cnpj, is_cpf
from mailbot.evidence.field_kinds.contact import phones_in

_LONGEST_TEXT = 100_000
_LONGEST_CONTRACT = 40

_CPF_RUN = re.compile(r"(?<![\w.\-/])\d{3}[. ]?\d{3}[. ]?\d{3}[-. /]?\d{2}(?![\w]|[.\-/]\w)")
_CNPJ_RUN = re.compile(
    r"(?<![\w.\-/])[0-9A-Za-z]{2}\.?[0-9A-Za-z]{3}\.?[0-9A-Za-z]{3}/?[0-9A-Za-z]{4}-?\d{2}(?!\w)"
)
_CONTRACT = re.compile(
    r"\bcontrato\b[ \t]*(?:de[ \t]+(?:locacao|aluguel|venda|compra)[ \t]*)?"
    r"(?:(?:n|no|nr|num|numero|n[ºo°])\b\.?[ \t]*|n[º°]\.?[ \t]*)?[:#\-–=]?[ \t]*(?:e|eh)?[ \t]*"
    r"([a-z0-9][a-z0-9./\-]{1,39})"
)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")


def clues_in(text: str) -> tuple[CustomerClue, ...]:
    """The numbers in ``text`` that name a customer, at most one of each kind, without punctuation.

    Of two different ones of a kind neither counts. Never raises; of a hostile text at most 100,000 characters are
    read, in linear time.
    """
    shown = visible_text(text[:_LONGEST_TEXT])
    found = {
        ClueKind.CPF: _cpfs(shown),
        ClueKind.CNPJ: _cnpjs(shown),
        ClueKind.CONTRACT: _contracts(shown),
        ClueKind.PHONE: (phone_digits(one) for one in phones_in(shown)),
    }
    distinct = {kind: dict.fromkeys(values) for kind, values in found.items()}
    return tuple(CustomerClue(kind=kind, value=next(iter(one))) for kind, one in distinct.items() if len(one) == 1)


def _cpfs(text: str) -> Iterator[str]:
    yield from (compact(match[0]) for match in _CPF_RUN.finditer(text) if is_cpf(match[0]))


def _cnpjs(text: str) -> Iterator[str]:
    yield from (compact(match[0]) for match in _CNPJ_RUN.finditer(text) if is_cnpj(match[0]))


def _contracts(text: str) -> Iterator[str]:
    for match in _CONTRACT.finditer(plain_lines(text)):
        key = contract_key(match[1])
        if any(ch.isdigit() for ch in key) and len(key) <= _LONGEST_CONTRACT:
            yield key


def cpf_of(text: str) -> str | None:
    """A typed CPF without punctuation; ``None`` if it is none."""
    return compact(text) if is_cpf(text) else None


def cnpj_of(text: str) -> str | None:
    """A typed CNPJ without punctuation, in upper case; ``None`` if it is none."""
    return compact(text) if is_cnpj(text) else None


def phone_of(text: str) -> str | None:
    """A typed Brazilian telephone number with its area code, digits only; ``None`` if it is none, or several."""
    phones = phones_in(f" {text} ")
    return phone_digits(phones[0]) if len(phones) == 1 else None


def phone_digits(phone: str) -> str:
    """A number as people write it, digits only."""
    return "".join(ch for ch in phone if ch.isdigit())


def email_of(text: str) -> str | None:
    """A typed mail address in lower case; ``None`` if it is none (RFC 5321 §4.5.3.1: 254 octets at most)."""
    bare = text.strip()
    local = bare.partition("@")[0]
    if (
        len(bare) > 254
        or not _EMAIL.fullmatch(bare)
        or local.startswith(".")
        or local.endswith(".")
        or ".." in local
    ):
        return None
    return bare.lower()
