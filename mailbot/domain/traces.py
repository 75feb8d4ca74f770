"""What a document leaves behind by which it is known again in another ticket: digests, which tell nothing."""

from __future__ import annotations

from dataclasses import dataclass

USED_ELSEWHERE = "used_elsewhere"
"""Reason of the remark that a document left a trace on another ticket; its value names those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A keyed digest of the fact ``fact``, or, where that is empty, of the whole file."""

    fact: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherUse:
    """A ticket in which a trace (its ``digest``) was left."""

    digest: str
    ticket_number: str
