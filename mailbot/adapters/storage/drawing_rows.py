"""Drawn pages ↔ JSON, as a row of ``page_pictures`` holds them."""

from __future__ import annotations

from dataclasses import asdict

from mailbot.adapters.storage.nested_mapping import Json
from mailbot.domain.drawings import DrawnPage, FileDrawing, KeptPicture


def drawing_to_json(drawing: FileDrawing) -> Json:
    """What is written; the digest and the version have columns of their own."""
    return {
        "page_count": drawing.page_count,
        "pages": [[page.number, asdict(page.page), asdict(page.thumbnail)] for page in drawing.pages],
    }


def drawing_from_json(digest: str, version: int, data: Json) -> FileDrawing:
    """What was written."""
    return FileDrawing(
        digest=digest,
        version=version,
        page_count=data["page_count"],
        pages=tuple(
            DrawnPage(number=number, page=_picture_from_json(page), thumbnail=_picture_from_json(thumbnail))
            for number, page, thumbnail in data["pages"]
        ),
    )


def _picture_from_json(data: Json) -> KeptPicture:
    return KeptPicture(
        digest=data["digest"],
        sha256=data["sha256"],
        size_bytes=data["size_bytes"],
        width=data["width"],
        height=data["height"],
    )
