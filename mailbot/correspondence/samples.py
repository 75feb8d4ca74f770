"""Sample views: (letter, templates folder) → a view as it might be, for previews and the templates' check.

The samples are data beside the templates (``_samples.yaml``): what all views share stands under ``shared``, the
rest under the letter's name; a letter may have further samples (``ticket_ready.bare``). A language has its own, or
those of the default one in the words of its ``_sample_words.yaml``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from mailbot.correspondence.context import LetterView, LongText, paragraphs_of
from mailbot.correspondence.letter_views import VIEW_OF
from mailbot.correspondence.wording import DEFAULT_LANGUAGE, read_mapping
from mailbot.correspondence.words import Phrase
from mailbot.domain.errors import ConfigurationError, Problem
from mailbot.domain.events import LetterKind

SAMPLES_FILE: Final = "_samples.yaml"
WORDS_FILE: Final = "_sample_words.yaml"
_SHARED: Final = "shared"


def sample_view(letter: LetterKind, templates_dir: Path, *, language: str = DEFAULT_LANGUAGE) -> LetterView:
    """The first sample of ``letter``; raises :class:`ConfigurationError` if there is none or it is wrong."""
    return sample_views(templates_dir, language=language, letters=(letter,))[letter][0]


def sample_views(
    templates_dir: Path, *, language: str = DEFAULT_LANGUAGE, letters: Collection[LetterKind] = tuple(LetterKind)
) -> dict[LetterKind, tuple[LetterView, ...]]:
    """The samples of ``letters``; raises :class:`ConfigurationError` with every problem at once."""
    source = templates_dir / language / SAMPLES_FILE
    is_own = source.is_file()
    if not is_own:
        source = templates_dir / DEFAULT_LANGUAGE / SAMPLES_FILE
    content, problems = read_mapping(source)
    words = templates_dir / language / WORDS_FILE
    if words.is_file() and not is_own:
        content, wrong = _reworded(content, words)
        problems.extend(wrong)
    views: dict[LetterKind, tuple[LetterView, ...]] = {}
    for letter in letters:
        made: list[LetterView] = []
        for name in [one for one in content if str(one).split(".")[0] == letter]:
            try:
                made.append(_letter_view(letter, content.get(_SHARED), content[name]))
            except _WrongSample as error:
                problems.append(Problem(source=str(source), key=f"{name}.{error}", message="does not fit"))
        if content and not made:
            problems.append(Problem(source=str(source), key=letter.value, message="this letter has no sample"))
        views[letter] = tuple(made)
    if problems:
        raise ConfigurationError(problems)
    return views


def _reworded(content: dict[Any, Any], source: Path) -> tuple[dict[Any, Any], list[Problem]]:
    """The samples in other words, and what is wrong with these. Of a text of several lines its first stands for
    it."""
    words, problems = read_mapping(source)
    unused = {key for key in words if isinstance(key, str)}

    def said(one: Any) -> Any:
        if isinstance(one, dict):
            return {key: said(value) for key, value in one.items()}
        if isinstance(one, list):
            return [said(value) for value in one]
        key = one.partition("\n")[0] if isinstance(one, str) else one
        if not isinstance(key, str) or key not in words:
            return one
        unused.discard(key)
        return words[key]

    worded = said(content)
    problems.extend(Problem(source=str(source), key=key, message="no sample says this") for key in sorted(unused))
    return worded, problems


class _WrongSample(Exception):
    """A sample's value does not fit the view; the message is the path to it."""


def _letter_view(letter: LetterKind, shared: Any, own: Any) -> LetterView:
    kind = VIEW_OF[letter]
    names = {one.name for one in fields(kind)}
    common = {key: value for key, value in (shared or {}).items() if key in names}
    view = _made(kind, {**common, **own} if isinstance(own, dict) else own)
    assert isinstance(view, LetterView)
    return view


def _made(kind: Any, data: Any) -> Any:
    """``data`` (from YAML) as a value of type ``kind``."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is tuple and isinstance(data, list):
        return tuple(_made(get_args(kind)[0], one) for one in data)
    if is_dataclass(kind):
        return _made_words(kind, data)
    if kind in (str, bool) and type(data) is kind:
        return data
    if isinstance(kind, type) and issubclass(kind, Enum) and data in [one.value for one in kind]:
        return kind(data)
    raise _WrongSample("")


def _made_words(kind: Any, data: Any) -> Any:
    """Long texts are written as text, phrases as a code with its places; all else field by field."""
    if kind is LongText and isinstance(data, str):
        return paragraphs_of(data)
    if kind is Phrase and isinstance(data, dict) and "code" in data:
        if wrong := [key for key, value in data.items() if not isinstance(value, str | int)]:
            raise _WrongSample(str(wrong[0]))
        places = tuple((key, str(value)) for key, value in data.items() if key != "code")
        return Phrase(code=str(data["code"]), values=places)
    return _made_dataclass(kind, data)


def _made_dataclass(kind: type, data: Any) -> Any:
    known: dict[str, Field[Any]] = {one.name: one for one in fields(kind)}
    if not isinstance(data, dict):
        raise _WrongSample("")
    hints = get_type_hints(kind)
    values = {}
    for key, value in data.items():
        try:
            if key not in known:
                raise _WrongSample("")
            values[key] = _made(hints[key], value)
        except _WrongSample as error:
            raise _WrongSample(f"{key}.{error}".rstrip(".")) from None
    for name, one in known.items():
        if name not in values and one.default is MISSING and one.default_factory is MISSING:
            raise _WrongSample(name)
    return kind(**values)
