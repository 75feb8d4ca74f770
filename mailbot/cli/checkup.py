"""What ``mailbot doctor`` looks at on this machine: each function tries one thing, says what it found and what
to do."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.domain.errors import AlertNotSent, ConfigurationError, StorageUnavailable
from mailbot.domain.incidents import Notice, NoticeState

if TYPE_CHECKING:
    from mailbot.adapters.alert_command import AlertCommand
    from mailbot.catalogue.load import Catalogue
    from mailbot.domain.staffing import AgentRecord
    from mailbot.settings import Settings

_GROUP_AND_OTHERS = 0o077


class State(StrEnum):
    """What became of one check."""

    OK = "ok"
    # Worth knowing; nothing has to be done.
    NOTE = "note"
    PROBLEM = "problem"
    UNREACHABLE = "unreachable"
    # Settings, catalogue or templates: mailbot does not start with them.
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report; ``advice`` says what to do."""

    check: str
    state: State
    message: str
    advice: str = ""


def check_settings(settings: Settings, catalogue: Catalogue | None) -> Iterator[Finding]:
    """What is set, and what is not although it should be."""
    from mailbot.settings import SendMode, unknown_names

    names = [name for mailbox in catalogue.mailboxes for name in mailbox.environment_names] if catalogue else []
    if catalogue is not None:
        for sentence in unknown_names(settings, names):
            yield Finding(check="settings", state=State.NOTE, message=sentence)
    if settings.secret_key is None:
        yield Finding(
            check="secret key",
            state=State.WRONG,
            message="MAILBOT_SECRET_KEY is not set",
            advice="`mailbot init DIR` writes an .env with a fresh one",
        )
    else:
        yield Finding(check="secret key", state=State.OK, message=f"{len(settings.secret_key)} bytes")
    if settings.admin_address is None:
        yield Finding(
            check="administrator",
            state=State.PROBLEM,
            message="nobody hears of quarantine and failing servers",
            advice="set MAILBOT_ADMIN_ADDRESS",
        )
    if settings.send is not SendMode.ON:
        message = f"MAILBOT_SEND is {settings.send}: letters are held"
        yield Finding(check="sending", state=State.NOTE, message=message, advice="for real work: MAILBOT_SEND=on")
    if settings.start_of_business_clock is not None:
        yield Finding(check="clock", state=State.NOTE, message="MAILBOT_NOW is set: this is a trial")


def check_templates_folder(settings: Settings) -> Iterator[Finding]:
    """Every letter in every language."""
    from mailbot.correspondence.check import check_templates

    problems = check_templates(settings.templates_dir)
    yield from wrong("templates", ConfigurationError(problems))
    if not problems:
        yield Finding(check="templates", state=State.OK, message=f"all letters in {settings.templates_dir}")


def wrong(check: str, error: ConfigurationError) -> Iterator[Finding]:
    """Each problem of a configuration as a line of its own."""
    for problem in error.problems:
        yield Finding(check=check, state=State.WRONG, message=str(problem))


def check_files(settings: Settings) -> Iterator[Finding]:
    """Who may read what is personal or secret, and whether we may write."""
    found = [
        *_private(Path(".env"), advice="chmod 600 .env"),
        *(
            finding
            for name, value in settings.environment.items()
            if name.startswith("MAILBOT_") and name.endswith("_FILE") and value
            for finding in _private(Path(value), advice=f"chmod 600 {value}")
        ),
        *_folder(settings.data_dir),
        *_folder(settings.data_dir / "files"),
        *_folder(settings.data_dir / "oauth"),
        *(_private(file, advice=f"chmod 600 {file}") if (file := _file_of_database(settings)) else ()),
    ]
    yield from found
    if not settings.data_dir.exists():
        message = f"{settings.data_dir} is not there yet; the first start makes it"
        yield Finding(check="files", state=State.NOTE, message=message)
    elif not found:
        yield Finding(check="files", state=State.OK, message="for this user alone")


def _file_of_database(settings: Settings) -> Path | None:
    from mailbot.cli.database import sqlite_file

    try:
        return sqlite_file(settings)
    except ConfigurationError:
        # Told where the database is tried.
        return None


def _folder(folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        return
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        message = f"{folder} cannot be written by this user"
        yield Finding(check="files", state=State.PROBLEM, message=message, advice="give it to the daemon's user")
    yield from _private(folder, advice=f"chmod 700 {folder}")


def _private(path: Path, *, advice: str) -> Iterator[Finding]:
    """A problem where somebody else may read or write ``path``."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return
    if mode & _GROUP_AND_OTHERS:
        message = f"{path} is open to other users of this machine (mode {mode:04o})"
        yield Finding(check="files", state=State.PROBLEM, message=message, advice=advice)


def check_disk(settings: Settings) -> Finding:
    """Room for mails."""
    from mailbot.adapters.disk import LOW_DISK_BYTES, free_bytes, readable_bytes

    free = free_bytes(settings.data_dir)
    message = f"{readable_bytes(free)} free for {settings.data_dir}"
    if free < LOW_DISK_BYTES:
        return Finding(
            check="disk", state=State.PROBLEM, message=message, advice="make room: mail is not lost, but waits"
        )
    return Finding(check="disk", state=State.OK, message=message)


def check_alert_command(settings: Settings) -> Iterator[Finding]:
    """Whether the program is there; what it does, only ``--probe`` tells."""
    if not settings.alert_command:
        return
    program = settings.alert_command[0]
    if shutil.which(program) is None:
        message = f"{program} is no program that can be started"
        yield Finding(
            check="alert command", state=State.PROBLEM, message=message, advice="mend MAILBOT_ALERT_COMMAND"
        )
    else:
        yield Finding(check="alert command", state=State.OK, message=program)


def try_alert_command(command: AlertCommand) -> Finding:
    """Run it once."""
    notice = Notice(state=NoticeState.TEST, subject="a trial, all is well", lines=("sent by `mailbot doctor`",))
    try:
        command.tell(notice)
    except AlertNotSent as error:
        return Finding(
            check="alert command", state=State.PROBLEM, message=str(error), advice="mend MAILBOT_ALERT_COMMAND"
        )
    return Finding(check="alert command", state=State.OK, message="was run: see whether its word arrived")


class _Undo(Exception):
    """Ends a transaction that was only tried."""


def check_readers() -> Iterator[Finding]:
    """What can be read of attached files: tried in the process that reads them."""
    from mailbot.bootstrap import document_reader
    from mailbot.isolation.asking import ChildFailed

    reader = document_reader()
    try:
        able = reader.abilities()
    except ChildFailed as error:
        yield Finding(
            check="documents",
            state=State.PROBLEM,
            message=f"the process that reads attached files {error}: every file goes to a person",
            advice="install mailbot with all its requirements, and see whether memory is short",
        )
        return
    finally:
        reader.close()
    if able.ocr_missing:
        what = "Tesseract" if able.ocr_missing == "library" else f"Tesseract's language {able.ocr_missing!r}"
        yield Finding(
            check="ocr",
            state=State.NOTE,
            message=f"{what} is not installed: photographs and scans go to a person unread",
            advice="on Debian: apt install tesseract-ocr tesseract-ocr-por",
        )
    else:
        yield Finding(check="ocr", state=State.OK, message=f"Tesseract {able.ocr_version} with Portuguese")
    if able.has_no_network:
        yield Finding(check="documents", state=State.OK, message="files are read by processes without network")
    else:
        yield Finding(
            check="documents",
            state=State.NOTE,
            message="no network namespaces here: the processes that read files could reach the network",
            advice="allow user namespaces to forbid it; everything works without",
        )


def check_database(settings: Settings) -> Finding:
    """Opens it, compares the schema, and writes something that is taken back."""
    from mailbot.adapters.storage.unit_of_work import UnitOfWork
    from mailbot.cli.database import NoDatabaseYet, OtherSchema, existing_database
    from mailbot.domain.troubles import TroubleKey, TroubleKind

    try:
        database = existing_database(settings)
    except ConfigurationError as error:
        return Finding(check="database", state=State.WRONG, message=str(error))
    except NoDatabaseYet:
        return Finding(check="database", state=State.NOTE, message="not there yet; the first start makes it")
    except OtherSchema as error:
        return Finding(check="database", state=State.PROBLEM, message=str(error), advice="mailbot db upgrade")
    except StorageUnavailable as error:
        return Finding(check="database", state=State.UNREACHABLE, message=str(error), advice=_STORAGE_ADVICE)
    trial = TroubleKey(kind=TroubleKind.IMAP, mailbox="doctor")
    try:
        with database.write() as connection:
            UnitOfWork(connection).house.note_trouble(trial, "tried", now=datetime.now(UTC))
            raise _Undo
    except _Undo:
        return Finding(check="database", state=State.OK, message=f"{database.engine.dialect.name}, can be written")
    except StorageUnavailable as error:
        return Finding(check="database", state=State.UNREACHABLE, message=str(error), advice=_STORAGE_ADVICE)
    finally:
        database.close()


def check_types_in_use(settings: Settings, catalogue: Catalogue) -> Iterator[Finding]:
    """Tickets that are not finished and whose request type the catalogue has no more."""
    from mailbot.adapters.storage.unit_of_work import SqlStorage
    from mailbot.cli.database import NoDatabaseYet, OtherSchema, existing_database

    try:
        database = existing_database(settings)
    except (NoDatabaseYet, OtherSchema, StorageUnavailable, ConfigurationError):
        return
    try:
        with SqlStorage(database).read() as work:
            gone = sorted(key for key in work.workload.types_in_use() if not catalogue.has_type(key))
    except StorageUnavailable:
        return
    finally:
        database.close()
    for key in gone:
        yield Finding(
            check="catalogue",
            state=State.PROBLEM,
            message=f"tickets are open whose request type {key} is gone: each of their mails goes to a person",
            advice=f"put catalogue/{key}.yaml back, or finish those tickets",
        )


def check_queues(settings: Settings, catalogue: Catalogue) -> Iterator[Finding]:
    """Queues in which nobody works, with what administrators have changed in the roster."""
    from mailbot.catalogue.on_duty import duty_at

    staff = catalogue.staff
    now = datetime.now(UTC)
    duty = duty_at(staff, _roster_records(settings), today=catalogue.calendar.local_day(now), now=now)
    for queue in staff.queues:
        if not any(agent.works_in(queue.key) for agent in duty.staff.agents):
            yield Finding(
                check="staff",
                state=State.PROBLEM,
                message=f"nobody works in the queue {queue.key}: everybody hears of its tickets",
                advice=f"give the queue to an agent in staff.yaml, or mailbot staff add … --queue {queue.key}",
            )


def _roster_records(settings: Settings) -> list[AgentRecord]:
    """What administrators have changed; nothing where the database cannot be asked."""
    from mailbot.adapters.storage.unit_of_work import SqlStorage
    from mailbot.cli.database import NoDatabaseYet, OtherSchema, existing_database

    try:
        database = existing_database(settings)
    except (NoDatabaseYet, OtherSchema, StorageUnavailable, ConfigurationError):
        return []
    try:
        with SqlStorage(database).read() as work:
            return list(work.roster.records())
    except StorageUnavailable:
        return []
    finally:
        database.close()


_STORAGE_ADVICE = "check MAILBOT_DATABASE_URL, and the file's owner and disk, or the server and its log"
