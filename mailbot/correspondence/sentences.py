"""Sentences put into templates when they are compiled: (a template's syntax tree, sentences) → the tree with them.

One set of templates serves all languages: ``{{ say("ticket_opened.title") }}`` names a sentence, and
``{{ say("parts.deadline", until=strong(answer_until)) }}`` fills its ``{until}``. A rendered letter pays nothing
for this: what is compiled is the same as if the sentence had been written into the template.

In a sentence

* ``{place}`` is what the template gives under that name;
* ``[ by {place}]`` is left out where that place is empty;
* ``*words*`` are strong in HTML;
* ``name.one`` and ``name.other`` are the forms of ``name`` for ``count="1"`` and for every other count.

``strong(value)``, ``nowrap(value)`` and ``theirs(value)`` (words of a stranger, whatever their direction) put an
element around a place in HTML, and nothing in plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from jinja2 import TemplateAssertionError, nodes
from jinja2.visitor import NodeTransformer

from mailbot.correspondence.inlining import inlined

SAY: Final = "say"
COUNT: Final = "count"
ONE: Final = ".one"
OTHER: Final = ".other"

_ELEMENTS: Final = {
    "strong": "<strong>|</strong>",
    "nowrap": '<strong class="nowrap">|</strong>',
    "theirs": "<bdi>|</bdi>",
}
_PART: Final = re.compile(
    r"\[(?P<before>[^\[\]{}]*)\{(?P<optional>\w+)\}(?P<after>[^\[\]{}]*)\]|\{(?P<place>\w+)\}|(?P<star>\*)"
)
# A mail program breaks lines at a hyphen.
_UNBROKEN: Final = re.compile(r"\b(e)-(?=mail)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence that a template names, on its ``line``, with the ``places`` that it fills."""

    name: str
    places: frozenset[str]
    line: int


def sentences_said(tree: nodes.Template) -> Iterator[Said]:
    """Every ``say("name", place=…)`` of a template."""
    for call in tree.find_all(nodes.Call):
        if _is_say(call):
            yield Said(
                name=_name_of(call), places=frozenset(one.key for one in call.kwargs), line=int(call.lineno)
            )


class SentenceWriter(NodeTransformer):
    """Replaces each ``say(…)`` of one template by the sentence itself.

    ``css`` are the rules for the elements around places. A name without a sentence writes nothing, a place
    without a value is empty: a letter never fails for a word, and the check of the templates names both.
    Raises :class:`TemplateAssertionError` where a template does not name a sentence in quotes.
    """

    def __init__(self, sentences: Mapping[str, str], *, is_html: bool, css: str = "") -> None:
        self._sentences = sentences
        self._is_html = is_html
        self._elements = {
            name: tuple(inlined(markup, css).split("|")) if is_html else ("", "")
            for name, markup in _ELEMENTS.items()
        }

    def visit_Output(self, node: nodes.Output) -> list[nodes.Stmt]:  # noqa: N802 - the base class calls it so
        """What a template writes: a sentence becomes text, values and conditions beside the others."""
        written: list[nodes.Stmt] = []
        for one in node.nodes:
            if isinstance(one, nodes.Call) and _is_say(one):
                written.extend(self._statements(self._pieces(one), one.lineno))
            else:
                written.append(nodes.Output([self.visit(one)], lineno=node.lineno))
        return _joined(written)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the base class calls it so
        """A sentence in the middle of an expression: a value."""
        if not _is_say(node):
            return self.generic_visit(node)
        return self._value(self._pieces(node), node.lineno)

    # --- a sentence in pieces ---

    def _pieces(self, call: nodes.Call) -> list[_Piece]:
        name = _name_of(call)
        places = {one.key: one.value for one in call.kwargs}
        if (found := self._sentences.get(name)) is not None:
            return list(self._split(found, places))
        one, other = self._sentences.get(name + ONE), self._sentences.get(name + OTHER)
        if one is None or other is None or COUNT not in places:
            return []
        is_one = nodes.Compare(
            self._bare(places[COUNT]), [nodes.Operand("eq", nodes.Const("1"))], lineno=call.lineno
        )
        return [_Choice(is_one, tuple(self._split(one, places)), tuple(self._split(other, places)))]

    def _split(self, sentence: str, places: Mapping[str, nodes.Expr]) -> Iterator[_Piece]:
        at = 0
        is_strong = False
        for part in _PART.finditer(sentence):
            yield self._text(sentence[at : part.start()])
            at = part.end()
            if part["star"]:
                yield _Markup(self._elements["strong"][is_strong])
                is_strong = not is_strong
            elif part["place"]:
                yield from self._place(places.get(part["place"]))
            elif (value := places.get(part["optional"])) is not None:
                inner = (self._text(part["before"]), *self._place(value), self._text(part["after"]))
                yield _Choice(self._bare(value), inner, ())
        yield self._text(sentence[at:])

    def _place(self, value: nodes.Expr | None) -> Iterator[_Piece]:
        if value is None:
            return
        if (element := _element_of(value)) is None:
            yield self.visit(value)
            return
        before, after = self._elements[element[0]]
        yield _Markup(before)
        yield from self._place(element[1])
        yield _Markup(after)

    def _bare(self, value: nodes.Expr) -> nodes.Expr:
        """What decides whether a place is empty: its value without elements; of a sentence its count."""
        if (element := _element_of(value)) is not None:
            return self._bare(element[1])
        if isinstance(value, nodes.Call) and _is_say(value):
            counts = [one.value for one in value.kwargs if one.key == COUNT]
            return self._bare(counts[0]) if counts else nodes.Const(True)
        bare: nodes.Expr = self.visit(value)
        return bare

    def _text(self, text: str) -> str:
        return _UNBROKEN.sub("\\1\u2011", text) if self._is_html else text

    # --- as statements, as a value ---

    def _statements(self, pieces: list[_Piece], line: int) -> list[nodes.Stmt]:
        written: list[nodes.Stmt] = []
        for piece in pieces:
            if isinstance(piece, _Choice):
                yes, no = (self._statements(list(some), line) for some in (piece.yes, piece.no))
                written.append(nodes.If(piece.test, yes, [], no, lineno=line))
            elif isinstance(piece, nodes.Expr):
                written.append(nodes.Output([piece], lineno=line))
            elif text := self._raw(piece):
                written.append(nodes.Output([nodes.TemplateData(text)], lineno=line))
        return written

    def _raw(self, piece: str | _Markup) -> str:
        if isinstance(piece, _Markup):
            return piece.text
        return escape(piece, quote=False).replace('"', "&#34;") if self._is_html else piece

    def _value(self, pieces: list[_Piece], line: int) -> nodes.Expr:
        values: list[nodes.Expr] = []
        for piece in pieces:
            if isinstance(piece, _Choice):
                yes, no = (self._value(list(some), line) for some in (piece.yes, piece.no))
                values.append(nodes.CondExpr(piece.test, yes, no, lineno=line))
            elif isinstance(piece, _Markup):
                if piece.text:
                    values.append(nodes.MarkSafe(nodes.Const(piece.text), lineno=line))
            elif isinstance(piece, str):
                if piece:
                    values.append(nodes.Const(piece, lineno=line))
            else:
                values.append(piece)
        if all(isinstance(one, nodes.Const) for one in values):
            return nodes.Const("".join(one.value for one in values if isinstance(one, nodes.Const)), lineno=line)
        return values[0] if len(values) == 1 else nodes.Concat(values, lineno=line)


@dataclass(frozen=True, slots=True)
class _Markup:
    text: str


@dataclass(frozen=True, slots=True)
class _Choice:
    test: nodes.Expr
    yes: tuple[_Piece, ...]
    no: tuple[_Piece, ...]


_Piece = str | _Markup | _Choice | nodes.Expr


def _is_say(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name == SAY


def _name_of(call: nodes.Call) -> str:
    if len(call.args) == 1 and isinstance(call.args[0], nodes.Const) and isinstance(call.args[0].value, str):
        return call.args[0].value
    raise TemplateAssertionError('say("…") takes the name of a sentence in quotes', int(call.lineno))


def _element_of(value: nodes.Expr) -> tuple[str, nodes.Expr] | None:
    """``strong(x)`` → ("strong", x)."""
    if not isinstance(value, nodes.Call) or not isinstance(value.node, nodes.Name):
        return None
    if value.node.name not in _ELEMENTS or len(value.args) != 1:
        return None
    return value.node.name, value.args[0]


def _joined(statements: list[nodes.Stmt]) -> list[nodes.Stmt]:
    """Outputs that follow each other as one, as Jinja writes them fastest."""
    joined: list[nodes.Stmt] = []
    for one in statements:
        last = joined[-1] if joined else None
        if isinstance(one, nodes.Output) and isinstance(last, nodes.Output):
            joined[-1] = nodes.Output([*last.nodes, *one.nodes], lineno=last.lineno)
        else:
            joined.append(one)
    return joined
