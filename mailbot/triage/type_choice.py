"""What a mail says about each type → the one that it asks for: ``hints -> Classification``. Pure.

Nothing is guessed between two types: what comes near to the likeliest one leaves the choice to the sender.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailbot.domain.mail import Candidate, Classification

ASK_CONFIDENCE = 0.5
"""A candidate of at least this confidence is worth a question."""

_CERTAIN_MARGIN = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What a mail says about one type; ``certain`` is enough to act on.

    ``by_body``: certain by the words of the body alone, which nothing else may come near to. ``signs`` are words
    that tell one type from its like: types of one house share their fields.
    """

    request_type: str
    confidence: float
    matched: str
    certain: bool = False
    by_body: bool = False
    signs: int = 0


def chosen(hints: Iterable[Hint]) -> Classification:
    """The one certain type, or none: two certain ones that are close leave the choice to the sender."""
    ordered = sorted(hints, key=lambda hint: (-hint.certain, -hint.confidence, hint.request_type))
    by_confidence = sorted(ordered, key=lambda hint: (-hint.confidence, hint.request_type))
    candidates = tuple(
        Candidate(request_type=hint.request_type, confidence=hint.confidence) for hint in by_confidence
    )
    if not ordered:
        return Classification(matched="nothing")
    best = _certain_one(ordered)
    if best is not None:
        return Classification(
            request_type=best.request_type,
            confidence=best.confidence,
            matched=best.matched,
            candidates=candidates,
        )
    confidence = by_confidence[0].confidence
    return Classification(
        confidence=confidence,
        matched="nothing" if ordered[0].certain else ordered[0].matched,
        candidates=candidates,
        ask=confidence >= ASK_CONFIDENCE,
    )


def _certain_one(ordered: Sequence[Hint]) -> Hint | None:
    """The certain type that no other comes near to, ``ordered`` beginning with the likeliest."""
    best = ordered[0]
    if not best.certain:
        return None
    rivals = [hint for hint in ordered[1:] if hint.certain or best.by_body]
    level = [one for one in rivals if _ties(best, one) and best.confidence - one.confidence < _CERTAIN_MARGIN]
    return best if not level else _told_apart([best, *level])


def _told_apart(level: Sequence[Hint]) -> Hint | None:
    """Of several types that are certain by fields that they share, the only one that other words speak for."""
    spoken_for = [hint for hint in level if hint.signs]
    by_fields = all(hint.matched == "fields" for hint in level)
    return spoken_for[0] if by_fields and len(spoken_for) == 1 else None


def _ties(best: Hint, rival: Hint) -> bool:
    """An exact subject beats a rival that is merely mistyped; otherwise certain hints compete."""
    return not (best.confidence == 1.0 and rival.confidence < 1.0)
