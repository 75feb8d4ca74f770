"""Values as documents print them: money, days and times, tax numbers, names. ``text -> values``, never raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from mailbot.catalogue.folding import plain_lines
from mailbot.evidence.check_digits import is_cnpj, is_cpf

_LONGEST = 4_000

# --- money ---

_MONEY = re.compile(
    r"(?P<sign>r\s?[$s8§]\s*|brl\s*)?(?<![\d.,/])-?(?P<whole>\d{1,3}(?:[. ]\d{3}){1,3}|\d{1,9})"
    r"(?:,\s?(?P<cents>\d{2})|(?(sign)\.(?P<dot_cents>\d{2})|(?!)))(?![\d%]|\s?%|[.,/:]\d)",
    re.IGNORECASE,
)
_MOST_MONEY = Decimal("99999999.99")


def money_in(text: str) -> tuple[Decimal, ...]:
    """Every amount above zero with two decimals in ``text``: ``R$ 1.234,56`` or ``1.234,56``."""
    found = []
    for match in _MONEY.finditer(text[:_LONGEST]):
        whole = re.sub(r"[. ]", "", match["whole"])
        amount = Decimal(f"{whole}.{match['cents'] or match['dot_cents']}")
        if 0 < amount <= _MOST_MONEY:
            found.append(amount)
    return tuple(found)


def money(amount: Decimal) -> str:
    """``amount`` as facts carry it: ``"108.00"``."""
    return f"{amount:.2f}"


# --- days and times ---

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janeiro", "fev fevereiro", "mar marco", "abr abril", "mai maio", "jun junho", "jul julho",
            "ago agosto", "set setembro", "out outubro", "nov novembro", "dez dezembro",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_DAY = re.compile(
    r"(?<![\d/.,-])(?:"
    r"(?P<d1>\d{1,2})\s?[/.\-]\s?(?P<m1>\d{1,2})\s?[/.\-]\s?(?P<y1>20\d{2}|19\d{2}|\d{2})"
    r"|(?P<y2>20\d{2})-(?P<m2>\d{2})-(?P<d2>\d{2})"
    r"|(?P<d3>\d{1,2})(?:o|\.o)?(?:\s?[/.\-]\s?|\s+(?:de\s+)?)(?P<m3>[a-z]{3,9})\.?(?:\s?[/.\-,]\s?"
    r"|\s+(?:de\s+)?)(?P<y3>20\d{2}|19\d{2})"
    r")(?![\d])"
)
_TIME = re.compile(
    r"(?<![\d:])(?P<h>[01]?\d|2[0-3])\s?(?:h|:)\s?(?P<m>[0-5]\d)(?:\s?(?:min|m|:)?\s?(?P<s>[0-5]\d)?s?)?(?![\d:])"
)
_MOST_BETWEEN_DAY_AND_TIME = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A day as printed, with the time of day that stands with it, if any; local time of whoever printed it."""

    day: date
    at: time | None = None

    def isoformat(self) -> str:
        """``2026-11-20T10:22:45``, or the day alone."""
        return self.day.isoformat() if self.at is None else datetime.combine(self.day, self.at).isoformat()


def moments_in(text: str) -> tuple[Moment, ...]:
    """Every date in ``text``, with the time behind or (on its own) before it."""
    folded = plain_lines(text[:_LONGEST])
    return tuple(_moments(folded))


def _moments(folded: str) -> Iterator[Moment]:
    matches = [(match, day) for match in _DAY.finditer(folded) if (day := _day(match)) is not None]
    taken = 0
    for index, (match, day) in enumerate(matches):
        end = matches[index + 1][0].start() if index + 1 < len(matches) else len(folded)
        last = min(end, match.end() + _MOST_BETWEEN_DAY_AND_TIME + 9)
        hour = _TIME.search(folded, match.end(), last)
        if hour is None:
            hour = _TIME.search(folded, max(taken, match.start() - _MOST_BETWEEN_DAY_AND_TIME), match.start())
        taken = match.end() if hour is None else max(hour.end(), match.end())
        yield Moment(day=day, at=None if hour is None else _time(hour))


def _day(match: re.Match[str]) -> date | None:
    if match["d1"]:
        year = int(match["y1"])
        parts = (year + 2000 if year < 100 else year, int(match["m1"]), int(match["d1"]))
    elif match["y2"]:
        parts = (int(match["y2"]), int(match["m2"]), int(match["d2"]))
    else:
        month = _MONTHS.get(match["m3"]) or _MONTHS.get(match["m3"][:3], 0)
        parts = (int(match["y3"]), month, int(match["d3"]))
    try:
        return date(*parts)
    except ValueError:
        return None


def _time(match: re.Match[str]) -> time:
    return time(int(match["h"]), int(match["m"]), int(match["s"] or 0))


def days_in(text: str) -> tuple[date, ...]:
    """Every date in ``text``."""
    return tuple(moment.day for moment in moments_in(text))


# --- tax numbers ---

_TAX_NUMBER = re.compile(
    r"(?<![\dA-Za-z.*])(?:"
    r"(?P<cpf>\d{3}[. ]?\d{3}[. ]?\d{3}[-. /]?\d{2})"
    r"|(?P<cnpj>[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}\s?/?\s?[0-9A-Z]{4}\s?-?\s?\d{2})"
    r")(?![\dA-Za-z*]|-\d)"
)
_HIDDEN = r"[*•●xX#]"
_MASKED = re.compile(
    rf"(?<![\w*•●#])(?:{_HIDDEN}{{3}}\.?(\d{{3}})\.?(\d{{3}})[-.]?{_HIDDEN}{{2}}"
    rf"|{_HIDDEN}{{3}}\.?{_HIDDEN}{{3}}\.?(\d{{3}})[-.]?(\d{{2}}))(?![\w*•●#])"
)


def tax_ids_in(text: str) -> tuple[str, ...]:
    """CPF and CNPJ with right check digits in ``text``, bare: ``52998224725``; without doubles."""
    found = []
    for match in _TAX_NUMBER.finditer(text[:_LONGEST]):
        bare = re.sub(r"[\s./\-]", "", match.group()).upper()
        if (match["cpf"] and is_cpf(bare)) or (match["cnpj"] and is_cnpj(bare)):
            found.append(bare)
    return tuple(dict.fromkeys(found))


def masked_cpfs_in(text: str) -> tuple[str, ...]:
    """CPF of which only the middle is shown, as ``***.123.456-**``."""
    return tuple(dict.fromkeys(f"***.{one[1]}.{one[2]}-**" for one in _MASKED.finditer(text[:_LONGEST]) if one[1]))


# --- names ---

_NAME_WORD = re.compile(r"[^\W\d_][\w'’.&\-]*|&|[Ss]/[Aa]\.?|\d{2}\.\d{3}\.\d{3}", re.UNICODE)
_NOT_A_NAME = re.compile(
    r"^(?:cpf|cnpj|cpf/cnpj|razao social|nome fantasia|agencia|conta|banco|instituicao|chave|valor"
    r"|data|codigo|numero|endereco|tipo|nome|"
    r"documento|vencimento|pagador|beneficiario|cep|rua|avenida|av|pix|debito|credito|nao|telefone|"
    r"dados|especie|aceite|carteira|nosso|local|uso|quantidade|descricao|identificador|id|autenticacao)\b"
    r"|^(?:de|para|por|quem|boleto|titulo|tributo|convenio|pagamento|origem|destino|favorecido|recebedor|destinatario|remetente|cliente|original|correntista)$"
)
_END_OF_NAME = re.compile(
    r"\s+-\s+|\s*[|;]\s*|\s{2,}|\s*[(\[]|,\s|\s*(?:cpf|cnpj|cpf/cnpj|cnpj/cpf|cnpj / cpf|cpf / cnpj"
    r"|c\.?n\.?p\.?j\.?|"
    r"c\.?p\.?f\.?|ag[eê]ncia|conta|institui[cç][aã]o|banco:|endere[cç]o|chave|documento|valor|data)\b\s*[:.]?"
    r"|\s+[\d*•]{3}[\d.*•]{3}",
    re.IGNORECASE,
)
_LONGEST_NAME = 80


def name_in(text: str) -> str | None:
    """The name with which ``text`` begins: at least two letters a word, as printed; ``None`` if it is none."""
    cut = _END_OF_NAME.split(text.strip(" :.-–"), maxsplit=1)[0].strip(" :.,-–/")
    if not 3 <= len(cut) <= _LONGEST_NAME or _NOT_A_NAME.match(plain_lines(cut)):
        return None
    words = cut.split()
    if not all(_NAME_WORD.fullmatch(word.strip("(),")) for word in words):
        return None
    letters = sum(ch.isalpha() for ch in cut)
    digits = sum(ch.isdigit() for ch in cut)
    return " ".join(words) if letters >= 3 and digits <= 8 and len(words) <= 12 else None
