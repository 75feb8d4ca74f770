"""A new kind of document is one module and one entry in the configuration: nothing else is touched."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from mailbot.catalogue.load import Catalogue, load_catalogue
from mailbot.domain.evidence import DocumentKind, Verdict
from mailbot.domain.mail import Attachment
from mailbot.evidence import documents
from mailbot.evidence.askable import unreadable_requirements
from mailbot.evidence.assess import FileToAssess, assess
from mailbot.evidence.reading import read_document
from tests.pdfs import text_pdf

TODAY = date(2026, 11, 23)
CONFIG = Path(__file__).resolve().parents[2] / "config"
FURTHER = Path(__file__).with_name("further_kinds")
CARD = text_pdf(
    [
        "REPÚBLICA FEDERATIVA DO BRASIL",
        "CARTEIRA DE IDENTIDADE",
        "SECRETARIA DE SEGURANÇA PÚBLICA",
        "REGISTRO GERAL 1234567",
        "NOME",
        "MARIA SOUZA",
    ]
)


@pytest.fixture
def with_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(documents, "__path__", [*documents.__path__, str(FURTHER)])
    yield
    sys.modules.pop(f"{documents.__name__}.identity_card", None)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """The sample configuration, which asks for an identity card too."""
    shutil.copytree(CONFIG, tmp_path / "config")
    path = tmp_path / "config" / "catalogue" / "inspection_location_change.yaml"
    entry = "documents:\n  - key: identity_card\n    label: Documento de identidade\n"
    path.write_text(path.read_text("utf-8").replace("documents:\n", entry, 1), "utf-8")
    return load_catalogue(tmp_path / "config")


def file(content: bytes) -> FileToAssess:
    sha256 = hashlib.sha256(content).hexdigest()
    attachment = Attachment(
        filename="x.pdf",
        declared_type="application/pdf",
        media_type="application/pdf",
        content=content,
        sha256=sha256,
        inline=False,
    )
    reading = read_document(sha256, content, "application/pdf", "x.pdf")
    return FileToAssess(attachment=attachment, digest=sha256, reading=reading)


def test_an_identity_card_is_read_and_serves_its_requirement(with_module: None, catalogue: Catalogue) -> None:
    change = catalogue.type("inspection_location_change")
    report = assess(
        change, held=(), new_files=(file(CARD),), fields=(), limits=catalogue.limits_of(change.key), today=TODAY
    )
    (found,) = report.findings
    assert (found.kind, found.requirement, found.verdict) == ("identity_card", "identity_card", Verdict.ACCEPTED)
    assert found.fact("holder_name") == "MARIA SOUZA"
    assert "identity_card" not in report.missing
    assert documents.kind_by_filename("RG Maria.pdf") == "identity_card"
    assert not list(unreadable_requirements(catalogue))


def test_without_its_module_the_card_is_another_document_and_the_entry_a_mistake(catalogue: Catalogue) -> None:
    assert file(CARD).reading is not None
    assert read_document("d", CARD, "application/pdf", "x.pdf").kind is DocumentKind.OTHER
    (problem,) = unreadable_requirements(catalogue)
    assert "identity_card" in problem.message
    assert "driver_licence" in problem.message


def test_equal_names_of_further_kinds_are_one_object() -> None:
    assert DocumentKind("identity_card") is DocumentKind("identity_card")
    with pytest.raises(ValueError, match="not a valid"):
        DocumentKind("Identity card")
