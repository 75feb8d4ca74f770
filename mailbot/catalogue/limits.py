"""How much a mail may bring, and of which types."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mailbot.catalogue.entries import Entry

_MEBIBYTE = 1024 * 1024


class Limits(Entry):
    """How much a mail may bring (R004-08, R004-17): decoded sizes in MiB, file types by extension.

    ``allowed_types`` holds extensions without a dot (``pdf``), media types (``application/pdf``) or media
    type groups (``image/*``); empty allows everything.
    """

    max_file_mb: Annotated[float, Field(gt=0, le=1000)] = 10
    max_mail_mb: Annotated[float, Field(gt=0, le=1000)] = 25
    max_files: Annotated[int, Field(ge=1, le=1000)] = 40
    allowed_types: tuple[str, ...] = ()

    @property
    def max_file_bytes(self) -> int:
        """Largest decoded size of one file."""
        return int(self.max_file_mb * _MEBIBYTE)

    @property
    def max_mail_bytes(self) -> int:
        """Largest decoded size of all files of a mail."""
        return int(self.max_mail_mb * _MEBIBYTE)

    def allows(self, *, media_type: str, filename: str) -> bool:
        """Whether a file may be used at all; ``media_type`` is what its bytes say.

        An extension counts only where the bytes do not say otherwise: a program called ``x.pdf`` is no PDF.
        """
        if not self.allowed_types:
            return True
        extension = filename.rpartition(".")[2].lower() if "." in filename else ""
        return any(_type_matches(entry.lower(), media_type.lower(), extension) for entry in self.allowed_types)


_TYPE_OF_EXTENSION = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heic",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "bmp": "image/bmp",
    "svg": "image/svg+xml",
    "zip": "application/zip",
    "rar": "application/vnd.rar",
    "7z": "application/x-7z-compressed",
    "exe": "application/x-msdownload",
    "rtf": "application/rtf",
    "html": "text/html",
}
_KNOWN_TYPES = frozenset({*_TYPE_OF_EXTENSION.values(), "application/x-executable", "application/gzip"})


def _type_matches(entry: str, media_type: str, extension: str) -> bool:
    if entry.endswith("/*"):
        # Vector graphics are programs in part, not pictures of anything.
        return media_type.startswith(entry[:-1]) and media_type != "image/svg+xml"
    if "/" in entry:
        return media_type == entry
    wanted = entry.lstrip(".")
    if media_type in _KNOWN_TYPES:
        return media_type == _TYPE_OF_EXTENSION.get(wanted)
    return extension == wanted
