"""The head of each mailbox's letters: ``(catalogue, where pictures are kept) -> Letterhead``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mailbot.catalogue.brands import BrandSpec, Logo
from mailbot.catalogue.load import Catalogue
from mailbot.domain.events import StoredFile

KeepLogos = Callable[[Sequence[bytes]], Sequence[str]]
"""Keeps pictures and gives the digests under which they are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """A mailbox's brand, and its logo as it is kept."""

    brand: BrandSpec
    logo: StoredFile | None = None


PLAIN = Letterhead(brand=BrandSpec())
"""Of a mailbox that is not listed."""


def letterheads(catalogue: Catalogue, keep: KeepLogos | None) -> Mapping[str, Letterhead]:
    """By mailbox; without ``keep`` (nothing is to be stored) the logos go by their plain digest."""
    return {
        spec.key: Letterhead(brand=spec.brand, logo=_kept(catalogue.logos.get(spec.key), spec.key, keep))
        for spec in catalogue.mailboxes
    }


def _kept(logo: Logo | None, mailbox: str, keep: KeepLogos | None) -> StoredFile | None:
    if logo is None:
        return None
    sha256 = hashlib.sha256(logo.content).hexdigest()
    return StoredFile(
        digest=keep([logo.content])[0] if keep else sha256,
        filename=logo.filename,
        media_type=logo.media_type,
        size_bytes=len(logo.content),
        sha256=sha256,
        content_id=f"logo.{mailbox}.{sha256[:16]}@mailbot.invalid",
    )
