"""Check digits of Brazilian numbers: CPF, CNPJ, boletos of banks and of collection (DOMAIN C.2, C.3, C.6).

Every function takes what somebody typed, punctuation and all, and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle

_PUNCTUATION = re.compile(r"[\s./\-]+")
_CPF = re.compile(r"[0-9]{11}")
_CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
_LONGEST_NUMBER = 120

# Runs of digits as boletos print them: at least 44 digits with blanks, dots and hyphens between.
_DIGIT_RUN = re.compile(r"[0-9](?:[0-9]|[ .\-\u00a0]{1,3}(?=[0-9])){43,90}")


def compact(text: str) -> str:
    """``text`` in upper case without blanks, dots, slashes and hyphens; empty if it is too long to be a number."""
    return _PUNCTUATION.sub("", text).upper() if len(text) <= _LONGEST_NUMBER else ""


def is_cpf(text: str) -> bool:
    """Whether ``text`` is a CPF with right check digits (mod 11); eleven equal digits are none."""
    digits = compact(text)
    if not _CPF.fullmatch(digits) or len(set(digits)) == 1:
        return False
    return digits[9:] == _registry_digits(digits[:9], longest_weight=11)


def is_cnpj(text: str) -> bool:
    """Whether ``text`` is a CNPJ with right check digits, numeric or alphanumeric (IN RFB 2.229/2024).

    A character's value is its ASCII code less 48; lower case counts as upper case.
    """
    if not text.isascii():
        return False
    characters = compact(text)
    if not _CNPJ.fullmatch(characters) or len(set(characters)) == 1:
        return False
    return characters[12:] == _registry_digits(characters[:12], longest_weight=9)


def _registry_digits(body: str, *, longest_weight: int) -> str:
    """The two check digits of the Receita Federal: weights 2 … ``longest_weight`` from the right, twice."""
    for _ in range(2):
        weights = cycle(range(2, longest_weight + 1))
        remainder = sum((ord(ch) - 48) * weight for ch, weight in zip(reversed(body), weights, strict=False)) % 11
        body += str(0 if remainder < 2 else 11 - remainder)
    return body[-2:]


def mod10(digits: str) -> int:
    """Check digit with weights 2, 1, 2 … from the right, digits of the products added."""
    total = 0
    for digit, weight in zip(reversed(digits), cycle((2, 1)), strict=False):
        product = int(digit) * weight
        total += product // 10 + product % 10
    return -total % 10


def _mod11_sum(digits: str) -> int:
    return (
        sum(int(digit) * weight for digit, weight in zip(reversed(digits), cycle(range(2, 10)), strict=False)) % 11
    )


def bank_mod11(digits: str) -> int:
    """General check digit of a bank boleto: results 0, 10 and 11 become 1."""
    digit = 11 - _mod11_sum(digits)
    return digit if 1 < digit < 10 else 1


def collection_mod11(digits: str) -> int:
    """Check digit of a collection slip with identifier 8 or 9: remainders 0 and 1 become 0."""
    remainder = _mod11_sum(digits)
    return 0 if remainder < 2 else 11 - remainder


def is_barcode(digits: str) -> bool:
    """Whether 44 digits are the bar code of a bank boleto or a collection slip with right check digits."""
    if len(digits) != 44 or not (digits.isascii() and digits.isdigit()):
        return False
    if digits[0] == "8":
        check = _collection_check(digits)
        return check is not None and check(digits[:3] + digits[4:]) == int(digits[3])
    bank_and_currency = digits[:3] != "000" and digits[3] == "9"
    return bank_and_currency and bank_mod11(digits[:4] + digits[5:]) == int(digits[4])


def _collection_check(digits: str) -> Callable[[str], int] | None:
    """The modulus that a collection slip's third digit, the value identifier, stands for."""
    return {"6": mod10, "7": mod10, "8": collection_mod11, "9": collection_mod11}.get(digits[2])


def barcode_of_line(line: str) -> str | None:
    """The 44-digit bar code of a digitable line (47 digits, or 48 starting with 8), with all check digits right.

    ``None`` for anything else: a line with one wrong digit is no line.
    """
    digits = compact(line)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) == 48 and digits[0] == "8":
        barcode = _from_collection_line(digits)
    elif len(digits) == 47 and digits[0] != "8":
        barcode = _from_bank_line(digits)
    else:
        return None
    return barcode if barcode is not None and is_barcode(barcode) else None


def _from_bank_line(digits: str) -> str | None:
    fields = (digits[:10], digits[10:21], digits[21:32])
    if any(mod10(field[:-1]) != int(field[-1]) for field in fields):
        return None
    return digits[:4] + digits[32:] + digits[4:9] + digits[10:20] + digits[21:31]


def _from_collection_line(digits: str) -> str | None:
    check = _collection_check(digits)
    blocks = [digits[start : start + 12] for start in range(0, 48, 12)]
    if check is None or any(check(block[:-1]) != int(block[-1]) for block in blocks):
        return None
    return "".join(block[:-1] for block in blocks)


def lines_in(text: str) -> tuple[str, ...]:
    """Every digitable line and bar code in ``text`` whose check digits are right, digits only, without doubles."""
    return tuple(dict.fromkeys(_valid_lines(_DIGIT_RUN.findall(text))))


def _valid_lines(runs: Iterable[str]) -> Iterator[str]:
    """The first right number of each run; other digits may stand before and after it, apart by a blank."""
    for run in runs:
        found = next((piece for piece in _pieces(run) if is_barcode(piece) or barcode_of_line(piece)), None)
        if found is not None:
            yield found


def _pieces(run: str) -> Iterator[str]:
    """Parts of 48, 47 and 44 digits that begin and end where a group of digits does."""
    digits, starts, ends = "", [], set()
    for group in re.findall(r"[0-9]+", run):
        starts.append(len(digits))
        digits += group
        ends.add(len(digits))
    for length in (48, 47, 44):
        for start in starts:
            if start + length in ends:
                yield digits[start : start + length]


def is_licence_number(text: str) -> bool:
    """Whether ``text`` is the registration number of a driver's licence (nine digits and two check digits).

    Weights 9 … 1, then 1 … 9, and two less where the first result was 10. Published algorithms differ in that
    last rule, so a number that fails may still be right (DOMAIN C.5).
    """
    digits = compact(text)
    if not _CPF.fullmatch(digits) or len(set(digits)) == 1:
        return False
    numbers = [int(digit) for digit in digits[:9]]
    first = sum(number * weight for number, weight in zip(numbers, range(9, 0, -1), strict=True)) % 11
    second = sum(number * weight for number, weight in zip(numbers, range(1, 10), strict=True)) % 11
    if first == 10:
        first, second = 0, second - 2
    if second < 0:
        second += 11
    return digits[9:] == f"{first}{0 if second >= 10 else second}"
