"""Papers for tests, drawn by Pillow: a boleto, a receipt, a licence, as scan or photograph, with bars and QR."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any

import zxingcpp
from PIL import Image, ImageDraw, ImageFilter, ImageFont

BARCODE = "34196166700000123451101234567880057123457000"
LINE = "34191.10121 34567.880058 71234.570001 6 16670000012345"

BOLETO = (
    f"BANCO EXEMPLO S.A.   341-7   {LINE}",
    "Recibo do Pagador",
    "Local de pagamento: PAGÁVEL EM QUALQUER BANCO ATÉ O VENCIMENTO",
    "Beneficiário: VISTORIAS EXEMPLO LTDA    CNPJ: 12.345.678/0001-95",
    "Pagador: JOÃO BATISTA LIMA    CPF: 529.982.247-25",
    "Vencimento 01/05/2002     Valor do documento R$ 123,45",
    "Nosso número 110/1234567-8    Espécie DM    Aceite N",
    "Autenticação mecânica - Ficha de Compensação",
)
RECEIPT = (
    "BANCO EXEMPLO S.A.",
    "Comprovante de pagamento de boleto",
    f"Linha digitável: {LINE}",
    "Beneficiário: VISTORIAS EXEMPLO LTDA",
    "Data do pagamento: 20/11/2026 às 10:22",
    "Valor pago: R$ 123,45",
    "Conta debitada: 12345-6    Agência: 0001",
    "Autenticação bancária: 9F3A.77C1.02BD.5E10",
)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


@cache
def page(
    lines: Sequence[str], *, barcode: str = "", qr: str = "", width: int = 1654, height: int = 2339
) -> Image.Image:
    """A sheet of A4 at 200 dpi, the lines from its top, then the codes."""
    paper = Image.new("L", (width, height), 255)
    pen, unit = ImageDraw.Draw(paper), width / 1654
    y = 130 * unit
    for line in lines:
        pen.text((100 * unit, y), line, fill=15, font=_font(round(26 * unit)))
        y += 66 * unit
    if barcode:
        bars = drawn_code(barcode, zxingcpp.BarcodeFormat.ITF).resize((round(1000 * unit), round(130 * unit)))
        paper.paste(bars, (round(100 * unit), round(y + 40 * unit)))
        y += 220 * unit
    if qr:
        side = round(360 * unit)
        square = drawn_code(qr, zxingcpp.BarcodeFormat.QRCode).resize((side, side), Image.Resampling.NEAREST)
        paper.paste(square, (round(100 * unit), round(y + 40 * unit)))
    return paper


def drawn_code(text: str, code_format: zxingcpp.BarcodeFormat) -> Image.Image:
    """A barcode or QR as a picture."""
    made: Any = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, code_format), scale=3)
    return Image.frombuffer("L", (made.shape[1], made.shape[0]), bytes(made))


def scan(paper: Image.Image, *, tilt_degrees: float = 1.2, seed: int = 1) -> Image.Image:
    """As a scanner gives it at 150 dpi: a little aslant, with noise."""
    turned = paper.rotate(tilt_degrees, resample=Image.Resampling.BICUBIC, fillcolor=255)
    small = turned.resize((turned.width * 3 // 4, turned.height * 3 // 4), Image.Resampling.BOX)
    grain = Image.frombytes("L", small.size, random.Random(seed).randbytes(small.width * small.height))
    return Image.blend(small, grain, 0.06)


def photograph(
    paper: Image.Image, *, tilt_degrees: float = 2.5, size: tuple[int, int] = (3000, 4000)
) -> Image.Image:
    """As a phone of 12 megapixels sees it: on a table, aslant, with a shadow from one side, slightly blurred."""
    sheet = paper.resize((round(size[0] * 0.94), round(size[1] * 0.94)), Image.Resampling.BICUBIC)
    table = Image.new("L", size, 120)
    table.paste(sheet, ((size[0] - sheet.width) // 2, (size[1] - sheet.height) // 2))
    table = table.rotate(tilt_degrees, resample=Image.Resampling.BICUBIC, fillcolor=120)
    shadow = Image.linear_gradient("L").rotate(90).resize(size)
    shaded = Image.blend(table, Image.new("L", size, 0), 0.4)
    return Image.composite(table, shaded, shadow).filter(ImageFilter.GaussianBlur(1.2))


def saved(picture: Image.Image, picture_format: str = "JPEG", **options: Any) -> bytes:
    """The file's bytes; a photograph is in colour."""
    if picture_format == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    stream = BytesIO()
    picture.convert("RGB").save(stream, picture_format, **({"quality": 70} | options))
    return stream.getvalue()


def with_orientation(picture: Image.Image, orientation: int) -> bytes:
    """A JPEG whose pixels are stored turned, as phones do, with the EXIF note of how to turn them back."""
    stored = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture.transpose(stored), exif=exif)


def picture_pdf(*pictures: Image.Image, dpi: int = 150) -> bytes:
    """A PDF of scanned pages."""
    stream = BytesIO()
    first, *others = pictures
    first.save(stream, "PDF", resolution=dpi, save_all=True, append_images=others)
    return stream.getvalue()
