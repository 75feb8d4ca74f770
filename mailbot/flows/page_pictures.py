"""Pages that a reader drew become files of ours: ``(digest, DrawnFile) -> FileDrawing``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from mailbot.domain.drawings import DrawnPage, FileDrawing, KeptPicture
from mailbot.evidence.drawing import DrawnFile, Jpeg

KeepPictures = Callable[[Sequence[bytes]], list[str]]
"""Stores pictures durably and gives their digests, in order."""


def kept_drawing(digest: str, drawn: DrawnFile, keep: KeepPictures) -> FileDrawing:
    """Store the pictures of the file ``digest`` and say where they are. Raises ``StorageUnavailable``."""
    jpegs = [one for page in drawn.pages for one in (page.page, page.thumbnail)]
    digests = keep([one.content for one in jpegs]) if jpegs else []
    kept = iter([_kept(jpeg, digest) for jpeg, digest in zip(jpegs, digests, strict=True)])
    pages = tuple(DrawnPage(number=page.number, page=next(kept), thumbnail=next(kept)) for page in drawn.pages)
    return FileDrawing(digest=digest, page_count=drawn.page_count, pages=pages)


def _kept(jpeg: Jpeg, digest: str) -> KeptPicture:
    return KeptPicture(
        digest=digest,
        sha256=hashlib.sha256(jpeg.content).hexdigest(),
        size_bytes=len(jpeg.content),
        width=jpeg.width,
        height=jpeg.height,
    )
