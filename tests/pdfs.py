"""PDFs for tests, written by hand: text pages, scanned-looking pages, pages behind a password, broken ones."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from math import cos, radians, sin


def text_pdf(*pages: Sequence[str], hidden: bool = False) -> bytes:
    """A PDF with one page for each sequence of lines, in Helvetica, as a text layer.

    ``hidden``: no pen draws the text, as behind the picture of a scanned page."""
    behind = b"0.8 g 50 50 400 600 re f 3 Tr " if hidden else b""
    return _pdf([behind + _page_stream(lines) for lines in pages])


def stamped_pdf(lines: Sequence[str], stamp: str, *, degrees: float) -> bytes:
    """A page of text, and across it a word in large letters."""
    along, up = cos(radians(degrees)), sin(radians(degrees))
    across = b"BT /F1 48 Tf %.4f %.4f %.4f %.4f 150 640 Tm (%s) Tj ET" % (along, up, -up, along, _escaped(stamp))
    return _pdf([_page_stream(lines) + b"\n" + across])


def pdf_with_turned_form(lines: Sequence[str], stamp: str, *, degrees: float) -> bytes:
    """As :func:`stamped_pdf`, the word upright in a form that the page shows turned."""
    along, up = cos(radians(degrees)), sin(radians(degrees))
    page = _page_stream(lines) + b"\nq %.4f %.4f %.4f %.4f 150 640 cm /X1 Do Q" % (along, up, -up, along)
    shown = b"BT /F1 48 Tf 0 0 Td (%s) Tj ET" % _escaped(stamp)
    fonts = b"/Font << /F1 3 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << %s /XObject << /X1 6 0 R >> >> >>" % fonts,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /XObject /Subtype /Form /BBox [-20 -20 400 100] /Resources << %s >> /Length %d >>\nstream\n%s\n"
        b"endstream" % (fonts, len(shown), shown),
    ]
    return _assembled(objects, encrypted=False)


def annotated_pdf(lines: Sequence[str], stamp: str) -> bytes:
    """A page of text with a stamp that was laid on it in a reader, as an annotation with its own appearance."""
    page, shown = _page_stream(lines), b"BT /F1 40 Tf 5 8 Td (%s) Tj ET" % _escaped(stamp)
    fonts = b"/Resources << /Font << /F1 3 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Annots [6 0 R] %s >>" % fonts,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Annot /Subtype /Stamp /Rect [100 300 400 345] /F 4 /AP << /N 7 0 R >> >>",
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 300 45] %s /Length %d >>\nstream\n%s\nendstream"
        % (fonts, len(shown), shown),
    ]
    return _assembled(objects, encrypted=False)


def text_pdf_with_its_end_first(parts: Sequence[Sequence[str]], *, says_its_length: bool = False) -> bytes:
    """A PDF of one page whose table stands in front, as in one that is shown while it loads; the page is written
    in ``parts``, each a stream of its own, the last one at the end. ``says_its_length``: in its first object."""
    streams = [
        _page_stream(lines).replace(b"50 800 Td", b"50 %d Td" % (800 - 14 * sum(map(len, parts[:index]))))
        for index, lines in enumerate(parts)
    ]
    names = b" ".join(b"%d 0 R" % (10 + index) for index in range(len(streams)))
    objects = [
        (1, b"<< /Type /Catalog /Pages 2 0 R >>"),
        (2, b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>"),
        (3, b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"),
        (
            4,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents [%s]"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % names,
        ),
        *(
            (10 + index, b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
            for index, stream in enumerate(streams)
        ),
    ]
    head = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    table = b"xref\n0 0\ntrailer\n<< /Root 1 0 R /Size 20 >>\nstartxref\n0\n%%EOF\n"
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % one for one in objects) + b"%%EOF\n"
    if not says_its_length:
        return head + table + body
    first = b"9 0 obj\n<< /Linearized 1 /L %08d /N 1 >>\nendobj\n"
    length = len(head) + len(first % 0) + len(table) + len(body)
    return head + first % length + table + body


def sized_pdf(width_points: int, height_points: int) -> bytes:
    """A PDF of one page that claims to be so large, with a box on it."""
    plain = _pdf([b"0.8 g 50 50 400 600 re f"])
    old, new = b"[0 0 595 842]", b"[0 0 %d %d]" % (width_points, height_points)
    return plain.replace(old, new)


def scanned_pdf(pages: int = 1) -> bytes:
    """A PDF whose pages have no text layer, only a grey box."""
    return _pdf([b"0.8 g 50 50 400 600 re f"] * pages)


def encrypted_pdf() -> bytes:
    """A PDF that no empty password opens: its verifier is not that of any password that we know."""
    encrypt = b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>" % (b"61" * 32, b"62" * 32)
    return _pdf([_page_stream(["segredo"])], encrypt=encrypt)


@cache
def bomb_pdf(megabytes: int = 100) -> bytes:
    """A PDF of a few kB whose one page is so long a text, compressed twice; pdfium needs 15 times the memory."""
    pressed, block = zlib.compressobj(), b"(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj " * 20_000
    text = pressed.compress(b"BT /F1 9 Tf ")
    text += b"".join(pressed.compress(block) for _ in range(megabytes))
    stream = zlib.compress(text + pressed.compress(b"ET") + pressed.flush(), 9)
    return _pdf([stream], stream_filter=b" /Filter [/FlateDecode /FlateDecode]")


def _page_stream(lines: Sequence[str]) -> bytes:
    shown = b"".join(b"(%s) Tj T*\n" % _escaped(line) for line in lines)
    return b"BT /F1 11 Tf 14 TL 50 800 Td\n" + shown + b"ET"


def _escaped(line: str) -> bytes:
    raw = line.encode("cp1252", "replace")
    return b"".join(bytes([b]) if 32 <= b < 127 and b not in b"()\\" else b"\\%03o" % b for b in raw)


def _pdf(streams: Sequence[bytes], encrypt: bytes | None = None, stream_filter: bytes = b"") -> bytes:
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    kids = b" ".join(b"%d 0 R" % (4 + 2 * index) for index in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(streams)),
        font,
    ]
    for index, stream in enumerate(streams):
        contents = 5 + 2 * index
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % contents
        )
        objects.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(stream), stream_filter, stream))
    if encrypt is not None:
        objects.append(encrypt)
    return _assembled(objects, encrypted=encrypt is not None)


def _assembled(objects: Sequence[bytes], *, encrypted: bool) -> bytes:
    pdf = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(pdf)
    pdf += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    pdf += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    extra = b" /Encrypt %d 0 R /ID [<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]" % len(
        objects
    )
    pdf += b"trailer\n<< /Size %d /Root 1 0 R%s >>\n" % (len(objects) + 1, extra if encrypted else b"")
    return bytes(pdf + b"startxref\n%d\n%%%%EOF\n" % table)
