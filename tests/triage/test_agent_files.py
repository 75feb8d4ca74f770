"""Which files of an agent's mail are for the requester, and which a mail program added."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from mailbot.domain.mail import Attachment
from mailbot.triage.agent_files import is_meant_to_be_sent, text_of
from tests.triage.situations import attachment

PHOTO = bytes(200_000)
LOGO = bytes(5_000)


def a_file(
    name: str, media_type: str, content: bytes = LOGO, *, content_id: str = "", inline: bool = False
) -> Attachment:
    plain = attachment(name, content=content, inline=inline)
    return replace(plain, media_type=media_type, declared_type=media_type, content_id=content_id)


@pytest.mark.parametrize(
    "file",
    [
        a_file("laudo.pdf", "application/pdf"),
        a_file("planilha.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        a_file("lista.txt", "text/plain"),
        a_file("IMG_0001.jpg", "image/jpeg", PHOTO),
        a_file("qrcode.png", "image/png"),
        a_file("IMG_0002.jpg", "image/jpeg", PHOTO, content_id="foto@x"),
        a_file("image002.png", "image/png", PHOTO, content_id="tela@x", inline=True),
        a_file("laudo.pdf", "application/pdf", content_id="qualquer@x"),
    ],
    ids=lambda file: f"{file.filename} {file.content_id}",
)
def test_what_an_agent_attached_goes_to_the_requester(file: Attachment) -> None:
    assert is_meant_to_be_sent(file)


@pytest.mark.parametrize(
    "file",
    [
        a_file("aviso.eml", "message/rfc822"),
        a_file("aviso", "message/rfc822"),
        a_file("aviso.eml", "application/octet-stream"),
        a_file("aviso.msg", "application/vnd.ms-outlook"),
        a_file("winmail.dat", "application/ms-tnef"),
        a_file("smime.p7s", "application/pkcs7-signature"),
        a_file("assinatura.asc", "application/pgp-signature"),
        a_file("ana.vcf", "text/vcard"),
        a_file("image001.png", "image/png"),
        a_file("logo.png", "image/png", content_id="logo@x"),
        a_file("logo.png", "image/png", inline=True),
        a_file("p.gif", "image/gif", bytes(43)),
        replace(a_file("boleto.pdf", "application/pdf"), in_forwarded_mail=True),
        replace(a_file("x.bin", "application/octet-stream"), declared_type="message/rfc822"),
    ],
    ids=lambda file: f"{file.filename} {file.media_type}",
)
def test_what_her_mail_program_added_stays_here(file: Attachment) -> None:
    assert not is_meant_to_be_sent(file)


def test_the_text_of_a_web_page_is_read_without_its_tags() -> None:
    page = a_file("copia.html", "text/html", b"<p>Quem l\xc3\xaa</p><td>[mb-abc]</td>")
    assert text_of(page).split() == ["Quem", "lê", "[mb-abc]"]


def test_a_text_in_utf_16_is_read() -> None:
    assert text_of(a_file("nota.txt", "text/plain", "Olá".encode("utf-16"))) == "Olá"


def test_a_file_that_is_no_text_says_nothing() -> None:
    assert text_of(a_file("laudo.pdf", "application/pdf", b"abc")) == ""


@pytest.mark.parametrize("piece", [b"<", b"<a ", b">", b"\xff", b"<p>"])
def test_a_megabyte_of_anything_is_read_in_no_time(piece: bytes) -> None:
    begun = time.thread_time()
    text_of(a_file("x.html", "text/html", piece * (1_000_000 // len(piece))))
    assert time.thread_time() - begun < 2
