"""Which request types somebody names: ``(CustomerWord, words, types, departments) -> RequestType, …``. Pure.

Exact names win over names that hold the words; what names several is asked about, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.self_service import CustomerWord

_FEWEST_CHARACTERS = 3


def types_named(
    word: CustomerWord,
    said: str,
    types: Iterable[RequestType],
    departments: Mapping[str, str],
    family: str = "",
) -> tuple[RequestType, ...]:
    """The types that ``said`` names after ``TIPO:``, by name, subject or alias, or after ``DEPARTAMENTO:`` by the
    department too; ``departments`` are names of queues by key. Types of the ticket's own ``family`` come first."""
    wanted = fold_words(said)
    if len(wanted) < _FEWEST_CHARACTERS:
        return ()
    kinds = list(types)
    like = [kind for kind in kinds if family and kind.family == family]
    return _named(word, wanted, like, departments) or _named(word, wanted, kinds, departments)


def _named(
    word: CustomerWord, wanted: str, kinds: list[RequestType], departments: Mapping[str, str]
) -> tuple[RequestType, ...]:
    by_department = word is CustomerWord.DEPARTMENT
    exact = tuple(
        kind
        for kind in kinds
        if wanted in {*_names(kind, departments, by_department=by_department), *_aliases(kind)}
    )
    # One word of an alias, *apartamento*, may be anything.
    return exact or tuple(
        kind
        for kind in kinds
        if any(f" {wanted} " in f" {name} " for name in _names(kind, departments, by_department=by_department))
    )


def _names(kind: RequestType, departments: Mapping[str, str], *, by_department: bool) -> Iterator[str]:
    further = (kind.queue, departments.get(kind.queue, "")) if by_department else ()
    yield from (fold_words(name) for name in (kind.key, kind.name, kind.subject, *further) if name)


def _aliases(kind: RequestType) -> Iterator[str]:
    yield from (fold_words(name) for name in kind.aliases)


def asks_for_it_itself(word: CustomerWord, kind: RequestType) -> bool:
    """Whether the type has a field of that name: *Tipo: casa* may be an answer to it."""
    label = "tipo" if word is CustomerWord.TYPE else "departamento"
    return any(label in spec.all_labels for spec in kind.fields if spec.is_read)
