"""What a Pix QR code or *copia e cola* says: ``text -> BrCode`` (Banco Central, Manual do BR Code; EMV QRCPS-MPM).

A charge is no payment: it only tells to whom and how much. Nothing is taken from a code whose checksum is wrong,
and no address in it is ever opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_PIX = "br.gov.bcb.pix"
_BEGINNING = "000201"
LONGEST = 1_000
"""Characters of a code; the Banco Central allows 512."""

_AMOUNT = re.compile(r"\d{1,10}(?:\.\d{1,2})?")
_CRC_TAG, _CRC_CHARACTERS = "6304", 4
_POLYNOMIAL, _FIRST_REMAINDER = 0x1021, 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class BrCode:
    """A charge by Pix. ``key`` is whose it is (CPF, CNPJ, e-mail, telephone, random), ``url`` where a bank asks
    for a dynamic one: one of the two is empty. ``amount`` is ``None`` where the payer chooses."""

    key: str
    url: str
    amount: Decimal | None
    payee_name: str
    payee_city: str
    txid: str


def br_code(text: str) -> BrCode | None:
    """The charge in ``text``; ``None`` for anything else, and where the checksum (CRC-16/CCITT-FALSE) is wrong."""
    text = text.strip()
    if not text.startswith(_BEGINNING) or len(text) > LONGEST or not _is_whole(text):
        return None
    fields = dict(_fields(text))
    # Several schemes may be offered in one code (tags 26 to 51); ours names itself.
    accounts = (dict(_fields(value)) for tag, value in fields.items() if tag.isdigit() and 26 <= int(tag) <= 51)
    pix = next((one for one in accounts if one.get("00", "").lower() == _PIX), None)
    if pix is None or not (pix.get("01") or pix.get("25")):
        return None
    amount = fields.get("54", "")
    return BrCode(
        key=pix.get("01", ""),
        url=pix.get("25", ""),
        amount=Decimal(amount) if _AMOUNT.fullmatch(amount) and amount.isascii() else None,
        payee_name=fields.get("59", ""),
        payee_city=fields.get("60", ""),
        txid=dict(_fields(fields.get("62", ""))).get("05", ""),
    )


def _is_whole(text: str) -> bool:
    body, tag, said = text[: -_CRC_CHARACTERS - len(_CRC_TAG)], text[-8:-4], text[-4:]
    return tag == _CRC_TAG and f"{_crc16((body + tag).encode('utf-8', 'replace')):04X}" == said.upper()


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Tag, two digits of length, value; it ends where that does not hold any more."""
    place = 0
    while place + 4 <= len(text):
        tag, length = text[place : place + 2], text[place + 2 : place + 4]
        if not (length.isascii() and length.isdigit() and tag.isascii() and tag.isdigit()):
            return
        end = place + 4 + int(length)
        if end > len(text):
            return
        yield tag, text[place + 4 : end]
        place = end


def _crc16(content: bytes) -> int:
    remainder = _FIRST_REMAINDER
    for byte in content:
        remainder ^= byte << 8
        for _ in range(8):
            remainder = (remainder << 1) ^ _POLYNOMIAL if remainder & 0x8000 else remainder << 1
        remainder &= 0xFFFF
    return remainder
