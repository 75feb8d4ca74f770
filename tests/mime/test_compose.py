"""Letters become mails that say what the letter says, and nothing that a stranger slipped in."""

from __future__ import annotations

import email
import email.policy
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from email.headerregistry import AddressHeader, UniqueAddressHeader
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.addressing import AddressTag, ReplyAddressing
from mailbot.domain.errors import LetterError
from mailbot.domain.events import Audience, HandlePurpose, LetterKind, OutboundLetter, StoredFile
from mailbot.domain.exchange import Envelope
from mailbot.domain.handles import handle_in_address, handle_in_message_id
from mailbot.domain.mail import Address
from mailbot.mime.compose import compose
from mailbot.mime.headers import message_ids

MAILBOX = "sau@example.com.br"
HANDLE = "abcdefghij234567klmn"
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
HEADERS = {
    "from", "to", "subject", "date", "message-id", "reply-to", "auto-submitted", "x-auto-response-suppress",
    "x-mailbot-loop", "mime-version", "content-type",
}  # fmt: skip


def a_letter(**changes: Any) -> OutboundLetter:
    values: dict[str, Any] = {
        "message_id": f"{HANDLE}@example.com.br",
        "handle": HANDLE,
        "mailbox": "default",
        "letter": LetterKind.TICKET_OPENED,
        "audience": Audience.REQUESTER,
        "purpose": HandlePurpose.REQUESTER,
        "recipient": Address(address="maria@example.com.br", name="Maria"),
        "sender_name": "Atendimento",
        "subject": "[Chamado #2026-000123] Alteração de local",
        "text": "Olá, Maria.\n",
        "html": "<p>Olá, Maria.</p>",
        "created_at": NOW,
        "not_before": NOW,
        "automatic": True,
    }
    return OutboundLetter(**{**values, **changes})


def a_file(
    filename: str = "boleto.pdf", media_type: str = "application/pdf", content: bytes = b"%PDF-1.4\n"
) -> tuple[StoredFile, bytes]:
    digest = "0" * 64
    file = StoredFile(
        digest=digest, filename=filename, media_type=media_type, size_bytes=len(content), sha256=digest
    )
    return file, content


def composed(letter: OutboundLetter, **changes: Any) -> Envelope:
    options: dict[str, Any] = {
        "mailbox_address": MAILBOX,
        "reply_addressing": ReplyAddressing.PLAIN,
        "null_sender": False,
        "loop_mark": "v1.mark",
        "files": (),
        "now": NOW,
    }
    return compose(letter, **{**options, **changes})


def parsed(envelope: Envelope) -> EmailMessage:
    message = email.message_from_bytes(envelope.message, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(part: Any) -> str:
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


def without_blanks(text: str) -> str:
    return "".join(text.split())


def only_address(message: EmailMessage, header: str) -> tuple[str, str]:
    """Name and address. The name without blanks: the standard library puts one between two encoded words."""
    value = message[header]
    assert isinstance(value, AddressHeader | UniqueAddressHeader)
    (address,) = value.addresses
    return without_blanks(address.display_name), address.addr_spec


def collapsed(text: str) -> str:
    """White space and control characters as one blank, bidi controls gone: written apart from the code."""
    without_bidi = re.sub("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text)
    without_controls = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", without_bidi)
    return re.sub(r"\s+", " ", without_controls).strip()


def test_a_letter_says_who_to_whom_what_and_when() -> None:
    message = parsed(composed(a_letter()))
    assert only_address(message, "From") == ("Atendimento", MAILBOX)
    assert only_address(message, "To") == ("Maria", "maria@example.com.br")
    assert message["Subject"] == "[Chamado #2026-000123] Alteração de local"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == f"<{HANDLE}@example.com.br>"
    assert message["X-Mailbot-Loop"] == "v1.mark"
    assert {name.lower() for name in message} == HEADERS
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), text_of(text)) == ("text/plain", "Olá, Maria.\n")
    assert (html.get_content_type(), text_of(html)) == ("text/html", "<p>Olá, Maria.</p>\n")


def test_a_letter_without_html_is_plain_text() -> None:
    message = parsed(composed(a_letter(html="")))
    assert message.get_content_type() == "text/plain"
    assert text_of(message) == "Olá, Maria.\n"


@pytest.mark.parametrize("value", ["auto-replied", "auto-generated"])
def test_only_what_the_bot_writes_by_itself_is_marked_as_automatic(value: str) -> None:
    automatic = parsed(composed(a_letter(auto_submitted=value)))
    assert automatic["Auto-Submitted"] == value
    assert automatic["X-Auto-Response-Suppress"] == "OOF, AutoReply, DR, RN, NRN"
    words_of_an_agent = parsed(composed(a_letter(automatic=False, auto_submitted=value)))
    assert words_of_an_agent["Auto-Submitted"] is None
    assert words_of_an_agent["X-Auto-Response-Suppress"] is None
    assert words_of_an_agent["X-Mailbot-Loop"] == "v1.mark"


def test_plain_addressing_brings_replies_and_bounces_to_the_mailbox() -> None:
    envelope = composed(a_letter())
    assert parsed(envelope)["Reply-To"] == MAILBOX
    assert (envelope.sender, envelope.recipient) == (MAILBOX, "maria@example.com.br")


def test_plus_addressing_puts_the_handle_into_reply_to_and_envelope_sender() -> None:
    envelope = composed(a_letter(), reply_addressing=ReplyAddressing.PLUS)
    assert only_address(parsed(envelope), "Reply-To")[1] == f"sau+t.{HANDLE}@example.com.br"
    assert envelope.sender == f"sau+b.{HANDLE}@example.com.br"
    assert handle_in_address(envelope.sender, AddressTag.BOUNCE) == HANDLE


def test_a_letter_without_handle_has_plain_addresses_even_with_plus() -> None:
    envelope = composed(a_letter(handle=""), reply_addressing=ReplyAddressing.PLUS)
    assert parsed(envelope)["Reply-To"] == MAILBOX
    assert envelope.sender == MAILBOX


def test_the_null_sender_is_for_automatic_answers_to_unverified_strangers_only() -> None:
    assert composed(a_letter(), null_sender=True).sender == ""
    assert composed(a_letter(verified_recipient=True), null_sender=True).sender == MAILBOX
    assert composed(a_letter(automatic=False), null_sender=True).sender == MAILBOX
    assert composed(a_letter(audience=Audience.STAFF), null_sender=True).sender == MAILBOX
    assert composed(a_letter(), null_sender=False).sender == MAILBOX


def test_references_keep_the_root_and_the_last_twenty() -> None:
    ids = tuple(f"id-{number}@example.com.br" for number in range(40))
    message = parsed(composed(a_letter(references=ids, in_reply_to=ids[-1])))
    assert message["In-Reply-To"] == "<id-39@example.com.br>"
    expected = [f"<id-{number}@example.com.br>" for number in (0, *range(20, 40))]
    assert message["References"].split() == expected


def test_the_mail_that_is_answered_is_always_among_the_references() -> None:
    letter = a_letter(references=("root@example.com.br",), in_reply_to="<parent@example.com.br>")
    message = parsed(composed(letter))
    assert message["References"].split() == ["<root@example.com.br>", "<parent@example.com.br>"]


def test_a_long_id_of_a_stranger_is_neither_encoded_nor_folded() -> None:
    long_id = "a" * 300 + "@example.com.br"
    raw = composed(a_letter(references=(long_id,), in_reply_to=long_id)).message
    assert raw.count(f"<{long_id}>".encode()) == 2


@pytest.mark.parametrize("bad", ["", "<>", "x" * 950, "ação@example.com.br", "a><b@example.com.br"])
def test_an_id_that_cannot_stand_in_a_header_is_left_out(bad: str) -> None:
    message = parsed(composed(a_letter(references=(bad,), in_reply_to=bad)))
    assert message["In-Reply-To"] is None
    assert message["References"] is None


def test_a_line_break_from_an_encoded_word_makes_no_header() -> None:
    subject = "RES: boleto\r\nBcc: vitima@example.com.br\r\n\r\n<script>"
    name = "Maria\r\nX-Evil: 1"
    recipient = Address(address="maria@example.com.br", name=name)
    message = parsed(composed(a_letter(subject=subject, recipient=recipient)))
    assert {header.lower() for header in message} == HEADERS
    assert message["Subject"] == "RES: boleto Bcc: vitima@example.com.br <script>"
    assert only_address(message, "To") == ("MariaX-Evil:1", "maria@example.com.br")


def test_no_value_at_all_makes_a_header() -> None:
    letter = a_letter(auto_submitted="no\r\nX-Evil: 1", in_reply_to="a@b.c\r\nX-Evil: 1")
    message = parsed(composed(letter, loop_mark="v1\r\nX-Evil: 1"))
    assert message["X-Evil"] is None
    assert message["X-Mailbot-Loop"] == "v1 X-Evil: 1"
    assert message["Auto-Submitted"] == "auto-generated"


def test_an_encoded_word_that_a_stranger_wrote_out_is_not_decoded() -> None:
    subject = "=?utf-8?q?a=0D=0ABcc=3A_x=40example.com.br?="
    message = parsed(composed(a_letter(subject=subject, sender_name=subject)))
    assert message["Subject"] == subject
    assert only_address(message, "From") == (subject, MAILBOX)


@pytest.mark.parametrize(
    "address",
    ["", "maria", "maria@", "@example.com.br", "a@example.com.br, b@c.br", "a b@c.br", "a@b\r\n"],
)
def test_what_is_not_one_mailbox_is_not_written_to(address: str) -> None:
    with pytest.raises(LetterError):
        composed(a_letter(recipient=Address(address=address)))


def test_a_letter_needs_a_message_id() -> None:
    with pytest.raises(LetterError):
        composed(a_letter(message_id="<>"))


@pytest.mark.parametrize(
    ("declared", "sent_as"),
    [
        ("application/pdf", "application/pdf"),
        ("image/jpeg", "image/jpeg"),
        ("text/html", "application/octet-stream"),
        ("text/plain", "application/octet-stream"),
        ("message/rfc822", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("multipart/mixed", "application/octet-stream"),
        ("application/pdf; name=x\r\nBcc: y", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_files_are_attached_and_never_shown_inside_the_letter(declared: str, sent_as: str) -> None:
    content = b"<html>\n.\r\nFrom me\r\n" + bytes(range(256))
    message = parsed(composed(a_letter(), files=[a_file("a.bin", declared, content)]))
    assert message.get_content_type() == "multipart/mixed"
    alternative, part = message.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert isinstance(part, EmailMessage)
    assert part.get_content_type() == sent_as
    assert part.get_content_disposition() == "attachment"
    assert part.get_payload(decode=True) == content


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("boleto.pdf", "boleto.pdf"),
        ("Comprovação de endereço – março (1).pdf", "Comprovação de endereço – março (1).pdf"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ('a"; filename=b.exe', 'a"; filename=b.exe'),
        ("boleto\u202efdp.exe", "boletofdp.exe"),
        ("a\r\nX-Evil: 1.pdf", "a X-Evil: 1.pdf"),
        ("é" * 300 + ".pdf", "é" * 116 + ".pdf"),
        ("", "attachment"),
    ],
)
def test_a_file_keeps_its_name_without_its_tricks(filename: str, shown: str) -> None:
    message = parsed(composed(a_letter(), files=[a_file(filename)]))
    (part,) = message.iter_attachments()
    assert part.get_filename() == shown


def test_a_lone_dot_cannot_end_the_mail_early() -> None:
    smuggled = "a\n.\nb\r\n.\r\nMAIL FROM:<x@example.com.br>\r.\rc\n"
    envelope = composed(a_letter(text=smuggled, html=smuggled))
    text = next(iter(parsed(envelope).iter_parts()))
    assert text_of(text) == "a\n.\nb\n.\nMAIL FROM:<x@example.com.br>\n.\nc\n"
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", envelope.message)


def test_an_address_beyond_ascii_gives_utf8_headers() -> None:
    envelope = composed(a_letter(recipient=Address(address="joão@example.com.br", name="João")))
    assert "To: =?utf-8?b?Sm/Do28=?= <joão@example.com.br>\r\n".encode() in envelope.message


hostile = 'aé =?qb"\\<>@,;:()\r\n\t\x00\u2028\ud800\u202e.'
any_text = st.text(max_size=300) | st.text(alphabet=hostile, max_size=300)


@given(subject=any_text, sender_name=any_text, recipient_name=any_text, body=any_text, filename=any_text)
def test_whatever_is_written_comes_back_and_adds_no_header(
    subject: str, sender_name: str, recipient_name: str, body: str, filename: str
) -> None:
    letter = a_letter(
        subject=subject,
        sender_name=sender_name,
        recipient=Address(address="maria@example.com.br", name=recipient_name),
        text=body,
        html=f"<p>{body}</p>",
    )
    envelope = composed(letter, files=[a_file(filename)])
    assert max(len(line) for line in envelope.message.split(b"\r\n")) <= 998
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", envelope.message)
    assert envelope.message.isascii()
    message = parsed(envelope)
    assert {name.lower() for name in message} == HEADERS
    assert message["Subject"] == collapsed(subject)
    assert only_address(message, "From") == (without_blanks(collapsed(sender_name)), MAILBOX)
    expected_name = without_blanks(collapsed(recipient_name))
    assert only_address(message, "To") == (expected_name, "maria@example.com.br")
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf",
    ]  # fmt: skip
    (attached,) = message.iter_attachments()
    mime_headers = {"content-type", "content-transfer-encoding", "content-disposition"}
    assert {name.lower() for name in attached} == mime_headers


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=2000))
def test_the_text_of_a_letter_arrives_unchanged(body: str) -> None:
    (part, _) = parsed(composed(a_letter(text=body))).iter_parts()
    assert text_of(part) == body.rstrip("\n") + "\n"


@given(st.text(alphabet="aé€😀=. \t\r\n\x00\x0b\x1f\x7f\x80\x85\x9f\xa0Â\ud800\udfff", max_size=200))
def test_control_characters_and_broken_surrogates_are_left_out_of_a_text(body: str) -> None:
    lines = body.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(ch for ch in lines if ch in "\t\n" or unicodedata.category(ch) not in ("Cc", "Cs"))
    (part, _) = parsed(composed(a_letter(text=body))).iter_parts()
    assert text_of(part) == kept.rstrip("\n") + "\n"


@pytest.mark.parametrize(
    "message",
    [b"a\nb\r\n", b"a\rb\r\n", b"a\n\rb\r\n", b"a\r\r\n", b"a\rb\nc\r\n", b"a" * 999 + b"\r\n"],
)
def test_a_bare_line_end_or_an_endless_line_keeps_a_letter_from_leaving(
    message: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.mime.compose.message_bytes", lambda *_, **__: message)
    with pytest.raises(LetterError):
        composed(a_letter())


def test_a_letter_that_is_composed_again_is_the_same_to_the_last_byte() -> None:
    for files in ([], [a_file()]):
        assert composed(a_letter(), files=files).message == composed(a_letter(), files=files).message


# --- a submission server that gives letters an id of its own -------------------------------------------------


@pytest.mark.parametrize(
    ("references", "in_reply_to", "place"),
    [((), "", 0), (("root@x.br",), "root@x.br", 1), (("root@x.br", "a@x.br"), "b@x.br", 2)],
)
def test_where_the_id_may_change_the_references_carry_the_handle(
    references: tuple[str, ...], in_reply_to: str, place: int
) -> None:
    letter = replace(a_letter(), handle="abcdefghijklmnopqrst", references=references, in_reply_to=in_reply_to)
    message = parsed(composed(letter, id_may_change=True))
    found = message_ids(str(message["References"]))
    assert [handle_in_message_id(one) for one in found].index("abcdefghijklmnopqrst") == place
    # A mail that names itself as its own parent is an end without beginning to a program that draws threads.
    assert letter.message_id not in found
    assert [one for one in found if handle_in_message_id(one) is None] == list(
        dict.fromkeys((*references, *filter(None, [in_reply_to])))
    )
    plain = parsed(composed(letter))
    assert "abcdefghijklmnopqrst" not in str(plain["References"])


def test_the_handle_in_the_references_never_pushes_the_root_out() -> None:
    letter = replace(a_letter(), references=tuple(f"{n}@x.br" for n in range(60)), in_reply_to="59@x.br")
    found = message_ids(str(parsed(composed(letter, id_may_change=True))["References"]))
    assert (found[0], found[-1], len(found)) == ("0@x.br", "59@x.br", 22)


def test_an_invitation_is_the_richest_form_of_the_letter_and_keeps_its_line_ends() -> None:
    calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Vistoria em Goiânia\r\nEND:VCALENDAR\r\n"
    message = parsed(composed(a_letter(calendar=calendar)))
    assert message.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html", "text/calendar"]
    [invitation] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    # Without the method, programs show a file and no buttons (RFC 6047 §2.4).
    assert invitation.get_param("method") == "REQUEST"
    assert invitation.get_content_charset() == "utf-8"
    assert invitation.get_content_disposition() is None
    assert invitation.get_payload(decode=True) == calendar.encode("utf-8")


def test_a_letter_with_an_invitation_and_files_keeps_both_apart() -> None:
    calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    message = parsed(composed(a_letter(calendar=calendar), files=(a_file(),)))
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "multipart/alternative",
        "application/pdf",
    ]
