"""Reply handles and the loop mark: how a letter of ours is recognised when something comes back to it.

A handle is a random token of 100 bits; its row holds ticket, recipient, purpose, expiry and revocation
(INTERFACE *Mails that we send*). It stands in the letter's Message-ID, in one reference line of the text and,
with plus addressing, in the reply address and the envelope sender. The loop mark is a keyed digest by which
we know our own mail (THREATS 2).
"""

from __future__ import annotations

import hashlib
import hmac
import html
import re
import secrets
from collections.abc import Iterable

from mailbot.domain.addressing import AddressTag

HANDLE_LENGTH = 20
"""Characters; 5 bits each."""

LOOP_MARK_HEADER = "X-Mailbot-Loop"

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_HANDLE = rf"[{_ALPHABET}]{{{HANDLE_LENGTH}}}"
_IN_MESSAGE_ID = re.compile(rf"<?mb\.({_HANDLE})@[^@\s]+", re.IGNORECASE)
_IN_ADDRESS = re.compile(rf"[^@\s]*\+([tb])\.({_HANDLE})@[^@\s]+", re.IGNORECASE)

# What programs put between two characters of a token: quote marks, wraps, soft line breaks of
# quoted-printable, emphasis marks, zero-width characters. Disjoint from the alphabet, so matching is linear.
_GAP = r"[\s>|=*_\u00ad\u200b-\u200f\u2060\ufeff]{0,16}"
_REFERENCE = re.compile(
    rf"\[{_GAP}mb{_GAP}[-\u2010-\u2015\u2212]((?:{_GAP}[{_ALPHABET}]){{{HANDLE_LENGTH}}}){_GAP}\]",
    re.IGNORECASE,
)
_REFERENCE_LINE = re.compile(rf"[\s>]*(?:\w{{1,12}}[.:]{{0,2}})?\s*\[mb-{_HANDLE}\]\s*", re.IGNORECASE)
_ORDER_MARK = re.compile(rf"\[\[mb-{_HANDLE}\]\]", re.IGNORECASE)
_TOKEN = re.compile(rf"\s*\[mb-{_HANDLE}\]", re.IGNORECASE)
_NOT_IN_HANDLE = re.compile(rf"[^{_ALPHABET}]")
_HANDLES_IN_TEXT_AT_MOST = 20

_LOOP_MARK = re.compile(rf"v1\.((?:{_HANDLE})?)\.([0-9a-f]{{64}})")


def new_handle() -> str:
    """A fresh handle: 20 lower-case base32 characters, 100 random bits."""
    # The alphabet has 32 characters: each of them comes from as many octets.
    return "".join([_ALPHABET[octet % len(_ALPHABET)] for octet in secrets.token_bytes(HANDLE_LENGTH)])


def message_id_for(handle: str, domain: str) -> str:
    """The Message-ID, without angle brackets, of the letter that carries ``handle``."""
    return f"mb.{handle}@{domain}"


def handle_in_message_id(message_id: str) -> str | None:
    """The handle of a Message-ID made by :func:`message_id_for`, with or without angle brackets."""
    match = _IN_MESSAGE_ID.match(message_id.strip())
    return match.group(1).lower() if match else None


def handle_in_address(address: str, tag: AddressTag) -> str | None:
    """The handle in ``anything+t.HANDLE@…`` (reply) or ``anything+b.HANDLE@…`` (bounce), else ``None``."""
    match = _IN_ADDRESS.fullmatch(address.strip())
    if match is None or match.group(1).lower() != tag:
        return None
    return match.group(2).lower()


def reference_line_token(handle: str) -> str:
    """What stands in the reference line at the end of a letter: ``[mb-HANDLE]``."""
    return f"[mb-{handle}]"


def handles_in_text(text: str) -> tuple[str, ...]:
    """Every handle of a reference token in ``text``, in order, each once, at most 20.

    Tolerates what mail programs do to quoted text: ``>`` marks and line wraps within the token, remnants of
    HTML entities, zero-width characters, capitals.
    """
    # Escaped twice is common where a plain-text part was made from HTML.
    readable = html.unescape(html.unescape(text)) if "&" in text else text
    found: dict[str, None] = {}
    for match in _REFERENCE.finditer(readable):
        found[_NOT_IN_HANDLE.sub("", match.group(1).lower())] = None
        if len(found) >= _HANDLES_IN_TEXT_AT_MOST:
            break
    return tuple(found)


def without_reference_lines(text: str) -> str:
    """``text`` without lines that hold a reference token and at most one word before it.

    The links of our letters fill in such a line for the customer: it is ours, not the customer's words.
    """
    if "mb-" not in text.lower():
        return text
    return "\n".join(line for line in text.split("\n") if not _REFERENCE_LINE.fullmatch(line)).strip()


def order_mark(reference: str) -> str:
    """The last line of a mail that a link of a notice fills in: the reference in brackets of its own.

    So it is told from the reference line of a notice, which an agent's words to a requester must never hold.
    """
    return f"[{reference}]"


def without_order_marks(text: str) -> str:
    """``text`` without the lines that are nothing but an :func:`order_mark`."""
    if "[[mb-" not in text.lower():
        return text
    return "\n".join(line for line in text.split("\n") if not _ORDER_MARK.fullmatch(line.strip())).rstrip()


def without_reference_tokens(line: str) -> str:
    """``line``, a subject, without the references of our links."""
    return _TOKEN.sub("", line).strip() if "[mb-" in line.lower() else line


def loop_mark(secret: bytes, handle: str, from_address: str, to_address: str) -> str:
    """The value of ``X-Mailbot-Loop`` for a letter of ours.

    Bound to the handle and to both addresses of the header: copied into a mail of somebody else it proves
    nothing, so a stranger cannot make us ignore a mail of theirs (THREATS 2).
    """
    return f"v1.{handle}.{_loop_digest(secret, handle, from_address, to_address)}"


def handle_in_loop_mark(mark: str) -> str | None:
    """The handle that a loop mark names, whoever wrote it; a handle proves itself."""
    match = _LOOP_MARK.fullmatch(mark.strip())
    return match.group(1) or None if match else None


def loop_mark_is_ours(secret: bytes, mark: str, from_address: str, to_addresses: Iterable[str]) -> bool:
    """Whether ``mark`` was made with ``secret`` for a letter between these addresses (any of the latter)."""
    match = _LOOP_MARK.fullmatch(mark.strip())
    if match is None:
        return False
    handle, digest = match.groups()
    return any(
        hmac.compare_digest(_loop_digest(secret, handle, from_address, to_address), digest)
        for to_address in to_addresses
    )


def _loop_digest(secret: bytes, handle: str, from_address: str, to_address: str) -> str:
    parts = ("mailbot loop mark", handle, from_address.lower(), to_address.lower())
    return hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()
