"""Papers of the sample customers, made here byte by byte: PDFs with a text layer, a locked PDF, a photo.

Names, numbers and banks are invented; tax numbers and digitable lines have right check digits, so that whoever
reads the papers finds them in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

AMOUNT_CENTS = 10_800
BENEFICIARY = "Vistoria Exemplo Ltda"
BENEFICIARY_TAX_ID = "11.222.333/0001-81"
_BANK = "999"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The person whose papers these are. ``tax_id`` (CPF) and ``licence_number`` carry their check digits."""

    name: str
    tax_id: str
    licence_number: str
    birth_date: str


# --- the three papers --------------------------------------------------------------------------------------


def boleto(holder: Holder, *, unit: str, due: date) -> bytes:
    """An inspection boleto for ``unit``."""
    return text_pdf("BOLETO DE COBRANÇA", _boleto_lines(holder, unit=unit, due=due))


def locked_boleto(holder: Holder, *, unit: str, due: date, password: str) -> bytes:
    """The same boleto, which only opens with a password."""
    return text_pdf("BOLETO DE COBRANÇA", _boleto_lines(holder, unit=unit, due=due), password=password)


def payment_receipt(holder: Holder, *, due: date, paid: date) -> bytes:
    """The bank's receipt for that boleto, paid."""
    lines = [
        "Banco Exemplo S.A. - Internet Banking",
        "Situação: EFETIVADA",
        f"Data do pagamento: {_day(paid)}",
        f"Linha digitável: {digitable_line(due)}",
        f"Data de vencimento: {_day(due)}",
        f"Valor pago: R$ {_money()}",
        f"Beneficiário: {BENEFICIARY}",
        f"CNPJ do beneficiário: {BENEFICIARY_TAX_ID}",
        f"Pagador: {holder.name}",
        f"CPF do pagador: {holder.tax_id}",
        "Autenticação bancária: 7F3A.91C2.44D0.E8B5",
    ]
    return text_pdf("COMPROVANTE DE PAGAMENTO DE BOLETO", lines)


def driver_licence(holder: Holder) -> bytes:
    """A driver's licence as text."""
    lines = [
        "REPÚBLICA FEDERATIVA DO BRASIL",
        "MINISTÉRIO DOS TRANSPORTES - SECRETARIA NACIONAL DE TRÂNSITO",
        "DRIVER LICENSE / PERMISO DE CONDUCCIÓN",
        f"2 e 1 NOME E SOBRENOME: {holder.name.upper()}",
        f"3 DATA, LOCAL E UF DE NASCIMENTO: {holder.birth_date}, RIO VERDE, GO",
        "4a DATA EMISSÃO: 10/03/2024",
        "4b VALIDADE: 08/03/2034",
        f"4d CPF: {holder.tax_id}",
        f"5 Nº REGISTRO: {holder.licence_number}",
        "9 CAT. HAB.: B",
        "DOCUMENTO DE EXEMPLO - SEM VALIDADE",
    ]
    return text_pdf("CARTEIRA NACIONAL DE HABILITAÇÃO", lines)


def _boleto_lines(holder: Holder, *, unit: str, due: date) -> list[str]:
    return [
        f"Banco Exemplo S.A.   {_BANK}-9",
        f"Linha digitável: {digitable_line(due)}",
        "Local de pagamento: pagável em qualquer banco até o vencimento",
        f"Beneficiário: {BENEFICIARY}",
        f"CNPJ do beneficiário: {BENEFICIARY_TAX_ID}",
        f"Data de vencimento: {_day(due)}",
        f"Valor do documento: R$ {_money()}",
        "Nosso número: 00001234567-8",
        f"Pagador: {holder.name}",
        f"CPF do pagador: {holder.tax_id}",
        f"Instruções: vistoria veicular na unidade de {unit}",
        "Recibo do pagador - Autenticação mecânica",
    ]


# --- the digitable line (FEBRABAN; DOMAIN C.2) -------------------------------------------------------------

_FACTOR_1000_AGAIN = date(2025, 2, 22)
_FREE_FIELD = "0000012345670000112233445"


def digitable_line(due: date, *, amount_cents: int = AMOUNT_CENTS) -> str:
    """The 47 digits of a boleto as printed, with its five check digits."""
    factor = 1000 + (due - _FACTOR_1000_AGAIN) // timedelta(days=1)
    tail = f"{factor:04d}{amount_cents:010d}"
    head = f"{_BANK}9"
    first, second, third = head + _FREE_FIELD[:5], _FREE_FIELD[5:15], _FREE_FIELD[15:]
    general = _mod11(head + tail + _FREE_FIELD)
    first, second, third = (part + _mod10(part) for part in (first, second, third))
    return f"{first[:5]}.{first[5:]} {second[:5]}.{second[5:]} {third[:5]}.{third[5:]} {general} {tail}"


def _mod10(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        product = int(digit) * (2 if place % 2 == 0 else 1)
        total += product // 10 + product % 10
    return str(-total % 10)


def _mod11(digits: str) -> str:
    total = sum(int(digit) * (2 + place % 8) for place, digit in enumerate(reversed(digits)))
    check = 11 - total % 11
    return "1" if check in (0, 10, 11) else str(check)


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _money() -> str:
    return f"{AMOUNT_CENTS // 100},{AMOUNT_CENTS % 100:02d}"


# --- PDF (ISO 32000-1) -------------------------------------------------------------------------------------

_FILE_ID = bytes(range(16))
# Table 20 and algorithm 2: what every password is filled up with.
_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_PERMISSIONS = -4


def text_pdf(title: str, lines: Sequence[str], *, password: str | None = None) -> bytes:
    """One A4 page with a title and lines of text; with ``password`` locked by the standard handler (40 bit)."""
    stream = _page_text(title, lines)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>"
        ),
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    trailer = b""
    if password is not None:
        owner, user, key = _lock(password.encode("latin-1"))
        stream = _rc4(
            hashlib.md5(key + (4).to_bytes(3, "little") + b"\0\0", usedforsecurity=False).digest()[:10], stream
        )
        objects.append(
            b"<< /Filter /Standard /V 1 /R 2 /P %d /O <%s> /U <%s> >>"
            % (_PERMISSIONS, owner.hex().encode(), user.hex().encode())
        )
        trailer = b" /Encrypt 7 0 R /ID [<%s> <%s>]" % (_FILE_ID.hex().encode(), _FILE_ID.hex().encode())
    objects[3] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream)
    return _file(objects, trailer)


def _page_text(title: str, lines: Sequence[str]) -> bytes:
    parts = [b"0.8 w 50 770 495 0 re S BT /F2 16 Tf 50 782 Td (%s) Tj /F1 10 Tf 0 -34 Td 18 TL" % _escaped(title)]
    parts += [b"(%s) Tj T*" % _escaped(line) for line in lines]
    return b"\n".join([*parts, b"ET"])


def _escaped(text: str) -> bytes:
    raw = text.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: Sequence[bytes], trailer: bytes) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R%s >>\n" % (len(objects) + 1, trailer)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def _lock(password: bytes) -> tuple[bytes, bytes, bytes]:
    """Owner entry, user entry and key for one password (algorithms 2 to 4 for revision 2)."""
    padded = (password + _PADDING)[:32]
    owner = _rc4(hashlib.md5(padded, usedforsecurity=False).digest()[:5], padded)
    material = padded + owner + _PERMISSIONS.to_bytes(4, "little", signed=True) + _FILE_ID
    key = hashlib.md5(material, usedforsecurity=False).digest()[:5]
    return owner, _rc4(key, _PADDING), key


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


# --- a photo (ITU-T T.81) ----------------------------------------------------------------------------------


def grey_photo(width: int = 1200, height: int = 1600) -> bytes:
    """A valid baseline JPEG, all of one grey: what counts here is that it is a picture and says nothing."""
    blocks = -(-width // 8) * -(-height // 8)
    one_code = bytes([1] + [0] * 15) + b"\0"
    bits = 2 * blocks
    data = bytearray(bits // 8)
    if bits % 8:
        # The last byte is filled up with ones.
        data.append(0xFF >> (bits % 8))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xDB, b"\0" + b"\x01" * 64),
            _segment(0xC0, b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x01\x01\x11\0"),
            _segment(0xC4, b"\0" + one_code),
            _segment(0xC4, b"\x10" + one_code),
            _segment(0xDA, b"\x01\x01\0\0\x3f\0"),
            bytes(data),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content
