"""`mailbot documents read` from outside: nothing configured, whatever the files are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailbot.cli.explained import FACTS_OF
from mailbot.domain.evidence import DocumentKind
from tests.cli.command import run_mailbot
from tests.evidence.test_reading import BOLETO as LINES
from tests.papers import BARCODE, BOLETO, page, photograph, saved
from tests.pdfs import encrypted_pdf, text_pdf

VECTORS = Path(__file__).parents[1] / "evidence" / "vectors.json"
KEYS = {
    *("file", "media_type", "size_bytes", "sha256", "kind", "confidence", "readability", "reasons", "facts"),
    *("uncertain", "documents", "candidates", "page_count", "pages", "elapsed_ms"),
}


def test_it_says_what_each_file_is_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(text_pdf(LINES))
    (tmp_path / "b.pdf").write_bytes(encrypted_pdf())
    (tmp_path / "c.pdf").write_bytes(b"MZ" + bytes(100))
    ran = run_mailbot("documents", "read", "--json", "a.jpg", "b.pdf", "c.pdf", cwd=tmp_path)
    assert ran.code == 0, ran.stderr
    first, second, third = ran.json_lines
    assert all(set(said) == KEYS for said in ran.json_lines)
    assert (first["file"], first["media_type"], first["kind"]) == ("a.jpg", "application/pdf", "boleto")
    assert first["pages"][0]["source"] == "text_layer"
    assert first["pages"][0]["text"].splitlines()[0] == LINES[0]
    assert first["candidates"][0]["kind"] == "boleto"
    assert first["candidates"][0]["score"] > 0.5
    assert set(first["facts"]) >= set(FACTS_OF[DocumentKind.BOLETO])
    assert first["facts"]["payer_name"] is None
    assert (second["readability"], second["reasons"]) == ("encrypted", ["encrypted"])
    assert third["readability"] == "not_a_document"


@pytest.mark.tesseract
def test_it_shows_the_text_and_codes_of_a_photograph(tmp_path: Path) -> None:
    (tmp_path / "foto.jpg").write_bytes(saved(photograph(page(BOLETO, barcode=BARCODE))))
    ran = run_mailbot("documents", "read", "foto.jpg", cwd=tmp_path)
    assert ran.code == 0, ran.stderr
    assert "foto.jpg: boleto" in ran.stdout
    assert f"ITF: {BARCODE}" in ran.stdout
    assert "Recibo do Pagador" in ran.stdout


def test_it_takes_a_pix_code_apart(tmp_path: Path) -> None:
    code = json.loads(VECTORS.read_text("utf-8"))["brcode_valid"][1]
    (tmp_path / "qr.png").write_bytes(saved(page(("Pague com Pix",), qr=code)))
    (page_read,) = run_mailbot("documents", "read", "--json", "qr.png", cwd=tmp_path).json_lines[0]["pages"]
    (found,) = page_read["codes"]
    assert (found["text"], found["pix"]["key"], found["pix"]["amount"]) == (code, "02872448000120", "108.00")
    assert "Pix payee_name: DETRAN GO" in run_mailbot("documents", "read", "qr.png", cwd=tmp_path).stdout


def test_a_file_that_is_not_there_gets_its_line_too_and_the_exit_code_tells(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(text_pdf(LINES))
    ran = run_mailbot("documents", "read", "--json", "none.pdf", "a.pdf", cwd=tmp_path)
    assert ran.code == 1
    assert [said["file"] for said in ran.json_lines] == ["none.pdf", "a.pdf"]
    assert set(ran.json_lines[0]) == KEYS
    assert ran.json_lines[0]["reasons"] == ["not_read"]
    assert "none.pdf: No such file" in ran.stderr


def test_what_a_stranger_wrote_gives_the_terminal_no_orders(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(text_pdf(["Recibo \x1b[31m do Pagador \x07"]))
    ran = run_mailbot("documents", "read", "a.pdf", cwd=tmp_path)
    assert "Recibo" in ran.stdout
    assert not {"\x1b", "\x07"} & set(ran.stdout)
