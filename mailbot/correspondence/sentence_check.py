"""Do sentences and templates fit? (templates folder, language) → what is missing, left over or has other places.

Every problem names the file with the sentence and its line there, and the template that says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, TemplateSyntaxError

from mailbot.correspondence.environment import template_folders
from mailbot.correspondence.sentences import COUNT, ONE, OTHER, Said, sentences_said
from mailbot.correspondence.wording import (
    DEFAULT_LANGUAGE,
    PARTS,
    PARTS_FILE,
    PHRASES_FILE,
    SENTENCES_FILE,
    keys_of,
    languages_in,
    load_words,
    read_sentences,
    sentence_files,
)
from mailbot.domain.errors import Problem

_PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """A sentence that a template names; ``told`` is the template's file and line."""

    said: Said
    told: str


def sentence_problems(templates_dir: Path, language: str) -> Iterator[Problem]:
    """All that is wrong between the templates of ``language`` and its sentences, which can be read."""
    uses = list(_uses(templates_dir, language))
    own = load_words(templates_dir / language, language).phrases
    names = _forms(uses, own)
    reported = set()
    for use in uses:
        if not _told(use.said, own) and use.said.name not in reported:
            reported.add(use.said.name)
            where = _source_of(templates_dir / language, use.said.name)
            yield _problem(where, use.said.name, f"this sentence is missing; {use.told} says it")
    for use in uses:
        yield from _unfilled(templates_dir / language, use, own)
    for source, family in sentence_files(templates_dir / language):
        yield from _repeated(source)
        for key in read_sentences(source)[0] if family else ():
            if f"{family}.{key}" not in names:
                yield _problem(source, key, "no template says this sentence")
    yield from _untranslated(templates_dir, language, reported)
    yield from _overrides(templates_dir, language, uses)


def _uses(templates_dir: Path, language: str) -> Iterator[_Use]:
    environment = Environment(autoescape=True)
    own, shared = template_folders(templates_dir, language)
    for folder in (own, shared):
        for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.txt")]):
            if folder == shared and (own / path.relative_to(shared)).is_file():
                continue
            try:
                tree = environment.parse(path.read_text(encoding="utf-8"), filename=str(path))
                told = path.relative_to(templates_dir)
                yield from (_Use(said=said, told=f"{told}:{said.line}") for said in sentences_said(tree))
            except (OSError, UnicodeDecodeError, TemplateSyntaxError):
                # The check of the templates says so.
                continue


def _forms(uses: list[_Use], sentences: Mapping[str, str]) -> set[str]:
    """The names under which the sentences stand that are said: themselves, or both forms for a count."""
    names: set[str] = set()
    for use in uses:
        name = use.said.name
        names.update((name,) if name in sentences else (name + ONE, name + OTHER))
    return names


def _told(said: Said, sentences: Mapping[str, str]) -> bool:
    both = said.name + ONE in sentences and said.name + OTHER in sentences
    return said.name in sentences or (both and COUNT in said.places)


def _unfilled(folder: Path, use: _Use, sentences: Mapping[str, str]) -> Iterator[Problem]:
    """Places to which a template gives no value."""
    for name in (use.said.name, use.said.name + ONE, use.said.name + OTHER):
        places = set(_PLACE.findall(sentences.get(name, "")))
        for place in sorted(places - use.said.places):
            given = ", ".join(f"{{{one}}}" for one in sorted(use.said.places)) or "none"
            told = f"nothing is put into {{{place}}}: {use.told} gives {given}"
            yield _problem(_source_of(folder, name), name, told)


def _untranslated(templates_dir: Path, language: str, reported: set[str]) -> Iterator[Problem]:
    """What the default language has and this one lacks, or says with other places; and what is left over."""
    if language == DEFAULT_LANGUAGE or DEFAULT_LANGUAGE not in languages_in(templates_dir):
        return
    ours = load_words(templates_dir / DEFAULT_LANGUAGE, DEFAULT_LANGUAGE).phrases
    theirs = load_words(templates_dir / language, language).phrases
    folder = templates_dir / language
    for code in sorted(ours.keys() - theirs.keys()):
        if code.removesuffix(ONE).removesuffix(OTHER) not in reported:
            told = f"this sentence is missing; {DEFAULT_LANGUAGE} has it"
            yield _problem(_source_of(folder, code), code, told)
    for code in sorted(theirs.keys() - ours.keys()):
        yield _problem(_source_of(folder, code), code, f"{DEFAULT_LANGUAGE} has no such sentence")
    for code in sorted(ours.keys() & theirs.keys()):
        if set(_PLACE.findall(ours[code])) != set(_PLACE.findall(theirs[code])):
            yield _problem(_source_of(folder, code), code, f"other {{places}} than in {DEFAULT_LANGUAGE}")


def _overrides(templates_dir: Path, language: str, uses: list[_Use]) -> Iterator[Problem]:
    """What a letter says otherwise for a request type must be something that it says."""
    for source in sorted((templates_dir / language).glob(f"*/*/{SENTENCES_FILE}")):
        found, problems = read_sentences(source)
        yield from problems
        yield from _repeated(source)
        letter = source.parent.parent.name
        given = {}
        for use in uses:
            given.update(dict.fromkeys((use.said.name + form for form in ("", ONE, OTHER)), use.said.places))
        for key, sentence in found.items():
            places = given.get(f"{letter}.{key}")
            if places is None:
                yield _problem(source, key, f"no template says {letter}.{key}")
            elif missing := sorted(set(_PLACE.findall(sentence)) - places):
                yield _problem(source, key, f"nothing is put into {{{missing[0]}}}")


def _repeated(source: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for key, line in keys_of(source):
        if key in seen:
            yield Problem(source=str(source), line=line, key=key, message="this sentence stands here twice")
        seen.add(key)


def _source_of(folder: Path, name: str) -> Path:
    """The file in which the sentence ``name`` stands, or should."""
    family = name.partition(".")[0]
    if family == PARTS:
        return folder / PARTS_FILE
    if (folder / family / SENTENCES_FILE).is_file() or any((folder.parent).glob(f"*/{family}/{SENTENCES_FILE}")):
        return folder / family / SENTENCES_FILE
    return folder / PHRASES_FILE


def _problem(source: Path, name: str, message: str) -> Problem:
    """A problem of the sentence ``name``, with the line on which it stands or, if it does not, should."""
    key = name if source.name == PHRASES_FILE else name.removeprefix(f"{_family_of(source)}.")
    lines = dict(keys_of(source))
    return Problem(
        source=str(source), line=lines.get(key) or _line_before(source, key, lines), key=key, message=message
    )


def _line_before(source: Path, key: str, lines: Mapping[str, int]) -> int | None:
    """The line of the last sentence that stands before ``key`` in the default language and here too."""
    language = source.parents[1] if source.name == SENTENCES_FILE else source.parent
    default = language.parent / DEFAULT_LANGUAGE / source.relative_to(language)
    found = None
    for one, _ in keys_of(default):
        if one == key or one == key + ONE:
            break
        found = lines.get(one, found)
    return found or min(lines.values(), default=None)


def _family_of(source: Path) -> str:
    return PARTS if source.name == PARTS_FILE else source.parent.name
