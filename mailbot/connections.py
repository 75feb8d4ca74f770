"""Mailboxes with their servers: ``(settings, catalogue) -> Connections``, every mistake told at once.

What ``mailboxes.yaml`` names and the environment says becomes addresses, log-ins and ways in, not yet connected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.adapters.server_url import names_loopback, parse_server_url
from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.mailboxes import MailboxSpec, MailServerName, OAuth2Spec
from mailbot.catalogue.providers import provider_of
from mailbot.domain.errors import Problem
from mailbot.domain.logins import LoginCredential, LoginProvider, TokenLogin
from mailbot.domain.mailbox import ServerAddress, ServerKind, Settle
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.ports import MailSource, SentFolder
from mailbot.settings import Settings
from mailbot.triage.authentication import AuthenticationKind, AuthenticationProfile

if TYPE_CHECKING:
    from mailbot.adapters.oauth.renewing import RenewingTokens

_MAILDIR = "maildir:"
_TENANT = re.compile(r"(?!(?:common|organizations|consumers)$)[A-Za-z0-9.-]{1,253}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A mailbox with its servers. ``maildir`` stands in the place of ``imap`` where mail lies in files.

    ``tokens`` take the password's place at the servers that the entry names.
    """

    mailbox: ServedMailbox
    imap: ServerAddress | None
    maildir: Path | None
    smtp: ServerAddress
    tokens: RenewingTokens | None = None

    def tokens_at(self, server: MailServerName) -> RenewingTokens | None:
        """What logs in at this server, ``None`` where a password does."""
        return self.tokens if self.mailbox.spec.takes_token(server) else None

    @property
    def saves_copies(self) -> bool:
        """Whether our letters are to be put into its Sent folder: not where the provider does it by itself, nor,
        unless asked for, where nothing is to be written to the mailbox."""
        spec = self.mailbox.spec
        if spec.save_sent == "auto":
            return not self.mailbox.provider.saves_sent and Settle(spec.settle) is not Settle.NONE
        return spec.save_sent == "always"

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The variables that describe it, passwords among them."""
        return tuple(self.mailbox.spec.environment_names)

    @property
    def is_local(self) -> bool:
        """Whether every server of it is on this machine."""
        servers = [server for server in (self.imap, self.smtp) if server is not None]
        return all(names_loopback(server.host) for server in servers)


def switched_off(settings: Settings, catalogue: Catalogue) -> list[tuple[MailboxSpec, list[str]]]:
    """Mailboxes whose variables are not all set, with the names of those that are missing."""
    off = []
    for spec in catalogue.mailboxes:
        wanted = (spec.address_env, spec.imap_url_env, spec.smtp_url_env)
        missing = [name for name in wanted if settings.get(name) is None]
        if missing:
            off.append((spec, missing))
    return off


def source_of(
    connection: Connection, folder: str, *, on_progress: Callable[[], object] = lambda: None
) -> MailSource:
    """The way into one folder, not yet connected; ``on_progress`` hears of what arrives from a server."""
    spec = connection.mailbox.spec
    settle = Settle(spec.settle)
    if connection.maildir is not None:
        from mailbot.adapters.maildir import MaildirSource

        return MaildirSource(
            mailbox=spec.key,
            path=connection.maildir,
            folder=folder,
            settle=settle,
            processed_folder=spec.processed_folder,
        )
    from mailbot.adapters.imap import ImapSource

    if connection.imap is None:
        raise AssertionError("a mailbox without IMAP server and without Maildir")
    source = ImapSource(
        mailbox=spec.key,
        server=connection.imap,
        folder=folder,
        settle=settle,
        processed_folder=spec.processed_folder,
        tokens=connection.tokens_at(MailServerName.IMAP),
    )
    source.on_progress = on_progress
    return source


def sent_folder_of(connection: Connection) -> SentFolder:
    """The mailbox's Sent folder, not yet connected."""
    spec = connection.mailbox.spec
    if connection.maildir is not None:
        from mailbot.adapters.maildir_sent import MaildirSentFolder

        return MaildirSentFolder(mailbox=spec.key, path=connection.maildir, folder=spec.sent_folder_name)
    from mailbot.adapters.imap_sent import ImapSentFolder

    if connection.imap is None:
        raise AssertionError("a mailbox without IMAP server and without Maildir")
    return ImapSentFolder(
        mailbox=spec.key,
        server=connection.imap,
        folder=spec.sent_folder_name,
        tokens=connection.tokens_at(MailServerName.IMAP),
    )


def folders_of(connection: Connection) -> tuple[str, ...]:
    """The URL's folder where the entry names only INBOX; else what the entry lists."""
    folders = connection.mailbox.spec.folders
    if connection.imap is not None and folders == ("INBOX",):
        return (connection.imap.folder,)
    return folders


def connect_mailboxes(settings: Settings, catalogue: Catalogue) -> tuple[dict[str, Connection], list[Problem]]:
    """Every mailbox that is switched on, by its key, and what is wrong with any of them."""
    off = {spec.key for spec, _ in switched_off(settings, catalogue)}
    connections: dict[str, Connection] = {}
    problems: list[Problem] = []
    for spec in catalogue.mailboxes:
        if spec.key not in off:
            connection = _connection(settings, spec, problems)
            if connection is not None:
                connections[spec.key] = connection
    if not connections and not problems:
        problems.append(_nothing_switched_on(switched_off(settings, catalogue)))
    return connections, problems


def _nothing_switched_on(off: list[tuple[MailboxSpec, list[str]]]) -> Problem:
    """What to set for the first mailbox; the others' variables are named by ``mailbot doctor``."""
    if not off:
        return setting_problem("mailboxes", "mailboxes.yaml names no mailbox")
    (first, missing), *others = off
    message = f"no mailbox is switched on; {first.key!r} wants {', '.join(missing)}"
    more = f" (`mailbot doctor` tells what the {len(others)} others want)" if others else ""
    return setting_problem("mailboxes", message + more)


def _connection(settings: Settings, spec: MailboxSpec, problems: list[Problem]) -> Connection | None:
    imap_url = settings.get(spec.imap_url_env) or ""
    maildir = Path(imap_url.removeprefix(_MAILDIR).removeprefix("//")) if imap_url.startswith(_MAILDIR) else None
    imap = None
    if maildir is None:
        imap = _server(settings, spec.imap_url_env, spec.imap_password_env, ServerKind.IMAP, problems)
    smtp = _server(settings, spec.smtp_url_env, spec.smtp_password_env, ServerKind.SMTP, problems)
    if smtp is None or (imap is None and maildir is None):
        return None
    address = (settings.get(spec.address_env) or "").strip().lower()
    if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
        problems.append(setting_problem(spec.address_env, "is no e-mail address"))
        return None
    hosts = [server.host for server in (imap, smtp) if server is not None]
    mailbox = ServedMailbox(
        spec=spec,
        address=address,
        profile=profile_of(settings, spec),
        provider=provider_of(spec.provider, hosts),
    )
    connection = Connection(mailbox=mailbox, imap=imap, maildir=maildir, smtp=smtp)
    return connection if spec.oauth2 is None else _with_tokens(settings, connection, spec.oauth2, problems)


# --- log-in by token ---


def _with_tokens(
    settings: Settings, connection: Connection, oauth2: OAuth2Spec, problems: list[Problem]
) -> Connection | None:
    """The connection with its token provider; ``None`` with the problems noted."""
    from mailbot.adapters.oauth.login import missing_extra, tokens_for

    known = len(problems)
    spec = connection.mailbox.spec
    imap = _named(connection.imap, MailServerName.IMAP, connection, problems)
    smtp = _named(connection.smtp, MailServerName.SMTP, connection, problems)
    user = next((one.username for one in (imap, smtp) if one is not None and one.username), None)
    login = _login(settings, spec, oauth2, user or connection.mailbox.address, problems)
    extra = missing_extra(oauth2.provider)
    if extra is not None:
        message = f"needs a library that is not installed: pip install '{extra}'"
        problems.append(Problem(source="mailboxes.yaml", key=f"{spec.key}.oauth2.provider", message=message))
    if len(problems) > known or smtp is None:
        return None
    tokens = tokens_for(login, folder=settings.data_dir / "oauth")
    return replace(connection, imap=imap, smtp=smtp, tokens=tokens)


def _named(
    server: ServerAddress | None, name: MailServerName, connection: Connection, problems: list[Problem]
) -> ServerAddress | None:
    """The server with somebody to log in as: the mailbox itself, where the URL names nobody."""
    spec = connection.mailbox.spec
    if server is None or not spec.takes_token(name):
        return server
    if server.password is not None:
        message = (
            f"holds a password (or {getattr(spec, f'{name}_password_env')} does), but oauth2 in mailboxes.yaml "
            f"says that a token is used: take one of them away, or take {name} out of oauth2.servers"
        )
        problems.append(setting_problem(getattr(spec, f"{name}_url_env"), message))
    return replace(server, username=server.username or connection.mailbox.address, password=None)


def _login(
    settings: Settings, spec: MailboxSpec, oauth2: OAuth2Spec, username: str, problems: list[Problem]
) -> TokenLogin:
    """What the entry and its variables say, with a problem for each that is missing or cannot be right."""
    from mailbot.adapters.oauth.login import check_secret

    def value(setting: str, *, stated: str | None = None, needed: bool = True) -> str:
        variable = spec.oauth2_variable(setting)
        found = stated or settings.get(variable) or ""
        if needed and not found:
            where = f", nor is {setting} stated in mailboxes.yaml" if hasattr(oauth2, setting) else ""
            problems.append(setting_problem(variable, f"is not set{where}; {oauth2.provider} log-in needs it"))
        return found

    credential = oauth2.credential_used
    consented = credential is LoginCredential.REFRESH_TOKEN
    secret = value(credential)
    if secret:
        try:
            check_secret(credential, secret)
        except ValueError as error:
            problems.append(setting_problem(spec.oauth2_variable(credential), str(error)))
    microsoft = oauth2.provider is LoginProvider.MICROSOFT
    tenant_id = value("tenant_id", stated=oauth2.tenant_id) if microsoft else ""
    if tenant_id and not _TENANT.fullmatch(tenant_id):
        message = "must be the directory's own id or domain: an app without a user cannot ask 'common' or the like"
        problems.append(setting_problem(spec.oauth2_variable("tenant_id"), message))
    return TokenLogin(
        mailbox=spec.key,
        provider=oauth2.provider,
        credential=credential,
        username=username,
        secret=secret,
        # A public client of RFC 6749 has none.
        client_secret=value("client_secret", needed=oauth2.provider is LoginProvider.GOOGLE) if consented else "",
        client_id=value(
            "client_id",
            stated=oauth2.client_id,
            needed=credential is not LoginCredential.SERVICE_ACCOUNT,
        ),
        tenant_id=tenant_id,
        authority=oauth2.authority or "",
        scope=oauth2.scope or "",
        secret_in_header=oauth2.client_authentication == "header",
        expires_on=oauth2.expires_on,
    )


def _server(
    settings: Settings, url_name: str, password_name: str, kind: ServerKind, problems: list[Problem]
) -> ServerAddress | None:
    try:
        return parse_server_url(
            settings.get(url_name) or "",
            kind=kind,
            password=settings.get(password_name),
            allow_plain=settings.allow_plain,
        )
    except ValueError as error:
        problems.append(setting_problem(url_name, str(error)))
        return None


def profile_of(settings: Settings, spec: MailboxSpec) -> AuthenticationProfile:
    """By what a mailbox knows whether a sender is who they say they are."""
    stated = spec.authentication
    if stated.profile == "microsoft365":
        if stated.received_by is None:
            return AuthenticationProfile()
        return AuthenticationProfile(kind=AuthenticationKind.MICROSOFT365, received_by=stated.received_by)
    variable = stated.authserv_id_env
    authserv_id = stated.authserv_id or (settings.get(variable) if variable else None)
    if stated.profile == "none" or not authserv_id:
        return AuthenticationProfile()
    return AuthenticationProfile(kind=AuthenticationKind.AUTHSERV_ID, authserv_id=authserv_id)


def setting_problem(key: str, message: str) -> Problem:
    """A problem with the setting ``key``."""
    return Problem(source="settings", key=key, message=message)
