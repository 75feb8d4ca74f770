"""View models become letters: (letter, view) → subject, plain text, HTML, by the templates of a language.

``templates/letters/<letter>/`` holds ``body.html``, ``body.txt`` and ``subject.txt`` for all languages, and
``templates/<language>/<letter>/`` the sentences that they say; any of the three that stands there too is taken
instead. A folder named after a request type inside either overrides any of the four. What people wrote only ever
enters as a variable: it is escaped in ``.html``, and no template is ever made from it (THREATS 22).
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, Template, TemplateError, TemplateNotFound, TemplateSyntaxError

from mailbot.correspondence.context import InOpening, LetterView
from mailbot.correspondence.environment import OUR_COLOURS, Colours, environment_of
from mailbot.correspondence.letter_views import VIEW_OF
from mailbot.correspondence.presentable import (
    GENEROUS,
    SHRINKING,
    SUBJECT_CHARACTERS,
    presentable,
    presentable_part,
)
from mailbot.correspondence.safe_text import cleaned_line, shortened
from mailbot.correspondence.wording import (
    DEFAULT_LANGUAGE,
    SENTENCES_FILE,
    languages_in,
    read_sentences,
    words_of,
)
from mailbot.correspondence.words import Words
from mailbot.domain.errors import LetterError
from mailbot.domain.events import LetterKind

PARTS: Final = ("subject.txt", "body.txt", "body.html")
PAGES_PART: Final = "_pages"
"""Templates of what comes into a letter's openings."""

MAX_HTML_BYTES: Final = 80_000
_MAX_RENDERED_CHARACTERS: Final = 1_000_000
_MAX_RENDER_SECONDS: Final = 5.0
_CHUNKS_AT_ONCE: Final = 256
"""So many are taken before it is asked whether they are too many."""
_REQUEST_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BLANK_LINES: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedLetter:
    """A letter as it leaves: ``subject`` on one line, ``text`` with line feeds, ``html`` at most 80 kB."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPart:
    """What is put into a letter that was written before."""

    text: str
    html: str


class LetterRenderer:
    """Renders every letter from the templates in one folder; templates are compiled once and kept."""

    def __init__(self, templates_dir: Path) -> None:
        self._templates_dir = templates_dir
        self._languages: dict[tuple[str, Colours], LanguageTemplates] = {}
        self._translated: dict[tuple[str, str], bool] = {}

    def words(self, language: str = DEFAULT_LANGUAGE) -> Words:
        """The wording of ``language``: dates, sizes, sentences by code."""
        return self._language(language).words

    def render(
        self,
        letter: LetterKind,
        view: LetterView,
        *,
        language: str = DEFAULT_LANGUAGE,
        request_type: str | None = None,
        colours: Colours = OUR_COLOURS,
        kept_bytes: int = 0,
    ) -> RenderedLetter:
        """Write ``letter`` with what ``view`` holds, in ``language`` (the default one where its templates are
        missing), with the templates of ``request_type`` where there are any. ``kept_bytes`` of the HTML's most
        are left free.

        Raises :class:`LetterError` if the view is not the letter's own or a template fails.
        """
        if type(view) is not VIEW_OF[letter]:
            raise LetterError(f"{letter} takes a {VIEW_OF[letter].__name__}, not a {type(view).__name__}")
        chosen = self._language(self._language_with(letter, language), colours)
        shown = variables_of(presentable(view, GENEROUS))
        subject = chosen.render(letter, "subject.txt", request_type, shown)
        most_bytes = MAX_HTML_BYTES - kept_bytes
        text = _fitting(chosen, letter, "body.txt", request_type, view, shown, most_bytes)
        html = _fitting(chosen, letter, "body.html", request_type, view, shown, most_bytes)
        return RenderedLetter(
            subject=shortened(cleaned_line(subject), SUBJECT_CHARACTERS),
            text=tidy(text),
            html=html.strip() + "\n",
        )

    def in_opening(self, view: InOpening, *, language: str, colours: Colours = OUR_COLOURS) -> RenderedPart:
        """What comes into one opening of a letter in ``language``. Raises :class:`LetterError`."""
        chosen = self._language(language, colours)
        shown = variables_of(presentable_part(view))
        return RenderedPart(
            text=chosen.part(f"{PAGES_PART}.txt", shown), html=chosen.part(f"{PAGES_PART}.html", shown)
        )

    def _language_with(self, letter: LetterKind, language: str) -> str:
        """``language``, or the default one where the letter was not translated: it must leave nevertheless."""
        found = self._translated.get((language, letter))
        if found is None:
            found = is_translated(self._templates_dir / language / letter)
            self._translated[language, letter] = found
        return language if found else DEFAULT_LANGUAGE

    def _language(self, language: str, colours: Colours = OUR_COLOURS) -> LanguageTemplates:
        found = self._languages.get((language, colours))
        if found is None:
            wanted = language if language in languages_in(self._templates_dir) else DEFAULT_LANGUAGE
            found = load_language(self._templates_dir, wanted, colours=colours)
            self._languages[language, colours] = found
        return found


class LanguageTemplates:
    """The templates and the wording of one language."""

    def __init__(
        self, templates_dir: Path, words: Words, *, inline_css: bool = True, colours: Colours = OUR_COLOURS
    ) -> None:
        self.words = words
        self._templates_dir = templates_dir
        self._made = partial(environment_of, templates_dir, inline_css=inline_css, colours=colours)
        self._environment = self._made(words)
        self._chosen: dict[tuple[str, str, str | None], Template] = {}

    def render(self, letter: str, part: str, request_type: str | None, variables: Mapping[str, Any]) -> str:
        """One part of a letter; :class:`LetterError` names the template's file and line."""
        name = f"{letter}/{part}"
        return self._written(name, lambda: self._template(letter, part, request_type), variables)

    def part(self, name: str, variables: Mapping[str, Any]) -> str:
        """A part that belongs to no one letter; raises as :meth:`render`."""
        return self._written(name, lambda: self._environment.get_template(name), variables)

    def _written(self, name: str, template: Callable[[], Template], variables: Mapping[str, Any]) -> str:
        try:
            return _bounded(template().generate(variables))
        except TemplateError as error:
            raise LetterError(_told(error, self._templates_dir, name)) from error
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            # The error's own words may quote a letter: only its kind is told.
            place = _place(error, self._templates_dir) or name
            raise LetterError(f"{place}: {type(error).__name__} in the template") from error

    def _template(self, letter: str, part: str, request_type: str | None) -> Template:
        key = (letter, part, request_type)
        found = self._chosen.get(key)
        if found is None:
            found = self._chosen[key] = self._found(letter, part, request_type)
        return found

    def _found(self, letter: str, part: str, request_type: str | None) -> Template:
        if request_type is None or not _REQUEST_TYPE.fullmatch(request_type):
            return self._environment.get_template(f"{letter}/{part}")
        names = [f"{letter}/{request_type}/{part}", f"{letter}/{part}"]
        return self._environment_of(letter, request_type).select_template(names)

    def _environment_of(self, letter: str, request_type: str) -> Environment:
        """Where the letter says something else for this type, an environment of its own."""
        source = self._templates_dir / self.words.language / letter / request_type / SENTENCES_FILE
        if not source.is_file():
            return self._environment
        own, problems = read_sentences(source)
        if problems:
            raise LetterError(str(problems[0]))
        return self._made(
            replace(
                self.words,
                phrases={**self.words.phrases, **{f"{letter}.{key}": told for key, told in own.items()}},
            )
        )


def is_translated(letter_folder: Path) -> bool:
    """Whether a language's folder of a letter holds its sentences, or the letter itself."""
    return any((letter_folder / one).is_file() for one in (SENTENCES_FILE, "body.html"))


def load_language(
    templates_dir: Path, language: str, *, inline_css: bool = True, colours: Colours = OUR_COLOURS
) -> LanguageTemplates:
    """The templates of ``language``; raises :class:`ConfigurationError` if its wording cannot be read."""
    words = words_of(templates_dir, language)
    return LanguageTemplates(templates_dir, words, inline_css=inline_css, colours=colours)


# --- helpers ---------------------------------------------------------------------------------------------


class _TooLong(LetterError):
    """A template wrote more than a letter may hold."""


def _fitting(
    chosen: LanguageTemplates,
    letter: LetterKind,
    part: str,
    request_type: str | None,
    view: LetterView,
    shown: Mapping[str, Any],
    most_bytes: int,
) -> str:
    """One part of a letter with as much of the view as its size allows; ``shown`` is tried first."""
    for limits in SHRINKING:
        try:
            written = chosen.render(letter, part, request_type, shown)
            if not part.endswith(".html") or len(written.encode("utf-8", "replace")) < most_bytes:
                return written
        except _TooLong:
            pass
        shown = variables_of(presentable(view, limits))
    written = chosen.render(letter, part, request_type, shown)
    if len(written.encode("utf-8", "replace")) < MAX_HTML_BYTES:
        return written
    raise _TooLong(f"{letter}/{part} is larger than {MAX_HTML_BYTES} bytes")


def variables_of(view: LetterView | InOpening) -> dict[str, Any]:
    """A view's fields under their names: what a template sees."""
    return {one.name: getattr(view, one.name) for one in fields(view)}


def _bounded(chunks: Iterable[str]) -> str:
    """The chunks of a template, joined; :class:`LetterError` beyond the limits of size and time.

    What counts is the thread's own processor time: a machine that is busy or stands still is no fault of a letter.
    """
    started = time.thread_time()
    left = iter(chunks)
    written: list[str] = []
    size = 0
    while some := list(islice(left, _CHUNKS_AT_ONCE)):
        size += sum(map(len, some))
        if size > _MAX_RENDERED_CHARACTERS:
            raise _TooLong(f"a template wrote more than {_MAX_RENDERED_CHARACTERS} characters")
        if time.thread_time() - started > _MAX_RENDER_SECONDS:
            raise LetterError(f"a template ran longer than {_MAX_RENDER_SECONDS} s")
        written += some
    return "".join(written)


def tidy(text: str) -> str:
    """Plain text without blanks at the ends of lines and without gaps."""
    lines = "\n".join([line.rstrip() for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", lines).strip() + "\n"


def _told(error: TemplateError, templates_dir: Path, name: str) -> str:
    if isinstance(error, TemplateSyntaxError):
        return f"{_below(error.filename, templates_dir) or error.name or name}:{error.lineno}: {error.message}"
    if isinstance(error, TemplateNotFound):
        return f"{name}: the template is missing"
    return f"{_place(error, templates_dir) or name}: {error.message}"


def _place(error: BaseException, templates_dir: Path) -> str:
    """``letters/decision/body.html:12``, from the innermost frame that runs a template of ours."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if found := _below(frame.filename, templates_dir):
            return f"{found}:{frame.lineno}"
    return ""


def _below(filename: str | None, templates_dir: Path) -> str:
    """A template's path below the folder of all templates; nothing for any other file."""
    if filename is None or not Path(filename).is_relative_to(templates_dir):
        return ""
    return str(Path(filename).relative_to(templates_dir))
