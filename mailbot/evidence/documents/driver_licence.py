"""The driver's licence (CNH), since 2022 and before, card and PDF: ``PageText -> KindReading`` (DOMAIN C.5).

The PDF of the app is mostly a picture, and its text is also that of a vehicle's paper (CRLV-e): not enough. The
check digits of the registration number differ between published algorithms, so a wrong one is a hint, no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from mailbot.catalogue.folding import fold_words
from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.check_digits import is_cpf, is_licence_number
from mailbot.evidence.documents.boleto_numbers import barcodes_in
from mailbot.evidence.documents.kind_reading import FactReading, KindReading
from mailbot.evidence.documents.mrz import Mrz, find_mrz
from mailbot.evidence.documents.page_text import PageText
from mailbot.evidence.documents.printed import days_in, name_in, tax_ids_in
from mailbot.evidence.documents.scoring import Clue, weighed

KIND = DocumentKind.DRIVER_LICENCE
NAME = (
    r"cnh|cnh e|cnhe|habilitacao|motorista|carteira de (?:motorista|habilitacao)|driver licence|carta de motorista"
)

_CLUES = (
    Clue(reason="title", weight=0.45, pattern=r"carteira nacional de habilitacao|permissao para dirigir"),
    Clue(
        reason="title_in_other_language",
        weight=0.25,
        pattern=r"driver ?licen[sc]e|driving licen[sc]e|permiso de conduc\w*",
    ),
    Clue(
        reason="category",
        weight=0.15,
        pattern=r"(?:1a?|1o|primeira|l a|1 ?a?) habilitacao|cat ?hab|cat habilitacao|categoria(?: [a-e]{1,2})?"
        r"|9 cat",
    ),
    Clue(
        reason="licence_numbers",
        weight=0.15,
        pattern=r"(?:5 )?n[or]? (?:de )?registro|numero (?:de|do) registro|renach|numero espelho|acc",
    ),
    Clue(reason="parents", weight=0.1, pattern=r"filiacao|doc identidade|org emissor(?: uf)?|4c doc"),
    Clue(
        reason="authority",
        weight=0.1,
        pattern=r"senatran|denatran|detran|secretaria nacional de transito|departamento (?:estadual"
        r"|nacional) de transito"
        r"|ministerio d[ao]s? (?:infraestrutura|transportes|cidades)",
    ),
    Clue(
        reason="numbered_fields", weight=0.2, pattern=r"2 ?e ?1 nome|4d cpf|4b validade|4a data|3 data local e uf"
    ),
    # The government's app signs the licence and the vehicle's paper alike.
    Clue(reason="government_signer", weight=0.1, pattern=r"assinador serpro|assinatura do serpro"),
    Clue(
        reason="vehicle_paper",
        weight=-0.9,
        pattern=r"crlv\w*|crv|certificado de registro e licenciamento|licenciamento (?:anual|de veiculo)"
        r"|codigo renavam|renavam|chassi|placa (?:anterior|exercicio)|ano fabricacao",
    ),
    Clue(
        reason="identity_paper",
        weight=-0.6,
        pattern=r"carteira de identidade|registro geral|instituto de identificacao"
        r"|secretaria (?:d[ea] )?(?:estado d[ea] )?"
        r"seguranca publica|cedula de identidade|identidade nacional|lei n? ?(?:o )?7 ?116|certidao|naturalidade",
    ),
    Clue(
        reason="tax_card",
        weight=-0.6,
        pattern=r"cadastro de pessoas? fisicas?|receita federal|situacao cadastral|comprovante de inscricao",
    ),
    Clue(
        reason="is_about_money",
        weight=-0.6,
        pattern=r"comprovante (?:de )?(?:pagamento|pix|transferencia)|recibo do pagador|ficha de compensacao"
        r"|documento unico de arrecadacao|linha digitavel|valor (?:pago|total|do documento)|vencimento"
        r"|renovacao da|taxa|agendamento|curso|aula|simulado|como (?:tirar|renovar)",
    ),
)
_MRZ_WEIGHT = 0.4
_STRUCTURE = {"category", "licence_numbers", "parents", "numbered_fields", "mrz"}

_HOLDER = r"2 ?e ?1 nome(?: e sobrenome)?|nome e sobrenome|nome(?! d[aeo]s? (?:pai|mae|social))"
_CPF = r"4d cpf|cpf"
_NUMBER = r"(?:5 )?n[or]?\.?[ °º]*(?:d[eo] )?registro|numero (?:de|do) registro|registro"
_BIRTH = r"3 data,? local e uf de nascimento|data(?:,)? (?:local e uf )?(?:de )?nasc(?:imento)?|nascimento"
_VALID = r"(?:4b )?(?:data (?:de )?)?validade|valid[oa] ate"
_ISSUED = r"(?:4a )?data (?:de |da )?emissao"
_SHORTEST_VALIDITY = timedelta(days=150)
# Birth, first licence, issue, validity.
_DATES_OF_A_LICENCE = 4
_ELEVEN = re.compile(r"(?<!\d)\d{11}(?!\d)")
_SPLIT_ELEVEN = re.compile(r"(?<![\d./-])\d{3,9}(?: \d{2,8}){1,2}(?![\d./-])")


def read(page: PageText, *, today: date) -> KindReading:
    """How much speaks for a driver's licence, and what it says."""
    score, reasons = weighed(page.words, _CLUES)
    mrz = find_mrz(page.raw, today=today) if re.search(r"[A-Z<«]{3}", page.raw) else None
    if mrz is not None and re.search(r"BRA", page.raw):
        score, reasons = score + _MRZ_WEIGHT, (*reasons, "mrz")
    if not _STRUCTURE & set(reasons):
        score = min(score, 0.5)
    if barcodes_in(page):
        score, reasons = 0.0, (*reasons, "has_digitable_line")
    score = round(max(0.0, min(1.0, score)), 3)
    facts = tuple(_facts(page, mrz, today)) if score >= 0.2 else ()
    number = next((fact.value for fact in facts if fact.name == "licence_number"), None)
    if number is not None and not is_licence_number(number):
        reasons = (*reasons, "licence_number_check_digits")
    return KindReading(kind=KIND, score=score, facts=facts, reasons=reasons)


def _facts(page: PageText, mrz: Mrz | None, today: date) -> Iterator[FactReading]:
    sure = not page.is_ocr
    name = _holder(page)
    if name:
        by_mrz = mrz is not None and _same_words(name, mrz.names)
        yield FactReading(name="holder_name", value=name, certain=sure or by_mrz or page.times(name) > 1)
    cpf = _cpf(page)
    if cpf:
        yield FactReading(name="tax_id", value=cpf, certain=True)
    number = _number(page, cpf)
    if number:
        yield FactReading(name="licence_number", value=number, certain=sure or is_licence_number(number))
    yield from _dates(page, mrz, today)


def _holder(page: PageText) -> str:
    found = [one for one in page.near(_HOLDER, _person, below=2) if one]
    return found[0] if found else ""


def _person(text: str) -> list[str]:
    """A name of at least two words without digits, as a card prints it."""
    cut = re.split(r"\s{2,}|\d", text, maxsplit=1)[0]
    name = name_in(cut)
    if name is None or len(name.split()) < 2 or any(ch.isdigit() for ch in name):
        return []
    return (
        [] if re.search(r"(?i)habilita|sobrenome|republica|identidade|data|filia|cpf|validade", name) else [name]
    )


def _cpf(page: PageText) -> str:
    """The CPF at its label; else the only one with dots; the registration number has eleven digits too."""
    labelled = [one for one in page.near(_CPF, tax_ids_in, below=2) if len(one) == 11]
    dotted = [
        one
        for line in page.lines
        for part in re.findall(r"\d{3}\.\s?\d{3}\.\s?\d{3}\s?[-./]\s?\d{2}", line.raw)
        for one in tax_ids_in(re.sub(r"(?<=[.\-/])\s|\s(?=[.\-/])", "", part))
    ]
    for found in (dotted, labelled):
        if len(set(found)) == 1:
            return found[0]
    return ""


def _number(page: PageText, cpf: str) -> str:
    labelled = [one for one in page.near(_NUMBER, _elevens, below=3) if one != cpf]
    if labelled:
        return labelled[0]
    everywhere = {one for line in page.lines for one in _elevens(line.raw) if one != cpf}
    valid = [one for one in everywhere if is_licence_number(one) and not is_cpf(one)]
    return valid[0] if len(valid) == 1 else ""


def _elevens(text: str) -> list[str]:
    found = _ELEVEN.findall(text)
    joined = ["".join(one.split()) for one in _SPLIT_ELEVEN.findall(text)]
    return found or [one for one in joined if len(one) == 11]


# --- dates --------------------------------------------------------------------------------------------------


def _dates(page: PageText, mrz: Mrz | None, today: date) -> Iterator[FactReading]:
    """Birth and validity, by label, by order among all dates, by the machine readable zone: two must agree,
    or the text layer has its label."""
    everywhere = sorted({day for line in page.lines for day in days_in(line.raw)})
    birth = _labelled(page, _BIRTH)
    until = _labelled(page, _VALID)
    issued = _labelled(page, _ISSUED)
    earliest = everywhere[0] if len(everywhere) >= 3 else None
    latest = everywhere[-1] if len(everywhere) >= 3 else None
    for name, labelled, ordered, coded in (
        ("birth_date", birth, earliest, mrz.birth_date if mrz else None),
        ("valid_until", until, latest, mrz.valid_until if mrz else None),
    ):
        value = coded or labelled or ordered
        if value is None or not _is_possible(name, value, everywhere, today):
            continue
        votes = [labelled, ordered, coded].count(value)
        against = any(one not in (None, value) for one in (labelled, coded))
        if name == "valid_until" and coded is None:
            against = against or not _is_after_issue(value, issued, everywhere)
        told = votes >= 2 or (labelled is not None and not page.is_ocr)
        certain = not against and (coded is not None or (told and page.is_confirmed(value, days_in)))
        yield FactReading(name=name, value=value.isoformat(), certain=certain)


def _labelled(page: PageText, label: str) -> date | None:
    found = page.near(label, days_in, below=2)
    return found[0] if found and len(set(found)) == 1 else None


def _is_possible(name: str, day: date, everywhere: list[date], today: date) -> bool:
    if name == "birth_date":
        return 1900 < day.year <= today.year - 18
    # A validity follows its issue; cards of the last century have long expired.
    later = [one for one, two in pairwise([*everywhere, day]) if one > two]
    return day.year >= 1998 and len(later) <= 1


def _is_after_issue(until: date, issued: date | None, everywhere: list[date]) -> bool:
    """Whether a validity cannot be the day of issue, beside which it stands: where one of the two was not seen,
    the other is taken for both."""
    if issued is not None:
        return until - issued >= _SHORTEST_VALIDITY
    return len(everywhere) >= _DATES_OF_A_LICENCE


def _same_words(name: str, other: str) -> bool:
    return bool(other) and set(fold_words(other).split()) <= set(fold_words(name).split())
