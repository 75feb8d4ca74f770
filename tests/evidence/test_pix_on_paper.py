"""A boleto's Pix held against the boleto (issue 4, 3): an agent hears of another amount, nothing is refused."""

from __future__ import annotations

import binascii
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.evidence import DocumentKind, DocumentReading, Finding, Readability, Remark, Verdict
from mailbot.evidence.agreement import held_together
from mailbot.evidence.codes import bars_in
from mailbot.evidence.content import Code, FileContent, PageContent, TextSource
from mailbot.evidence.meaning import reading_of
from mailbot.evidence.reading import read_document
from tests.papers import BARCODE, BOLETO, page
from tests.pdfs import text_pdf

TODAY = date(2026, 11, 23)


def charge(amount: str) -> str:
    """A static code as banks make them (Manual do BR Code)."""
    account = "0014br.gov.bcb.pix0114+5562999991234"
    value = f"54{len(amount):02}{amount}" if amount else ""
    code = f"00020126{len(account):02}{account}520400005303986{value}5802BR5907EMPRESA6007GOIANIA62070503***6304"
    return f"{code}{binascii.crc_hqx(code.encode(), 0xFFFF):04X}"


def read(*, code: str = "", copied: str = "", lines: tuple[str, ...] = BOLETO) -> DocumentReading:
    codes = (Code(format="ITF", text=BARCODE), *([Code(format="QRCode", text=code)] if code else []))
    text = "\n".join((*lines, copied))
    only = PageContent(number=1, text=text, source=TextSource.TEXT_LAYER, codes=codes)
    held = FileContent(pages=(only,), page_count=1, readability=Readability.READABLE, reasons=())
    return reading_of("d", held, today=TODAY)


def pix_amounts(reading: DocumentReading) -> list[str]:
    return [fact.value for fact in reading.facts if fact.name == "pix_amount"]


def test_the_same_amount_is_nothing_to_say() -> None:
    reading = read(code=charge("123.45"), copied=charge("123.45"))
    assert reading.kind is DocumentKind.BOLETO
    assert (pix_amounts(reading), "pix_amount_differs" in reading.reasons) == ([], False)


@pytest.mark.parametrize(
    ("code", "copied"),
    [
        (charge("12.34"), ""),
        ("", charge("12.34")),
        ("", f"Pix copia e cola:\n{charge('12.34')[:50]}\n{charge('12.34')[50:]}\nObrigado"),
    ],
    ids=["QR", "text", "over two lines"],
)
def test_another_amount_is_for_the_agent_to_see(code: str, copied: str) -> None:
    reading = read(code=code, copied=copied)
    assert (pix_amounts(reading), "pix_amount_differs" in reading.reasons) == (["12.34"], True)
    assert {fact.name: fact.value for fact in reading.facts}["amount"] == "123.45"


@pytest.mark.parametrize("code", [charge(""), charge("12.34")[:-1] + "!", "00020126"])
def test_a_code_without_amount_or_with_a_wrong_checksum_says_nothing(code: str) -> None:
    assert pix_amounts(read(code=code)) == []


def test_the_remark_stands_by_itself_and_refuses_nothing() -> None:
    reading = read(code=charge("12.34"))
    finding = Finding(
        digest="d",
        sha256="s",
        filename="boleto.pdf",
        media_type="application/pdf",
        size_bytes=1,
        kind=reading.kind,
        confidence=1.0,
        verdict=Verdict.ACCEPTED,
        requirement="boleto",
        reasons=reading.reasons,
        facts=reading.facts,
        guesses=reading.guesses,
    )
    (held,) = held_together([finding], TODAY)
    assert held.verdict is Verdict.ACCEPTED
    assert held.remarks == (Remark(fact="pix_amount", reason="pix_amount_differs"),)


def test_the_qr_beside_the_bars_of_a_born_digital_boleto_is_read() -> None:
    drawn = page(BOLETO, barcode=BARCODE, qr=charge("12.34"))
    assert {code.text for code in bars_in(drawn)} == {BARCODE, charge("12.34")}


def test_the_code_to_copy_of_a_born_digital_boleto_is_read() -> None:
    content = text_pdf((*BOLETO, charge("12.34")))
    assert pix_amounts(read_document("d", content, "application/pdf", "boleto.pdf")) == ["12.34"]


@given(st.text(alphabet="0123456789\n 6304ABR", max_size=400))
def test_no_text_makes_it_fail(text: str) -> None:
    read(copied="000201" + text)


def test_a_page_full_of_beginnings_costs_little() -> None:
    assert pix_amounts(read(copied="0002016304" * 15_000)) == []
