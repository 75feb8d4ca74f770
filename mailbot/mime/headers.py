"""Header values: raw octets, RFC 2047 words and ids in; clean text on one line out.

Everything here is total: whatever a sender writes gives a string, in time linear in its length.
"""

from __future__ import annotations

import binascii
import codecs
import html
import re
from functools import lru_cache

from mailbot.domain.mail import normalised_message_id

MAX_REFERENCES = 200

# Codecs of Python that are no character sets, or that take quadratic time on hostile input.
_REFUSED_CODECS = frozenset(
    {"idna", "punycode", "unicode_escape", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem"}
)
# Latin-1 is what old mail programs call Windows-1252 (DOMAIN C.7); ASCII says nothing about 8-bit octets.
_READ_AS_CP1252 = frozenset({"iso8859-1", "cp1252"})
_READ_AS_UTF8 = frozenset({"ascii", "utf-8", ""})
_CHARSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+()-]{0,39}")

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Marks that turn or hide text: bidi embeddings, overrides and isolates (THREATS 17), zero-width characters.
_BIDI = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile("[\u200b-\u200f\u061c\u202a-\u202e\u2060-\u206f\ufeff\u00ad\u180e]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_WORD_START = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?")
_HEX_PAIR = re.compile(rb"=([0-9A-Fa-f]{2})")
_ANGLE_ID = re.compile(r"<([^<>]{1,998})>")
_BETWEEN_IDS = re.compile(r"[\s,;<>()\[\]\"']+")
_BASE64_OCTETS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE64_SPACE = b"\r\n\t "


def decode_octets(octets: bytes, charset: str = "") -> tuple[str, bool]:
    """``octets`` as text, and whether the declared ``charset`` could be kept to.

    A missing, unknown or wrong charset is answered by trying UTF-8 and then Windows-1252, which never fails:
    its five undefined octets become C1 characters. Lone surrogates become U+FFFD.
    """
    codec = _codec_name(charset)
    if codec is not None and codec not in _READ_AS_UTF8:
        wanted = "cp1252" if codec in _READ_AS_CP1252 else codec
        try:
            return _without_surrogates(octets.decode(wanted)), True
        except (UnicodeError, ValueError):
            if wanted == "cp1252":
                return _decode_cp1252(octets), True
    try:
        return octets.decode("utf-8"), codec is not None and codec in _READ_AS_UTF8
    except UnicodeDecodeError:
        return _decode_cp1252(octets), False


@lru_cache(maxsize=256)
def _codec_name(charset: str) -> str | None:
    """Python's name of ``charset``; an empty string if none is declared, ``None`` if it is not known."""
    name = charset.strip().strip("'\"").partition("*")[0].strip()
    if not name:
        return ""
    if not _CHARSET_NAME.fullmatch(name):
        return None
    try:
        info = codecs.lookup(name)
        # "hex" and "zip" are codecs as well, and refused as soon as they are asked for text.
        b"    ".decode(name)
    except UnicodeError:
        # A text encoding after all, in which four blanks mean nothing.
        return _unless_refused(info.name)
    except (LookupError, ValueError):
        return None
    return _unless_refused(info.name)


def _unless_refused(codec: str) -> str | None:
    return None if codec in _REFUSED_CODECS else codec


def _decode_cp1252(octets: bytes) -> str:
    try:
        return octets.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(_CP1252[octet] for octet in octets)


_CP1252 = tuple(bytes([octet]).decode("cp1252", "ignore") or chr(octet) for octet in range(256))


def _without_surrogates(text: str) -> str:
    return _LONE_SURROGATE.sub("\ufffd", text)


def recovered(value: str) -> str:
    """A header value as the standard library hands it over, its raw 8-bit octets read as UTF-8 or
    Windows-1252 (LIBRARIES §3.1) instead of being lost."""
    if value.isascii():
        return value
    try:
        octets = value.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return _without_surrogates(value)
    return decode_octets(octets)[0]


def one_line(value: str) -> str:
    """``value`` on one line: white space collapsed, control characters removed (THREATS 18)."""
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()
    return _CONTROL.sub("", " ".join(value.split()))


def shown(value: str) -> str:
    """``value`` fit for showing as a name: on one line, without bidi and zero-width characters."""
    return value if value.isascii() and value.isprintable() else _INVISIBLE.sub("", one_line(value)).strip()


def decoded(value: str) -> str:
    """A header value with RFC 2047 words decoded, unfolded, on one line."""
    return one_line(decode_words(value)) if "=?" in value else one_line(value)


def decoded_subject(value: str) -> str:
    """Like :func:`decoded`, and without characters that turn the direction of writing. Invisible characters
    stay: they are part of emoji, and triage folds them."""
    return _BIDI.sub("", decoded(value)).strip()


def decode_words(value: str) -> str:
    """Decode RFC 2047 encoded words wherever they stand, also in quoted strings.

    Tolerates spaces inside a word, unknown charsets, missing base64 padding, missing space around words, and
    characters split between two words. What is no word stays as it is.
    """
    pieces: list[str] = []
    # Octets of adjacent words of one charset are joined before decoding: programs cut characters in two.
    pending: list[bytes] = []
    pending_charset = ""
    position = 0
    while True:
        start = value.find("=?", position)
        match = _WORD_START.match(value, start) if start >= 0 else None
        end = value.find("?=", match.end()) if match else -1
        if match and end < 0:
            # No word ends any more: the rest is plain text.
            start = -1
        between = value[position:start] if start >= 0 else value[position:]
        if match and end >= 0:
            if between.strip() or match[1].lower() != pending_charset:
                pieces.append(_decode_pending(pending, pending_charset))
                if between.strip() or not pieces[-1]:
                    pieces.append(between)
                pending = []
            pending.append(_word_octets(match[2], value[match.end() : end], match[1]))
            pending_charset = match[1].lower()
            position = end + 2
            continue
        pieces.append(_decode_pending(pending, pending_charset))
        pending, pending_charset = [], ""
        pieces.append(between)
        if start < 0:
            return "".join(pieces)
        pieces.append("=?")
        position = start + 2


def _decode_pending(pending: list[bytes], charset: str) -> str:
    return decode_octets(b"".join(pending), charset)[0] if pending else ""


def _word_octets(encoding: str, text: str, charset: str) -> bytes:
    octets = text.encode("ascii") if text.isascii() else _in_charset(text, charset)
    if encoding in "bB":
        return decode_base64(octets)[0]
    return _HEX_PAIR.sub(lambda match: bytes([int(match[1], 16)]), octets.replace(b"_", b" "))


def _in_charset(text: str, charset: str) -> bytes:
    """Raw 8-bit characters in an encoded word, which were read already, as the word's charset has them."""
    try:
        return text.encode(_codec_name(charset) or "utf-8")
    except UnicodeError:
        return text.encode("utf-8", "replace")


def decode_base64(data: bytes | memoryview) -> tuple[bytes, bool]:
    """Base64 as lenient as it can be without inventing octets, and whether it was sound.

    Missing padding is added, a cut last quantum dropped, what is padded in the middle (some programs pad
    every line) is decoded piece by piece. What is no base64 at all comes back as it is.
    """
    octets = bytes(data)
    core = octets.rstrip(b"=" + _BASE64_SPACE)
    # The frequent case: nothing but the alphabet and line ends.
    foreign = len(core.translate(None, _BASE64_OCTETS + b"\r\n"))
    if not foreign:
        return decode_sound(octets) or _decode_quanta(core)
    without_space = len(core.translate(None, _BASE64_OCTETS + b"=" + _BASE64_SPACE))
    if without_space * 20 > len(core) or core.count(b" ") * 20 > len(core):
        return octets, False
    if b"=" in core:
        head, _, rest = core.partition(b"=")
        if not rest.translate(None, _BASE64_OCTETS + b"=" + _BASE64_SPACE):
            pieces = [_decode_quanta(piece)[0] for piece in re.split(rb"=+", core)]
            return b"".join(pieces), False
        core = head
    return _decode_quanta(core)[0], foreign == core.count(b" ") + core.count(b"\t")


def decode_sound(octets: bytes | memoryview) -> tuple[bytes, bool] | None:
    """Base64 that is padded as it ought to be, decoded as it stands: what is large is not copied."""
    try:
        return binascii.a2b_base64(octets), True
    except binascii.Error:
        return None


def _decode_quanta(core: bytes) -> tuple[bytes, bool]:
    try:
        return binascii.a2b_base64(core + b"=="), True
    except binascii.Error:
        # One lonely character at the end carries six bits, no octet.
        significant = core.translate(None, _BASE64_SPACE)
        clean = significant.translate(None, bytes(set(range(256)) - set(_BASE64_OCTETS)))
        return binascii.a2b_base64(clean[: len(clean) // 4 * 4]), False


def message_ids(value: str, limit: int = MAX_REFERENCES) -> tuple[str, ...]:
    """The ids of a References, In-Reply-To or Message-ID field in their order, without doubles.

    Tolerates what programs and gateways make of such fields: ids without angle brackets or with two of them,
    separated by commas or by nothing, folded in their midst, escaped for HTML, or hidden in an encoded word.
    Of more than ``limit`` ids the first (the root of the thread) and the last ones are kept.
    """
    text = decode_words(value) if "=?" in value else value
    text = html.unescape(text) if "&" in text else text
    found: list[str] = []
    position = 0
    for match in _ANGLE_ID.finditer(text):
        found += [*_bare_ids(text[position : match.start()]), match[1].removeprefix("mailto:")]
        position = match.end()
    found += _bare_ids(text[position:])
    ids = list(dict.fromkeys(filter(None, map(normalised_message_id, found))))
    return tuple(ids if len(ids) <= limit else [ids[0], *ids[1 - limit :]])


def _bare_ids(text: str) -> list[str]:
    """Words with an ``@`` that nobody put into angle brackets."""
    words = (word.removeprefix("mailto:") for word in _BETWEEN_IDS.split(text)) if "@" in text else ()
    return [word for word in words if "@" in word.strip("@")]


def single_message_id(value: str) -> str:
    """The id of a Message-ID field, with or without angle brackets; empty if there is none."""
    match = _ANGLE_ID.search(value)
    return normalised_message_id(match[1] if match else value)
