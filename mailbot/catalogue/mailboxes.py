"""The shared mailboxes: servers, log-in and habits. Secrets are names of environment variables, never values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mailbot.catalogue.brands import BrandSpec
from mailbot.catalogue.entries import Entry, Flag, Key, Text
from mailbot.domain.logins import LoginCredential, LoginProvider

_MEBIBYTE = 1024 * 1024


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
    ``default_request_type`` takes what fits none of ``request_types`` (R004-01: Atendimento).
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
    default_request_type: Key = "general"
    language: Literal["pt-BR", "en", "es"] = "pt-BR"
    brand: BrandSpec = BrandSpec()
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
        return self.request_types == "*" or request_type in (*self.request_types, self.default_request_type)


class MailboxesFile(Entry):
    """``mailboxes.yaml``."""

    mailboxes: tuple[MailboxSpec, ...] = ()
