"""Files, and what is to be drawn of them ↔ JSON. Unknown keys are ignored, absent ones take defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailbot.domain.events import StoredFile
from mailbot.domain.notice_pages import NoticeAttachments, Opening, PagesToDraw, Paper


def without_nul(text: str) -> str:
    """PostgreSQL's text has no NUL; ours has none on any database."""
    return text.replace("\x00", "")


def file_to_json(file: StoredFile) -> dict[str, Any]:
    """A file as it is kept with whatever names it."""
    return {
        "digest": file.digest,
        "filename": without_nul(file.filename),
        "media_type": file.media_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        **({"content_id": file.content_id} if file.content_id else {}),
    }


def file_from_json(data: Mapping[str, Any]) -> StoredFile:
    """The other way round."""
    return StoredFile(
        digest=data["digest"],
        filename=data["filename"],
        media_type=data["media_type"],
        size_bytes=data["size_bytes"],
        sha256=data["sha256"],
        content_id=data.get("content_id", ""),
    )


def pages_to_json(pages: PagesToDraw | None) -> dict[str, Any] | None:
    """What is to be drawn for a letter, as it is kept beside its text."""
    if pages is None:
        return None
    return {
        "papers": [
            {"file": file_to_json(one.file), "is_refused": one.is_refused, "is_drawn": one.is_drawn}
            for one in pages.papers
        ],
        "openings": [
            {"name": one.name, "digest": one.digest, "first": one.first, "others_begin": list(one.others_begin)}
            for one in pages.openings
        ],
        "attach": pages.attach.value,
        "language": pages.language,
        "shows_thumbnails": pages.shows_thumbnails,
        "most_bytes": pages.most_bytes,
        "wording": pages.wording,
    }


def pages_from_json(data: Mapping[str, Any] | None) -> PagesToDraw | None:
    """The other way round."""
    if data is None:
        return None
    return PagesToDraw(
        papers=tuple(
            Paper(file=file_from_json(one["file"]), is_refused=one["is_refused"], is_drawn=one["is_drawn"])
            for one in data["papers"]
        ),
        openings=tuple(
            Opening(
                name=one["name"],
                digest=one["digest"],
                first=one["first"],
                others_begin=tuple(one["others_begin"]),
            )
            for one in data["openings"]
        ),
        attach=NoticeAttachments(data["attach"]),
        language=data["language"],
        shows_thumbnails=data["shows_thumbnails"],
        most_bytes=data["most_bytes"],
        wording=data["wording"],
    )
