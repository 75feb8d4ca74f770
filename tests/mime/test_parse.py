"""Reading mails: what must not get lost, what must not be believed, what must stay bounded."""

from __future__ import annotations

import base64
import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.domain.errors import UnreadableMail
from mailbot.domain.handles import LOOP_MARK_HEADER, handle_in_message_id
from mailbot.domain.mail import Address, InboundMail
from mailbot.mime import parse, structure
from mailbot.mime.contents import ParseLimits
from mailbot.mime.defects import Defect
from mailbot.mime.headers import decode_base64, decode_octets, decode_words, message_ids
from mailbot.mime.parse import header_summary, parse_mail

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 40
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
LIMIT_SECONDS = 5


def mail(header: str | bytes = "", body: str | bytes = "ola", *, sender: str = "ana@example.com.br") -> bytes:
    """A mail with the usual fields, more of them, and a body."""
    usual = (
        f"From: {sender}\nTo: sau@example.com.br\nSubject: Vistoria\n"
        "Date: Fri, 20 Nov 2026 10:00:00 -0300\nMessage-ID: <m1@example.com.br>\n"
    ).encode()
    more = header if isinstance(header, bytes) else header.encode()
    content = body if isinstance(body, bytes) else body.encode()
    return usual + (more + b"\n" if more else b"") + b"\n" + content


def multipart(*parts: bytes, subtype: str = "mixed", boundary: str = "b1", header: str = "") -> bytes:
    """A mail of several parts, each given with its own header fields."""
    text = b"".join(b"--" + boundary.encode() + b"\n" + part + b"\n" for part in parts)
    kind = f'MIME-Version: 1.0\nContent-Type: multipart/{subtype}; boundary="{boundary}"{header}'
    return mail(kind, text + b"--" + boundary.encode() + b"--\n")


def part(content: bytes, media_type: str, *more: str, encoding: str = "base64") -> bytes:
    """One part with its header fields."""
    fields = [f"Content-Type: {media_type}", *more]
    if encoding == "base64":
        fields.append("Content-Transfer-Encoding: base64")
        content = base64.encodebytes(content)
    return "\n".join(fields).encode() + b"\n\n" + content


def nested(name: str, *parts: bytes, subtype: str = "mixed") -> bytes:
    """A multipart as a part."""
    text = b"".join(b"--" + name.encode() + b"\n" + one + b"\n" for one in parts)
    return f'Content-Type: multipart/{subtype}; boundary="{name}"\n\n'.encode() + text + f"--{name}--\n".encode()


def text_part(text: str, media_type: str = "text/plain; charset=utf-8", *more: str) -> bytes:
    return part(text.encode(), media_type, *more, encoding="8bit")


# --- header ----------------------------------------------------------------------------------------------


def test_it_reads_the_usual_fields() -> None:
    read = parse_mail(
        mail(
            "Cc: Beto <beto@example.com.br>\nReply-To: outra@example.com.br\n"
            "In-Reply-To: <a@example.com.br>\nReferences: <r@example.com.br>\n <a@example.com.br>",
            "Bom dia",
            sender="Ana Souza <Ana@Example.com.br>",
        )
    )
    assert read.message_id == "m1@example.com.br"
    assert read.sender == Address(address="ana@example.com.br", name="Ana Souza")
    assert read.from_addresses == (read.sender,)
    assert [one.address for one in (*read.to, *read.cc, *read.reply_to)] == [
        "sau@example.com.br",
        "beto@example.com.br",
        "outra@example.com.br",
    ]
    assert read.in_reply_to == ("a@example.com.br",)
    assert read.references == ("r@example.com.br", "a@example.com.br")
    assert read.sent_at == datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
    assert (read.subject, read.new_text.strip(), read.defects) == ("Vistoria", "Bom dia", ())


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "cp1252"])
def test_it_recovers_raw_octets_in_a_header(charset: str) -> None:
    raw = b"Subject: " + "ALTERAÇÃO DE LOCAL".encode(charset) + b"\nFrom: " + "João".encode(charset)
    read = parse_mail(raw + b" <joao@example.com.br>\n\nola")
    assert read.subject == "ALTERAÇÃO DE LOCAL"
    assert read.sender == Address(address="joao@example.com.br", name="João")
    assert read.header("subject") == "ALTERAÇÃO DE LOCAL"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=?utf-8?Q?Altera=C3=A7?=\r\n =?utf-8?Q?=C3=A3o?=", "Alteração"),
        ("=?utf-8?B?QWx0ZXJhw6c=?= =?UTF-8?B?w6NvIGRl?= local", "Alteração de local"),
        ("=?utf-8?B?w6fD?= =?utf-8?B?o28?=", "ção"),
        ("=?utf-8?Q?Altera=C3=A7=C3=A3o de local?=", "Alteração de local"),
        ("=?iso-8859-1?Q?Altera=E7=E3o_=96_local?=", "Alteração – local"),
        ("=?x-nada?Q?Altera=C3=A7=C3=A3o?=", "Alteração"),
        ("=?utf-8*pt-br?Q?=C3=A7?=", "ç"),
        ('"=?utf-8?Q?Jo=C3=A3o?=" x', '"João" x'),
        ("=?utf-8?Q?Jo=C3=A3o?=<x>", "João<x>"),
        ("=?utf-8?Q?sem fim", "=?utf-8?Q?sem fim"),
        ("a =? b =?utf-8?q?c?=", "a =? b c"),
        ("=?utf-8?q?a?= =?iso-8859-1?q?=E7?= b", "aç b"),
        ("=?utf-8?q??=", ""),
    ],
)
def test_it_decodes_encoded_words_as_they_are_really_written(written: str, meant: str) -> None:
    assert decode_words(written) == meant


def test_an_encoded_line_break_cannot_start_another_header() -> None:
    read = parse_mail(b"Subject: =?utf-8?Q?a=0D=0ABcc:_x@example.com.br=00?=\nFrom: a@example.com.br\n\nola")
    assert read.subject == "a Bcc: x@example.com.br"
    assert all(value.isprintable() for _, value in read.headers)


def test_of_repeated_fields_the_first_counts_and_all_are_kept() -> None:
    read = parse_mail(mail("Subject: outro\nMessage-ID: <m2@example.com.br>"))
    assert (read.subject, read.message_id) == ("Vistoria", "m1@example.com.br")
    assert read.all_headers("Subject") == ("Vistoria", "outro")
    assert Defect.FIELD_REPEATED in read.defects


def test_every_address_of_every_from_field_is_told() -> None:
    read = parse_mail(mail("From: chefe@example.com.br, c@example.com.br"))
    assert [one.address for one in read.from_addresses] == [
        "ana@example.com.br",
        "chefe@example.com.br",
        "c@example.com.br",
    ]


@pytest.mark.parametrize(
    "field",
    [
        "alice@example.com.br)bob@example.com.br",
        "alice@example.com.br <bob@example.com.br> <carla@example.com.br>",
        "nobody",
        "<>",
        "undisclosed-recipients:;",
        "a@b@example.com.br",
        "",
    ],
)
def test_an_ambiguous_sender_is_nobody(field: str) -> None:
    read = parse_mail(mail(sender=field))
    assert read.from_addresses == ()
    assert read.sender.address == ""
    assert Defect.ADDRESS_UNREADABLE in read.defects
    # The next mail from there, of which the field was read before, is none better.
    assert parse_mail(mail(sender=field)) == read


def test_an_address_in_the_display_name_is_no_sender() -> None:
    read = parse_mail(mail(sender='"chefe@example.com.br" <ana@example.com.br>'))
    assert [one.address for one in read.from_addresses] == ["ana@example.com.br"]


def test_an_address_is_lower_case_ascii() -> None:
    read = parse_mail(mail(sender="Ana <ANA@Açúcar.Example.com.br>"))
    assert read.sender.address == "ana@xn--acar-1oa4f.example.com.br".replace(
        "xn--acar-1oa4f", "açúcar".encode("idna").decode()
    )
    assert parse_mail(mail(sender="joão@example.com.br")).from_addresses == ()


def test_a_shown_name_has_no_character_that_turns_or_hides_text() -> None:
    name = "A\u202ena\u200b \u2066Souza\u2069"
    encoded = base64.b64encode(name.encode()).decode()
    read = parse_mail(mail(sender=f"=?utf-8?B?{encoded}?= <ana@example.com.br>"))
    assert read.sender.name == "Ana Souza"


@pytest.mark.parametrize("field", ["", "Message-ID: <>", "Message-ID: < >", "Message-ID: <x>"])
def test_a_mail_without_an_id_gets_one_of_its_own(field: str) -> None:
    raw = f"From: ana@example.com.br\n{field}".strip().encode() + b"\n\nola"
    read = parse_mail(raw)
    assert read.message_id == f"sha256-{hashlib.sha256(raw).hexdigest()}@mailbot.invalid"
    assert Defect.MESSAGE_ID_MISSING in read.defects
    assert header_summary(raw).message_id == read.message_id


@pytest.mark.parametrize(
    "field",
    [
        "<{}>", "{}", "<{}", "{}>", "<<{}>>", "&lt;{}&gt;", '"<{}>"', "[{}]", "({})", "<mailto:{}>", "mailto:{}",
        "=?utf-8?q?=3C{}=3E?=", "<{}>0ZDZhNWFiLWE0Y2EtNDc4My05MGU1", "Your message of Monday <{}>", "<{}\t>",
    ],
)  # fmt: skip
def test_an_id_is_known_however_it_was_mangled(field: str) -> None:
    ours = "mb.abcdefghijklmnopqrst@example.com.br"
    assert handle_in_message_id(message_ids(field.format(ours))[0]) == "abcdefghijklmnopqrst"


@pytest.mark.parametrize(
    ("opening", "between", "closing"),
    [("<", "", ">"), *[(o, b, c) for o, c in ("<>", ("", "")) for b in (" ", ",", ", ", "; ", "\t", "\n\t")]],
)
def test_ids_are_told_apart_whatever_stands_between_them(opening: str, between: str, closing: str) -> None:
    ids = ("um@example.com.br", "dois@example.com.br", "tres@example.com.br")
    assert message_ids(between.join(f"{opening}{one}{closing}" for one in ids)) == ids


def test_ids_with_and_without_brackets_keep_their_order() -> None:
    assert message_ids("a@b <c@d> e@f,<g@h> @ nobody") == ("a@b", "c@d", "e@f", "g@h")


def test_an_id_that_was_folded_in_its_midst_is_one() -> None:
    read = parse_mail(mail("In-Reply-To: <mb.abcdefghij\n klmnopqrst@example.com.br>"))
    assert read.in_reply_to == ("mb.abcdefghijklmnopqrst@example.com.br",)


@given(st.text(alphabet="<>@,;&=?ab \t\n", max_size=300))
def test_no_field_of_ids_breaks_the_reading(value: str) -> None:
    assert all(one and not set(one) & set(" <>\t\n") for one in message_ids(value))


@pytest.mark.parametrize("piece", ["a@", "<", "a@b,", "&lt;", "=?utf-8?q?", "<a", "mailto:"])
def test_reading_ids_takes_linear_time(piece: str) -> None:
    started = time.thread_time()
    message_ids(piece * 50_000)
    assert time.thread_time() - started < 2


def test_of_many_references_the_root_and_the_last_ones_are_kept() -> None:
    ids = message_ids(" ".join(f"<{number}@example.com.br>" for number in range(500)))
    assert (len(ids), ids[0], ids[-1]) == (200, "0@example.com.br", "499@example.com.br")


def test_the_envelope_is_told_as_our_server_noted_it() -> None:
    noted = parse_mail(
        mail("Return-Path: <>\nDelivered-To: SAU@example.com.br\nX-Original-To: <b@example.com.br>")
    )
    assert (noted.return_path, noted.delivered_to) == ("", ("sau@example.com.br", "b@example.com.br"))
    assert parse_mail(mail()).return_path is None
    assert parse_mail(mail("Return-Path: <Ana@example.com.br>")).return_path == "ana@example.com.br"


def test_authentication_results_stand_in_order_and_unfolded() -> None:
    read = parse_mail(mail("Authentication-Results: mx.one;\n\tdmarc=pass\nauthentication-results: mx.two; none"))
    assert read.authentication_results == ("mx.one; dmarc=pass", "mx.two; none")


def test_a_missing_semicolon_does_not_hide_the_charset() -> None:
    read = parse_mail(mail("Content-Type: text/plain charset=koi8-r", "привет".encode("koi8-r")))
    assert (read.full_text.strip(), read.attachments) == ("привет", ())


def test_space_before_a_colon_does_not_end_the_header() -> None:
    read = parse_mail(b"Fro : x\nFrom : ana@example.com.br\nSubject\t: Vistoria\n\nola : x\n")
    assert (read.sender.address, read.subject) == ("ana@example.com.br", "Vistoria")
    assert read.new_text.strip() == "ola : x"


def test_a_summary_says_what_the_whole_mail_says() -> None:
    raw = mail(sender="Ana <ana@example.com.br>")
    summary, read = header_summary(raw), parse_mail(raw)
    assert (summary.message_id, summary.sender, summary.subject, summary.sent_at) == (
        read.message_id,
        read.sender,
        read.subject,
        read.sent_at,
    )


@pytest.mark.parametrize("date", ["", "ontem", "Fri, 99 Nov 2026 10:00:00 -0300", "20 Nov 2026 10:00:00"])
def test_a_date_that_says_nothing_is_none(date: str) -> None:
    raw = f"From: ana@example.com.br\nDate: {date}\n\nola".encode()
    assert parse_mail(raw).sent_at is None


# --- text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charset", "octets"),
    [
        ("us-ascii", "ação".encode()),
        ("x-desconhecido", "ação".encode("cp1252")),
        ("", "ação".encode("cp1252")),
        ("utf-8", "ação".encode("cp1252")),
        ("iso-8859-1", "ação".encode("cp1252")),
        ("zip", "ação".encode()),
        ("punycode", "ação".encode()),
    ],
)
def test_it_reads_a_body_whose_charset_is_wrong(charset: str, octets: bytes) -> None:
    assert decode_octets(octets, charset)[0] == "ação"
    field = f"Content-Type: text/plain; charset={charset}" if charset else "MIME-Version: 1.0"
    assert parse_mail(mail(field, octets)).new_text.strip() == "ação"


def test_latin_1_is_really_windows_1252() -> None:
    assert decode_octets(b"\x93ol\xe1\x94 \x81", "iso-8859-1") == ("“olá” \x81", True)


def test_nul_never_reaches_a_text() -> None:
    read = parse_mail(mail("X-A: a\0b", b"ola\0 mundo"))
    assert read.full_text.strip() == "ola mundo"
    assert "\0" not in "".join(value for _, value in read.headers)


def test_the_plain_alternative_is_the_text() -> None:
    read = parse_mail(
        multipart(text_part("texto puro"), text_part("<p>rico</p>", "text/html"), subtype="alternative")
    )
    assert read.full_text.strip() == "texto puro"
    assert read.attachments == ()


@pytest.mark.parametrize("stub", ["", " \n\xa0", "[cid:foto@x]", "Seu programa de e-mail não mostra HTML."])
def test_a_plain_alternative_that_says_nothing_gives_way_to_the_html(stub: str) -> None:
    rich = text_part("<p>Solicito a vistoria em Jataí</p>", "text/html; charset=utf-8")
    read = parse_mail(multipart(text_part(stub), rich, subtype="alternative"))
    assert read.full_text.strip() == "Solicito a vistoria em Jataí"


def test_texts_around_a_picture_are_read_as_one() -> None:
    read = parse_mail(multipart(text_part("antes"), part(JPEG, "image/jpeg"), text_part("depois")))
    assert read.full_text.split() == ["antes", "depois"]
    assert [one.media_type for one in read.attachments] == ["image/jpeg"]


def test_a_named_text_is_an_attachment() -> None:
    notes = text_part("notas", "text/plain; name=notas.txt", "Content-Disposition: inline")
    read = parse_mail(multipart(text_part("corpo"), notes))
    assert read.full_text.strip() == "corpo"
    assert [(one.filename, one.content) for one in read.attachments] == [("notas.txt", b"notas")]


def test_a_named_text_is_the_text_too_when_there_is_no_other() -> None:
    read = parse_mail(multipart(text_part("corpo", "text/plain; name=corpo.txt")))
    assert read.full_text.strip() == "corpo"
    assert [one.filename for one in read.attachments] == ["corpo.txt"]


def test_a_text_part_that_is_a_pdf_is_an_attachment() -> None:
    read = parse_mail(multipart(text_part("corpo"), part(PDF, "text/plain")))
    assert read.full_text.strip() == "corpo"
    assert [(one.media_type, one.content) for one in read.attachments] == [("application/pdf", PDF)]


def test_a_multipart_without_boundary_is_read_by_a_guessed_one() -> None:
    body = b"--x y\nContent-Type: text/plain\n\ncorpo\n--x y\n" + part(PDF, "application/pdf") + b"\n--x y--\n"
    read = parse_mail(mail("Content-Type: multipart/mixed", body))
    assert read.full_text.strip() == "corpo"
    assert [one.content for one in read.attachments] == [PDF]
    assert Defect.BOUNDARY_MISSING in read.defects


def test_a_multipart_with_nothing_like_a_boundary_is_text() -> None:
    read = parse_mail(mail("Content-Type: multipart/mixed; boundary=nada", "Solicito vistoria"))
    assert read.full_text.strip() == "Solicito vistoria"


def test_a_missing_semicolon_does_not_hide_the_parts() -> None:
    body = b"--x\nContent-Type: text/plain\n\ncorpo\n--x\n" + part(PDF, "application/pdf") + b"\n--x--\n"
    read = parse_mail(mail('Content-Type: multipart/mixed\n\tboundary="x"', body))
    assert [one.content for one in read.attachments] == [PDF]


# --- attached mails and reports --------------------------------------------------------------------------


def test_an_attached_mail_gives_itself_and_its_attachments_and_no_text() -> None:
    inner = multipart(text_part("palavras de outro"), part(PDF, "application/pdf; name=boleto.pdf"), boundary="b2")
    outer = multipart(text_part("segue"), part(inner, "message/rfc822", encoding="8bit"))
    read = parse_mail(outer)
    assert read.full_text.strip() == "segue"
    eml, pdf = read.attachments
    assert (eml.filename, eml.media_type, eml.in_forwarded_mail) == ("anexo-1.eml", "message/rfc822", False)
    assert eml.content.rstrip() == inner.rstrip()
    assert (pdf.filename, pdf.content, pdf.in_forwarded_mail) == ("boleto.pdf", PDF, True)


def test_a_named_text_in_an_attached_mail_is_not_the_text_of_this_one() -> None:
    inner = multipart(text_part("palavras de outro", "text/plain; name=x.txt"), boundary="b2")
    read = parse_mail(multipart(part(inner, "message/rfc822", encoding="8bit")))
    assert read.full_text.strip() == ""
    assert [one.filename for one in read.attachments] == ["anexo-1.eml", "x.txt"]


def test_an_attached_mail_may_be_encoded() -> None:
    inner = multipart(part(PDF, "application/pdf"), boundary="b2")
    read = parse_mail(multipart(text_part("segue"), part(inner, "message/rfc822")))
    assert [one.content for one in read.attachments] == [inner, PDF]


def _report(status_fields: str, returned: bytes) -> InboundMail:
    status = text_part(f"Reporting-MTA: dns; mx.example.com.br\n\n{status_fields}", "message/delivery-status")
    return parse_mail(
        multipart(text_part("Falhou"), status, returned, subtype="report", header="; report-type=delivery-status")
    )


def test_a_delivery_report_tells_recipient_outcome_and_ids() -> None:
    returned = text_part(
        "Message-ID: <mb.abc@example.com.br>\nX-Other: <x@example.com.br>\n"
        "X-Original-Message-ID: <mb.def@example.com.br>\nIn-Reply-To: <cliente@example.com.br>",
        "text/rfc822-headers",
    )
    read = _report(
        "Original-Recipient: rfc822;Bia@example.com.br\nFinal-Recipient: rfc822; bia@int.example.com.br\n"
        "Remote-MTA: dns; mx.int.example.com.br\n"
        "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1\n  no such user\n\n"
        "Final-Recipient: rfc822; <caio@example.com.br>\nAction: delayed (later)\nStatus: 4.4.1",
        returned,
    )
    assert read.report_type == "delivery-status"
    assert read.content_type == "multipart/report"
    first, second = read.delivery_statuses
    assert (first.recipient, first.permanent, first.status) == ("bia@example.com.br", True, "5.1.1")
    assert first.diagnostic == "550 5.1.1 no such user"
    assert (first.from_remote, second.from_remote) == (True, False)
    assert (second.recipient, second.permanent, second.status) == ("caio@example.com.br", False, "4.4.1")
    assert read.returned_message_ids == ("mb.abc@example.com.br", "mb.def@example.com.br")


def test_a_returned_letter_is_known_although_a_server_gave_it_another_id() -> None:
    handle = "abcdefghijklmnopqrst"
    returned = (
        "Message-ID: <CP5P284MB1234@CP5P284MB1234.BRAP284.PROD.OUTLOOK.COM>\n{}\n"
        "In-Reply-To: <cliente@example.com.br>"
    )
    for field in (
        f"X-Microsoft-Original-Message-ID: <mb.{handle}@example.com.br>",
        f"X-Google-Original-Message-ID: mb.{handle}@example.com.br",
        f"{LOOP_MARK_HEADER}: v1.{handle}.{'0' * 64}",
    ):
        read = _report(
            "Final-Recipient: rfc822; bia@example.com.br\nAction: failed\nStatus: 5.1.1",
            text_part(returned.format(field), "text/rfc822-headers"),
        )
        assert [handle_in_message_id(one) for one in read.returned_message_ids] == [None, handle]


def test_a_returned_mail_tells_its_id() -> None:
    inner = mail(body="carta")
    read = _report(
        "Final-Recipient: rfc822; bia@example.com.br\nAction: delivered",
        part(inner, "message/rfc822", encoding="8bit"),
    )
    assert read.returned_message_ids == ("m1@example.com.br",)
    assert [(one.permanent, one.status) for one in read.delivery_statuses] == [(False, "2.0.0")]


# --- identity --------------------------------------------------------------------------------------------


def _delivered(*parts: bytes, trace: bytes = b"") -> bytes:
    return trace + multipart(*parts)


def test_two_deliveries_of_one_mail_have_one_identity() -> None:
    first = _delivered(text_part("Olá\nsegue"), part(PDF, "application/pdf"))
    crlf = _delivered(
        text_part("Olá\nsegue"), part(PDF, "application/pdf"), trace=b"Received: from x by y; now\n"
    ).replace(b"\n", b"\r\n")
    encoded = _delivered(part("Olá\nsegue".encode(), "text/plain; charset=utf-8"), part(PDF, "application/pdf"))
    identities = {parse_mail(raw).identity for raw in (first, crlf, encoded)}
    assert len(identities) == 1


def test_another_text_subject_or_attachment_is_another_identity() -> None:
    usual = _delivered(text_part("Olá"), part(PDF, "application/pdf"))
    others = [
        _delivered(text_part("Ola"), part(PDF, "application/pdf")),
        _delivered(text_part("Olá"), part(PDF + b"x", "application/pdf")),
        usual.replace(b"Subject: Vistoria", b"Subject: Outra"),
        usual.replace(b"10:00:00", b"10:00:01"),
        usual.replace(b"ana@", b"bia@"),
    ]
    assert len({parse_mail(raw).identity for raw in (usual, *others)}) == 6


# --- limits ----------------------------------------------------------------------------------------------


def _timed(raw: bytes) -> InboundMail:
    started = time.thread_time()
    read = parse_mail(raw)
    header_summary(raw)
    assert time.thread_time() - started < LIMIT_SECONDS
    return read


def test_twenty_thousand_parts_are_bounded() -> None:
    read = _timed(multipart(*[b"\nx"] * 20_000))
    assert Defect.TOO_MANY_PARTS in read.defects


def test_parts_beyond_the_limit_take_no_memory() -> None:
    raw = multipart(*[nested("b2", b"\nx")] * 500)
    skeleton = structure.skeleton_of(raw)
    root = structure.parse_tree(skeleton, max_depth=50, max_parts=100, max_header_bytes=10_000).root
    assert sum(1 for _ in root.walk()) <= 101


def test_a_thousand_levels_are_bounded_and_the_rest_is_kept() -> None:
    levels = b"".join(b'Content-Type: multipart/mixed; boundary="l%d"\n\n--l%d\n' % (n, n) for n in range(1000))
    read = _timed(mail(levels.split(b"\n\n")[0], levels.partition(b"\n\n")[2] + b"\nno fundo"))
    assert Defect.TOO_DEEP in read.defects
    assert b"no fundo" in read.attachments[-1].content


def test_a_thousand_mails_in_mails_are_bounded() -> None:
    read = _timed(b"Content-Type: message/rfc822\n\n" * 1000 + b"no fundo")
    assert Defect.TOO_DEEP in read.defects
    assert len(read.attachments) == 11


@pytest.mark.parametrize(
    "header", [b"X-A: " + b"a" * 10_000_000, b"X-A: a\n" * 1_000_000, b"To: " + b"a@b.br," * 500_000]
)
def test_a_header_of_megabytes_is_cut_and_the_body_stays(header: bytes) -> None:
    read = _timed(mail(header, "corpo"))
    assert Defect.HEADER_TOO_LONG in read.defects
    assert (read.subject, read.full_text.strip()) == ("Vistoria", "corpo")
    assert sum(len(name) + len(value) for name, value in read.headers) < 256 * 1024


@pytest.mark.parametrize(
    "field",
    [
        b"From: " + b"(" * 200_000,
        b"From: " + b'"\\' * 100_000,
        b"To: " + b"<a@b.br> " * 20_000,
        b"To: " + b"a:;" * 60_000,
        b"Subject: " + b"=?a?q?" * 40_000,
        b"Subject: " + b"=?" * 120_000,
        b"References: " + b"<a@b" * 50_000,
        b"Date: " + b"(" * 200_000,
        b"Content-Type: multipart/mixed" + b";a" * 100_000,
        b"Content-Type: text/plain; charset=" + b"x" * 100_000,
        b"Content-Disposition: attachment" + b";filename*0*=a" * 10_000,
    ],
    ids=lambda field: field[:20].decode(),
)
def test_a_hostile_header_field_takes_no_time(field: bytes) -> None:
    _timed(mail(field))


def test_a_long_body_is_cut_and_said_so() -> None:
    read = parse_mail(mail(body="palavra " * 100_000), ParseLimits(max_body_characters=1000))
    assert len(read.full_text) <= 1000
    assert Defect.BODY_TOO_LONG in read.defects


def test_whatever_breaks_is_an_unreadable_mail_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(raw: bytes, limits: ParseLimits) -> InboundMail:
        raise RecursionError("Ana Souza")

    monkeypatch.setattr(parse, "_read", break_down)
    with pytest.raises(UnreadableMail) as caught:
        parse_mail(mail())
    assert isinstance(caught.value.__cause__, RecursionError)
    assert "Ana" not in str(caught.value)


# --- base64, cut out and put back ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoded", "meant"),
    [
        (b"b2xh", b"ola"),
        (b"b2xhIQ", b"ola!"),
        (b"b2xhIQ=\n", b"ola!"),
        (b"b2\r\nxh\r\n", b"ola"),
        (b"b2xhI", b"ola"),
        (b"b2xhIQ==\nb2xhIQ==\n", b"ola!ola!"),
        (b"b2xh" * 10 + b"-", b"ola" * 10),
        (b"isto nao e base64", b"isto nao e base64"),
        (b"", b""),
    ],
)
def test_broken_base64_gives_what_can_be_had(encoded: bytes, meant: bytes) -> None:
    assert decode_base64(encoded)[0] == meant


@given(st.binary(max_size=300))
def test_sound_base64_comes_back(content: bytes) -> None:
    assert decode_base64(base64.encodebytes(content)) == (content, True)


_LINES = st.sampled_from(
    [
        b"",
        b"AAAA" * 15,
        b"QUJD=",
        b"QUI=",
        b"AAAA\rBBBB\r\rCCCC",
        b"--b1",
        b"--b1--",
        b"Content-Type: text/plain",
        b"Content-Type: message/rfc822",
        b'Content-Type: multipart/mixed; boundary="b1"',
        b"Content-Transfer-Encoding: base64",
        b"texto livre",
    ]
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=st.lists(_LINES, max_size=40), end=st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_cutting_out_base64_changes_nothing(
    lines: list[bytes], end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = mail('Content-Type: multipart/mixed; boundary="b1"', end.join(lines))
    monkeypatch.setattr(structure, "_MIN_RUN_BYTES", 1 << 30)
    plainly = parse_mail(raw)
    monkeypatch.setattr(structure, "_MIN_RUN_BYTES", 8)
    assert parse_mail(raw) == plainly


def test_a_file_is_cut_out_wherever_it_stands() -> None:
    photo = part(JPEG[:4] + bytes(6_000), "image/jpeg")
    in_a_mail = part(photo, "message/rfc822", encoding="8bit")
    for raw in (multipart(text_part("Olá"), photo, photo), multipart(in_a_mail)):
        for sent in (raw, raw.replace(b"\n", b"\r\n")):
            skeleton = structure.skeleton_of(sent)
            assert len(skeleton.runs.cut) == raw.count(b"image/jpeg")
            assert b"AAAA" not in skeleton.octets


# --- anything at all -------------------------------------------------------------------------------------

SAMPLE = multipart(
    nested(
        "n1", text_part("Olá"), text_part("<p>Olá <img src='cid:f@x'></p>", "text/html"), subtype="alternative"
    ),
    part(JPEG[:300], "image/jpeg", "Content-ID: <f@x>"),
    part(mail(), "message/rfc822", encoding="8bit"),
    text_part("Final-Recipient: rfc822; a@example.com.br\nAction: failed", "message/delivery-status"),
)


def _is_total(raw: bytes) -> None:
    started = time.thread_time()
    try:
        read = parse_mail(raw)
    except UnreadableMail:
        pytest.fail("bytes as harmless as these can be read")
    header_summary(raw)
    assert time.thread_time() - started < LIMIT_SECONDS
    for text in (read.subject, read.full_text, *(value for _, value in read.headers)):
        text.encode("utf-8")
        assert "\0" not in text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000))
def test_arbitrary_bytes_are_read(raw: bytes) -> None:
    _is_total(raw)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 40), st.binary(max_size=20)), min_size=1, max_size=8
    )
)
def test_a_mutated_mail_is_read(changes: list[tuple[int, int, bytes]]) -> None:
    raw = SAMPLE
    for position, length, put in changes:
        raw = raw[:position] + put + raw[position + length :]
    _is_total(raw)


def test_no_module_here_reads_or_writes_files() -> None:
    for module in (parse, structure):
        source = Path(module.__file__ or "").read_text("utf-8")
        assert "open(" not in source


@pytest.mark.parametrize(
    ("raw", "header"),
    [
        (b"Subject: a\r\nTo: b\r\n\r\nbody\n\nbody", b"Subject: a\r\nTo: b\r\n\r\n"),
        (b"Subject: a\nTo: b\n\nbody\r\n\r\nbody", b"Subject: a\nTo: b\r\n\r\n"),
        (b"Subject: a", b"Subject: a\r\n\r\n"),
        (b"", b"\r\n\r\n"),
        (b"X" * 300_000, b"X" * 256 * 1024 + b"\r\n\r\n"),
    ],
)
def test_the_header_of_a_mail_too_large_to_be_read_stands_alone(raw: bytes, header: bytes) -> None:
    assert structure.header_only(raw) == header
