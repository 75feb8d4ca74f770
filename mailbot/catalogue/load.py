"""Configuration folder → :class:`Catalogue`, or every problem in it at once with file, line and key.

YAML is read with the core rules of YAML 1.2: ``NO``, ``sim`` and ``08:00`` stay strings, a key that stands
twice is a problem, anchors that contain themselves are refused.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ValidationError

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.models import (
    CREDENTIALS_OF,
    Calendar,
    Entry,
    FieldKind,
    Limits,
    MailboxesFile,
    MailboxSpec,
    OAuth2Spec,
    RequestType,
    UnitsFile,
    UnitTable,
    names_of_unit,
)
from mailbot.catalogue.staff import Staff
from mailbot.domain.errors import ConfigurationError, Problem
from mailbot.domain.logins import LoginProvider
from mailbot.domain.ticket import Status

GENERAL = "general"
"""Key of the request type for whatever fits none; its status labels serve every type that states none."""

_EntryT = TypeVar("_EntryT", bound=Entry)
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything that the configuration folder says, checked. ``digest`` tells whether its files still say so."""

    request_types: Mapping[str, RequestType]
    units: UnitTable = field(default_factory=UnitTable)
    staff: Staff = field(default_factory=Staff)
    mailboxes: tuple[MailboxSpec, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    limits: Limits = field(default_factory=Limits)
    digest: str = ""

    def type(self, key: str) -> RequestType:
        """The request type ``key``, or ``general`` where the catalogue no longer has it."""
        return self.request_types.get(key) or self.request_types[GENERAL]

    def has_type(self, key: str) -> bool:
        """Whether the catalogue has the request type ``key``: a ticket may be older than the folder is now."""
        return key in self.request_types

    def types_of(self, mailbox: str) -> tuple[RequestType, ...]:
        """What the mailbox ``mailbox`` offers; everything where it is not listed."""
        spec = self.mailbox(mailbox)
        return tuple(kind for kind in self.request_types.values() if spec is None or spec.offers(kind.key))

    def mailbox(self, key: str) -> MailboxSpec | None:
        """The mailbox with this key."""
        return next((mailbox for mailbox in self.mailboxes if mailbox.key == key), None)

    def limits_of(self, request_type: str) -> Limits:
        """The request type's own limits, else the global ones."""
        return self.type(request_type).limits or self.limits


def load_catalogue(config_dir: Path) -> Catalogue:
    """Read and check ``config_dir``; :class:`ConfigurationError` carries every problem found in any file."""
    reading = _Reading(config_dir)
    request_types = _read_request_types(reading)
    units = reading.file("units.yaml", UnitsFile) or UnitsFile()
    staff = reading.file("staff.yaml", Staff) or Staff()
    mailboxes = (reading.file("mailboxes.yaml", MailboxesFile) or MailboxesFile()).mailboxes
    calendar = reading.file("calendar.yaml", Calendar) or Calendar()
    _check_types(reading, request_types, staff)
    _check_subjects(reading, request_types)
    _check_units(reading, units, request_types)
    _check_mailboxes(reading, mailboxes, request_types)
    if reading.problems:
        raise ConfigurationError(sorted(reading.problems, key=lambda problem: (problem.source, problem.line or 0)))
    return Catalogue(
        request_types=MappingProxyType(_with_status_labels(request_types)),
        units=UnitTable(units.units, units.road_km),
        staff=staff,
        mailboxes=mailboxes,
        calendar=calendar,
        digest=reading.digest.hexdigest(),
    )


def json_schema() -> dict[str, Any]:
    """JSON Schema of each kind of file, by the file's place in the configuration folder."""
    models: dict[str, type[BaseModel]] = {
        "catalogue/*.yaml": RequestType,
        "units.yaml": UnitsFile,
        "staff.yaml": Staff,
        "calendar.yaml": Calendar,
        "mailboxes.yaml": MailboxesFile,
    }
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {place: {**draft, **model.model_json_schema()} for place, model in models.items()}


# --- YAML with places ---------------------------------------------------------------------------------------

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
    quoted = node.style is not None or (node.tag == _STRING_TAG and text in _NULL)
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
    lines: dict[_Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def value(self, node: yaml.Node, path: _Path = ()) -> object:
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

    def _mapping(self, node: yaml.MappingNode, path: _Path) -> dict[str, object]:
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

    def _complain(self, node: yaml.Node, path: _Path, message: str) -> None:
        line = node.start_mark.line + 1
        self.problems.append(Problem(source=self.source, line=line, key=_dotted(path), message=message))

    def place(self, path: _Path) -> int | None:
        """Line of the longest known beginning of ``path``."""
        return next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), None)


def _dotted(path: _Path) -> str | None:
    """``("fields", 2, "kind")`` → ``fields[2].kind``, counting from 0."""
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return dotted or None


class _Reading:
    """The files read so far, with the problems of all of them."""

    def __init__(self, config_dir: Path) -> None:
        self.config_dir = config_dir
        self.problems: list[Problem] = []
        self.documents: dict[str, _Document] = {}
        # Request types whose file is wrong: other files are not told that these do not exist.
        self.unread: set[str] = set()
        # Of all files in the order in which they are read.
        self.digest = hashlib.sha256()

    def has_problems(self, source: str) -> bool:
        """Whether anything was found in the file ``source`` so far."""
        return any(problem.source == source for problem in self.problems)

    def complain(self, source: str, message: str, *, path: _Path = ()) -> None:
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

    def _data(self, source: str) -> object:
        document = self.documents[source] = _Document(source)
        try:
            text = (self.config_dir / source).read_text(encoding="utf-8-sig")
            self.digest.update(f"{source}\0{len(text)}\0{text}".encode())
            node = yaml.compose(text, Loader=_LOADER)
        except FileNotFoundError:
            self.complain(source, "the file is missing")
            return None
        except (OSError, UnicodeDecodeError) as error:
            self.complain(source, f"cannot be read: {error}")
            return None
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
    seen: set[tuple[_Path, str]] = set()
    for finding in error.errors(include_url=False):
        path = _path_in_file(finding["loc"], document)
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] == "extra_forbidden":
            message = "unknown key" + _did_you_mean(str(path[-1]), _keys_beside(model, path))
        elif finding["type"] == "missing":
            message = f"{finding['loc'][-1]} is missing"
        elif finding["type"] in ("enum", "literal_error"):
            expected = re.findall(r"'([^']*)'", message)
            message = f"{message}, not {finding['input']!r}" + _did_you_mean(str(finding["input"]), expected)
        elif isinstance(finding["input"], str | int | float | bool):
            message = f"{message}, not {finding['input']!r}"
        if (path, message) not in seen:
            seen.add((path, message))
            yield Problem(source=document.source, line=document.place(path), key=_dotted(path), message=message)


def _path_in_file(location: tuple[str | int, ...], document: _Document) -> _Path:
    """pydantic's location without the parts that stand for alternatives of a union or a missing key."""
    path: _Path = ()
    for part in location:
        if (*path, part) in document.lines:
            path = (*path, part)
    return path


def _keys_beside(model: type[BaseModel], path: _Path) -> tuple[str, ...]:
    """Names that would have been known where the last part of ``path`` stands."""
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        declared = model.model_fields.get(part)
        inner = None if declared is None else _inner_model(declared.annotation)
        if inner is None:
            return ()
        model = inner
    return tuple(model.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


# --- checks across files ------------------------------------------------------------------------------------


def _source_of(key: str) -> str:
    return f"catalogue/{key}.yaml"


def _read_request_types(reading: _Reading) -> dict[str, RequestType]:
    folder = reading.config_dir / "catalogue"
    request_types: dict[str, RequestType] = {}
    for file in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        source = f"catalogue/{file.name}"
        request_type = reading.file(source, RequestType)
        if request_type is None:
            reading.unread.add(file.stem)
        elif source != _source_of(request_type.key):
            reading.complain(source, f"must be called {request_type.key}.yaml, as its key says", path=("key",))
        else:
            request_types[request_type.key] = request_type
    if GENERAL not in request_types and GENERAL not in reading.unread:
        reading.complain(_source_of(GENERAL), "the file is missing: it takes whatever fits no other request type")
    return request_types


def _check_types(reading: _Reading, request_types: Mapping[str, RequestType], staff: Staff) -> None:
    queues = [queue.key for queue in staff.queues]
    staff_was_read = not reading.has_problems("staff.yaml")
    general = request_types.get(GENERAL)
    shared_labels = set(general.status_labels) if general is not None else set()
    for request_type in request_types.values():
        source = _source_of(request_type.key)
        if staff_was_read and request_type.queue not in queues:
            hint = _did_you_mean(request_type.queue, queues)
            reading.complain(source, f"no queue {request_type.queue!r} in staff.yaml{hint}", path=("queue",))
        unnamed = [status for status in Status if status not in shared_labels | set(request_type.status_labels)]
        if unnamed and GENERAL not in reading.unread:
            words = ", ".join(unnamed)
            reading.complain(source, f"no label for {words}, nor in {GENERAL}.yaml", path=("status_labels",))


def _check_subjects(reading: _Reading, request_types: Mapping[str, RequestType]) -> None:
    """No subject may be sure for two request types: the classifier never guesses between two."""
    owners: dict[str, str] = {}
    for request_type in request_types.values():
        for path, subject in _sure_subjects(request_type):
            folded = fold_words(subject)
            owner = owners.setdefault(folded, request_type.key)
            if not folded or owner != request_type.key:
                why = "is empty after folding" if not folded else f"already belongs to {owner}"
                reading.complain(_source_of(request_type.key), f"{subject!r} {why}", path=path)


def _sure_subjects(request_type: RequestType) -> Iterator[tuple[_Path, str]]:
    if request_type.subject:
        yield ("subject",), request_type.subject
    for index, alias in enumerate(request_type.aliases):
        yield ("aliases", index), alias


def _check_units(reading: _Reading, units: UnitsFile, request_types: Mapping[str, RequestType]) -> None:
    keys = [unit.key for unit in units.units]
    owners: dict[str, str] = {}
    for index, unit in enumerate(units.units):
        if keys.index(unit.key) < index:
            reading.complain("units.yaml", f"unit {unit.key!r} stands there twice", path=("units", index, "key"))
        for name in names_of_unit(unit):
            if owners.setdefault(name, unit.key) != unit.key:
                message = f"name {name!r} belongs to both {owners[name]} and {unit.key}"
                reading.complain("units.yaml", message, path=("units", index))
    for index, pair in enumerate(units.road_km):
        for key in pair.between:
            if key not in keys:
                message = f"no unit {key!r}{_did_you_mean(key, keys)}"
                reading.complain("units.yaml", message, path=("road_km", index, "between"))
    wants_units = [
        kind.key for kind in request_types.values() if any(f.kind is FieldKind.UNIT for f in kind.fields)
    ]
    if wants_units and not keys and not reading.has_problems("units.yaml"):
        reading.complain("units.yaml", f"no unit is listed, but {', '.join(wants_units)} asks for units")


def _check_mailboxes(
    reading: _Reading, mailboxes: tuple[MailboxSpec, ...], request_types: Mapping[str, RequestType]
) -> None:
    keys = [mailbox.key for mailbox in mailboxes]
    for index, mailbox in enumerate(mailboxes):
        path: _Path = ("mailboxes", index)
        if keys.index(mailbox.key) < index:
            reading.complain("mailboxes.yaml", f"mailbox {mailbox.key!r} stands there twice", path=(*path, "key"))
        for request_type in () if mailbox.request_types == "*" else mailbox.request_types:
            if request_type not in request_types and request_type not in reading.unread:
                message = f"no request type {request_type!r}{_did_you_mean(request_type, request_types)}"
                reading.complain("mailboxes.yaml", message, path=(*path, "request_types"))
        for key, message in _oauth2_mistakes(mailbox.oauth2):
            reading.complain("mailboxes.yaml", message, path=(*path, "oauth2", key))
    if "default" not in keys and not reading.has_problems("mailboxes.yaml"):
        reading.complain("mailboxes.yaml", "the mailbox 'default' is missing", path=("mailboxes",))


_OAUTH2_KEYS_OF_ONE: Mapping[str, tuple[LoginProvider, ...]] = {
    "tenant_id": (LoginProvider.MICROSOFT,),
    "tenant_id_env": (LoginProvider.MICROSOFT,),
    "certificate_env": (LoginProvider.MICROSOFT,),
    "service_account_env": (LoginProvider.GOOGLE,),
    "refresh_token_env": (LoginProvider.GOOGLE, LoginProvider.GENERIC),
    "client_authentication": (LoginProvider.GENERIC,),
}
"""Keys that mean nothing to the other providers: there they are a misunderstanding."""


def _oauth2_mistakes(oauth2: OAuth2Spec | None) -> Iterator[tuple[str, str]]:
    """(key, what is wrong) of what is stated for log-in by token."""
    if oauth2 is None:
        return
    provider, possible = oauth2.provider, CREDENTIALS_OF[oauth2.provider]
    if oauth2.credential_used not in possible:
        yield "credential", f"{provider} takes {' or '.join(possible)}, not {oauth2.credential_used}"
    for key, providers in _OAUTH2_KEYS_OF_ONE.items():
        if key in oauth2.model_fields_set and provider not in providers:
            yield key, f"is for provider {' or '.join(providers)}, not {provider}"
    if provider is LoginProvider.GENERIC and oauth2.authority is None:
        yield "provider", "generic needs authority: the address of the token endpoint"
    if oauth2.authority is not None and not _is_safe(oauth2.authority):
        yield "authority", "must begin with https:// (http:// only on this machine): secrets are sent there"


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")


def _with_status_labels(request_types: Mapping[str, RequestType]) -> dict[str, RequestType]:
    shared = request_types[GENERAL].status_labels
    return {
        key: request_type.model_copy(update={"status_labels": {**shared, **request_type.status_labels}})
        for key, request_type in request_types.items()
    }
