"""Whether every document that the catalogue asks for can be told from others: ``Catalogue -> Problem``."""

from __future__ import annotations

from collections.abc import Iterator

from mailbot.catalogue.load import Catalogue
from mailbot.domain.errors import Problem
from mailbot.evidence.documents import known_kinds


def unreadable_requirements(catalogue: Catalogue) -> Iterator[Problem]:
    """A problem for every requirement of a kind that no module in ``evidence/documents/`` reads."""
    asked = [(kind.key, document.key) for kind in catalogue.request_types.values() for document in kind.documents]
    known = known_kinds() if asked else frozenset()
    for request_type, key in asked:
        if key not in known:
            names = ", ".join(sorted(known))
            message = f"no kind of document that can be read: {key}; there are {names}"
            yield Problem(source="catalogue", key=f"{request_type}.documents", message=message)
