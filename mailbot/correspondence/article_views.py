"""View models of an article of ours in a letter: plain values, already formatted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlePart:
    """A paragraph, or an item of a list with its mark (``1.``, ``•``)."""

    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedArticle:
    """An article of ours that may answer the question. ``useful`` counts those who found it so; votes name
    it by its ``key``."""

    key: str
    title: str
    parts: tuple[ArticlePart, ...]
    useful: str = ""
