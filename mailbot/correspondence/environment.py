"""Where templates are compiled: (templates folder, wording, colours) → a sandbox that finds and fills them.

A template is looked for in the language's own folder first and then among those that all languages share
(``templates/letters``), so that a house can write a letter of one language anew and keep all the others.

Of Jinja's inside it knows how a macro is called (``_block_vars``, ``_loop_vars``, the macro's first argument), and
that there is nothing else to be asked of one: to be looked at when its version moves.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes, select_autoescape
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from mailbot.catalogue.brands import COLOUR, COLOUR_DARK
from mailbot.correspondence.inlining import inlined
from mailbot.correspondence.mail_links import mailto, mailto_order
from mailbot.correspondence.sentences import SentenceWriter
from mailbot.correspondence.words import Words

SHARED_FOLDER: Final = "letters"
STYLE_FILE: Final = "_style.css"


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """A brand's colours, ``#rrggbb``, in light and in dark: they take the place of our own in the templates."""

    light: str = COLOUR
    dark: str = COLOUR_DARK

    def painted(self, source: str) -> str:
        """A template or style sheet in these colours."""
        return source.replace(COLOUR, self.light).replace(COLOUR_DARK, self.dark)


OUR_COLOURS: Final = Colours()


def template_folders(templates_dir: Path, language: str) -> tuple[Path, Path]:
    """Where the templates of ``language`` are looked for, in this order."""
    return templates_dir / language, templates_dir / SHARED_FOLDER


def environment_of(
    templates_dir: Path, words: Words, *, inline_css: bool = True, colours: Colours = OUR_COLOURS
) -> Environment:
    """The sandbox for all letters in the language of ``words``. With ``inline_css`` off, the line numbers of
    errors are those of the files."""
    folders = template_folders(templates_dir, words.language)
    css = _style_of(folders) if inline_css else ""
    environment = _Sandbox(
        words,
        css,
        loader=_InliningLoader(folders, css, colours),
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
    environment.filters.update(counted=_counted, breaks=_breaks, address=_address)
    environment.globals.update(mailto=mailto, mailto_order=mailto_order, language=words.language)
    return environment


def _style_of(folders: tuple[Path, ...]) -> str:
    for folder in folders:
        if (folder / STYLE_FILE).is_file():
            return (folder / STYLE_FILE).read_text(encoding="utf-8")
    return ""


class _InliningLoader(FileSystemLoader):
    """Reads templates from the folders and writes the style sheet's rules into the ``.html`` ones."""

    def __init__(self, folders: tuple[Path, ...], css: str, colours: Colours) -> None:
        super().__init__(folders)
        self._colours = colours
        self._css = css

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Any]:
        source, filename, uptodate = super().get_source(environment, template)
        if self._css and template.endswith(".html"):
            source = self._colours.painted(inlined(source, self._css))
        return source, filename, uptodate


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, which need not think about what a view is made to be read for: its declared fields."""

    def __init__(self, words: Words, css: str, **options: Any) -> None:
        super().__init__(**options)
        self._writers = {
            is_html: SentenceWriter(words.phrases, is_html=is_html, css=css) for is_html in (False, True)
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """What a template says is written into it before it is compiled."""
        tree = super()._parse(source, name, filename)
        written = self._writers[(name or "").endswith(".html")].visit(tree)
        assert isinstance(written, nodes.Template)
        return written

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """As in the base class, which lays one mapping over the other and asks both of them at every name: here
        nothing is added to them any more once the first template is loaded."""
        return {**self.globals, **(d or {})}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As in the base class, which asks a dozen questions of every access."""
        if attribute in _MADE_TO_BE_READ[type(obj)]:
            return getattr(obj, attribute)
        if type(obj) is TemplateModule and type(macro := vars(obj).get(attribute)) is Macro:
            return macro
        return super().getattr(obj, attribute)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """As in the base class, which asks of every macro whether it is one and may be called."""
        if type(obj) is not Macro:
            return super().call(context, obj, *args, **kwargs)
        # Where it is called from is for functions that take a context.
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return obj(context.eval_ctx, *args, **kwargs)


class _Readable(dict[type, frozenset[str]]):
    """By type: public fields of a frozen dataclass; of anything else none."""

    def __missing__(self, kind: type) -> frozenset[str]:
        parameters = getattr(kind, "__dataclass_params__", None)
        is_frozen = parameters is not None and parameters.frozen
        names = (one.name for one in fields(kind)) if is_frozen else ()
        self[kind] = found = frozenset(name for name in names if not name.startswith("_"))
        return found


_MADE_TO_BE_READ: Final = _Readable({LoopContext: frozenset({"first", "last", "index"})})


def _counted(number: str, singular: str, plural: str) -> str:
    """``1 item``, ``2 itens``: ``number`` is a formatted number."""
    return f"{number} {singular if number == '1' else plural}"


def _breaks(text: str) -> Markup:
    """Escaped text whose line ends are ``<br>``."""
    return escape(text).replace("\n", Markup("<br>\n"))


def _address(text: str) -> Markup:
    """An escaped mail address that is broken behind its ``@``, where it must be broken."""
    return escape(text).replace("@", Markup("@<wbr>"))
