"""Which request types somebody names: ``(CustomerWord, words, types, departments) -> RequestType, …``. Pure.

Exact names win over names that hold the words; what names several is asked about, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.self_service import CustomerWord

_FEWEST_CHARACTERS = 3


def types_named(
    word: CustomerWord, said: str, types: Iterable[RequestType], departments: Mapping[str, str]
) -> tuple[RequestType, ...]:
    """The types that ``said`` names after ``TIPO:``, by name, subject or alias, or after ``DEPARTAMENTO:`` by the
    department too; ``departments`` are names of queues by key."""
    wanted = fold_words(said)
    kinds = list(types)
    if len(wanted) < _FEWEST_CHARACTERS:
        return ()
    by_department = word is CustomerWord.DEPARTMENT
    searches: tuple[Callable[[str], bool], ...] = (
        lambda name: name == wanted,
        lambda name: f" {wanted} " in f" {name} ",
    )
    names = {kind.key: list(_names(kind, departments, by_department=by_department)) for kind in kinds}
    for fits in searches:
        found = tuple(kind for kind in kinds if any(fits(name) for name in names[kind.key]))
        if found:
            return found
    return ()


def _names(kind: RequestType, departments: Mapping[str, str], *, by_department: bool) -> Iterator[str]:
    names = (kind.key, kind.name, kind.subject, *kind.aliases)
    further = (kind.queue, departments.get(kind.queue, "")) if by_department else ()
    yield from (fold_words(name) for name in (*names, *further) if name)


def asks_for_it_itself(word: CustomerWord, kind: RequestType) -> bool:
    """Whether the type has a field of that name: *Tipo: casa* may be an answer to it."""
    label = "tipo" if word is CustomerWord.TYPE else "departamento"
    return any(label in spec.all_labels for spec in kind.fields)
