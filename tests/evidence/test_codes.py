"""Barcodes and QR codes are found at several scales and small tilts, and those of other kinds do no harm."""

from __future__ import annotations

import pytest
import zxingcpp
from PIL import Image

from mailbot.evidence.codes import MOST_CHARACTERS, codes_in
from mailbot.evidence.content import Code
from tests.papers import BARCODE, drawn_code, page, photograph

SLIP = Code(format="ITF", text=BARCODE)
PATIENCE = 600.0
"""Seconds: where the search itself is shown, others may keep the processors as long as they like."""
PIX = "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR6304ABCD"


@pytest.mark.parametrize("tilt", [0, 2, -4, 6, 90, 180])
def test_the_bars_of_a_boleto_are_read_at_small_tilts_and_quarter_turns(tilt: int) -> None:
    paper = page((), barcode=BARCODE).rotate(tilt, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert SLIP in codes_in(paper, thoroughly=True, within_seconds=PATIENCE)


@pytest.mark.parametrize("scale", [0.5, 0.75, 2.0])
def test_they_are_read_at_several_scales(scale: float) -> None:
    paper = page((), barcode=BARCODE)
    resized = paper.resize((int(paper.width * scale), int(paper.height * scale)))
    assert SLIP in codes_in(resized, thoroughly=True, within_seconds=PATIENCE)


def test_a_thorough_search_finds_what_a_quick_one_does_not() -> None:
    aslant = page((), barcode=BARCODE).rotate(10, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert SLIP not in codes_in(aslant, thoroughly=False)
    assert SLIP in codes_in(aslant, thoroughly=True, within_seconds=PATIENCE)


def test_a_qr_is_read_beside_the_bars_and_each_code_once() -> None:
    found = codes_in(photograph(page((), barcode=BARCODE, qr=PIX)), thoroughly=True, within_seconds=PATIENCE)
    assert set(found) == {SLIP, Code(format="QRCode", text=PIX)}
    assert len(found) == 2


@pytest.mark.parametrize("kind", ["EAN13", "UPCA", "Codabar"])
def test_a_barcode_of_another_kind_is_none_of_ours(kind: str) -> None:
    text = {"EAN13": "7891234567895", "UPCA": "042100005264", "Codabar": "A123456A"}[kind]
    paper = Image.new("L", (1200, 800), 255)
    paper.paste(drawn_code(text, getattr(zxingcpp.BarcodeFormat, kind)).resize((600, 200)), (100, 100))
    assert all(code.format != "ITF" or len(code.text) != len(BARCODE) for code in codes_in(paper, thoroughly=True))


def test_a_part_of_the_bars_is_no_code_where_all_of_them_were_read() -> None:
    for tilt in (7, 8, 9):
        paper = page((), barcode=BARCODE).rotate(tilt, expand=True, fillcolor=255)
        found = [code.text for code in codes_in(paper, thoroughly=True, within_seconds=PATIENCE)]
        assert BARCODE not in found or found == [BARCODE]


def test_nothing_is_found_on_an_empty_sheet() -> None:
    assert codes_in(page(()), thoroughly=True) == ()


def test_a_tiny_picture_has_none() -> None:
    assert codes_in(Image.new("L", (1, 1)), thoroughly=True) == ()


def test_only_so_much_of_a_code_is_kept() -> None:
    assert MOST_CHARACTERS >= 4_296
