"""Which files of an agent's mail are for the requester: ``Attachment -> bool``, and what they say as text.

What a mail program adds by itself stays here: the mail that is answered (it holds what only staff may read, and
the agent's handle) and its pictures, signatures and business cards, Outlook's ``winmail.dat``, the logo of a
signature.
"""

from __future__ import annotations

import re

from mailbot.domain.drawings import PAGE_PICTURE_MARK
from mailbot.domain.mail import Attachment

_NEVER_SENT = frozenset(
    {
        "application/ms-tnef",
        "application/vnd.ms-tnef",
        "application/vnd.ms-outlook",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
        "text/vcard",
        "text/x-vcard",
        "text/directory",
    }
)
_NAMES_NEVER_SENT = (".eml", ".msg", ".p7s", ".vcf", "winmail.dat")
# A picture of the signature; a larger one in the text is a screenshot that somebody pasted.
_SCREENSHOT_BYTES = 40_000
_TRACKING_PIXEL_BYTES = 1000
# As Outlook names the pictures of a text by itself.
_NAMED_BY_A_PROGRAM = re.compile(r"(image\d{3}|att\d{5}|outlook-\w{1,40})(\.\w{1,5})?", re.IGNORECASE)

_TEXT_TYPES = ("text/", "application/rtf", "application/xml", "image/svg+xml")
_TEXT_BYTES = 1_000_000
# Never from one "<" to a later one: else many of them would cost quadratic time.
_TAG = re.compile(r"<[^<>]*>")


def is_meant_to_be_sent(file: Attachment) -> bool:
    """Whether an agent attached this file (or pasted a screenshot), rather than the mail program."""
    if PAGE_PICTURE_MARK in f"{file.content_id} {file.filename}".lower():
        # Of a notice that the reply quotes.
        return False
    if file.in_forwarded_mail or file.filename.lower().endswith(_NAMES_NEVER_SENT):
        return False
    types = (file.media_type, file.declared_type)
    if any(one in _NEVER_SENT or one.startswith("message/") for one in types):
        return False
    return not _is_decoration(file)


def _is_decoration(file: Attachment) -> bool:
    is_picture = file.inline or file.media_type.startswith("image/")
    of_the_text = file.inline or file.content_id != "" or _NAMED_BY_A_PROGRAM.fullmatch(file.filename) is not None
    largest_bytes = _SCREENSHOT_BYTES if of_the_text else _TRACKING_PIXEL_BYTES
    return is_picture and file.size_bytes < largest_bytes


def text_of(file: Attachment) -> str:
    """What a text file says, without HTML tags; of other files, and after a million bytes, nothing is read."""
    if not file.media_type.startswith(_TEXT_TYPES):
        return ""
    content = file.content[:_TEXT_BYTES]
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return _TAG.sub("\n", content.decode(encoding, "replace"))
