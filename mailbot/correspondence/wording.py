"""The files in which the sentences of letters stand: (templates folder, language) → :class:`Words`.

Of one language, in ``templates/<language>/``:

* ``phrases.yaml``: sentences that code chooses by a code;
* ``parts.yaml``: sentences that several letters say, named ``parts.<key>`` in templates;
* ``<letter>/sentences.yaml``: what one letter says, named ``<letter>.<key>``;
* ``<letter>/<request type>/sentences.yaml``: what it says otherwise for one request type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mailbot.correspondence.words import Words
from mailbot.domain.errors import ConfigurationError, Problem

DEFAULT_LANGUAGE: Final = "pt-BR"
PHRASES_FILE: Final = "phrases.yaml"
PARTS_FILE: Final = "parts.yaml"
SENTENCES_FILE: Final = "sentences.yaml"
PARTS: Final = "parts"


def languages_in(templates_dir: Path) -> tuple[str, ...]:
    """The languages that have a folder with sentences, in alphabetical order."""
    if not templates_dir.is_dir():
        return ()
    return tuple(sorted(one.name for one in templates_dir.iterdir() if (one / PHRASES_FILE).is_file()))


def words_of(templates_dir: Path, language: str) -> Words:
    """All sentences of ``language``, in the default one where they were not translated: better than one that
    says nothing, and the check names them. Raises :class:`ConfigurationError` with every problem in a file."""
    words = load_words(templates_dir / language, language)
    if language == DEFAULT_LANGUAGE:
        return words
    ours = load_words(templates_dir / DEFAULT_LANGUAGE, DEFAULT_LANGUAGE)
    return replace(words, phrases={**ours.phrases, **words.phrases})


def load_words(folder: Path, language: str) -> Words:
    """What stands in one language's own ``folder``; raises :class:`ConfigurationError` with every problem."""
    phrases: dict[str, str] = {}
    problems: list[Problem] = []
    for source, family in sentence_files(folder):
        found, wrong = read_sentences(source)
        phrases.update((f"{family}.{code}" if family else code, sentence) for code, sentence in found.items())
        problems.extend(wrong)
    if problems:
        raise ConfigurationError(problems)
    return Words(language=language, phrases=phrases)


def sentence_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files of one language's ``folder`` with what stands before the dot of their names."""
    yield folder / PHRASES_FILE, ""
    if (folder / PARTS_FILE).is_file():
        yield folder / PARTS_FILE, PARTS
    for source in sorted(folder.glob(f"*/{SENTENCES_FILE}")):
        yield source, source.parent.name


def read_sentences(source: Path) -> tuple[dict[str, str], list[Problem]]:
    """The sentences of one file by their keys, and what is wrong with it."""
    content, problems = read_mapping(source)
    sentences: dict[str, str] = {}
    for code, sentence in content.items():
        if isinstance(code, str) and isinstance(sentence, str):
            sentences[code] = sentence.strip()
        else:
            told = "both code and sentence must be text"
            problems.append(Problem(source=str(source), key=str(code), message=told))
    return sentences, problems


def keys_of(source: Path) -> list[tuple[str, int]]:
    """Each key of a file with sentences and the line on which it stands, in order; also one that stands there
    twice. Nothing where the file cannot be read."""
    import yaml

    try:
        content = yaml.compose(source.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []
    pairs = content.value if isinstance(content, yaml.MappingNode) else []
    return [(str(key.value), key.start_mark.line + 1) for key, _ in pairs]


def read_mapping(source: Path) -> tuple[dict[Any, Any], list[Problem]]:
    """A YAML file that holds one mapping, and what is wrong with it (then the mapping is empty)."""
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        content = yaml.load(source.read_text(encoding="utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Problem(source=str(source), message=f"cannot be read: {type(error).__name__}")]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        told = str(getattr(error, "problem", None) or "not valid YAML")
        return {}, [Problem(source=str(source), line=line, message=told)]
    if not isinstance(content, dict):
        return {}, [Problem(source=str(source), message="must be a mapping")]
    return content, []
