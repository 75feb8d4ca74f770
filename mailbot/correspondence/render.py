"""View models become letters: (letter, view) → subject, plain text, HTML, by the templates of a language.

``templates/<language>/<letter>/`` holds ``body.html``, ``body.txt`` and ``subject.txt``; a folder named after
a request type inside it overrides any of the three. What people wrote only ever enters as a variable: it is
escaped in ``.html``, and no template is ever made from it (THREATS 22).
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    select_autoescape,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from mailbot.catalogue.brands import COLOUR, COLOUR_DARK
from mailbot.correspondence.context import InOpening, LetterView
from mailbot.correspondence.inlining import inlined
from mailbot.correspondence.letter_views import VIEW_OF
from mailbot.correspondence.mail_links import mailto, mailto_order
from mailbot.correspondence.presentable import (
    GENEROUS,
    SHRINKING,
    SUBJECT_CHARACTERS,
    presentable,
    presentable_part,
)
from mailbot.correspondence.safe_text import cleaned_line, shortened
from mailbot.correspondence.words import Words
from mailbot.domain.errors import ConfigurationError, LetterError, Problem
from mailbot.domain.events import LetterKind

DEFAULT_LANGUAGE: Final = "pt-BR"
PARTS: Final = ("subject.txt", "body.txt", "body.html")
STYLE_FILE: Final = "_style.css"
PHRASES_FILE: Final = "phrases.yaml"
PAGES_PART: Final = "_pages"
"""Templates of what comes into a letter's openings."""

MAX_HTML_BYTES: Final = 80_000
_MAX_RENDERED_CHARACTERS: Final = 1_000_000
_MAX_RENDER_SECONDS: Final = 5.0
_REQUEST_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BLANK_LINES: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """A brand's colours, ``#rrggbb``, in light and in dark: they take the place of our own in the templates."""

    light: str = COLOUR
    dark: str = COLOUR_DARK

    def painted(self, source: str) -> str:
        """A template or style sheet in these colours."""
        return source.replace(COLOUR, self.light).replace(COLOUR_DARK, self.dark)


OUR_COLOURS: Final = Colours()


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
        return language if (self._templates_dir / language / letter / "body.html").is_file() else DEFAULT_LANGUAGE

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
        self, folder: Path, words: Words, *, inline_css: bool = True, colours: Colours = OUR_COLOURS
    ) -> None:
        self.words = words
        self._folder = folder
        self._environment = _environment(folder, words, inline_css=inline_css, colours=colours)
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
            raise LetterError(_told(error, self._folder, name)) from error
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            # The error's own words may quote a letter: only its kind is told.
            place = _place(error, self._folder) or name
            raise LetterError(f"{place}: {type(error).__name__} in the template") from error

    def _template(self, letter: str, part: str, request_type: str | None) -> Template:
        key = (letter, part, request_type)
        found = self._chosen.get(key)
        if found is None:
            names = [f"{letter}/{part}"]
            if request_type is not None and _REQUEST_TYPE.fullmatch(request_type):
                names.insert(0, f"{letter}/{request_type}/{part}")
            found = self._environment.select_template(names)
            self._chosen[key] = found
        return found


def languages_in(templates_dir: Path) -> tuple[str, ...]:
    """The languages that have a folder of templates, in alphabetical order."""
    if not templates_dir.is_dir():
        return ()
    return tuple(sorted(one.name for one in templates_dir.iterdir() if (one / PHRASES_FILE).is_file()))


def load_language(
    templates_dir: Path, language: str, *, inline_css: bool = True, colours: Colours = OUR_COLOURS
) -> LanguageTemplates:
    """The templates of ``language``; raises :class:`ConfigurationError` if its wording cannot be read."""
    folder = templates_dir / language
    words = load_words(folder, language)
    if language != DEFAULT_LANGUAGE:
        # A sentence that was not translated is better than one that says nothing; the check names it.
        ours = load_words(templates_dir / DEFAULT_LANGUAGE, DEFAULT_LANGUAGE)
        words = replace(words, phrases={**ours.phrases, **words.phrases})
    return LanguageTemplates(folder, words, inline_css=inline_css, colours=colours)


def load_words(folder: Path, language: str) -> Words:
    """The sentences of ``phrases.yaml``; raises :class:`ConfigurationError` with every problem in it."""
    source = folder / PHRASES_FILE
    phrases, problems = read_mapping(source)
    flat: dict[str, str] = {}
    for code, sentence in phrases.items():
        if isinstance(code, str) and isinstance(sentence, str):
            flat[code] = sentence.strip()
        else:
            problems.append(
                Problem(source=str(source), key=str(code), message="both code and sentence must be text")
            )
    if problems:
        raise ConfigurationError(problems)
    return Words(language=language, phrases=flat)


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


# --- the environment -------------------------------------------------------------------------------------


class _InliningLoader(FileSystemLoader):
    """Reads templates from one folder and writes the style sheet's rules into the ``.html`` ones."""

    def __init__(self, folder: Path, colours: Colours) -> None:
        super().__init__(folder)
        style = folder / STYLE_FILE
        self._colours = colours
        self._css = style.read_text(encoding="utf-8") if style.is_file() else ""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Any]:
        source, filename, uptodate = super().get_source(environment, template)
        if template.endswith(".html"):
            source = self._colours.painted(inlined(source, self._css))
        return source, filename, uptodate


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, which need not think about what a view is made to be read for: its declared fields."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As in the base class, which asks a dozen questions of every access."""
        return attr in _declared_fields(type(obj)) or super().is_safe_attribute(obj, attr, value)


_DECLARED: Final[dict[type, frozenset[str]]] = {}


def _declared_fields(kind: type) -> frozenset[str]:
    """Public fields of a frozen dataclass; of anything else none."""
    found = _DECLARED.get(kind)
    if found is None:
        parameters = getattr(kind, "__dataclass_params__", None)
        is_frozen = parameters is not None and parameters.frozen
        names = (one.name for one in fields(kind)) if is_frozen else ()
        found = _DECLARED[kind] = frozenset(name for name in names if not name.startswith("_"))
    return found


def _environment(folder: Path, words: Words, *, inline_css: bool, colours: Colours = OUR_COLOURS) -> Environment:
    environment = _Sandbox(
        loader=_InliningLoader(folder, colours) if inline_css else FileSystemLoader(folder),
        # Only names ending in .html are escaped: plain text must not be.
        autoescape=select_autoescape(enabled_extensions=("html",), default=False, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.filters.update(
        say=words.say, say_to_staff=words.say_to_staff, fact_label=words.fact_label, phrase_of=words.phrase_of
    )
    environment.filters.update(counted=_counted, breaks=_breaks)
    environment.globals.update(mailto=mailto, mailto_order=mailto_order)
    return environment


def _counted(number: str, singular: str, plural: str) -> str:
    """``1 item``, ``2 itens``: ``number`` is a formatted number."""
    return f"{number} {singular if number == '1' else plural}"


def _breaks(text: str) -> Markup:
    """Escaped text whose line ends are ``<br>``."""
    return escape(text).replace("\n", Markup("<br>\n"))


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
    """The chunks of a template, joined; :class:`LetterError` beyond the limits of size and time."""
    started = time.monotonic()
    written: list[str] = []
    size = 0
    for count, chunk in enumerate(chunks):
        size += len(chunk)
        if size > _MAX_RENDERED_CHARACTERS:
            raise _TooLong(f"a template wrote more than {_MAX_RENDERED_CHARACTERS} characters")
        if not count % 256 and time.monotonic() - started > _MAX_RENDER_SECONDS:
            raise LetterError(f"a template ran longer than {_MAX_RENDER_SECONDS} s")
        written.append(chunk)
    return "".join(written)


def tidy(text: str) -> str:
    """Plain text without blanks at the ends of lines and without gaps."""
    lines = "\n".join([line.rstrip() for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", lines).strip() + "\n"


def _told(error: TemplateError, folder: Path, name: str) -> str:
    if isinstance(error, TemplateSyntaxError):
        return f"{error.name or name}:{error.lineno}: {error.message}"
    if isinstance(error, TemplateNotFound):
        return f"{name}: the template is missing"
    return f"{_place(error, folder) or name}: {error.message}"


def _place(error: BaseException, folder: Path) -> str:
    """``letter/body.html:12``, from the innermost frame that runs a template of ours."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return f"{Path(frame.filename).relative_to(folder)}:{frame.lineno}"
    return ""
