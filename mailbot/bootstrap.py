"""The composition root: settings and catalogue in, a wired :class:`App` out. Only it knows all others.

Nothing is connected and nothing heavy is imported before it is asked for: a daemon's first IMAP command must
not wait for what only an administrator's command needs.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.adapters.alert_command import AlertCommand
from mailbot.adapters.alert_memory import FileAlertMemory
from mailbot.adapters.blobs import FileBlobs
from mailbot.adapters.clock import SystemClock
from mailbot.adapters.disk import LOW_DISK_BYTES, free_bytes
from mailbot.adapters.processes import this_process
from mailbot.adapters.server_url import names_loopback, parse_server_url
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.catalogue.business_time import business_calendar
from mailbot.catalogue.load import Catalogue, load_catalogue
from mailbot.catalogue.models import MailboxSpec, MailServerName, OAuth2Spec
from mailbot.catalogue.providers import provider_of
from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.errors import ConfigurationError, Problem
from mailbot.domain.logins import LoginCredential, LoginExpiry, LoginProvider, TokenLogin
from mailbot.domain.mail import keyed_digest
from mailbot.domain.mailbox import ServerAddress, ServerKind, Settle
from mailbot.domain.outbox import HoldReason, LetterCaps
from mailbot.evidence.isolation import (
    CHILD_MODULE,
    MEMORY_LIMIT_BYTES,
    TIME_LIMIT_SECONDS,
    IsolatedDocumentReader,
)
from mailbot.flows.alarms import Administration, Alarms
from mailbot.flows.collect import Collector, CollectPlan
from mailbot.flows.compositor import Compositor
from mailbot.flows.escalation import Escalation, HouseLook, Sight
from mailbot.flows.examine import Examiner
from mailbot.flows.intake import Intake
from mailbot.flows.letter_office import LetterOffice, WaitingTimes
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.outgoing import Outgoing, Sending
from mailbot.flows.ports import MailSource, SentFolder
from mailbot.flows.pulse import Pulse
from mailbot.flows.sent_folder import SentFolderKeeper, SentPlan
from mailbot.flows.upkeep import Upkeep
from mailbot.isolation.kept_child import KeptChild
from mailbot.mime.isolation import IsolatedReader
from mailbot.settings import SendMode, Settings
from mailbot.triage.authentication import AuthenticationKind, AuthenticationProfile
from mailbot.triage.screen import OwnMarks

if TYPE_CHECKING:
    from mailbot.adapters.metrics import Metrics
    from mailbot.adapters.oauth.renewing import RenewingTokens
    from mailbot.flows.delivery import Delivery
    from mailbot.flows.reprocess import Reprocess

_MAILDIR = "maildir:"
_KEY_CHECK = b"mailbot key check"
_ANOTHER_KEY = (
    "is not the key with which this database was begun: the stored files are named by that key and none could be "
    "read. Put the old key back, from a backup of .env or of the secret store; a new key needs a new database and "
    "a new data folder"
)
_TENANT = re.compile(r"(?!(?:common|organizations|consumers)$)[A-Za-z0-9.-]{1,253}", re.IGNORECASE)
_EXPLAIN_ADDRESS = "mailbot@localhost.invalid"


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


class App:
    """Everything that a command may need, made when it is first used."""

    def __init__(self, settings: Settings, catalogue: Catalogue, connections: Mapping[str, Connection]) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.connections = connections
        self.mailboxes: Mapping[str, ServedMailbox] = {
            key: connection.mailbox for key, connection in connections.items()
        }
        self.owner = this_process()
        self.clock = SystemClock(settings.start_of_business_clock)
        self.pulse = Pulse()

    # --- storage ---

    @cached_property
    def database(self) -> Database:
        """The database, brought to the newest schema. Raises ``StorageUnavailable`` and ``ConfigurationError``."""
        database = Database(self.settings.database_url)
        try:
            upgrade(database)
        except BaseException:
            database.close()
            raise
        return database

    @cached_property
    def storage(self) -> SqlStorage:
        """Tickets, mails, letters."""
        return SqlStorage(self.database)

    @cached_property
    def blobs(self) -> FileBlobs:
        """Raw mails and attachments. Raises ``ConfigurationError`` if they were named by another key."""
        key = self.settings.require_secret_key()
        _require_the_same_key(self.storage, key)
        return FileBlobs(self.settings.data_dir / "files", key)

    # --- the flow ---

    @cached_property
    def calendar(self) -> BusinessCalendar:
        """Business time."""
        return business_calendar(self.catalogue.calendar)

    @cached_property
    def renderer(self) -> LetterRenderer:
        """Letters from templates."""
        return LetterRenderer(self.settings.templates_dir)

    @cached_property
    def reader(self) -> IsolatedReader:
        """Bytes to values, large mails in a process of their own."""
        return IsolatedReader()

    @cached_property
    def documents(self) -> IsolatedDocumentReader:
        """What attached files say, PDFs in a process of their own."""
        child = KeptChild(
            CHILD_MODULE, memory_limit_bytes=MEMORY_LIMIT_BYTES, time_limit_seconds=TIME_LIMIT_SECONDS
        )
        return IsolatedDocumentReader(child)

    @cached_property
    def examiner(self) -> Examiner:
        """Finds out what a mail is."""
        # Without a key (``explain`` on a bare machine) no mark can be ours: any key will do.
        key = self.settings.secret_key or secrets.token_bytes(32)
        addresses = frozenset(mailbox.address for mailbox in self.mailboxes.values())
        marks = OwnMarks(secret_key=key, own_addresses=addresses)
        return Examiner(catalogue=self.catalogue, marks=marks, documents=self.documents, now=self.clock.now)

    @cached_property
    def outgoing(self) -> Outgoing:
        """Writes letters into the outbox."""
        return Outgoing(renderer=self.renderer, sending=self._sending)

    @property
    def _sending(self) -> Sending:
        caps = LetterCaps(automatic_per_hour=self.settings.max_letters_per_hour)
        return Sending(hold_reason_for=self.hold_reason_for, caps=caps)

    def hold_reason_for(self, address: str) -> HoldReason | None:
        """Why a letter to ``address`` may not leave under ``MAILBOT_SEND``, ``None`` if it may."""
        if self.settings.sends_to(address):
            return None
        return HoldReason.SEND_HOLD if self.settings.send is SendMode.HOLD else HoldReason.ALLOWLIST

    @cached_property
    def office(self) -> LetterOffice:
        """Tells people of changes."""
        return self._office(self.outgoing)

    def _office(self, outgoing: Outgoing) -> LetterOffice:
        return LetterOffice(
            catalogue=self.catalogue,
            calendar=self.calendar,
            renderer=self.renderer,
            outgoing=outgoing,
            waiting=WaitingTimes(
                quiet_time=timedelta(seconds=self.settings.quiet_seconds),
                undo_time=timedelta(minutes=self.settings.undo_minutes),
            ),
        )

    def reprocess(self) -> Reprocess:
        """Stored mails once more, with an outbox that writes no letter twice."""
        from mailbot.flows.reprocess import Archive, NeverTwice, Reprocess

        outgoing = NeverTwice(renderer=self.renderer, sending=self._sending)
        office = self._office(outgoing)
        return Reprocess(
            archive=Archive(storage=self.storage, blobs=self.blobs, reader=self.reader),
            examiner=self.examiner,
            office=office,
            outgoing=outgoing,
            intake=self._intake(office),
            calendar=self.calendar,
            mailboxes=self.mailboxes,
            owner=self.owner,
        )

    @cached_property
    def intake(self) -> Intake:
        """Stored mails become tickets."""
        return self._intake(self.office)

    def _intake(self, office: LetterOffice) -> Intake:
        return Intake(
            storage=self.storage,
            blobs=self.blobs,
            reader=self.reader,
            examiner=self.examiner,
            office=office,
            calendar=self.calendar,
            mailboxes=self.mailboxes,
            owner=self.owner,
        )

    @cached_property
    def upkeep(self) -> Upkeep:
        """What time does to tickets."""
        return Upkeep(
            storage=self.storage,
            office=self.office,
            catalogue=self.catalogue,
            calendar=self.calendar,
            mailboxes=self.mailboxes,
            clock=self.clock,
        )

    @cached_property
    def alarms(self) -> Alarms:
        """Who must hear that something is wrong."""
        return Alarms(
            storage=self.storage,
            outgoing=self.outgoing,
            renderer=self.renderer,
            calendar=self.calendar,
            mailboxes=self.mailboxes,
            administration=Administration(
                address=self.settings.admin_address, hold_mode=self.settings.send is SendMode.HOLD
            ),
            clock=self.clock,
            logins=self.logins,
        )

    def logins(self) -> list[LoginExpiry]:
        """What every mailbox that logs in by token logs in with, and when that ends."""
        return [one.tokens.expiry() for one in self.connections.values() if one.tokens is not None]

    @cached_property
    def escalation(self) -> Escalation | None:
        """What mail cannot tell; ``None`` where the administrator set no command for it."""
        if not self.settings.alert_command:
            return None
        house = HouseLook(
            storage=lambda: self.storage,
            mailboxes=self.mailboxes.keys(),
            tells_by_letter=self.settings.admin_address is not None,
            after=self._alert_after,
            clock=self.clock,
        )

        def look() -> Sight:
            return Sight(
                house=house.look(),
                disk_free_bytes=free_bytes(self.settings.data_dir),
                low_disk_bytes=LOW_DISK_BYTES,
                hanging=tuple(self.pulse.overdue()),
            )

        return Escalation(
            channel=self.alert_command(),
            memory=FileAlertMemory(self.settings.data_dir),
            look_at=look,
            after=self._alert_after,
            pulse=self.pulse,
        )

    @cached_property
    def metrics(self) -> Metrics | None:
        """Figures for Prometheus; ``None`` where no port is set for them."""
        if self.settings.metrics_port is None:
            return None
        from mailbot.adapters.metrics import Metrics
        from mailbot.flows.figures import read_figures

        return Metrics(
            read_figures=lambda: read_figures(self.storage, self.mailboxes.keys(), self.clock),
            hanging=self.pulse.overdue,
            disk_free_bytes=lambda: free_bytes(self.settings.data_dir),
        )

    def alert_command(self) -> AlertCommand:
        """The administrator's command; to be asked for only where one is set."""
        names = {name for connection in self.connections.values() for name in connection.secret_names}
        return AlertCommand(self.settings.alert_command, secret_names=names)

    @property
    def _alert_after(self) -> timedelta:
        return timedelta(minutes=self.settings.alert_after_minutes)

    # --- ways in and out ---

    def plans(self) -> Iterator[tuple[CollectPlan, Connection]]:
        """Every folder that is collected."""
        for connection in self.connections.values():
            spec = connection.mailbox.spec
            for folder in _folders(connection):
                yield (
                    CollectPlan(
                        mailbox=spec.key,
                        folder=folder,
                        max_wire_bytes=spec.max_wire_bytes,
                        since=self.settings.collect_since,
                        is_junk=spec.is_junk(folder),
                    ),
                    connection,
                )

    def collectors(self) -> list[Collector]:
        """One collector a folder, not yet connected."""
        return [
            Collector(
                plan=plan,
                source=source_of(connection, plan.folder, on_progress=partial(self.pulse.renew, plan.loop)),
                storage=self.storage,
                blobs=self.blobs,
                owner=self.owner,
                pulse=self.pulse,
            )
            for plan, connection in self.plans()
        ]

    def sent_folder_keepers(self) -> list[SentFolderKeeper]:
        """One keeper for each Sent folder that is watched or given copies, not yet connected."""
        return [
            SentFolderKeeper(
                plan=SentPlan(
                    owner=self.owner,
                    mailbox=connection.mailbox,
                    watches=connection.mailbox.spec.watches_sent_folder,
                    saves=connection.saves_copies,
                    inbound_folders=_folders(connection),
                    since=self.settings.collect_since,
                ),
                folder=sent_folder_of(connection),
                storage=self.storage,
                blobs=self.blobs,
                reader=self.reader,
                examiner=self.examiner,
                compositor=Compositor(blobs=self.blobs, secret_key=self.settings.require_secret_key()),
                clock=self.clock,
            )
            for connection in self.connections.values()
            if connection.mailbox.spec.watches_sent_folder or connection.saves_copies
        ]

    def delivery(self) -> Delivery:
        """The way out; to be made and used on one event loop."""
        from mailbot.adapters.smtp import SmtpTransport
        from mailbot.flows.delivery import Delivery, Outlet

        outlets = {
            key: Outlet(
                mailbox=connection.mailbox,
                transport=SmtpTransport(
                    connection.smtp,
                    tokens=connection.tokens_at(MailServerName.SMTP),
                    max_connections=connection.mailbox.spec.max_connections,
                    on_progress=self.pulse.renew_task,
                ),
                saves_copies=connection.saves_copies,
            )
            for key, connection in self.connections.items()
        }
        delivery = Delivery(
            storage=self.storage,
            blobs=self.blobs,
            outlets=outlets,
            office=self.office,
            secret_key=self.settings.require_secret_key(),
            hold_reason_for=self.hold_reason_for,
            clock=self.clock,
            owner=self.owner,
        )
        delivery.pulse = self.pulse
        return delivery

    def close(self) -> None:
        """Close what was opened."""
        if "reader" in self.__dict__:
            self.reader.close()
        if "documents" in self.__dict__:
            self.documents.close()
        if "database" in self.__dict__:
            self.database.close()


def build_app(settings: Settings, *, catalogue: Catalogue | None = None) -> App:
    """Wire everything up. Raises ``ConfigurationError`` with every problem at once."""
    catalogue = catalogue or load_catalogue(settings.config_dir)
    connections, problems = _connections(settings, catalogue)
    if settings.start_of_business_clock and not all(one.is_local for one in connections.values()):
        problems.append(_problem("MAILBOT_NOW", "is for trials: every server must be on this machine"))
    problems += _metrics_problems(settings)
    if problems:
        raise ConfigurationError(problems)
    return App(settings, catalogue, connections)


def _metrics_problems(settings: Settings) -> Iterator[Problem]:
    if settings.metrics_port is None:
        return
    if find_spec("prometheus_client") is None:
        yield _problem("MAILBOT_METRICS_PORT", "needs the extra: pip install 'mailbot[metrics]'")
    if not (names_loopback(settings.metrics_host) or settings.metrics_allow_remote):
        message = (
            "is not this machine, and whoever reaches it reads the metrics; MAILBOT_METRICS_ALLOW_REMOTE=true"
        )
        yield _problem("MAILBOT_METRICS_HOST", message)


def build_offline_app(settings: Settings) -> App:
    """For ``explain``: every configured mailbox, no server, an address of its own where none is set."""
    catalogue = load_catalogue(settings.config_dir)
    connections = {}
    for spec in catalogue.mailboxes or (MailboxSpec.model_validate({"key": "default", "name": "mailbot"}),):
        address = (settings.get(spec.address_env) or _EXPLAIN_ADDRESS).lower()
        mailbox = ServedMailbox(spec=spec, address=address, profile=_profile(settings, spec))
        nowhere = parse_server_url("smtp://127.0.0.1:9", kind=ServerKind.SMTP)
        connections[spec.key] = Connection(mailbox=mailbox, imap=None, maildir=None, smtp=nowhere)
    return App(settings, catalogue, connections)


def switched_off(settings: Settings, catalogue: Catalogue) -> list[tuple[MailboxSpec, list[str]]]:
    """Mailboxes whose variables are not all set, with the names of those that are missing."""
    off = []
    for spec in catalogue.mailboxes:
        wanted = (spec.address_env, spec.imap_url_env, spec.smtp_url_env)
        missing = [name for name in wanted if settings.get(name) is None]
        if missing:
            off.append((spec, missing))
    return off


def _require_the_same_key(storage: SqlStorage, key: bytes) -> None:
    """With another key every stored file would look damaged, and all pending mail would be put aside."""
    digest = keyed_digest(key, _KEY_CHECK)
    with storage.read() as work:
        known = work.house.key_check()
    if known is None:
        with storage.write() as work:
            work.house.keep_key_check(digest)
            known = work.house.key_check()
    if known != digest:
        raise ConfigurationError([_problem("MAILBOT_SECRET_KEY", _ANOTHER_KEY)])


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


def _folders(connection: Connection) -> tuple[str, ...]:
    """The URL's folder where the entry names only INBOX; else what the entry lists."""
    folders = connection.mailbox.spec.folders
    if connection.imap is not None and folders == ("INBOX",):
        return (connection.imap.folder,)
    return folders


def _connections(settings: Settings, catalogue: Catalogue) -> tuple[dict[str, Connection], list[Problem]]:
    off = {spec.key for spec, _ in switched_off(settings, catalogue)}
    connections: dict[str, Connection] = {}
    problems: list[Problem] = []
    for spec in catalogue.mailboxes:
        if spec.key not in off:
            connection = _connection(settings, spec, problems)
            if connection is not None:
                connections[spec.key] = connection
    if not connections and not problems:
        names = ", ".join(name for _, missing in switched_off(settings, catalogue) for name in missing)
        problems.append(_problem("mailboxes", f"no mailbox is switched on; not set: {names}"))
    return connections, problems


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
        problems.append(_problem(spec.address_env, "is no e-mail address"))
        return None
    hosts = [server.host for server in (imap, smtp) if server is not None]
    mailbox = ServedMailbox(
        spec=spec,
        address=address,
        profile=_profile(settings, spec),
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
        problems.append(_problem(getattr(spec, f"{name}_url_env"), message))
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
            problems.append(_problem(variable, f"is not set{where}; {oauth2.provider} log-in needs it"))
        return found

    credential = oauth2.credential_used
    consented = credential is LoginCredential.REFRESH_TOKEN
    secret = value(credential)
    if secret:
        try:
            check_secret(credential, secret)
        except ValueError as error:
            problems.append(_problem(spec.oauth2_variable(credential), str(error)))
    microsoft = oauth2.provider is LoginProvider.MICROSOFT
    tenant_id = value("tenant_id", stated=oauth2.tenant_id) if microsoft else ""
    if tenant_id and not _TENANT.fullmatch(tenant_id):
        message = "must be the directory's own id or domain: an app without a user cannot ask 'common' or the like"
        problems.append(_problem(spec.oauth2_variable("tenant_id"), message))
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
        problems.append(_problem(url_name, str(error)))
        return None


def _profile(settings: Settings, spec: MailboxSpec) -> AuthenticationProfile:
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


def _problem(key: str, message: str) -> Problem:
    return Problem(source="settings", key=key, message=message)
