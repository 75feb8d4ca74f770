"""Compose a letter: (OutboundLetter, its files, the mailbox's ways) → Envelope with the MIME message.

Every header value passes through ``_set``, the one place where control characters are taken out (THREATS 18),
and is encoded and folded here: the standard library would read an encoded word that a stranger wrote into a
subject, and folds a long Message-ID into one. The body is 7-bit only, and the serialised bytes are checked
for bare CR or LF (THREATS 21) and for the 998 octets of RFC 5322 §2.1.1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import quote

from mailbot.domain.addressing import AddressTag, ReplyAddressing, tagged_address
from mailbot.domain.errors import LetterError
from mailbot.domain.events import Audience, OutboundLetter, StoredFile
from mailbot.domain.exchange import Envelope
from mailbot.domain.handles import LOOP_MARK_HEADER, message_id_for
from mailbot.domain.mail import Address, normalised_message_id
from mailbot.mime.serialise import message_bytes

_SUPPRESSED = "OOF, AutoReply, DR, RN, NRN"
_AUTO_SUBMITTED = ("auto-replied", "auto-generated")

# The lines of raw headers are made here; folding them again would put encoded words into Message-IDs.
_POLICY = SMTP.clone(refold_source="none", cte_type="7bit")
_LINE_OCTETS = 76
_LONGEST_LINE_OCTETS = 998
# RFC 2047 §2: a line with an encoded word has at most 76 characters; 39 octets make a word of 64.
_ENCODED_WORD_OCTETS = 39
_LAST_REFERENCES = 20
_LONGEST_ID = 900
_LONGEST_FILENAME = 120
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_IN_ADDRESSES = frozenset(' <>,;:()[]"\\')
_CONTROL_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})

_MEDIA_TYPE = re.compile(r"([a-z0-9][a-z0-9.+-]{0,60})/([a-z0-9][a-z0-9.+-]{0,60})")
_PLAIN_FILENAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,50}[A-Za-z0-9])?")
_BODY_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def compose(
    letter: OutboundLetter,
    *,
    mailbox_address: str,
    reply_addressing: ReplyAddressing,
    null_sender: bool,
    loop_mark: str,
    files: Sequence[tuple[StoredFile, bytes]],
    now: datetime,
    id_may_change: bool = False,
) -> Envelope:
    """The letter as one MIME message in its envelope.

    ``loop_mark`` is our signed mark by which we know our own mail again; ``files`` are the letter's files
    with their bytes; ``now`` becomes the Date. With ``id_may_change`` the submission server may give the letter
    another Message-ID: the handle then also stands in References, which every reply carries on.
    Raises :class:`LetterError` if the letter has no usable Message-ID or recipient, or if what came out may not
    be sent.
    """
    recipient = _usable_address(letter.recipient.address)
    mailbox = _usable_address(mailbox_address)
    message = EmailMessage(policy=_POLICY)
    tagged = reply_addressing is ReplyAddressing.PLUS and bool(letter.handle)
    _set(message, "From", _address(Address(address=mailbox, name=letter.sender_name)))
    _set(message, "To", _address(Address(address=recipient, name=letter.recipient.name)))
    _set(message, "Subject", _unstructured(letter.subject))
    _set(message, "Date", format_datetime(now.astimezone(UTC)))
    _set_threading(message, letter, id_may_change=id_may_change)
    _set(
        message,
        "Reply-To",
        tagged_address(mailbox, AddressTag.REPLY, letter.handle) if tagged else mailbox,
    )
    if letter.automatic:
        _set(message, "Auto-Submitted", _auto_submitted(letter))
        _set(message, "X-Auto-Response-Suppress", _SUPPRESSED)
    _set(message, LOOP_MARK_HEADER, loop_mark)
    _set(message, "MIME-Version", "1.0")
    _set_body(message, letter, files)
    if null_sender and _is_for_an_unverified_stranger(letter):
        sender = ""
    else:
        sender = tagged_address(mailbox, AddressTag.BOUNCE, letter.handle) if tagged else mailbox
    return Envelope(
        sender=sender, recipient=recipient, message=_checked(message_bytes(message, utf8=not recipient.isascii()))
    )


def _is_for_an_unverified_stranger(letter: OutboundLetter) -> bool:
    return letter.automatic and letter.audience is Audience.REQUESTER and not letter.verified_recipient


def _auto_submitted(letter: OutboundLetter) -> str:
    return letter.auto_submitted if letter.auto_submitted in _AUTO_SUBMITTED else "auto-generated"


def _checked(message: bytes) -> bytes:
    if len({message.count(end) for end in (b"\r\n", b"\r", b"\n")}) > 1:
        raise LetterError("a bare CR or LF stands in the composed letter")
    if any(len(line) > _LONGEST_LINE_OCTETS for line in message.split(b"\r\n")):
        raise LetterError("a line of the composed letter is longer than 998 octets")
    return message


# --- header values ---------------------------------------------------------------------------------------


def _set(message: MIMEPart, name: str, words: str | Iterable[str]) -> None:
    """Set a header of ours from its words, folded where the words meet. Nothing else sets headers."""
    first = f"{name}:"
    lines = [first]
    for word in [words] if isinstance(words, str) else words:
        clean = _one_line(word)
        # Never folded right after the name: some servers read such a header as empty.
        if lines != [first] and len(lines[-1]) + 1 + len(clean) > _LINE_OCTETS:
            lines.append("")
        lines[-1] += f" {clean}"
    message.set_raw(name, "\n".join(lines).removeprefix(f"{first} "))


def _one_line(text: str) -> str:
    """``text`` without line breaks, control and bidi characters and broken surrogates, blanks collapsed."""
    if text.isprintable():
        # None of them is.
        return " ".join(text.split())
    visible = (ch for ch in text if ch not in _BIDI_CONTROLS)
    kept = (" " if unicodedata.category(ch) in _CONTROL_CATEGORIES else ch for ch in visible)
    return " ".join("".join(kept).split())


def _unstructured(text: str) -> list[str]:
    """The words of free text, as they are or, where ASCII words would not do, as encoded words (RFC 2047).

    A text that contains ``=?`` is always encoded, so that nobody decodes it twice.
    """
    clean = _one_line(text)
    words = clean.split(" ")
    if clean.isascii() and "=?" not in clean and all(len(word) < _LINE_OCTETS - 10 for word in words):
        return words
    return list(_encoded_words(clean))


def _encoded_words(text: str) -> Iterator[str]:
    for chunk in _utf8_chunks(text, _ENCODED_WORD_OCTETS):
        yield f"=?utf-8?b?{base64.b64encode(chunk).decode('ascii')}?="


def _utf8_chunks(text: str, octets: int) -> Iterator[bytes]:
    """``text`` in UTF-8, cut between characters into pieces of at most ``octets``."""
    chunk = b""
    for character in text:
        encoded = character.encode("utf-8")
        if len(chunk) + len(encoded) > octets:
            yield chunk
            chunk = b""
        chunk += encoded
    if chunk:
        yield chunk


def _address(address: Address) -> list[str]:
    """The words of one mailbox with its display name, quoted or encoded as RFC 5322 §3.4 asks."""
    name = _one_line(address.name)
    if not name:
        return [address.address]
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if name.isascii() and "=?" not in name and len(quoted) < _LINE_OCTETS - 10:
        return [quoted, f"<{address.address}>"]
    return [*_encoded_words(name), f"<{address.address}>"]


def _usable_address(address: str) -> str:
    local_part, at, domain = address.rpartition("@")
    clean = _one_line(address) == address and not set(address) & _NOT_IN_ADDRESSES
    if not (clean and local_part and at and domain):
        raise LetterError("an address of the letter is not one mailbox")
    return address


def _set_threading(message: MIMEPart, letter: OutboundLetter, *, id_may_change: bool) -> None:
    message_id = _angled(letter.message_id)
    if message_id is None:
        raise LetterError("the letter has no usable Message-ID")
    _set(message, "Message-ID", message_id)
    parent = _angled(letter.in_reply_to)
    if parent is not None:
        _set(message, "In-Reply-To", parent)
    ids = [_angled(reference) for reference in (*letter.references, letter.in_reply_to)]
    references = list(dict.fromkeys(reference for reference in ids if reference is not None))
    references = [*references[:1], *references[1:][-_LAST_REFERENCES:]]
    if id_may_change and letter.handle:
        # Neither first nor last where it can be helped: programs take those for the thread and the parent.
        references.insert(max(1, len(references) - 1), f"<{_stand_in(letter)}>")
    if references:
        _set(message, "References", references)


def _stand_in(letter: OutboundLetter) -> str:
    """An id with the letter's handle that is not the letter's own: a mail must not refer to itself."""
    return message_id_for(letter.handle, f"ref.{letter.message_id.rpartition('@')[2]}")


def _angled(message_id: str) -> str | None:
    """The id in angle brackets, or ``None`` for what cannot stand in a header (senders choose their ids)."""
    bare = normalised_message_id(message_id)
    usable = bare and bare.isascii() and len(bare) <= _LONGEST_ID and not set(bare) & set("<>")
    return f"<{bare}>" if usable else None


# --- the body --------------------------------------------------------------------------------------------


def _set_body(message: MIMEPart, letter: OutboundLetter, files: Sequence[tuple[StoredFile, bytes]]) -> None:
    shown = [(file, content) for file, content in files if file.content_id and letter.html]
    attached = [(file, content) for file, content in files if not (file.content_id and letter.html)]
    if not attached:
        _set_alternative(message, letter, shown)
        return
    alternative = MIMEPart(policy=_POLICY)
    _set_alternative(alternative, letter, shown)
    _set(message, "Content-Type", _multipart("mixed", letter))
    message.attach(alternative)
    for file, content in attached:
        message.attach(_attachment(file, content))


def _set_alternative(part: MIMEPart, letter: OutboundLetter, shown: Sequence[tuple[StoredFile, bytes]]) -> None:
    if not letter.html:
        _set_text(part, letter.text, "plain")
        return
    _set(part, "Content-Type", _multipart("alternative", letter))
    plain, html = MIMEPart(policy=_POLICY), MIMEPart(policy=_POLICY)
    _set_text(plain, letter.text, "plain")
    part.attach(plain)
    if shown:
        _set_related(html, letter, shown)
    else:
        _set_text(html, letter.html, "html")
    part.attach(html)
    if letter.calendar:
        # Last: the richest form that a program knows is the one it shows (RFC 2046 §5.1.4, RFC 6047 §2.4).
        part.attach(_invitation(letter.calendar))


def _set_related(part: MIMEPart, letter: OutboundLetter, shown: Sequence[tuple[StoredFile, bytes]]) -> None:
    """The HTML and the pictures in it (RFC 2387), so that no mail program lists them among the files."""
    _set(part, "Content-Type", [f"{_multipart('related', letter)};", 'type="text/html"'])
    html = MIMEPart(policy=_POLICY)
    _set_text(html, letter.html, "html")
    part.attach(html)
    for file, content in shown:
        picture = _attachment(file, content, disposition="inline")
        _set(picture, "Content-ID", f"<{file.content_id}>")
        part.attach(picture)


def _invitation(calendar: str) -> MIMEPart:
    """An iCalendar object, in base64: its lines end in CRLF whatever the way (RFC 5545 §3.1)."""
    part = MIMEPart(policy=_POLICY)
    _set(part, "Content-Type", 'text/calendar; method=REQUEST; charset="utf-8"')
    _set(part, "Content-Transfer-Encoding", "base64")
    part.set_payload(base64.encodebytes(calendar.encode("utf-8")).decode("ascii"))
    return part


def _multipart(subtype: str, letter: OutboundLetter) -> str:
    """The same boundary every time, so that a letter that is sent again is the same to the last byte.

    ``=_`` stands in no quoted-printable and no base64 text (RFC 2045 §6.7), so no part can hold the boundary.
    """
    digest = hashlib.sha256(f"{subtype} {letter.message_id}".encode()).hexdigest()
    return f'multipart/{subtype}; boundary="=_{digest[:24]}"'


def _set_text(part: MIMEPart, text: str, subtype: str) -> None:
    """Fill a part with text as quoted-printable, which keeps lines short (RFC 2045 §6.7)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    content = _BODY_CONTROLS.sub("", lines).rstrip("\n") + "\n"
    _set(part, "Content-Type", f'text/{subtype}; charset="utf-8"')
    _set(part, "Content-Transfer-Encoding", "quoted-printable")
    part.set_payload(binascii.b2a_qp(content.encode("utf-8")).decode("ascii"))


def _attachment(file: StoredFile, content: bytes, *, disposition: str = "attachment") -> MIMEPart:
    part = MIMEPart(policy=_POLICY)
    _set(part, "Content-Type", _safe_media_type(file.media_type))
    _set(part, "Content-Transfer-Encoding", "base64")
    _set(part, "Content-Disposition", [f"{disposition};", *_filename_parameter(file.filename)])
    part.set_payload(base64.encodebytes(content).decode("ascii"))
    return part


def _safe_media_type(media_type: str) -> str:
    """The type if a mail program only offers to save it; what it might show or run inside the letter (text,
    mails, HTML, SVG, scripts) is named plain octets (THREATS 23)."""
    match = _MEDIA_TYPE.fullmatch(media_type.strip().lower())
    if match is None or match[1] in ("text", "message", "multipart"):
        return "application/octet-stream"
    active = ("html", "xml", "svg", "script", "partial", "external")
    return "application/octet-stream" if any(word in match[2] for word in active) else match[0]


def _filename_parameter(filename: str) -> list[str]:
    """The words of ``filename=``, or of RFC 2231's encoded and continued form of it."""
    name = _shortened(_one_line(filename).replace("/", "_").replace("\\", "_")) or "attachment"
    if _PLAIN_FILENAME.fullmatch(name):
        return [f'filename="{name}"']
    pieces = [quote(chunk, safe="") for chunk in _utf8_chunks(name, 18)]
    if len(pieces) == 1:
        return [f"filename*=utf-8''{pieces[0]}"]
    continued = [f"filename*0*=utf-8''{pieces[0]}"]
    continued += [f"filename*{number}*={piece}" for number, piece in enumerate(pieces[1:], start=1)]
    return [f"{word};" for word in continued[:-1]] + continued[-1:]


def _shortened(name: str) -> str:
    """The name with at most 120 characters, its ending kept."""
    if len(name) <= _LONGEST_FILENAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:_LONGEST_FILENAME].rstrip()
    return stem[: _LONGEST_FILENAME - 1 - len(ending)].rstrip() + dot + ending
