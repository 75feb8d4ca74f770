"""What a service is: request types with their documents and fields, units, mailboxes and the calendar.

Frozen pydantic models; the JSON Schema for editors comes from them. Files may *name*, *list* and *compare*;
anything cleverer is a typed function elsewhere (ARCHITECTURE §4). What customers read stands in the files.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from datetime import date, time
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mailbot.catalogue.folding import fold_words
from mailbot.domain.evidence import DocumentKind
from mailbot.domain.logins import LoginCredential, LoginProvider
from mailbot.domain.ticket import Status

_MEBIBYTE = 1024 * 1024
_YES_AND_NO = {"sim": True, "não": False, "nao": False}


def _yes_or_no(value: object) -> object:
    """``sim`` and ``não`` are strings in YAML 1.2: read them as what they mean."""
    return _YES_AND_NO.get(value.strip().lower(), value) if isinstance(value, str) else value


Flag = Annotated[bool, BeforeValidator(_yes_or_no)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Entry(BaseModel):
    """Base of everything that a file may state: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class FieldKind(StrEnum):
    """How a field's value is recognised and checked."""

    TEXT = "text"
    CPF = "cpf"
    CNPJ = "cnpj"
    PHONE = "phone"
    EMAIL = "email"
    UNIT = "unit"
    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"


class DocumentRequirement(Entry):
    """A document that a request needs. ``hint`` is shown in the letter that asks for it."""

    key: DocumentKind
    label: Text
    required: Flag = True
    hint: str = ""

    @model_validator(mode="after")
    def _can_be_asked_for(self) -> Self:
        if self.key in (DocumentKind.UNKNOWN, DocumentKind.OTHER):
            raise ValueError(f"{self.key} is no kind of document that can be asked for")
        return self


class FieldSpec(Entry):
    """A field of the request.

    ``labels`` are further names that senders write before the value; ``label`` itself always counts.
    ``default`` fills an absent field from the mail's From.
    """

    key: Key
    kind: FieldKind = FieldKind.TEXT
    label: Text
    question: Text
    labels: tuple[Text, ...] = ()
    required: Flag = True
    default: Literal["sender_address", "sender_name"] | None = None
    choices: tuple[Text, ...] = ()
    max_characters: Annotated[int, Field(ge=1, le=20_000)] = 2000

    @model_validator(mode="after")
    def _choices_fit_the_kind(self) -> Self:
        if (self.kind is FieldKind.CHOICE) != bool(self.choices):
            raise ValueError("choices belong to kind: choice, and to it alone")
        return self

    @cached_property
    def all_labels(self) -> tuple[str, ...]:
        """Label and synonyms, folded, without doubles."""
        return tuple(dict.fromkeys(fold_words(label) for label in (self.label, *self.labels)))


class Limits(Entry):
    """How much a mail may bring (R004-08, R004-17): decoded sizes in MiB, file types by extension.

    ``allowed_types`` holds extensions without a dot (``pdf``), media types (``application/pdf``) or media
    type groups (``image/*``); empty allows everything.
    """

    max_file_mb: Annotated[float, Field(gt=0, le=1000)] = 10
    max_mail_mb: Annotated[float, Field(gt=0, le=1000)] = 25
    max_files: Annotated[int, Field(ge=1, le=1000)] = 40
    allowed_types: tuple[str, ...] = ()

    @property
    def max_file_bytes(self) -> int:
        """Largest decoded size of one file."""
        return int(self.max_file_mb * _MEBIBYTE)

    @property
    def max_mail_bytes(self) -> int:
        """Largest decoded size of all files of a mail."""
        return int(self.max_mail_mb * _MEBIBYTE)

    def allows(self, *, media_type: str, filename: str) -> bool:
        """Whether a file may be used at all; ``media_type`` is what its bytes say.

        An extension counts only where the bytes do not say otherwise: a program called ``x.pdf`` is no PDF.
        """
        if not self.allowed_types:
            return True
        extension = filename.rpartition(".")[2].lower() if "." in filename else ""
        return any(_type_matches(entry.lower(), media_type.lower(), extension) for entry in self.allowed_types)


_TYPE_OF_EXTENSION = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heic",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "bmp": "image/bmp",
    "svg": "image/svg+xml",
    "zip": "application/zip",
    "rar": "application/vnd.rar",
    "7z": "application/x-7z-compressed",
    "exe": "application/x-msdownload",
    "rtf": "application/rtf",
    "html": "text/html",
}
_KNOWN_TYPES = frozenset({*_TYPE_OF_EXTENSION.values(), "application/x-executable", "application/gzip"})


def _type_matches(entry: str, media_type: str, extension: str) -> bool:
    if entry.endswith("/*"):
        # Vector graphics are programs in part, not pictures of anything.
        return media_type.startswith(entry[:-1]) and media_type != "image/svg+xml"
    if "/" in entry:
        return media_type == entry
    wanted = entry.lstrip(".")
    if media_type in _KNOWN_TYPES:
        return media_type == _TYPE_OF_EXTENSION.get(wanted)
    return extension == wanted


class AfterReminders(StrEnum):
    """What happens to a request whose sender stays silent."""

    EXPIRE = "expire"
    TO_QUEUE = "to_queue"


class RequestType(Entry):
    """One service: how a mail is recognised as asking for it, what it needs, and who works on it.

    ``aliases`` are subjects as sure as ``subject``; ``suggestions`` only propose (R000-09); ``keywords`` are
    words of the body. ``title`` may name fields: ``Alteração de {origin_unit} para {destination_unit}``.
    """

    key: Key
    name: Text
    subject: str = ""
    aliases: tuple[Text, ...] = ()
    suggestions: tuple[Text, ...] = ()
    keywords: tuple[Text, ...] = ()
    queue: Key
    title: str = ""
    documents: tuple[DocumentRequirement, ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    priority: Literal["automatic", "requester", "default_medium"] = "default_medium"
    status_labels: Mapping[Status, Text] = Field(default_factory=dict)
    limits: Limits | None = None
    answer_within_business_hours: Annotated[int, Field(ge=1, le=2000)] | None = None
    reminders_days: tuple[Annotated[int, Field(ge=1, le=365)], ...] = (1, 3, 7)
    expires_day: Annotated[int, Field(ge=1, le=365)] = 10
    after_reminders: AfterReminders = AfterReminders.EXPIRE

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [
            *self._doubled_keys(),
            *self._shared_labels(),
            *self._bad_placeholders(),
            *self._reminders_out_of_order(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _doubled_keys(self) -> list[str]:
        keys = [str(document.key) for document in self.documents] + [field.key for field in self.fields]
        return [f"key {key!r} is used twice" for key in sorted({key for key in keys if keys.count(key) > 1})]

    def _shared_labels(self) -> list[str]:
        owners: dict[str, str] = {}
        return [
            f"label {label!r} belongs to both {owners[label]} and {field.key}"
            for field in self.fields
            for label in field.all_labels
            if owners.setdefault(label, field.key) != field.key
        ]

    def _bad_placeholders(self) -> list[str]:
        known = {field.key for field in self.fields}
        try:
            names = self.title_fields
        except ValueError as error:
            return [f"title: {error}"]
        return [f"title: no field {name!r}" for name in names if name not in known]

    def _reminders_out_of_order(self) -> list[str]:
        days = (*self.reminders_days, self.expires_day)
        return [] if list(days) == sorted(set(days)) else ["reminders_days must grow and end before expires_day"]

    @property
    def title_fields(self) -> tuple[str, ...]:
        """Keys of the fields that ``title`` names; ``ValueError`` where it is no plain format."""
        names = []
        for _, name, format_spec, conversion in string.Formatter().parse(self.title):
            if name is None:
                continue
            if format_spec or conversion or not name.isidentifier():
                raise ValueError(f"only plain names may stand in braces, not {name!r}")
            names.append(name)
        return tuple(names)

    def title_for(self, values: Mapping[str, str]) -> str:
        """The ticket's title made from field values, or an empty string where one is missing (R000-18)."""
        names = self.title_fields
        if not all(values.get(name) for name in names):
            return ""
        return self.title.format_map({name: values[name] for name in names})

    def document(self, key: str) -> DocumentRequirement | None:
        """The requirement with this key."""
        return next((document for document in self.documents if document.key == key), None)

    def field(self, key: str) -> FieldSpec | None:
        """The field with this key."""
        return next((field for field in self.fields if field.key == key), None)

    def label_for(self, key: str) -> str:
        """What customers call the document or field ``key``; the key itself where there is none."""
        named = self.document(key) or self.field(key)
        return key if named is None else named.label


# --- units --------------------------------------------------------------------------------------------------


class Unit(Entry):
    """A place of work; coordinates in degrees (WGS 84)."""

    key: Key
    name: Text
    city: Text
    aliases: tuple[Text, ...] = ()
    latitude: Latitude
    longitude: Longitude


class RoadDistance(Entry):
    """Length of the road between two units, in kilometres; the order of the two does not matter."""

    between: tuple[Key, Key]
    km: Annotated[float, Field(gt=0, le=10_000)]


class UnitsFile(Entry):
    """``units.yaml``."""

    units: tuple[Unit, ...] = ()
    road_km: tuple[RoadDistance, ...] = ()


# Longest text that can be a unit's name; anything longer is prose and not worth folding.
_LONGEST_UNIT_NAME = 120


class UnitTable:
    """All units, found by exact name or alias and in no other way: a near miss is asked for."""

    __slots__ = ("_by_key", "_by_name", "_longest_words", "_road_km", "units")

    def __init__(self, units: tuple[Unit, ...] = (), road_km: tuple[RoadDistance, ...] = ()) -> None:
        self.units = units
        self._by_key = {unit.key: unit for unit in units}
        self._by_name = {name: unit for unit in units for name in names_of_unit(unit)}
        self._longest_words = max((name.count(" ") + 1 for name in self._by_name), default=0)
        self._road_km = {frozenset(pair.between): pair.km for pair in road_km}

    def get(self, key: str) -> Unit | None:
        """The unit with this key."""
        return self._by_key.get(key)

    def find(self, text: str) -> Unit | None:
        """The unit that ``text`` names: exact or an alias after folding, a trailing ``- GO`` ignored."""
        if not text or len(text) > _LONGEST_UNIT_NAME:
            return None
        folded = fold_words(text)
        return self._by_name.get(folded) or self._by_name.get(folded.removesuffix(" go").removesuffix(" goias"))

    def at(self, words: Sequence[str], start: int) -> tuple[Unit, int] | None:
        """The unit whose longest name begins at ``words[start]``, and where it ends; words are folded."""
        for end in range(min(start + self._longest_words, len(words)), start, -1):
            unit = self._by_name.get(" ".join(words[start:end]))
            if unit is not None:
                return unit, end
        return None

    def before(self, words: Sequence[str], end: int) -> Unit | None:
        """The unit whose longest name ends just before ``words[end]``; words are folded."""
        for start in range(max(0, end - self._longest_words), end):
            unit = self._by_name.get(" ".join(words[start:end]))
            if unit is not None:
                return unit
        return None

    def road_km(self, one: Unit, other: Unit) -> float | None:
        """Length of the road in kilometres where the file states it."""
        return self._road_km.get(frozenset((one.key, other.key)))


def names_of_unit(unit: Unit) -> tuple[str, ...]:
    """All folded names that find ``unit``, without doubles."""
    return tuple(dict.fromkeys(fold_words(name) for name in (unit.name, unit.city, *unit.aliases)))


# --- mailboxes ----------------------------------------------------------------------------------------------


class SettleMode(StrEnum):
    """How a mail is marked as taken."""

    MOVE = "move"
    KEYWORD = "keyword"
    NONE = "none"


class AuthenticationSpec(Entry):
    """Whose word on a sender counts. With profile ``authserv_id`` the id stands here or in the environment
    variable ``authserv_id_env``; where neither is set the profile is ``none``. With ``microsoft365``,
    ``received_by`` is the domain of the Exchange servers that hand mail over to this mailbox, as ``doctor``
    has seen and proposed it; without it the profile is ``none`` too."""

    profile: Literal["authserv_id", "microsoft365", "none"] = "none"
    authserv_id: str | None = None
    authserv_id_env: str | None = None
    received_by: Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")] | None = None


class MailServerName(StrEnum):
    """A mailbox's servers."""

    IMAP = "imap"
    SMTP = "smtp"


class OAuth2Spec(Entry):
    """Log-in by token instead of a password. Secrets are names of environment variables, never values.

    ``credential`` is what a token is asked for with: for ``microsoft`` a ``client_secret`` or a ``certificate``,
    for ``google`` a ``service_account`` or a ``refresh_token``, for ``generic`` a ``client_secret`` or a
    ``refresh_token``; unset, the first of these. ``servers`` take the token, the others a password. ``authority``
    is the provider's address: the token endpoint, for ``microsoft`` the part before the tenant. ``expires_on`` is
    the day on which the credential ends. Unnamed variables are made from the mailbox's ``env_prefix``:
    ``MAILBOT`` → ``MAILBOT_OAUTH2_CLIENT_SECRET``.
    """

    provider: LoginProvider
    credential: LoginCredential | None = None
    servers: Annotated[tuple[MailServerName, ...], Field(min_length=1)] = tuple(MailServerName)
    tenant_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")] | None = None
    client_id: Annotated[str, Field(pattern=r"^[!-~]{1,500}$")] | None = None
    authority: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")] | None = None
    scope: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[!-~]+( [!-~]+)*$")] | None = None
    client_authentication: Literal["header", "body"] = "header"
    expires_on: date | None = None
    tenant_id_env: str | None = None
    client_id_env: str | None = None
    client_secret_env: str | None = None
    certificate_env: str | None = None
    service_account_env: str | None = None
    refresh_token_env: str | None = None

    @property
    def credential_used(self) -> LoginCredential:
        """What a token is asked for with."""
        return self.credential or CREDENTIALS_OF[self.provider][0]


CREDENTIALS_OF: Mapping[LoginProvider, tuple[LoginCredential, ...]] = MappingProxyType(
    {
        LoginProvider.MICROSOFT: (LoginCredential.CLIENT_SECRET, LoginCredential.CERTIFICATE),
        LoginProvider.GOOGLE: (LoginCredential.SERVICE_ACCOUNT, LoginCredential.REFRESH_TOKEN),
        LoginProvider.GENERIC: (LoginCredential.CLIENT_SECRET, LoginCredential.REFRESH_TOKEN),
    }
)
"""What each provider gives tokens for; the first is meant where none is named."""


_USUAL_JUNK_FOLDERS = (
    "Junk",
    "Junk E-mail",
    "Spam",
    "Lixo Eletrônico",
    "INBOX.Junk",
    "INBOX.Spam",
    "[Gmail]/Spam",
)
_OAUTH2_VARIABLES = (
    "tenant_id",
    "client_id",
    "client_secret",
    "certificate",
    "service_account",
    "refresh_token",
)
_MAILBOX_VARIABLES = ("address", "imap_url", "imap_password", "smtp_url", "smtp_password")


class MailboxSpec(Entry):
    """One shared mailbox. Servers and secrets are names of environment variables, never values.

    ``provider`` names the habits to expect (``catalogue/providers.py``); ``auto`` knows it by the servers' names.
    What ``max_connections`` and ``max_per_minute`` leave open, the provider's own limit fills in.
    ``folders`` are all that is collected; those that ``junk_folders`` names too are quarantined. ``sent_folder``
    is watched for what people send by themselves: ``auto`` is the one that the server calls so, null is none.
    Unnamed variables are made from ``env_prefix``: ``MAILBOT`` → ``MAILBOT_ADDRESS``; without a prefix the
    entry ``default`` has ``MAILBOT`` and any other key its own, ``MAILBOT_<KEY>``.
    """

    key: Key
    name: Text
    env_prefix: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    address_env: str
    imap_url_env: str
    imap_password_env: str
    smtp_url_env: str
    smtp_password_env: str
    provider: Literal["auto", "microsoft365", "gmail", "zoho", "cpanel", "locaweb", "uol_host", "generic"] = "auto"
    request_types: Literal["*"] | tuple[Key, ...] = "*"
    language: Literal["pt-BR", "en", "es"] = "pt-BR"
    folders: Annotated[tuple[Text, ...], Field(min_length=1)] = ("INBOX",)
    junk_folders: tuple[Text, ...] = _USUAL_JUNK_FOLDERS
    settle: SettleMode = SettleMode.MOVE
    processed_folder: Text = "Processados"
    reply_addressing: Literal["plain", "plus"] = "plain"
    authentication: AuthenticationSpec = AuthenticationSpec()
    null_sender: Flag = False
    sent_folder: Text | None = "auto"
    save_sent: Literal["auto", "always", "never"] = "auto"
    max_connections: Annotated[int, Field(ge=1, le=50)] = 2
    max_per_minute: Annotated[int, Field(ge=1)] | None = None
    subject_tag: Annotated[str, Field(pattern=r"^\[[^\[\]{}]*\{number\}[^\[\]{}]*\]$")] = "[Chamado #{number}]"
    max_wire_mb: Annotated[float, Field(gt=0, le=1000)] = 50
    oauth2: OAuth2Spec | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_the_variables(cls, entry: Any) -> Any:
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            return entry
        own = "MAILBOT" if entry["key"] == "default" else f"MAILBOT_{entry['key'].upper()}"
        prefix = entry.get("env_prefix", own)
        names = {f"{variable}_env": f"{prefix}_{variable.upper()}" for variable in _MAILBOX_VARIABLES}
        return {**names, "env_prefix": prefix, **entry}

    @property
    def watches_sent_folder(self) -> bool:
        """Whether what people send from the mailbox by themselves is looked for on its tickets."""
        return self.sent_folder is not None

    @property
    def sent_folder_name(self) -> str | None:
        """The Sent folder's name, ``None`` where the server tells which it is (RFC 6154)."""
        return None if self.sent_folder is None or self.sent_folder.lower() == "auto" else self.sent_folder

    def is_junk(self, folder: str) -> bool:
        """Whether mail of this collected folder goes to quarantine."""
        return folder.casefold() in {name.casefold() for name in self.junk_folders}

    @property
    def environment_names(self) -> tuple[str, ...]:
        """Names of every environment variable that this entry reads."""
        names = [str(getattr(self, f"{variable}_env")) for variable in _MAILBOX_VARIABLES]
        return (*names, *filter(None, [self.authentication.authserv_id_env]), *self.oauth2_variables)

    @property
    def oauth2_variables(self) -> tuple[str, ...]:
        """Names of the environment variables that log-in by token reads."""
        return () if self.oauth2 is None else tuple(self.oauth2_variable(one) for one in _OAUTH2_VARIABLES)

    def oauth2_variable(self, setting: str) -> str:
        """The environment variable that holds ``setting`` (``client_secret`` …) of log-in by token."""
        named: str | None = getattr(self.oauth2, f"{setting}_env", None)
        return named or f"{self.env_prefix}_OAUTH2_{setting.upper()}"

    def takes_token(self, server: MailServerName) -> bool:
        """Whether a token takes the password's place at this server."""
        return self.oauth2 is not None and server in self.oauth2.servers

    @property
    def max_wire_bytes(self) -> int:
        """Largest mail that is fetched whole."""
        return int(self.max_wire_mb * _MEBIBYTE)

    def offers(self, request_type: str) -> bool:
        """Whether mails to this mailbox may become requests of this type."""
        return self.request_types == "*" or request_type in self.request_types


class MailboxesFile(Entry):
    """``mailboxes.yaml``."""

    mailboxes: tuple[MailboxSpec, ...] = ()


# --- calendar -----------------------------------------------------------------------------------------------


class Holiday(Entry):
    """A day off that the public calendar does not know."""

    day: date
    name: Text


class Calendar(Entry):
    """When people work. ``business_days`` counts 24 hours as one business day, same time of day;
    ``office_hours`` counts only the hours between ``opens`` and ``closes`` (R001-13)."""

    timezone: Text = "America/Sao_Paulo"
    state: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "GO"
    extra_holidays: tuple[Holiday, ...] = ()
    business_hours: Literal["business_days", "office_hours"] = "business_days"
    opens: time = time(8)
    closes: time = time(18)

    @model_validator(mode="after")
    def _is_a_place_and_a_day(self) -> Self:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone is called {self.timezone!r}") from None
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self
