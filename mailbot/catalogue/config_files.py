"""YAML files of the configuration folder → pydantic models, each key with its line, each mistake with its place.

YAML is read with the core rules of YAML 1.2: ``NO``, ``sim`` and ``08:00`` stay strings, a key that stands
twice is a problem, anchors that contain themselves are refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mailbot.catalogue.entries import Entry
from mailbot.domain.errors import Problem

_EntryT = TypeVar("_EntryT", bound=Entry)
KeyPath = tuple[str | int, ...]
"""Keys and list positions (from 0) that lead to a value in a file."""


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING_TAG = "tag:yaml.org,2002:str"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_DEEPEST = 30


def _scalar(node: yaml.ScalarNode) -> object:
    """A scalar by the core schema of YAML 1.2 (10.3.2); quoted ones and ``!!str`` are strings."""
    text: str = node.value
    # A plain scalar has the style "" from the C loader and None from the other.
    quoted = bool(node.style) or (node.tag == _STRING_TAG and text in _NULL)
    if quoted:
        return text
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


@dataclass(slots=True)
class _Document:
    """One YAML file as plain data, the line of every key and item, and what is wrong with its form."""

    source: str
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def value(self, node: yaml.Node, path: KeyPath = ()) -> object:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > _DEEPEST:
            self._complain(node, path, "nested too deeply, or an anchor that contains itself")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(key_node, path, "a key must be a word")
                continue
            key = key_node.value
            if key in mapping:
                first = self.lines[(*path, key)]
                self._complain(key_node, (*path, key), f"stands here twice, first on line {first}")
                continue
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            mapping[key] = self.value(value_node, (*path, key))
        return mapping

    def _complain(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        line = node.start_mark.line + 1
        self.problems.append(Problem(source=self.source, line=line, key=_dotted(path), message=message))

    def place(self, path: KeyPath) -> int | None:
        """Line of the longest known beginning of ``path``."""
        return next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), None)


def _dotted(path: KeyPath) -> str | None:
    """``("fields", 2, "kind")`` → ``fields[2].kind``, counting from 0."""
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return dotted or None


class Reading:
    """The files read so far, with the problems of all of them."""

    def __init__(self, config_dir: Path) -> None:
        self.config_dir = config_dir
        self.problems: list[Problem] = []
        self.documents: dict[str, _Document] = {}
        # Request types whose file is wrong: other files are not told that these do not exist.
        self.unread: set[str] = set()

    def has_problems(self, source: str) -> bool:
        """Whether anything was found in the file ``source`` so far."""
        return any(problem.source == source for problem in self.problems)

    def complain(self, source: str, message: str, *, path: KeyPath = ()) -> None:
        """Note a problem at ``path`` of a file already read."""
        document = self.documents.get(source)
        line = None if document is None else document.place(path)
        self.problems.append(Problem(source=source, line=line, key=_dotted(path), message=message))

    def file(self, source: str, model: type[_EntryT]) -> _EntryT | None:
        """The file ``source`` as ``model``, or ``None`` with its problems noted."""
        known = len(self.problems)
        data = self._data(source)
        if data is None and len(self.problems) > known:
            return None
        try:
            return model.model_validate({} if data is None else data)
        except ValidationError as error:
            self.problems.extend(_explained(error, model, self.documents[source]))
            return None

    def headed(self, source: str, model: type[_EntryT], **further: str) -> _EntryT | None:
        """A file with YAML between two lines of ``---`` at its top and a body below, as ``model``: the body stands
        in ``body``, beside what ``further`` states. ``None`` with its problems noted."""
        known = len(self.problems)
        data, body = self._head_and_body(source)
        if len(self.problems) > known:
            return None
        if not isinstance(data, dict):
            self.complain(source, "must begin with a line of ---, keys, and another line of ---")
            return None
        try:
            return model.model_validate({**data, "body": body, **further})
        except ValidationError as error:
            self.problems.extend(_explained(error, model, self.documents[source]))
            return None

    def _head_and_body(self, source: str) -> tuple[object, str]:
        document = self.documents[source] = _Document(source)
        text = self._text(source)
        if text is None or not text.startswith("---\n"):
            return None, ""
        head, _, body = text.partition("\n---\n")
        return self._composed(source, head, document), body.strip()

    def _data(self, source: str) -> object:
        document = self.documents[source] = _Document(source)
        text = self._text(source)
        return None if text is None else self._composed(source, text, document)

    def _text(self, source: str) -> str | None:
        try:
            return (self.config_dir / source).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            self.complain(source, "the file is missing")
            return None
        except (OSError, UnicodeDecodeError) as error:
            self.complain(source, f"cannot be read: {error}")
            return None

    def _composed(self, source: str, text: str, document: _Document) -> object:
        try:
            node = yaml.compose(text, Loader=_LOADER)
        except yaml.YAMLError as error:
            self.problems.append(_yaml_problem(source, error))
            return None
        value = None if node is None else document.value(node)
        self.problems.extend(document.problems)
        return value


def _yaml_problem(source: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line = None if mark is None else mark.line + 1
    message = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Problem(source=source, line=line, message=f"not YAML: {message}")


def _explained(error: ValidationError, model: type[BaseModel], document: _Document) -> Iterator[Problem]:
    """pydantic's findings with their lines; an unknown key gets the known ones that resemble it."""
    seen: set[tuple[KeyPath, str]] = set()
    for finding in error.errors(include_url=False):
        path = _path_in_file(finding["loc"], document)
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] == "extra_forbidden":
            message = "unknown key" + did_you_mean(str(path[-1]), _keys_beside(model, finding["loc"]))
        elif finding["type"] == "missing":
            message = f"{finding['loc'][-1]} is missing"
        elif finding["type"] == "union_tag_not_found":
            message = f"{_discriminator(finding)} is missing"
        elif finding["type"] == "union_tag_invalid":
            tag, known = _tags(finding)
            path = (*path, _discriminator(finding))
            message = f"nothing is called {tag!r}" + (
                did_you_mean(tag, known) or f"; there are {', '.join(known)}"
            )
        elif finding["type"] in ("enum", "literal_error"):
            expected = re.findall(r"'([^']*)'", message)
            message = f"{message}, not {finding['input']!r}" + did_you_mean(str(finding["input"]), expected)
        elif isinstance(finding["input"], str | int | float | bool):
            message = f"{message}, not {finding['input']!r}"
        if (path, message) not in seen:
            seen.add((path, message))
            yield Problem(source=document.source, line=document.place(path), key=_dotted(path), message=message)


def _discriminator(finding: ErrorDetails) -> str:
    """The key by which the alternatives of a union are told apart, as it stands in the file."""
    # Where a key has another name in our code both are told, the file's last: 'source' | 'from'.
    return str(re.findall(r"'([^']*)'", finding["ctx"]["discriminator"])[-1])


def _tags(finding: ErrorDetails) -> tuple[str, list[str]]:
    """What stands there, and what could."""
    return str(finding["ctx"]["tag"]), re.findall(r"'([^']*)'", finding["ctx"]["expected_tags"])


def _path_in_file(location: tuple[str | int, ...], document: _Document) -> KeyPath:
    """pydantic's location without the parts that stand for alternatives of a union or a missing key."""
    path: KeyPath = ()
    for part in location:
        if (*path, part) in document.lines:
            path = (*path, part)
    return path


def _keys_beside(model: type[BaseModel], location: tuple[str | int, ...]) -> tuple[str, ...]:
    """Names that would have been known where the last part of ``location`` stands."""
    reached: list[type[BaseModel]] = [model]
    for part in location[:-1]:
        declared = [one for at in reached for name, one in at.model_fields.items() if part in (name, one.alias)]
        tagged = [at for at in reached if part in _tags_of(at)]
        if declared:
            reached = [inner for one in declared for inner in _inner_models(one.annotation)]
        elif tagged:
            reached = tagged
        # Any other part is a key or a position within a mapping or a list.
    return tuple(one.alias or name for at in reached for name, one in at.model_fields.items())


def _tags_of(model: type[BaseModel]) -> tuple[object, ...]:
    """What an alternative of a union is told by."""
    declared = model.model_fields.get("source")
    return () if declared is None else get_args(declared.annotation)


def _inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _inner_models(argument)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` where one of ``known`` resembles ``word``, else an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
