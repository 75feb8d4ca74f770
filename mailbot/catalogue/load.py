"""Configuration folder → :class:`Catalogue`, or every problem in it at once with file, line and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from mailbot.catalogue.brands import Logo, brand_mistakes, read_logo
from mailbot.catalogue.clients import ClientsFile, ClientTable, doubled, doubled_warranties
from mailbot.catalogue.config_files import KeyPath, Reading, did_you_mean
from mailbot.catalogue.field_specs import FieldKind
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.knowledge import ArticleFile, ArticleHead, KnowledgeBase
from mailbot.catalogue.limits import Limits
from mailbot.catalogue.mailboxes import CREDENTIALS_OF, MailboxesFile, MailboxSpec, OAuth2Spec
from mailbot.catalogue.office_hours import Calendar
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.rule_checks import rule_mistakes
from mailbot.catalogue.staff import Staff
from mailbot.catalogue.units import UnitsFile, UnitTable, names_of_unit
from mailbot.domain.errors import ConfigurationError, Problem
from mailbot.domain.logins import LoginProvider
from mailbot.domain.ticket import Status

GENERAL = "general"
_NO_FOLDER = "there is no such folder: `mailbot init DIR` writes one, or MAILBOT_CONFIG_DIR names another"
"""Key of the request type for whatever fits none; its status labels serve every type that states none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything that the configuration folder says, checked. ``logos`` are by mailbox."""

    request_types: Mapping[str, RequestType]
    units: UnitTable = field(default_factory=UnitTable)
    clients: ClientTable = field(default_factory=ClientTable)
    staff: Staff = field(default_factory=Staff)
    mailboxes: tuple[MailboxSpec, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    limits: Limits = field(default_factory=Limits)
    knowledge: KnowledgeBase = field(default_factory=KnowledgeBase)
    logos: Mapping[str, Logo] = field(default_factory=dict)

    def type(self, key: str) -> RequestType:
        """The request type ``key``, or ``general`` where the catalogue no longer has it."""
        return self.request_types.get(key) or self.request_types[GENERAL]

    def default_type(self, mailbox: str) -> RequestType:
        """What takes the mails to this mailbox that fit nothing else."""
        spec = self.mailbox(mailbox)
        return self.type(spec.default_request_type if spec is not None else GENERAL)

    def has_type(self, key: str) -> bool:
        """Whether the catalogue has the request type ``key``: a ticket may be older than the folder is now."""
        return key in self.request_types

    def types_of(self, mailbox: str) -> tuple[RequestType, ...]:
        """What the mailbox ``mailbox`` offers; everything where it is not listed."""
        spec = self.mailbox(mailbox)
        return tuple(kind for kind in self.request_types.values() if spec is None or spec.offers(kind.key))

    def in_language(self, language: str) -> Catalogue:
        """The same with the request types as customers of ``language`` read them."""
        types = {key: kind.in_language(language) for key, kind in self.request_types.items()}
        return replace(self, request_types=MappingProxyType(types))

    @property
    def subject_tags(self) -> tuple[str, ...]:
        """The formats in which a ticket's number stands in letters' subjects, also those of mailboxes that are off
        and the usual one, which older letters may have."""
        usual = MailboxSpec.model_fields["subject_tag"].default
        return tuple(dict.fromkeys([*(one.subject_tag for one in self.mailboxes), usual]))

    def mailbox(self, key: str) -> MailboxSpec | None:
        """The mailbox with this key."""
        return next((mailbox for mailbox in self.mailboxes if mailbox.key == key), None)

    def limits_of(self, request_type: str) -> Limits:
        """The request type's own limits, else the global ones."""
        return self.type(request_type).limits or self.limits

    @property
    def largest_file_bytes(self) -> int:
        """More than so much of one file no request type takes."""
        return max(limits.max_file_bytes for limits in self._all_limits())

    def _all_limits(self) -> Iterator[Limits]:
        yield self.limits
        yield from (kind.limits for kind in self.request_types.values() if kind.limits is not None)


def load_catalogue(config_dir: Path) -> Catalogue:
    """Read and check ``config_dir``; :class:`ConfigurationError` carries every problem found in any file."""
    if not config_dir.is_dir():
        raise ConfigurationError([Problem(source=str(config_dir), message=_NO_FOLDER)])
    reading = Reading(config_dir)
    request_types = _read_request_types(reading)
    units = reading.file("units.yaml", UnitsFile) or UnitsFile()
    clients = _read_clients(reading)
    staff = reading.file("staff.yaml", Staff) or Staff()
    mailboxes = (reading.file("mailboxes.yaml", MailboxesFile) or MailboxesFile()).mailboxes
    calendar = reading.file("calendar.yaml", Calendar) or Calendar()
    _check_types(reading, request_types, staff)
    _check_clients(reading, clients)
    _check_subjects(reading, request_types)
    _check_rules(reading, request_types)
    _check_units(reading, units, request_types)
    _check_mailboxes(reading, mailboxes, request_types)
    articles = _read_articles(reading, request_types)
    if reading.problems:
        raise ConfigurationError(sorted(reading.problems, key=lambda problem: (problem.source, problem.line or 0)))
    return Catalogue(
        request_types=MappingProxyType(_with_status_labels(request_types)),
        units=UnitTable(units.units, units.road_km),
        clients=ClientTable(clients),
        staff=staff,
        mailboxes=mailboxes,
        calendar=calendar,
        knowledge=KnowledgeBase.of(articles),
        logos=_logos(reading.config_dir, mailboxes),
    )


def json_schema() -> dict[str, Any]:
    """JSON Schema of each kind of file, by the file's place in the configuration folder."""
    models: dict[str, type[BaseModel]] = {
        "catalogue/*.yaml": RequestType,
        "units.yaml": UnitsFile,
        "clients.yaml": ClientsFile,
        "staff.yaml": Staff,
        "calendar.yaml": Calendar,
        "mailboxes.yaml": MailboxesFile,
        "knowledge/*.md": ArticleHead,
    }
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {place: {**draft, **model.model_json_schema()} for place, model in models.items()}


# --- checks across files ------------------------------------------------------------------------------------


def _source_of(key: str) -> str:
    return f"catalogue/{key}.yaml"


def _read_articles(reading: Reading, request_types: Mapping[str, RequestType]) -> list[ArticleFile]:
    articles = []
    for file in sorted((reading.config_dir / "knowledge").glob("*.md")):
        source = f"knowledge/{file.name}"
        article = reading.headed(source, ArticleFile, key=file.stem)
        if article is None:
            continue
        articles.append(article)
        for kind in () if article.request_types == "*" else article.request_types:
            if kind not in request_types and kind not in reading.unread:
                message = f"no request type {kind!r}{did_you_mean(kind, request_types)}"
                reading.complain(source, message, path=("request_types",))
    return articles


def _read_request_types(reading: Reading) -> dict[str, RequestType]:
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
            request_types[request_type.key] = request_type.understanding_all_languages()
    if GENERAL not in request_types and GENERAL not in reading.unread:
        reading.complain(_source_of(GENERAL), "the file is missing: it takes whatever fits no other request type")
    return request_types


def _check_types(reading: Reading, request_types: Mapping[str, RequestType], staff: Staff) -> None:
    queues = [queue.key for queue in staff.queues]
    staff_was_read = not reading.has_problems("staff.yaml")
    general = request_types.get(GENERAL)
    shared_labels = set(general.status_labels) if general is not None else set()
    for request_type in request_types.values():
        source = _source_of(request_type.key)
        for path, queue in _queues_of(request_type) if staff_was_read else ():
            if queue not in queues:
                hint = did_you_mean(queue, queues)
                reading.complain(source, f"no queue {queue!r} in staff.yaml{hint}", path=path)
        served = staff.queue(request_type.queue)
        if request_type.books and served is not None and served.sector_address is None:
            message = f"queue {served.key} has no sector_address in staff.yaml for the books to go to"
            reading.complain(source, message, path=("books",))
        unnamed = [status for status in Status if status not in shared_labels | set(request_type.status_labels)]
        if unnamed and GENERAL not in reading.unread:
            words = ", ".join(unnamed)
            reading.complain(source, f"no label for {words}, nor in {GENERAL}.yaml", path=("status_labels",))


def _queues_of(request_type: RequestType) -> Iterator[tuple[KeyPath, str]]:
    yield ("queue",), request_type.queue
    for index, field_spec in enumerate(request_type.fields):
        for number, choice in enumerate(field_spec.choices):
            if choice.queue is not None:
                yield ("fields", index, "choices", number, "queue"), choice.queue


def _check_rules(reading: Reading, request_types: Mapping[str, RequestType]) -> None:
    for request_type in request_types.values():
        source = _source_of(request_type.key)
        for path, message in rule_mistakes(request_type):
            reading.complain(source, message, path=path)
        for index, rule in enumerate(request_type.rules):
            opens = rule.then.opens
            if opens is not None and opens not in request_types and opens not in reading.unread:
                message = f"no request type {opens!r}{did_you_mean(opens, request_types)}"
                reading.complain(source, message, path=("rules", index, "then", "opens"))


def _read_clients(reading: Reading) -> ClientsFile:
    """Houses without corporate clients have no such file."""
    if not (reading.config_dir / "clients.yaml").exists():
        return ClientsFile()
    return reading.file("clients.yaml", ClientsFile) or ClientsFile()


def _check_clients(reading: Reading, clients: ClientsFile) -> None:
    for index, message in doubled(clients):
        reading.complain("clients.yaml", message, path=("clients", index))
    for index, message in doubled_warranties(clients):
        reading.complain("clients.yaml", message, path=("warranties", index))


def _check_subjects(reading: Reading, request_types: Mapping[str, RequestType]) -> None:
    """No subject may be sure for two request types: the classifier never guesses between two."""
    owners: dict[str, str] = {}
    for request_type in request_types.values():
        for path, subject in _sure_subjects(request_type):
            folded = fold_words(subject)
            owner = owners.setdefault(folded, request_type.key)
            if not folded or owner != request_type.key:
                why = "is empty after folding" if not folded else f"already belongs to {owner}"
                reading.complain(_source_of(request_type.key), f"{subject!r} {why}", path=path)


def _sure_subjects(request_type: RequestType) -> Iterator[tuple[KeyPath, str]]:
    if request_type.subject:
        yield ("subject",), request_type.subject
    for index, alias in enumerate(request_type.aliases):
        yield ("aliases", index), alias


def _check_units(reading: Reading, units: UnitsFile, request_types: Mapping[str, RequestType]) -> None:
    keys = [unit.key for unit in units.units]
    # A city or an alias may be several units' (then the sender is asked which); a name is one's alone.
    owners = {fold_words(unit.name): unit.key for unit in reversed(units.units)}
    for index, unit in enumerate(units.units):
        if keys.index(unit.key) < index:
            reading.complain("units.yaml", f"unit {unit.key!r} stands there twice", path=("units", index, "key"))
        for name in names_of_unit(unit):
            if owners.get(name, unit.key) != unit.key:
                message = f"name {name!r} belongs to both {owners[name]} and {unit.key}"
                reading.complain("units.yaml", message, path=("units", index))
    for index, pair in enumerate(units.road_km):
        for key in pair.between:
            if key not in keys:
                message = f"no unit {key!r}{did_you_mean(key, keys)}"
                reading.complain("units.yaml", message, path=("road_km", index, "between"))
    wants_units = [
        kind.key for kind in request_types.values() if any(f.kind is FieldKind.UNIT for f in kind.fields)
    ]
    if wants_units and not keys and not reading.has_problems("units.yaml"):
        reading.complain("units.yaml", f"no unit is listed, but {', '.join(wants_units)} asks for units")


def _check_mailboxes(
    reading: Reading, mailboxes: tuple[MailboxSpec, ...], request_types: Mapping[str, RequestType]
) -> None:
    keys = [mailbox.key for mailbox in mailboxes]
    for index, mailbox in enumerate(mailboxes):
        path: KeyPath = ("mailboxes", index)
        if keys.index(mailbox.key) < index:
            reading.complain("mailboxes.yaml", f"mailbox {mailbox.key!r} stands there twice", path=(*path, "key"))
        named = () if mailbox.request_types == "*" else mailbox.request_types
        if mailbox.default_request_type not in (*request_types, *reading.unread):
            message = f"no request type {mailbox.default_request_type!r}"
            hint = did_you_mean(mailbox.default_request_type, request_types)
            reading.complain("mailboxes.yaml", message + hint, path=(*path, "default_request_type"))
        for request_type in named:
            if request_type not in request_types and request_type not in reading.unread:
                message = f"no request type {request_type!r}{did_you_mean(request_type, request_types)}"
                reading.complain("mailboxes.yaml", message, path=(*path, "request_types"))
        for key, message in brand_mistakes(mailbox.brand, reading.config_dir / "brands"):
            reading.complain("mailboxes.yaml", message, path=(*path, "brand", key))
        for key, message in _oauth2_mistakes(mailbox.oauth2):
            reading.complain("mailboxes.yaml", message, path=(*path, "oauth2", key))
    if "default" not in keys and not reading.has_problems("mailboxes.yaml"):
        reading.complain("mailboxes.yaml", "the mailbox 'default' is missing", path=("mailboxes",))


def _logos(config_dir: Path, mailboxes: tuple[MailboxSpec, ...]) -> Mapping[str, Logo]:
    found = {mailbox.key: read_logo(mailbox.brand, config_dir / "brands") for mailbox in mailboxes}
    return MappingProxyType({key: logo for key, logo in found.items() if logo is not None})


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
