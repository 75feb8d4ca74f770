"""What an attachment is called, what it really is, and whether it is only a picture in the text.

A name is for show: it never reaches a disk (THREATS 24). A type is what the first bytes say, for what the
sender declares is often wrong and sometimes a trick (THREATS 27).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from mailbot.mime.headers import shown

OCTET_STREAM = "application/octet-stream"
UNNAMED_STEM = "anexo"
MAX_NAME_CHARACTERS = 200

_PDF_WITHIN_BYTES = 1024
_ZIP_SCAN_BYTES = 1 << 20
_ZIP_TAIL_BYTES = 1 << 16
_MAX_ZIP_ENTRIES = 64
_TEXT_SAMPLE_BYTES = 4096

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
    (b"\x7fELF", "application/x-executable"),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_TYPES = frozenset(
    {
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.ms-outlook",
    }
)
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIP_FOLDERS: tuple[tuple[bytes, str], ...] = (
    (b"word/", _OFFICE + "wordprocessingml.document"),
    (b"xl/", _OFFICE + "spreadsheetml.sheet"),
    (b"ppt/", _OFFICE + "presentationml.presentation"),
)
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s{0,64}(?:<!--.{0,512}?-->\s{0,64})?<(!doctype\s+html|html|head|body|svg|\?xml)\b",
    re.IGNORECASE | re.DOTALL,
)
_MAIL_START = re.compile(
    rb"(?:From |(?:Received|Return-Path|Delivered-To|Message-ID|MIME-Version|From|Date|Subject|To|X-[\w-]+):)",
    re.IGNORECASE,
)
_MAIL_FIELDS = (b"\nfrom:", b"\ndate:", b"\nmessage-id:", b"\nsubject:", b"\nto:")

_EXTENSIONS: dict[str, str] = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "image/avif": ".avif",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
    "image/svg+xml": ".svg",
    "application/zip": ".zip",
    "application/gzip": ".gz",
    "application/vnd.rar": ".rar",
    "application/x-7z-compressed": ".7z",
    "application/rtf": ".rtf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.ms-outlook": ".msg",
    _OFFICE + "wordprocessingml.document": ".docx",
    _OFFICE + "spreadsheetml.sheet": ".xlsx",
    _OFFICE + "presentationml.presentation": ".pptx",
    "application/ms-tnef": ".dat",
    "application/x-msdownload": ".exe",
    "message/rfc822": ".eml",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "text/calendar": ".ics",
    "text/vcard": ".vcf",
    "text/xml": ".xml",
}

_CID_LINK = re.compile(r"\bcid:([^\s\"'<>)]{1,998})", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")


def sniffed_type(content: bytes, declared_type: str) -> str:
    """The media type that the bytes of ``content`` have; for text, and for what the table of signatures does
    not know, the declared type as far as it can be true."""
    binary = binary_type(content, declared_type)
    if binary:
        return binary
    markup = _MARKUP.match(content, 0, _TEXT_SAMPLE_BYTES)
    if markup:
        return _markup_type(markup[1].lower(), content, declared_type)
    if not _is_text(content):
        return OCTET_STREAM
    if _is_mail(content, declared_type):
        return "message/rfc822"
    return declared_type if declared_type.startswith("text/") else "text/plain"


def binary_type(content: bytes, declared_type: str = "") -> str:
    """The type of a known binary format, or an empty string."""
    by_start = next((media_type for start, media_type in _SIGNATURES if content.startswith(start)), "")
    if by_start:
        return by_start
    by_structure = _container_type(content, declared_type)
    if by_structure:
        return by_structure
    # Scanners and web shops put lines of their own before a PDF; its readers look as far as this.
    return "application/pdf" if b"%PDF-" in content[:_PDF_WITHIN_BYTES] else ""


def _container_type(content: bytes, declared_type: str) -> str:
    """The type of a format that is known by more than its first bytes, or an empty string."""
    if content.startswith(b"MZ") and b"\x00" in content[:64]:
        return "application/x-msdownload"
    if content.startswith(_OLE):
        return declared_type if declared_type in _OLE_TYPES else "application/x-ole-storage"
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_type(content)
    if content[4:8] == b"ftyp":
        return _media_file_type(content[8:12], content[16:64])
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    is_bitmap = content.startswith(b"BM") and len(content) > 26 and content[6:10] == bytes(4)
    return "image/bmp" if is_bitmap else ""


def _media_file_type(brand: bytes, compatible: bytes) -> str:
    """ISO base media file format: still pictures of phones, else a film."""
    brands = {brand, *(compatible[start : start + 4] for start in range(0, len(compatible), 4))}
    if brand in _AVIF_BRANDS or (brand == b"mif1" and brands & _AVIF_BRANDS):
        return "image/avif"
    return "image/heic" if brand in _HEIC_BRANDS else "video/mp4"


def _zip_type(content: bytes) -> str:
    """Office files are zips; nothing is unpacked, only names are read (THREATS 26)."""
    for name in _zip_names(content):
        for folder, media_type in _ZIP_FOLDERS:
            if name.startswith(folder):
                return media_type
        if name == b"mimetype":
            return _open_document_type(content)
    return "application/zip"


def _open_document_type(content: bytes) -> str:
    match = re.search(rb"mimetype(application/[\w.+-]{1,80}?)PK", content[:256])
    return match[1].decode("ascii") if match else "application/zip"


def _zip_names(content: bytes) -> Iterator[bytes]:
    """Names from local headers at the start and from the directory at the end."""
    tail = max(0, len(content) - _ZIP_TAIL_BYTES)
    yield from _names_after(content, b"PK\x03\x04", 0, _ZIP_SCAN_BYTES, 26, 30)
    yield from _names_after(content, b"PK\x01\x02", tail, len(content), 28, 46)


def _names_after(
    content: bytes, signature: bytes, start: int, stop: int, length_at: int, name_at: int
) -> Iterator[bytes]:
    position = content.find(signature, start, stop)
    for _ in range(_MAX_ZIP_ENTRIES):
        if position < 0:
            return
        length = int.from_bytes(content[position + length_at : position + length_at + 2], "little")
        yield content[position + name_at : position + name_at + length]
        position = content.find(signature, position + 4, stop)


def _markup_type(tag: bytes, content: bytes, declared_type: str) -> str:
    if tag == b"svg" or (tag == b"?xml" and b"<svg" in content[:_TEXT_SAMPLE_BYTES].lower()):
        return "image/svg+xml"
    if tag != b"?xml" or b"<html" in content[:_TEXT_SAMPLE_BYTES].lower():
        return "text/html"
    return declared_type if declared_type.endswith(("/xml", "+xml")) else "text/xml"


def _is_text(content: bytes) -> bool:
    """Whether the first bytes look like text in ASCII, UTF-8, an 8-bit charset or UTF-16 with its mark."""
    sample = content[:_TEXT_SAMPLE_BYTES]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    controls = len(sample) - len(sample.translate(None, bytes({*range(32), 127} - {9, 10, 12, 13, 27})))
    return controls == 0


def _is_mail(content: bytes, declared_type: str) -> bool:
    if declared_type == "message/rfc822":
        return True
    if not _MAIL_START.match(content):
        return False
    head = b"\n" + content[:_TEXT_SAMPLE_BYTES].lower()
    return sum(field in head for field in _MAIL_FIELDS) >= 3


def clean_name(given: str) -> str:
    """A given file name without path, control, bidi and zero-width characters; empty if nothing is left.

    Names longer than 200 characters are cut before their extension.
    """
    name = re.split(r"[\\/]", shown(given))[-1]
    name = _DRIVE.sub("", name).strip(" .\"'")
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10:
        return name[:MAX_NAME_CHARACTERS]
    return f"{stem[: MAX_NAME_CHARACTERS - len(extension) - 1]}.{extension}"


def name_for(given: str, media_type: str, number: int) -> str:
    """The name to show: the given one, else one made of the attachment's number in the mail and its type."""
    return clean_name(given) or f"{UNNAMED_STEM}-{number}{_EXTENSIONS.get(media_type, '.bin')}"


def linked_content_ids(html: str) -> frozenset[str]:
    """The Content-IDs that an HTML text refers to by ``cid:`` links (RFC 2392)."""
    if "cid:" not in html and "CID:" not in html:
        return frozenset()
    return frozenset(unquote(match) for match in _CID_LINK.findall(html))


def is_inline_picture(
    media_type: str, content_id: str, *, linked: frozenset[str], inline_in_related: bool
) -> bool:
    """Whether an image is part of the text: the HTML refers to it, or it stands ``inline`` with a Content-ID
    in a ``multipart/related``."""
    if not content_id or not media_type.startswith("image/"):
        return False
    return content_id in linked or inline_in_related
