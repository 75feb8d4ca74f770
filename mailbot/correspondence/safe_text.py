"""What may be shown of text that others wrote: (text) → text without control characters and live links.

Our letters are read by mail programs that turn whatever looks like an address into a link. What a stranger
wrote must not become one in a mail that carries our name (THREATS 6, 23), must not turn the reading
direction around (THREATS 17) and must not break a header (THREATS 18).
"""

from __future__ import annotations

import re

ELLIPSIS = "…"

# Control characters except line feed, soft hyphen, zero-width and bidi controls, surrogates, tag characters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")

_LINK = re.compile(r"//+[^\s/]*|\bwww\.[^\s/]*", re.IGNORECASE)
# A dot between two labels of what may be a host name; a well-known file extension at the end is left alone.
_HOST_DOT = re.compile(
    r"(?<=[^\W_])\.(?=[^\W\d_]{2,})"
    r"(?!(?:pdf|jpe?g|png|gif|heic|webp|tiff?|docx?|xlsx?|pptx?|txt|csv|eml|msg|odt|rar|7z|exe|mp4)(?![\w./@-]))",
    re.IGNORECASE,
)
# A CNPJ may hold letters (12.ABC.345/01DE-35); no domain ends in a digit, so that one with a digit in its third
# group is never taken for a host.
_COMPANY_NUMBER = re.compile(
    r"(?<![\w.@/-])[0-9A-Z]{2}\.[0-9A-Z]{3}\.(?=[A-Z]*[0-9])[0-9A-Z]{3}/[0-9A-Z]{4}-[0-9]{2}(?![\w./@-])"
)
_MAIL_ADDRESS = re.compile(r"[^\s@<>\"'/\\]{1,64}@[A-Za-z0-9.-]{1,189}")


def cleaned_text(text: str) -> str:
    """``text`` with line feeds as the only control characters; paragraphs and words stay."""
    if text.isprintable():
        return text
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text).replace("\t", " "))


def cleaned_line(text: str) -> str:
    """``text`` on one line: every run of white space is one space, control characters are gone."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(cleaned_text(text).split())


def delinked_text(text: str) -> str:
    """Long text with every address of a site defanged: ``https:[//]evil[.]example/path``."""
    if "//" not in text and "www." not in text.lower():
        return text
    return _LINK.sub(_defanged, text)


def delinked_line(text: str) -> str:
    """A short string in which nothing that looks like a host name is left for a mail program to link.

    A lone mail address, a CNPJ and the extension of a file's name stay as they are.
    """
    if "." not in text and "//" not in text:
        return text
    if _MAIL_ADDRESS.fullmatch(text):
        return text
    shown = delinked_text(text)
    numbers = [found.span() for found in _COMPANY_NUMBER.finditer(shown)]

    def defanged_dot(dot: re.Match[str]) -> str:
        return "." if any(start <= dot.start() < end for start, end in numbers) else "[.]"

    return _HOST_DOT.sub(defanged_dot if numbers else "[.]", shown)


def shortened(text: str, limit: int) -> str:
    """``text`` of at most ``limit`` characters, cut with an ellipsis, at a space if one is near."""
    if len(text) <= limit:
        return text
    head = text[: max(limit - 1, 0)]
    at_space = head.rfind(" ", max(len(head) - 20, 0))
    return (head[:at_space] if at_space > 0 else head).rstrip() + ELLIPSIS


def _defanged(match: re.Match[str]) -> str:
    found = match[0]
    slashes = len(found) - len(found.lstrip("/"))
    host = found[slashes:].replace(".", "[.]")
    return f"[{found[:slashes]}]{host}" if slashes else host
