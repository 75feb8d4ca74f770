"""What a document leaves behind by which it is known again in another ticket: digests, which tell nothing."""

from __future__ import annotations

from dataclasses import dataclass

USED_ELSEWHERE = "used_elsewhere"
"""Reason of the remark that a document left a trace on another ticket; its value names those."""

PICTURE_IN_TEXT = "picture_in_text"
PICTURE_ATTACHED = "picture_attached"
PICTURE_TRACES = frozenset({PICTURE_IN_TEXT, PICTURE_ATTACHED})
"""Instead of a fact: how a picture came in a sender's mail. By these a logo is known again; nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A keyed digest of the fact ``fact``, or, where that is empty, of the whole file; of a picture with its
    sender where it is one of :data:`PICTURE_TRACES`."""

    fact: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherUse:
    """A ticket in which a trace (its ``digest``) was left."""

    digest: str
    ticket_number: str
