"""Compose a letter: (OutboundLetter, its files, the mailbox's ways) → Envelope with the MIME message.

Every header passes through ``_header``, the one place where control characters are taken out (THREATS 18), and
is encoded and folded here: the standard library would read an encoded word that a stranger wrote into a
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
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

from mailbot.domain.addressing import AddressTag, ReplyAddressing, tagged_address
from mailbot.domain.errors import LetterError
from mailbot.domain.events import Audience, OutboundLetter, StoredFile
from mailbot.domain.exchange import Envelope
from mailbot.domain.handles import LOOP_MARK_HEADER, message_id_for
from mailbot.domain.mail import Address, normalised_message_id
from mailbot.mime.serialise import ComposedPart, message_bytes

_SUPPRESSED = "OOF, AutoReply, DR, RN, NRN"
_AUTO_SUBMITTED = ("auto-replied", "auto-generated")
_BASE64 = "Content-Transfer-Encoding: base64"

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
# In UTF-8: those that are one octet, and those that are two.
_BODY_CONTROLS = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
_BODY_CONTROLS_BEYOND_ASCII = re.compile(rb"\xc2[\x80-\x9f]")


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
    tagged = reply_addressing is ReplyAddressing.PLUS and bool(letter.handle)
    headers = [
        _header("From", _address(Address(address=mailbox, name=letter.sender_name))),
        _header("To", _address(Address(address=recipient, name=letter.recipient.name))),
        _header("Subject", _unstructured(letter.subject)),
        _header("Date", format_datetime(now.astimezone(UTC))),
        *_threading(letter, id_may_change=id_may_change),
        _header("Reply-To", tagged_address(mailbox, AddressTag.REPLY, letter.handle) if tagged else mailbox),
        *(_automatic(letter) if letter.automatic else ()),
        _header(LOOP_MARK_HEADER, loop_mark),
        _header("MIME-Version", "1.0"),
    ]
    message = _body(letter, files).headed_by(headers)
    if null_sender and _is_for_an_unverified_stranger(letter):
        sender = ""
    else:
        sender = tagged_address(mailbox, AddressTag.BOUNCE, letter.handle) if tagged else mailbox
    return Envelope(
        sender=sender, recipient=recipient, message=_checked(message_bytes(message, utf8=not recipient.isascii()))
    )


def _is_for_an_unverified_stranger(letter: OutboundLetter) -> bool:
    return letter.automatic and letter.audience is Audience.REQUESTER and not letter.verified_recipient


def _automatic(letter: OutboundLetter) -> list[str]:
    kind = letter.auto_submitted if letter.auto_submitted in _AUTO_SUBMITTED else "auto-generated"
    return [_header("Auto-Submitted", kind), _header("X-Auto-Response-Suppress", _SUPPRESSED)]


def _checked(message: bytes) -> bytes:
    # It ends a line with a CR, an LF or both: as many lines as either has only both.
    lines = message.splitlines()
    if not len(lines) == message.count(b"\r") == message.count(b"\n"):
        raise LetterError("a bare CR or LF stands in the composed letter")
    if max(map(len, lines)) > _LONGEST_LINE_OCTETS:
        raise LetterError("a line of the composed letter is longer than 998 octets")
    return message


# --- headers ---------------------------------------------------------------------------------------------


def _header(name: str, words: str | Iterable[str]) -> str:
    """A header of ours from its words, folded where the words meet. Nothing else makes headers."""
    first = f"{name}:"
    lines = [first]
    for word in [words] if isinstance(words, str) else words:
        clean = _one_line(word)
        # Never folded right after the name: some servers read such a header as empty.
        if lines != [first] and len(lines[-1]) + 1 + len(clean) > _LINE_OCTETS:
            lines.append("")
        lines[-1] += f" {clean}"
    return "\n".join(lines)


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


def _threading(letter: OutboundLetter, *, id_may_change: bool) -> list[str]:
    message_id = _angled(letter.message_id)
    if message_id is None:
        raise LetterError("the letter has no usable Message-ID")
    headers = [_header("Message-ID", message_id)]
    parent = _angled(letter.in_reply_to)
    if parent is not None:
        headers.append(_header("In-Reply-To", parent))
    ids = [*(_angled(reference) for reference in letter.references), parent]
    references = list(dict.fromkeys(reference for reference in ids if reference is not None))
    references = [*references[:1], *references[1:][-_LAST_REFERENCES:]]
    if id_may_change and letter.handle:
        # Neither first nor last where it can be helped: programs take those for the thread and the parent.
        references.insert(max(1, len(references) - 1), f"<{_stand_in(letter)}>")
    if references:
        headers.append(_header("References", references))
    return headers


def _stand_in(letter: OutboundLetter) -> str:
    """An id with the letter's handle that is not the letter's own: a mail must not refer to itself."""
    return message_id_for(letter.handle, f"ref.{letter.message_id.rpartition('@')[2]}")


def _angled(message_id: str) -> str | None:
    """The id in angle brackets, or ``None`` for what cannot stand in a header (senders choose their ids)."""
    bare = normalised_message_id(message_id)
    usable = bare and bare.isascii() and len(bare) <= _LONGEST_ID and not set(bare) & set("<>")
    return f"<{bare}>" if usable else None


# --- the body --------------------------------------------------------------------------------------------


def _body(letter: OutboundLetter, files: Sequence[tuple[StoredFile, bytes]]) -> ComposedPart:
    shown = [(file, content) for file, content in files if file.content_id and letter.html]
    attached = [(file, content) for file, content in files if not (file.content_id and letter.html)]
    alternative = _alternative(letter, shown)
    if not attached:
        return alternative
    return _multipart("mixed", letter, [alternative, *(_attachment(file, content) for file, content in attached)])


def _alternative(letter: OutboundLetter, shown: Sequence[tuple[StoredFile, bytes]]) -> ComposedPart:
    plain = _text(letter.text, "plain")
    if not letter.html:
        return plain
    html = _text(letter.html, "html")
    parts = [plain, _related(html, letter, shown) if shown else html]
    if letter.calendar:
        # Last: the richest form that a program knows is the one it shows (RFC 2046 §5.1.4, RFC 6047 §2.4).
        parts.append(_invitation(letter.calendar))
    return _multipart("alternative", letter, parts)


def _related(
    html: ComposedPart, letter: OutboundLetter, shown: Sequence[tuple[StoredFile, bytes]]
) -> ComposedPart:
    """The HTML and the pictures in it (RFC 2387), so that no mail program lists them among the files."""
    pictures = [_picture(file, content) for file, content in shown]
    return _multipart("related", letter, [html, *pictures], 'type="text/html"')


def _invitation(calendar: str) -> ComposedPart:
    """An iCalendar object, in base64: its lines end in CRLF whatever the way (RFC 5545 §3.1)."""
    content_type = _header("Content-Type", 'text/calendar; method=REQUEST; charset="utf-8"')
    return ComposedPart(headers=(content_type, _BASE64), text=_base64(calendar.encode("utf-8")))


def _multipart(
    subtype: str, letter: OutboundLetter, parts: Sequence[ComposedPart], *parameters: str
) -> ComposedPart:
    """The same boundary every time, so that a letter that is sent again is the same to the last byte.

    ``=_`` stands in no quoted-printable and no base64 text (RFC 2045 §6.7), so no part can hold the boundary.
    """
    digest = hashlib.sha256(f"{subtype} {letter.message_id}".encode()).hexdigest()
    boundary = f"=_{digest[:24]}"
    words = [f'multipart/{subtype}; boundary="{boundary}"', *parameters]
    content_type = _header("Content-Type", [*(f"{word};" for word in words[:-1]), words[-1]])
    return ComposedPart(headers=(content_type,), boundary=boundary, parts=tuple(parts))


def _text(text: str, subtype: str) -> ComposedPart:
    """A part with text as quoted-printable, which keeps lines short (RFC 2045 §6.7)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    # What UTF-8 has no octets for are broken surrogates.
    octets = lines.encode("utf-8", "ignore").translate(None, _BODY_CONTROLS)
    content = _BODY_CONTROLS_BEYOND_ASCII.sub(b"", octets).rstrip(b"\n") + b"\n"
    content_type = _header("Content-Type", f'text/{subtype}; charset="utf-8"')
    return ComposedPart(
        headers=(content_type, _header("Content-Transfer-Encoding", "quoted-printable")),
        text=binascii.b2a_qp(content).decode("ascii"),
    )


def _attachment(file: StoredFile, content: bytes, *, disposition: str = "attachment") -> ComposedPart:
    content_type = _header("Content-Type", _safe_media_type(file.media_type))
    placed = _header("Content-Disposition", [f"{disposition};", *_filename_parameter(file.filename)])
    return ComposedPart(headers=(content_type, _BASE64, placed), text=_base64(content))


def _picture(file: StoredFile, content: bytes) -> ComposedPart:
    attachment = _attachment(file, content, disposition="inline")
    return replace(attachment, headers=(*attachment.headers, _header("Content-ID", f"<{file.content_id}>")))


def _base64(content: bytes) -> str:
    return base64.encodebytes(content).decode("ascii")


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
