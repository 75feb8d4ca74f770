"""Are all letters there and sound? (templates folder) → every problem at once, with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Final

from jinja2 import Environment, TemplateSyntaxError

from mailbot.correspondence.context import LetterView
from mailbot.correspondence.environment import template_folders
from mailbot.correspondence.mail_links import MAX_MAILTO_OCTETS
from mailbot.correspondence.presentable import presentable
from mailbot.correspondence.query_letters import WORDS_IN_HELP
from mailbot.correspondence.render import (
    MAX_HTML_BYTES,
    PAGES_PART,
    PARTS,
    LanguageTemplates,
    LetterRenderer,
    RenderedLetter,
    is_translated,
    load_language,
    variables_of,
)
from mailbot.correspondence.samples import sample_views
from mailbot.correspondence.sentence_check import sentence_problems
from mailbot.correspondence.sentences import sentences_said
from mailbot.correspondence.wording import DEFAULT_LANGUAGE, PHRASES_FILE, SENTENCES_FILE, languages_in, load_words
from mailbot.domain.errors import ConfigurationError, LetterError, Problem
from mailbot.domain.events import LetterKind
from mailbot.domain.evidence import Verdict
from mailbot.domain.logins import LoginCredential
from mailbot.domain.outbox import HoldReason
from mailbot.domain.self_service import Unanswered
from mailbot.domain.ticket import Priority

REQUIRED_PHRASES: Final = frozenset(
    {"unknown", "date.long", "date.moment", "decimal_mark"}
    | {f"weekday.{number}" for number in range(1, 8)}
    | {f"month.{number}" for number in range(1, 13)}
    | {f"letter.{letter}" for letter in LetterKind}
    | {f"query.{reason}" for reason in Unanswered}
    | {f"customer_word.{word}{of}" for word in WORDS_IN_HELP for of in ("", ".meaning")}
    | {f"priority.{priority}" for priority in Priority}
    | {f"login.{credential}" for credential in LoginCredential}
    | {f"login.renewal.{credential}" for credential in LoginCredential}
    | {verdict.value for verdict in Verdict}
    | {reason.value for reason in HoldReason}
)
"""Codes of closed sets, without which a letter would fall back to a general sentence."""

# A picture may be one of the letter's own parts, and nothing else (THREATS 23).
_REMOTE = re.compile(
    r"""(?:background|srcset|poster)\s*=|\bsrc\s*=(?!"cid:[\w.@-]+")|url\(|@import|<(?:link|script)\b""",
    re.IGNORECASE,
)
_MAILTO = re.compile(r'href="(mailto:[^"]*)"')
_PLACED = re.compile(r"(?P<file>[^\s:]+):(?P<line>\d+): (?P<message>.*)", re.DOTALL)


def check_templates(templates_dir: Path) -> list[Problem]:
    """Every letter in every language: present, compiles, renders with its samples, keeps the rules of
    INTERFACE *Mails that we send*. An empty list means that nothing is wrong."""
    languages = languages_in(templates_dir)
    problems: list[Problem] = []
    if DEFAULT_LANGUAGE not in languages:
        problems.append(
            Problem(source=str(templates_dir), message=f"no letters in {DEFAULT_LANGUAGE} (phrases.yaml missing)")
        )
    for language in languages:
        problems.extend(_language_problems(templates_dir, language))
    # What is wrong with a shared template is wrong in every language.
    return list(dict.fromkeys(problems))


def _language_problems(templates_dir: Path, language: str) -> Iterator[Problem]:
    folder = templates_dir / language
    syntax = [*_missing_files(templates_dir, language), *_syntax_problems(templates_dir, language)]
    yield from syntax
    try:
        # Without inlined CSS the line numbers are those of the file.
        plain = load_language(templates_dir, language, inline_css=False)
        samples = sample_views(templates_dir, language=language)
        own = load_words(folder, language)
    except ConfigurationError as error:
        yield from error.problems
        return
    for code in sorted(REQUIRED_PHRASES - own.phrases.keys()):
        yield Problem(source=str(folder / PHRASES_FILE), key=code, message="this sentence is missing")
    yield from (one for one in sentence_problems(templates_dir, language) if one.key not in REQUIRED_PHRASES)
    if syntax:
        return
    renderer = LetterRenderer(templates_dir)
    for letter, views in samples.items():
        for request_type in (None, *_overrides(templates_dir, language, letter)):
            for view in views:
                found = list(_failures(templates_dir, plain, letter, request_type, view))
                yield from found
                if found:
                    continue
                rendered = renderer.render(letter, view, language=language, request_type=request_type)
                for part, message in _broken_rules(rendered, view, language):
                    source = _template_file(templates_dir, language, f"{letter}/{part}")
                    yield Problem(source=str(source), key=request_type, message=message)


def _template_file(templates_dir: Path, language: str, name: str) -> Path:
    """Where a template stands, or should: the language's own, else the one that all languages share."""
    own, shared = template_folders(templates_dir, language)
    return own / name if (own / name).is_file() or not shared.is_dir() else shared / name


def _missing_files(templates_dir: Path, language: str) -> Iterator[Problem]:
    own, shared = template_folders(templates_dir, language)
    parts = [f"{PAGES_PART}.html", f"{PAGES_PART}.txt"]
    for name in [*parts, *(f"{letter}/{part}" for letter in LetterKind for part in PARTS)]:
        source = _template_file(templates_dir, language, name)
        if not source.is_file():
            yield Problem(source=str(source), message="this file is missing")
    for letter in LetterKind:
        if shared.is_dir() and not is_translated(own / letter):
            yield Problem(source=str(own / letter / SENTENCES_FILE), message="this file is missing")
    known = {letter.value for letter in LetterKind}
    for one in sorted([*own.iterdir(), *(shared.iterdir() if shared.is_dir() else ())]):
        if one.is_dir() and one.name not in known:
            yield Problem(source=str(one), message="no letter has this name")


def _syntax_problems(templates_dir: Path, language: str) -> Iterator[Problem]:
    environment = Environment(autoescape=True)
    for folder in template_folders(templates_dir, language):
        for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.txt")]):
            try:
                tree = environment.parse(path.read_text(encoding="utf-8"))
                list(sentences_said(tree))
            except TemplateSyntaxError as error:
                yield Problem(source=str(path), line=error.lineno, message=str(error.message))
            except (OSError, UnicodeDecodeError) as error:
                yield Problem(source=str(path), message=f"cannot be read: {type(error).__name__}")


def _overrides(templates_dir: Path, language: str, letter: LetterKind) -> list[str]:
    folders = [folder / letter for folder in template_folders(templates_dir, language)]
    return sorted({one.name for folder in folders if folder.is_dir() for one in folder.iterdir() if one.is_dir()})


def _failures(
    templates_dir: Path,
    plain: LanguageTemplates,
    letter: LetterKind,
    request_type: str | None,
    view: LetterView,
) -> Iterator[Problem]:
    variables = variables_of(presentable(view))
    for part in PARTS:
        try:
            plain.render(letter, part, request_type, variables)
        except LetterError as error:
            yield _problem_of(
                error, templates_dir, _template_file(templates_dir, plain.words.language, f"{letter}/{part}")
            )


def _problem_of(error: LetterError, templates_dir: Path, source: Path) -> Problem:
    placed = _PLACED.fullmatch(str(error))
    if placed is None:
        return Problem(source=str(source), message=str(error))
    return Problem(source=str(templates_dir / placed["file"]), line=int(placed["line"]), message=placed["message"])


def _broken_rules(rendered: RenderedLetter, view: LetterView, language: str) -> Iterator[tuple[str, str]]:
    """What INTERFACE *Mails that we send* asks of every letter: (part, what is wrong)."""
    if not rendered.subject:
        yield "subject.txt", "the subject is empty"
    if _REMOTE.search(rendered.html):
        yield "body.html", "a letter must not load anything, nor embed more than its own pictures"
    if f'lang="{language}"' not in rendered.html:
        yield "body.html", f'lang="{language}" is missing'
    if len(rendered.html.encode()) > MAX_HTML_BYTES:
        yield "body.html", f"larger than {MAX_HTML_BYTES} bytes"
    if any(len(unescape(link).encode()) > MAX_MAILTO_OCTETS for link in _MAILTO.findall(rendered.html)):
        yield "body.html", f"a mailto: link is longer than {MAX_MAILTO_OCTETS} octets"
    for part, body in (("body.txt", rendered.text), ("body.html", rendered.html)):
        if view.reference not in body:
            yield part, "the reference line is missing"
