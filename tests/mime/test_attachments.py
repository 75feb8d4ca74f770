"""Attachments: named without trusting the name, typed by their bytes, told from pictures in the text."""

from __future__ import annotations

import base64
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mime.attachments import clean_name, linked_content_ids, name_for, sniffed_type
from mailbot.mime.parse import parse_mail
from tests.mime.test_parse import JPEG, PDF, multipart, nested, part, text_part


def _zip(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "declared", "media_type"),
    [
        (PDF, "application/octet-stream", "application/pdf"),
        (b"lixo do scanner\r\n" * 20 + PDF, "application/pdf", "application/pdf"),
        (b"x" * 2000 + PDF, "application/pdf", "application/octet-stream"),
        (b"MZ\x90\x00" + bytes(80) + b"%PDF-", "application/pdf", "application/x-msdownload"),
        (JPEG, "application/pdf", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9), "", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "", "image/heic"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "", "image/heic"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif", "", "image/avif"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp41", "", "video/mp4"),
        (b"II*\x00" + bytes(9), "", "image/tiff"),
        (b"GIF89a" + bytes(9), "", "image/gif"),
        (b"BM" + bytes(40), "", "image/bmp"),
        (b"BM: o nome de um arquivo, com o resto", "text/plain", "text/plain"),
        (b"MZ e texto", "text/plain", "text/plain"),
        (_zip("foto.jpg"), "application/pdf", "application/zip"),
        (_zip("[Content_Types].xml", "word/document.xml"), "", "docx"),
        (_zip("[Content_Types].xml", "xl/workbook.xml"), "", "xlsx"),
        (_zip("ppt/presentation.xml"), "", "pptx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9), "application/msword", "application/msword"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9), "application/pdf", "application/x-ole-storage"),
        (b"\x78\x9f\x3e\x22" + bytes(9), "application/octet-stream", "application/ms-tnef"),
        (b"Rar!\x1a\x07\x01\x00", "", "application/vnd.rar"),
        (b"7z\xbc\xaf\x27\x1c", "", "application/x-7z-compressed"),
        (b"\x1f\x8b\x08\x00", "", "application/gzip"),
        (b"<!DOCTYPE html><p>oi", "application/pdf", "text/html"),
        (b"\xef\xbb\xbf<html>", "", "text/html"),
        (b"<?xml version='1.0'?><svg/>", "image/png", "image/svg+xml"),
        (b"<?xml version='1.0'?><nfe/>", "application/xml", "application/xml"),
        (b"From: a@example.com.br\nTo: b@example.com.br\nSubject: x\n\noi", "text/plain", "message/rfc822"),
        ("olá".encode(), "text/csv", "text/csv"),
        ("olá".encode("cp1252"), "application/pdf", "text/plain"),
        (b"\x00\x01\x02", "text/plain", "application/octet-stream"),
        (b"\x00\x01\x02", "application/pdf", "application/octet-stream"),
        (b"", "application/pdf", "text/plain"),
    ],
)
def test_the_bytes_decide_what_a_file_is(content: bytes, declared: str, media_type: str) -> None:
    short = {
        "docx": "wordprocessingml.document",
        "xlsx": "spreadsheetml.sheet",
        "pptx": "presentationml.presentation",
    }
    found = sniffed_type(content, declared)
    assert found == media_type or found.endswith(short.get(media_type, "\0"))


@pytest.mark.parametrize(
    ("given_name", "shown_name"),
    [
        ("boleto.pdf", "boleto.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("C:\\temp\\foto.jpg", "foto.jpg"),
        ("C:foto.jpg", "foto.jpg"),
        ("/etc/passwd", "passwd"),
        ("a\0b\r\n.pdf", "ab .pdf"),
        ("cnh\u202efdp.exe", "cnhfdp.exe"),
        ("\u200bcnh\ufeff.pdf", "cnh.pdf"),
        (".", ""),
        ("..", ""),
        ("", ""),
        ("  'foto.jpg' ", "foto.jpg"),
        ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_a_name_has_no_path_and_no_trick(given_name: str, shown_name: str) -> None:
    assert clean_name(given_name) == shown_name


@given(st.text(max_size=300))
def test_every_name_is_short_printable_and_without_path(given_name: str) -> None:
    name = name_for(given_name, "application/pdf", 1)
    assert 0 < len(name) <= 200
    assert not set(name) & set("/\\\0\r\n")
    assert name not in {".", ".."}
    name.encode("utf-8")


@given(st.binary(max_size=300), st.sampled_from(["", "text/plain", "application/pdf"]))
def test_every_content_has_a_type(content: bytes, declared: str) -> None:
    assert "/" in sniffed_type(content, declared)


@pytest.mark.parametrize(
    "field",
    [
        "Content-Disposition: attachment; filename*=utf-8''comprova%C3%A7%C3%A3o.pdf",
        "Content-Disposition: attachment; filename*0*=utf-8''comprova%C3%A7; filename*1*=%C3%A3o.pdf",
        "Content-Disposition: attachment; filename*=iso-8859-1''comprova%E7%E3o.pdf",
        "Content-Disposition: attachment; filename*=utf-8''comprova%E7%E3o.pdf",
        'Content-Disposition: attachment; filename="=?utf-8?Q?comprova=C3=A7=C3=A3o.pdf?="',
        "Content-Disposition: attachment; filename=comprovação.pdf",
        'Content-Disposition: attachment; filename="comprovação.pdf"',
        'Content-ID: <../../x.exe>\nContent-Disposition: attachment; filename="comprovação.pdf"',
    ],
)
@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_a_name_is_read_however_it_is_written(field: str, charset: str) -> None:
    raw = multipart(part(PDF, "application/pdf", field)).decode("utf-8").encode(charset)
    (attachment,) = parse_mail(raw).attachments
    assert (attachment.filename, attachment.content) == ("comprovação.pdf", PDF)


def test_a_file_without_a_name_gets_one_by_number_and_type() -> None:
    read = parse_mail(
        multipart(
            text_part("segue"),
            part(PDF, "application/pdf", "Content-Disposition: attachment"),
            part(JPEG, "image/jpeg", "Content-ID: <../../x.sh>"),
        )
    )
    assert [one.filename for one in read.attachments] == ["anexo-1.pdf", "anexo-2.jpg"]
    assert [one.content for one in read.attachments] == [PDF, JPEG]


def test_a_bare_picture_part_is_an_attachment() -> None:
    read = parse_mail(multipart(text_part("minha cnh"), part(JPEG, "image/jpeg")))
    (photo,) = read.attachments
    assert (photo.content, photo.inline, photo.filename) == (JPEG, False, "anexo-1.jpg")


def test_a_picture_that_the_html_shows_is_inline() -> None:
    html = text_part('<p>oi</p><img src="cid:logo%40x"><img src=CID:outra@x>', "text/html")
    logo = part(JPEG, "image/jpeg; name=logo.jpg", "Content-ID: <logo@x>")
    photo = part(JPEG, "image/jpeg; name=cnh.jpg", "Content-ID: <cnh@x>")
    read = parse_mail(multipart(nested("n1", html, logo, photo, subtype="related")))
    assert [(one.filename, one.inline) for one in read.attachments] == [("logo.jpg", True), ("cnh.jpg", False)]


def test_an_inline_picture_in_related_is_inline_and_one_in_mixed_is_not() -> None:
    picture = part(JPEG, "image/jpeg", "Content-ID: <f@x>", "Content-Disposition: inline")
    in_related = parse_mail(multipart(text_part("<p>oi</p>", "text/html"), picture, subtype="related"))
    in_mixed = parse_mail(multipart(text_part("minha cnh"), picture))
    assert [one.inline for one in (*in_related.attachments, *in_mixed.attachments)] == [True, False]


def test_a_picture_embedded_in_the_html_is_kept_and_its_text_stays_short() -> None:
    embedded = base64.b64encode(JPEG * 100).decode()
    html = f'<p>minha cnh</p><img src="data:image/jpeg;base64,{embedded}"><p>obrigado</p>'
    read = parse_mail(multipart(text_part(html, "text/html")))
    assert [(one.content, one.inline, one.media_type) for one in read.attachments] == [
        (JPEG * 100, True, "image/jpeg")
    ]
    assert read.full_text.split() == ["minha", "cnh", "obrigado"]
    assert read.defects == ()


def test_a_document_is_never_inline() -> None:
    html = text_part('<a href="cid:b@x">boleto</a>', "text/html")
    read = parse_mail(multipart(html, part(PDF, "image/jpeg", "Content-ID: <b@x>"), subtype="related"))
    assert [(one.media_type, one.inline) for one in read.attachments] == [("application/pdf", False)]


def test_winmail_stays_an_attachment() -> None:
    tnef = b"\x78\x9f\x3e\x22" + bytes(40)
    read = parse_mail(multipart(text_part("segue"), part(tnef, "application/ms-tnef; name=winmail.dat")))
    assert [(one.filename, one.media_type) for one in read.attachments] == [("winmail.dat", "application/ms-tnef")]


def test_a_broken_attachment_is_kept_as_far_as_it_goes() -> None:
    broken = b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(PDF)[:-7]
    (attachment,) = parse_mail(multipart(broken)).attachments
    assert attachment.content
    assert PDF.startswith(attachment.content)
    assert len(PDF) - len(attachment.content) < 8


def test_an_empty_named_file_is_kept() -> None:
    (attachment,) = parse_mail(
        multipart(text_part("segue"), part(b"", "application/pdf; name=boleto.pdf"))
    ).attachments
    assert (attachment.filename, attachment.size_bytes) == ("boleto.pdf", 0)


def test_links_to_pictures_are_found_in_any_writing() -> None:
    assert linked_content_ids("<img src=cid:a@x><IMG SRC='CID:b%40x'>") == {"a@x", "b@x"}
