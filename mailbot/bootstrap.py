"""The composition root: settings and catalogue in, a wired :class:`App` out. Only it knows all others.

Nothing is connected and nothing heavy is imported before it is asked for: a daemon's first IMAP command must
not wait for what only an administrator's command needs.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mailbot.adapters.alert_command import AlertCommand
from mailbot.adapters.alert_memory import FileAlertMemory, second_place
from mailbot.adapters.blobs import FileBlobs
from mailbot.adapters.clock import SystemClock
from mailbot.adapters.disk import LOW_DISK_BYTES, free_bytes
from mailbot.adapters.own_thread import OwnThread
from mailbot.adapters.processes import processors, this_process
from mailbot.adapters.server_url import names_loopback, parse_server_url
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.catalogue.business_time import business_calendar
from mailbot.catalogue.load import Catalogue, load_catalogue
from mailbot.catalogue.mailboxes import MailboxSpec, MailServerName
from mailbot.connections import (
    Connection,
    connect_mailboxes,
    folders_of,
    profile_of,
    sent_folder_of,
    setting_problem,
    source_of,
)
from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.calendar import BusinessCalendar
from mailbot.domain.errors import ConfigurationError, Problem, StorageUnavailable
from mailbot.domain.logins import LoginExpiry
from mailbot.domain.mail import keyed_digest
from mailbot.domain.mailbox import ServerKind
from mailbot.domain.outbox import HoldReason, LetterCaps
from mailbot.evidence.askable import unreadable_requirements
from mailbot.evidence.isolation import (
    CHILD_MODULE,
    MEMORY_LIMIT_BYTES,
    TIME_LIMIT_SECONDS,
    IsolatedDocumentReader,
)
from mailbot.flows.alarms import Administration, Alarms
from mailbot.flows.archive import Archive
from mailbot.flows.collect import Collector, CollectPlan
from mailbot.flows.compositor import Compositor
from mailbot.flows.digest import Digests
from mailbot.flows.escalation import HOUSE_ANSWER_SECONDS, Escalation, HouseLook, Sight
from mailbot.flows.examination_parts import ExaminationParts, examination_parts
from mailbot.flows.handle_mail import MailHandler
from mailbot.flows.intake import Intake
from mailbot.flows.letter_office import LetterOffice, WaitingTimes
from mailbot.flows.letterheads import Letterhead, letterheads
from mailbot.flows.letters_in_hand import LettersInHand
from mailbot.flows.mailboxes import ServedMailbox
from mailbot.flows.notice_pages import NoticePages, Stationery
from mailbot.flows.order_desk import OrderHouse
from mailbot.flows.outgoing import Outgoing, Sending
from mailbot.flows.page_pictures import KeepPictures
from mailbot.flows.pulse import Pulse
from mailbot.flows.reading_desk import ReadAtOnce, ReadingDesk, ReadLater
from mailbot.flows.recount import Recounter
from mailbot.flows.remember import StoredKnowledge
from mailbot.flows.retype import Retyping
from mailbot.flows.sent_folder import SentFolderKeeper, SentPlan
from mailbot.flows.shared_mailbox import SharedMailbox
from mailbot.flows.staff_desk import StaffDesk
from mailbot.flows.upkeep import Upkeep
from mailbot.isolation.fork_server import ForkServer
from mailbot.isolation.kept_child import KeptChild
from mailbot.mime.isolation import IsolatedReader
from mailbot.settings import SendMode, Settings
from mailbot.triage.screen import OwnMarks

if TYPE_CHECKING:
    from mailbot.adapters.metrics import Metrics
    from mailbot.flows.delivery import Delivery
    from mailbot.flows.reprocess import Reprocess

_KEY_CHECK = b"mailbot key check"
_ANOTHER_KEY = (
    "is not the key with which this database was begun: the stored files are named by that key and none could be "
    "read. Put the old key back, from a backup of .env or of the secret store; a new key needs a new database and "
    "a new data folder"
)
_EXPLAIN_ADDRESS = "mailbot@localhost.invalid"


class App:
    """Everything that a command may need, made when it is first used."""

    keep_pictures: KeepPictures | None = None
    """Where pictures of our own are kept; not where nothing is stored."""

    fork_server: ForkServer | None = None
    """Where processes that help in a rush come from; where there is none nobody is called in."""

    def __init__(self, settings: Settings, catalogue: Catalogue, connections: Mapping[str, Connection]) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.connections = connections
        self.mailboxes: Mapping[str, ServedMailbox] = {
            key: connection.mailbox for key, connection in connections.items()
        }
        self.owner = this_process()
        self.readers = readers_by_default()
        """How many files are read at once; to be changed before the first."""
        self._stands_back = False
        self.clock = SystemClock(settings.start_of_business_clock)
        self.pulse = Pulse()
        self._opening = threading.Lock()
        self._database: Database | None = None
        self.letters_in_hand = LettersInHand()

    def become_helper(self) -> None:
        """Be the app of a process that was forked off to help: to be called before anything is opened in it."""
        if self._database is not None:
            raise AssertionError("what is open must not be shared")
        self.owner = this_process()
        # There are as many helpers as there are processors: one file after the other is enough for each.
        self.readers = 1
        # The daemon's letters and what it collects are written by one process; mails are worked off by several.
        self._stands_back = True

    # --- storage ---

    def open_storage(self) -> None:
        """Open the database and bring it to the newest schema; where it is open already nothing happens.

        To be called before anything else here reads or writes. Raises ``StorageUnavailable`` (and may be called
        again then) and ``ConfigurationError``.
        """
        with self._opening:
            if self._database is None:
                database = Database(self.settings.database_url, stands_back=self._stands_back)
                self._database = _at_newest_schema(database)

    @property
    def database(self) -> Database:
        """The open database. Raises ``StorageUnavailable`` before ``open_storage``."""
        if self._database is None:
            raise StorageUnavailable("the database is not open yet")
        return self._database

    @cached_property
    def storage(self) -> SqlStorage:
        """Tickets, mails, letters. Raises like ``database``."""
        return SqlStorage(self.database)

    def _opened_storage(self) -> SqlStorage:
        self.open_storage()
        return self.storage

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
    def desk(self) -> ReadingDesk:
        """Where attached files are read, several at once, each in a process."""
        return ReadingDesk(readers=self.readers, make=document_reader, pulse=self.pulse)

    @cached_property
    def examination(self) -> ExaminationParts:
        """What all examinations of mail work with."""
        # Without a key (``explain`` on a bare machine) no mark can be ours: any key will do.
        key = self.settings.secret_key or secrets.token_bytes(32)
        addresses = frozenset(mailbox.address for mailbox in self.mailboxes.values())
        return examination_parts(
            catalogue=self.catalogue,
            marks=OwnMarks(secret_key=key, own_addresses=addresses),
            file_readings=ReadAtOnce(self.desk),
            orders=OrderHouse(catalogue=self.catalogue, calendar=self.calendar, undo_time=self._undo_time),
            mailboxes=self.mailboxes,
            now=self.clock.now,
        )

    @cached_property
    def shared_mailbox(self) -> SharedMailbox:
        """Knows what people wrote as the mailbox."""
        return SharedMailbox(self.examination)

    @property
    def _undo_time(self) -> timedelta:
        return timedelta(minutes=self.settings.undo_minutes)

    @cached_property
    def outgoing(self) -> Outgoing:
        """Writes letters into the outbox."""
        return Outgoing(renderer=self.renderer, sending=self._sending, heads=self._heads)

    @cached_property
    def _heads(self) -> Mapping[str, Letterhead]:
        return letterheads(self.catalogue, self.keep_pictures and self.blobs.put_many)

    @cached_property
    def notice_pages(self) -> NoticePages:
        """Draws what notices show."""
        return NoticePages(
            storage=self.storage,
            blobs=self.blobs,
            desk=self.desk,
            stationery=Stationery(renderer=self.renderer, heads=self._heads),
            clock=self.clock,
            owner=self.owner,
            in_hand=self.letters_in_hand,
            pulse=self.pulse,
        )

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
                undo_time=self._undo_time,
            ),
        )

    @cached_property
    def staff_desk(self) -> StaffDesk:
        """What staff do by mail, for an administrator."""
        archive = Archive(storage=self.storage, blobs=self.blobs, reader=self.reader)
        return StaffDesk(
            storage=self.storage,
            known=StoredKnowledge(self.storage),
            parts=self.examination,
            office=self.office,
            retyping=Retyping(archive=archive, recounter=Recounter(self.examination)),
            catalogue=self.catalogue,
            calendar=self.calendar,
            mailboxes=self.mailboxes,
        )

    def reprocess(self) -> Reprocess:
        """Stored mails once more, with an outbox that writes no letter twice."""
        from mailbot.flows.reprocess import NeverTwice, Reprocess

        outgoing = NeverTwice(renderer=self.renderer, sending=self._sending, heads=self._heads)
        office = self._office(outgoing)
        return Reprocess(
            archive=Archive(storage=self.storage, blobs=self.blobs, reader=self.reader),
            parts=self.examination,
            office=office,
            outgoing=outgoing,
            intake=self._intake(office, self.examination),
            calendar=self.calendar,
            mailboxes=self.mailboxes,
            owner=self.owner,
        )

    @cached_property
    def intake(self) -> Intake:
        """Stored mails become tickets; one whose files take long to read is parked meanwhile."""
        file_readings = ReadLater(self.desk, self.blobs)
        parts = replace(self.examination, file_readings=file_readings)
        return self._intake(self.office, parts, file_readings)

    def _intake(
        self, office: LetterOffice, parts: ExaminationParts, file_readings: ReadLater | None = None
    ) -> Intake:
        handler = MailHandler(
            storage=self.storage,
            blobs=self.blobs,
            reader=self.reader,
            parts=parts,
            office=office,
            calendar=self.calendar,
            mailboxes=self.mailboxes,
        )
        return Intake(
            storage=self.storage,
            handler=handler,
            mailboxes=self.mailboxes,
            owner=self.owner,
            file_readings=file_readings,
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
    def digests(self) -> Digests:
        """What staff get each morning."""
        return Digests(
            storage=self.storage,
            outgoing=self.outgoing,
            renderer=self.renderer,
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
            storage=self._opened_storage,
            mailboxes=self.mailboxes.keys(),
            tells_by_letter=self.settings.admin_address is not None,
            after=self._alert_after,
            clock=self.clock,
        )
        asked = OwnThread(house.look, name="look at the house")

        def look() -> Sight:
            return Sight(
                # A database that does not answer is away, and must not keep us from telling so.
                house=asked.ask(HOUSE_ANSWER_SECONDS),
                disk_free_bytes=free_bytes(self.settings.data_dir),
                low_disk_bytes=LOW_DISK_BYTES,
                hanging=tuple(self.pulse.overdue()),
            )

        return Escalation(
            channel=self.alert_command(),
            memory=FileAlertMemory(self.settings.data_dir, else_in=second_place(self.settings.data_dir)),
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
            for folder in folders_of(connection):
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
                    inbound_folders=folders_of(connection),
                    since=self.settings.collect_since,
                ),
                folder=sent_folder_of(connection),
                storage=self.storage,
                blobs=self.blobs,
                reader=self.reader,
                shared_mailbox=self.shared_mailbox,
                compositor=Compositor(blobs=self.blobs, secret_key=self.settings.require_secret_key()),
                pulse=self.pulse,
            )
            for connection in self.connections.values()
            if connection.mailbox.spec.watches_sent_folder or connection.saves_copies
        ]

    def delivery(self) -> Delivery:
        """The way out; to be made and used on one event loop."""
        from mailbot.adapters.smtp import SmtpTransport
        from mailbot.flows.delivery import Delivery
        from mailbot.flows.outlets import Outlet

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
        delivery.pulse, delivery.in_hand = self.pulse, self.letters_in_hand
        return delivery

    def close(self) -> None:
        """Close what was opened."""
        if "reader" in self.__dict__:
            self.reader.close()
        if "desk" in self.__dict__:
            self.desk.close()
        if self._database is not None:
            self._database.close()
        if self.fork_server is not None:
            self.fork_server.close()


def readers_by_default() -> int:
    """One processor is for the mails themselves; on the others files are read."""
    return max(1, processors() - 1)


def document_reader() -> IsolatedDocumentReader:
    """What a file says, read in a process of its own."""
    child = KeptChild(CHILD_MODULE, memory_limit_bytes=MEMORY_LIMIT_BYTES, time_limit_seconds=TIME_LIMIT_SECONDS)
    return IsolatedDocumentReader(child)


def _at_newest_schema(database: Database) -> Database:
    try:
        upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def build_app(settings: Settings, *, catalogue: Catalogue | None = None) -> App:
    """Wire everything up. Raises ``ConfigurationError`` with every problem at once."""
    catalogue = catalogue or load_catalogue(settings.config_dir)
    connections, problems = connect_mailboxes(settings, catalogue)
    if settings.start_of_business_clock and not all(one.is_local for one in connections.values()):
        problems.append(setting_problem("MAILBOT_NOW", "is for trials: every server must be on this machine"))
    problems += _metrics_problems(settings)
    problems += unreadable_requirements(catalogue)
    if problems:
        raise ConfigurationError(problems)
    app = App(settings, catalogue, connections)
    app.keep_pictures = lambda pictures: app.blobs.put_many(pictures)
    return app


def _metrics_problems(settings: Settings) -> Iterator[Problem]:
    if settings.metrics_port is None:
        return
    if find_spec("prometheus_client") is None:
        yield setting_problem("MAILBOT_METRICS_PORT", "needs the extra: pip install 'mailbot[metrics]'")
    if not (names_loopback(settings.metrics_host) or settings.metrics_allow_remote):
        message = (
            "is not this machine, and whoever reaches it reads the metrics; MAILBOT_METRICS_ALLOW_REMOTE=true"
        )
        yield setting_problem("MAILBOT_METRICS_HOST", message)


def build_offline_app(settings: Settings) -> App:
    """For ``explain``: every configured mailbox, no server, an address of its own where none is set."""
    catalogue = load_catalogue(settings.config_dir)
    connections = {}
    for spec in catalogue.mailboxes or (MailboxSpec.model_validate({"key": "default", "name": "mailbot"}),):
        address = (settings.get(spec.address_env) or _EXPLAIN_ADDRESS).lower()
        mailbox = ServedMailbox(spec=spec, address=address, profile=profile_of(settings, spec))
        nowhere = parse_server_url("smtp://127.0.0.1:9", kind=ServerKind.SMTP)
        connections[spec.key] = Connection(mailbox=mailbox, imap=None, maildir=None, smtp=nowhere)
    return App(settings, catalogue, connections)


def _require_the_same_key(storage: SqlStorage, key: bytes) -> None:
    """With another key every stored file would look damaged, and all pending mail would be quarantined."""
    digest = keyed_digest(key, _KEY_CHECK)
    with storage.read() as work:
        known = work.house.key_check()
    if known is None:
        with storage.write() as work:
            work.house.keep_key_check(digest)
            known = work.house.key_check()
    if known != digest:
        raise ConfigurationError([setting_problem("MAILBOT_SECRET_KEY", _ANOTHER_KEY)])
