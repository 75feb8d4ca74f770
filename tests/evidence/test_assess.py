"""What was shown is held against what is asked; nothing is guessed between two requirements."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.limits import Limits
from mailbot.catalogue.load import load_catalogue
from mailbot.domain.evidence import (
    DocumentKind,
    DocumentPart,
    EvidenceReport,
    FieldOrigin,
    FieldValue,
    Finding,
    Verdict,
)
from mailbot.domain.mail import Attachment
from mailbot.evidence.assess import FileToAssess, assess
from mailbot.evidence.reading import not_read, read_document
from tests.evidence.test_picture_files import bomb_png
from tests.pdfs import encrypted_pdf, scanned_pdf, text_pdf
from tests.pictures import jpeg, png

CATALOGUE = load_catalogue(Path(__file__).resolve().parents[2] / "config")
CHANGE = CATALOGUE.type("inspection_location_change")
LIMITS = CATALOGUE.limits_of("inspection_location_change")
TODAY = date(2026, 11, 23)
DOCUMENTS = ("payment_receipt", "boleto", "driver_licence")

LINE = "34199.83691 00602.677353 46848.745264 9 16410000010800"
BOLETO = text_pdf(["Recibo do Pagador", LINE, "Vencimento 20/11/2026"])
RECEIPT = text_pdf(["Comprovante de pagamento", "Valor pago 108,00", "Data do pagamento 20/11/2026"])
LICENCE = text_pdf(["CARTEIRA NACIONAL DE HABILITAÇÃO", "Categoria B", "Filiação"])
VALID_FIELDS = tuple(FieldValue(key=spec.key, value=spec.label) for spec in CHANGE.fields)


def file(
    content: bytes, filename: str = "arquivo", media_type: str = "application/pdf", *, inline: bool = False
) -> FileToAssess:
    sha256 = hashlib.sha256(content).hexdigest()
    attachment = Attachment(
        filename=filename,
        declared_type=media_type,
        media_type=media_type,
        content=content,
        sha256=sha256,
        inline=inline,
    )
    reading = read_document(sha256, content, media_type, filename)
    return FileToAssess(attachment=attachment, digest=sha256, reading=reading)


def photo(number: int, filename: str = "", *, inline: bool = False) -> FileToAssess:
    name = filename or f"IMG-20261120-WA{number:04}.jpg"
    return file(jpeg(3000, 2000, size_bytes=50_000 + number), name, "image/jpeg", inline=inline)


def assessed(*files: FileToAssess, held: tuple[Finding, ...] = (), limits: Limits = LIMITS) -> EvidenceReport:
    return assess(CHANGE, held=held, new_files=files, fields=VALID_FIELDS, limits=limits, today=TODAY)


def verdicts(report: EvidenceReport) -> list[tuple[str, str | None, str, bool]]:
    return [
        (found.filename, found.requirement, found.verdict.value, found.for_a_person) for found in report.findings
    ]


def test_three_certain_documents_make_a_request_complete() -> None:
    report = assessed(file(BOLETO, "a.pdf"), file(RECEIPT, "b.pdf"), file(LICENCE, "c.pdf"))
    assert verdicts(report) == [
        ("a.pdf", "boleto", "accepted", False),
        ("b.pdf", "payment_receipt", "accepted", False),
        ("c.pdf", "driver_licence", "accepted", False),
    ]
    assert report.complete


def test_what_is_missing_comes_in_the_order_of_the_catalogue() -> None:
    fields = (
        FieldValue(key="phone", value="99999-8888", valid=False, reason="no_area_code"),
        FieldValue(key="origin_unit", value="Rio Verde"),
        FieldValue(key="reason", value=""),
    )
    report = assess(CHANGE, held=(), new_files=(file(BOLETO),), fields=fields, limits=LIMITS, today=TODAY)
    assert report.missing == (
        "payment_receipt", "driver_licence", "reason", "destination_unit", "requester_name", "phone", "email",
    )  # fmt: skip
    assert report.fields == fields


def test_documents_are_held_over_several_mails() -> None:
    first = assessed(file(BOLETO))
    second = assessed(file(RECEIPT), held=first.findings)
    assert second.missing == ("driver_licence",)
    third = assessed(file(LICENCE), held=second.findings)
    assert third.complete
    assert [found.requirement for found in third.findings] == ["boleto", "payment_receipt", "driver_licence"]


def test_the_same_file_counts_once() -> None:
    report = assessed(file(BOLETO, "a.pdf"), file(BOLETO, "b.pdf"))
    assert len(report.findings) == 1
    assert len(assessed(file(BOLETO, "c.pdf"), held=report.findings).findings) == 1


def test_content_decides_over_the_name() -> None:
    report = assessed(file(BOLETO, "comprovante.pdf"))
    assert [found.requirement for found in report.findings] == ["boleto"]
    assert "payment_receipt" in report.missing


# --- pictures -----------------------------------------------------------------------------------------------


def test_a_picture_with_a_telling_name_counts_for_a_person() -> None:
    report = assessed(photo(1, "CNH.jpg"))
    assert verdicts(report) == [("CNH.jpg", "driver_licence", "not_checked", True)]
    assert report.missing == ("payment_receipt", "boleto")


def test_one_nameless_picture_fills_the_one_missing_document_for_a_person() -> None:
    report = assessed(file(BOLETO), file(RECEIPT), photo(1))
    assert report.complete
    assert (report.findings[-1].requirement, report.findings[-1].for_a_person) == ("driver_licence", True)


def test_as_many_nameless_pictures_as_missing_documents_fill_them() -> None:
    report = assessed(photo(1), photo(2), photo(3))
    assert report.complete
    assert all(found.for_a_person for found in report.findings)
    assert {found.requirement for found in report.findings} == set(DOCUMENTS)


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_nameless_pictures_than_missing_documents_fill_none(count: int) -> None:
    report = assessed(*(photo(number) for number in range(count)))
    assert report.missing == DOCUMENTS
    assert all(found.requirement is None and not found.for_a_person for found in report.findings)
    assert {found.verdict for found in report.findings} == {Verdict.NOT_CHECKED}


def test_nameless_pictures_of_earlier_mails_count_with_the_new_ones() -> None:
    first = assessed(photo(1), photo(2))
    assert assessed(photo(3), held=first.findings).complete


def test_a_scanned_file_with_a_page_for_each_document_stands_for_all() -> None:
    report = assessed(file(scanned_pdf(3), "Digitalizado.pdf"))
    assert report.complete
    assert [found.requirement for found in report.findings] == list(DOCUMENTS)
    assert len({found.digest for found in report.findings}) == 1


def test_a_scanned_file_of_one_page_does_not_stand_for_three() -> None:
    assert assessed(file(scanned_pdf(1), "Digitalizado.pdf")).missing == DOCUMENTS


def test_a_file_that_was_not_read_may_be_all_that_is_asked_for() -> None:
    file_of_three = file(text_pdf(["Capa"]), "papeis.pdf")
    assert assessed(file_of_three).missing == DOCUMENTS
    report = assessed(replace(file_of_three, reading=not_read(file_of_three.digest)))
    assert report.complete
    assert all(found.for_a_person and found.verdict is Verdict.NOT_CHECKED for found in report.findings)


def test_one_file_with_all_three_texts_serves_all_three() -> None:
    pages = (
        ["Recibo do Pagador", LINE],
        ["Comprovante de pagamento", "Valor pago R$ 108,00"],
        ["CARTEIRA NACIONAL DE HABILITAÇÃO", "Categoria"],
    )
    report = assessed(file(text_pdf(*pages), "tudo.pdf"))
    assert report.complete
    assert {found.verdict for found in report.findings} == {Verdict.ACCEPTED}


def test_in_a_photograph_of_three_papers_one_that_was_not_read_is_for_a_person_and_not_missing() -> None:
    """R000-08: nobody is asked for what lies in the picture that they sent."""
    photograph = file(
        text_pdf(
            ["Recibo do Pagador", LINE],
            ["CARTEIRA NACIONAL DE HABILITAÇÃO", "Categoria"],
        ),
        "IMG_0001.pdf",
    )
    assert photograph.reading is not None
    unread = DocumentPart(kind=DocumentKind.UNKNOWN, confidence=0.3, page=1)
    seen = replace(photograph.reading, parts=(*photograph.reading.parts, unread))
    report = assessed(replace(photograph, reading=seen))
    assert report.missing == ()
    by_requirement = {found.requirement: found for found in report.findings}
    assert by_requirement["payment_receipt"].for_a_person
    assert by_requirement["boleto"].verdict is Verdict.ACCEPTED


def test_a_destination_that_is_the_origin_is_missing() -> None:
    same = tuple(
        replace(value, value="Rio Verde") if value.key in ("origin_unit", "destination_unit") else value
        for value in VALID_FIELDS
    )
    report = assess(CHANGE, held=(), new_files=(), fields=same, limits=LIMITS, today=TODAY)
    assert report.missing == (*DOCUMENTS, "destination_unit")
    assert [value.reason for value in report.fields if value.key == "destination_unit"] == ["same_unit"]


LINKS = (
    "https://drive.google.com/file/d/abc123/view",
    "Os documentos: http://1drv.ms/f/abc123.",
    "<https://www.dropbox.com/s/abc123/cnh.pdf?dl=0>",
    "https://we.tl/t-abc123",
    "www.icloud.com/iclouddrive/abc123",
    "https://exemplo-my.sharepoint.com/:f:/p/abc123",
    "HTTPS://ONEDRIVE.LIVE.COM/?id=abc123",
)


def with_text(text: str, *files: FileToAssess) -> EvidenceReport:
    return assess(CHANGE, held=(), new_files=files, fields=VALID_FIELDS, limits=LIMITS, today=TODAY, new_text=text)


@pytest.mark.parametrize("text", LINKS)
def test_a_link_instead_of_a_file_is_said_while_documents_are_missing(text: str) -> None:
    report = with_text(text, file(BOLETO), file(RECEIPT))
    assert [(one.key, one.reason) for one in report.mismatches] == [("link", "link_instead_of_file")]
    assert report.missing == ("driver_licence",)
    assert with_text(text, file(BOLETO), file(RECEIPT), file(LICENCE)).complete


@pytest.mark.parametrize(
    "text",
    [
        "maria@icloud.com",
        "https://www.example.com.br/dropbox.com/",
        "drive.google.com",
        "me@dropbox.com/x",
        "we.tlx/a",
    ],
)
def test_other_addresses_are_no_link_to_a_file(text: str) -> None:
    assert with_text(text).mismatches == ()


@pytest.mark.parametrize("piece", ["a-", "drive.google.com ", "a.sharepoint.com", "www."])
def test_a_megabyte_of_half_a_link_is_read_in_no_time(piece: str) -> None:
    begun = time.thread_time()
    with_text(piece * (1_000_000 // len(piece)))
    assert time.thread_time() - begun < 2


def test_empty_files_are_told_each_by_its_name() -> None:
    report = assessed(
        file(b"", "boleto.pdf"), file(b"", "CNH.jpg", "image/jpeg"), file(b"", "IMG_1.jpg", "image/jpeg")
    )
    assert verdicts(report) == [
        ("boleto.pdf", "boleto", "unreadable", False),
        ("CNH.jpg", "driver_licence", "unreadable", False),
        ("IMG_1.jpg", None, "unreadable", False),
    ]
    assert {found.reasons for found in report.findings} == {("empty_file",)}
    assert report.missing == DOCUMENTS


def test_an_empty_file_is_forgotten_when_the_whole_one_comes() -> None:
    before = assessed(file(b"", "boleto.pdf"))
    assert verdicts(assessed(file(BOLETO, "boleto.pdf"), held=before.findings)) == [
        ("boleto.pdf", "boleto", "accepted", False)
    ]


def test_an_empty_file_of_no_type_that_is_taken_is_still_called_empty() -> None:
    (found,) = assessed(file(b"", "papeis.docx", "application/msword")).findings
    assert found.reasons == ("empty_file",)


@pytest.mark.parametrize(
    "decoration",
    [
        file(png(300, 300, size_bytes=9_000), "logo.png", "image/png", inline=True),
        file(png(900, 120), "banner.png", "image/png", inline=True),
        file(png(32, 32), "icon.png", "image/png"),
        file(png(1, 1), "pixel.png", "image/png"),
        file(b"", "pixel.gif", "image/gif", inline=True),
        file(b"", "ATT00001.txt", "text/plain"),
        file(b"", "", "application/octet-stream"),
        file(b"BEGIN:VCARD", "maria.vcf", "text/vcard"),
        file(b"x", "smime.p7s", "application/pkcs7-signature"),
    ],
)
def test_logos_pixels_and_signatures_never_count(decoration: FileToAssess) -> None:
    report = assessed(file(BOLETO), file(RECEIPT), decoration)
    assert len(report.findings) == 2
    assert report.missing == ("driver_licence",)


def test_a_photograph_in_the_text_counts() -> None:
    assert assessed(file(BOLETO), file(RECEIPT), photo(1, inline=True)).complete


# --- refusals -----------------------------------------------------------------------------------------------


def test_a_file_behind_a_password_is_refused_beside_the_requirement_its_name_tells() -> None:
    report = assessed(file(encrypted_pdf(), "CNH.pdf"))
    assert verdicts(report) == [("CNH.pdf", "driver_licence", "encrypted", False)]
    assert "driver_licence" in report.missing


def test_a_good_file_replaces_a_refused_one_of_its_requirement() -> None:
    first = assessed(file(encrypted_pdf(), "CNH.pdf"), file(BOLETO, "a.pdf"))
    second = assessed(file(LICENCE, "CNH aberta.pdf"), held=first.findings)
    assert [found.filename for found in second.findings] == ["a.pdf", "CNH aberta.pdf"]
    assert second.missing == ("payment_receipt",)


def test_a_refused_file_sent_again_stands_there_once() -> None:
    first = assessed(file(encrypted_pdf(), "CNH.pdf"))
    assert len(assessed(file(encrypted_pdf(), "CNH.pdf"), held=first.findings).findings) == 1


@pytest.mark.parametrize(
    ("bad", "verdict", "reason"),
    [
        (file(b"%PDF-1.4 broken", "x.pdf"), Verdict.UNREADABLE, "unreadable"),
        (
            file(b"MZ" + bytes(100), "boleto.pdf", "application/x-msdownload"),
            Verdict.REFUSED_TYPE,
            "type_not_allowed",
        ),
        (file(b"PK\x03\x04", "documentos.zip", "application/zip"), Verdict.REFUSED_TYPE, "type_not_allowed"),
        (file(BOLETO + b" " * (11 << 20), "boleto.pdf"), Verdict.REFUSED_SIZE, "file_too_large:10 MB"),
        (file(bomb_png(10_000), "boleto.png", "image/png"), Verdict.REFUSED_SIZE, "picture_too_large"),
        (file(jpeg(3000, 2000)[:9000], "boleto.jpg", "image/jpeg"), Verdict.UNREADABLE, "unreadable"),
    ],
)
def test_a_file_that_can_not_be_used_is_refused_with_its_reason(
    bad: FileToAssess, verdict: Verdict, reason: str
) -> None:
    report = assessed(bad)
    assert (report.findings[0].verdict, report.findings[0].reasons) == (verdict, (reason,))
    assert report.missing == DOCUMENTS


def test_a_program_where_the_list_allows_programs_is_still_no_document() -> None:
    report = assessed(file(b"MZ", "a.exe", "application/x-msdownload"), limits=Limits())
    assert (report.findings[0].verdict, report.findings[0].reasons) == (Verdict.REFUSED_TYPE, ("not_a_document",))


def test_files_beyond_the_mail_s_limit_are_refused_and_the_rest_is_used() -> None:
    limits = Limits(max_file_mb=1, max_mail_mb=1)
    big = file(jpeg(3000, 2000, size_bytes=1_000_000), "foto.jpg", "image/jpeg")
    bigger = file(jpeg(3000, 2000, size_bytes=900_000), "foto2.jpg", "image/jpeg")
    report = assessed(big, bigger, file(BOLETO, "b.pdf"), limits=limits)
    assert [
        (found.filename, found.reasons[:1]) for found in report.findings if found.verdict is Verdict.REFUSED_SIZE
    ] == [("foto2.jpg", ("mail_too_large:1 MB",))]
    assert "boleto" not in report.missing


def test_files_beyond_the_number_allowed_are_refused() -> None:
    report = assessed(photo(1, "CNH.jpg"), file(BOLETO), limits=Limits(max_files=1))
    assert [found.verdict for found in report.findings] == [Verdict.NOT_CHECKED, Verdict.REFUSED_SIZE]


def test_a_type_that_asks_for_no_documents_keeps_files_unjudged() -> None:
    general = CATALOGUE.type("general")
    report = assess(general, held=(), new_files=(file(BOLETO),), fields=(), limits=Limits(), today=TODAY)
    assert report.complete
    assert [(found.requirement, found.verdict) for found in report.findings] == [(None, Verdict.NOT_CHECKED)]


# --- anything -----------------------------------------------------------------------------------------------

_FILES = st.sampled_from(
    [
        file(BOLETO, "boleto.pdf"),
        file(RECEIPT, "CNH.pdf"),
        file(LICENCE, "x.pdf"),
        file(encrypted_pdf(), "comprovante.pdf"),
        file(scanned_pdf(2), "scan.pdf"),
        file(b"%PDF-", "boleto 2.pdf"),
        file(b"MZ", "x.exe", "application/x-msdownload"),
        *(photo(number) for number in range(5)),
        photo(9, "CNH.jpg"),
        photo(10, "\u202e\x00../comprovante e boleto.jpg"),
    ]
)
_FIELDS = st.lists(
    st.builds(FieldValue, key=st.sampled_from([spec.key for spec in CHANGE.fields]) | st.text(max_size=5),
              value=st.text(max_size=10), valid=st.booleans(), origin=st.sampled_from(FieldOrigin)),
    max_size=8,
).map(tuple)  # fmt: skip


@given(st.lists(st.lists(_FILES, max_size=5), max_size=4), _FIELDS)
def test_whatever_comes_in_any_number_of_mails_the_report_stays_true(
    mails: list[list[FileToAssess]], fields: tuple[FieldValue, ...]
) -> None:
    report = EvidenceReport()
    for files in mails:
        before = set(report.missing)
        held = report.findings
        report = assess(CHANGE, held=held, new_files=tuple(files), fields=fields, limits=LIMITS, today=TODAY)
        # The checklist only ever shrinks, and nothing that was good is lost.
        assert not held or set(report.missing) <= before
        good = {(found.sha256, found.requirement) for found in held if found.verdict is Verdict.ACCEPTED}
        assert good <= {(found.sha256, found.requirement) for found in report.findings}
    served = {found.requirement for found in report.findings
              if found.verdict is Verdict.ACCEPTED or found.for_a_person}  # fmt: skip
    if mails:
        assert {key for key in DOCUMENTS if key not in served} == set(report.missing) & set(DOCUMENTS)
    pairs = [(found.sha256, found.requirement) for found in report.findings]
    assert len(pairs) == len(set(pairs))


def test_a_thousand_files_are_assessed_in_no_time() -> None:
    files = tuple(photo(number) for number in range(1000))
    begun = time.thread_time()
    assessed(*files, limits=Limits(max_files=1000, max_mail_mb=1000))
    assert time.thread_time() - begun < 3
