"""``mailbot backup``: the database first, then the files that it names, in one folder; checked afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli.listing import Json, progress
from mailbot.cli.output import Exit, complain, own_errors, print_json, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailbot.adapters.blobs import FileBlobs
    from mailbot.adapters.storage.engine import Database
    from mailbot.settings import Settings

DATABASE_FILE = "mailbot.db"
DUMP_FILE = "mailbot.dump"
FILES_FOLDER = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What ``backup --json`` prints. ``missing`` and ``damaged`` are digests of files that the database names."""

    folder: str
    mails: int
    messages: int
    letters: int
    files: int
    bytes: int
    missing: list[str]
    damaged: list[str]


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new or empty folder, best on another disk.", file_okay=False)
    ],
    json: Json = False,
) -> None:
    """Copy database, mails and attachments to DIR, as they stand at one moment; the daemon may go on.

    The database comes first (SQLite's online backup, or PostgreSQL's own pg_dump as DIR/mailbot.dump), then the
    files, which are never changed once written:
    so every file that the copied database names is there. All are read again and checked; a file that is
    missing or damaged is named and the command ends with 1. config/ and templates/ are copied too; .env is
    not, for it holds passwords: keep it, and MAILBOT_SECRET_KEY above all, in a place of its own.

    To restore:

    1. stop the daemon;

    2. put DIR/mailbot.db where MAILBOT_DATABASE_URL points, without mailbot.db-wal and mailbot.db-shm of the
    old one, or read DIR/mailbot.dump into an empty PostgreSQL database with `pg_restore --no-owner -d URL
    DIR/mailbot.dump`; and DIR/files into MAILBOT_DATA_DIR;

    3. use the same MAILBOT_SECRET_KEY;

    4. letters that were on their way at the time of the backup may have left since, and would leave again:
    before the start look at `mailbot outbox list` and take out such letters with `mailbot outbox cancel`;

    5. run `mailbot doctor`, then start the daemon.

    Mail that came after the backup lies in the mailbox's folder for processed mail: move it back to the inbox
    and it is processed.
    """
    with own_errors():
        done = _back_up(folder)
    if json:
        print_json(asdict(done))
    else:
        _show(done)
    raise typer.Exit(Exit.NEEDS_A_LOOK if done.missing or done.damaged else Exit.DONE)


def _back_up(folder: Path) -> Backup:
    from mailbot.adapters.blobs import FileBlobs
    from mailbot.adapters.storage.backup import count_rows, named_files
    from mailbot.cli.context import read_settings

    settings = read_settings()
    key = settings.require_secret_key()
    with _copied_database(settings, folder) as connection:
        counts, digests = count_rows(connection), sorted(named_files(connection))
    for name in ("-wal", "-shm"):
        (folder / (DATABASE_FILE + name)).unlink(missing_ok=True)
    originals = FileBlobs(settings.data_dir / FILES_FOLDER, key)
    copies = FileBlobs(folder / FILES_FOLDER, key)
    with progress("files", len(digests)) as advance:
        size, missing, damaged = _copy_files(originals, copies, digests, advance)
    _copy_configuration(settings, folder)
    return Backup(
        folder=str(folder),
        mails=counts["inbound_mails"],
        messages=counts["ticket_messages"],
        letters=counts["outbox"],
        files=len(digests) - len(missing) - len(damaged),
        bytes=size,
        missing=missing,
        damaged=damaged,
    )


@contextmanager
def _copied_database(settings: Settings, folder: Path) -> Iterator[Connection]:
    """Copy the database into the folder; a connection that sees what was copied."""
    from mailbot.adapters.storage.backup import copy_database, dumped
    from mailbot.adapters.storage.engine import Database
    from mailbot.cli.database import sqlite_file
    from mailbot.domain.errors import StorageUnavailable

    source = sqlite_file(settings)
    if source is None:
        with _existing(settings) as database:
            _make(folder)
            with dumped(database, folder / DUMP_FILE) as connection:
                yield connection
        return
    if not source.is_file():
        raise StorageUnavailable(f"there is no database at {source}")
    _make(folder)
    copy_database(source, folder / DATABASE_FILE)
    copied = Database(f"sqlite:///{(folder / DATABASE_FILE).absolute()}")
    with closing(copied), copied.read() as connection:
        yield connection


@contextmanager
def _existing(settings: Settings) -> Iterator[Database]:
    from mailbot.cli.database import OtherSchema, existing_database
    from mailbot.domain.errors import StorageUnavailable

    try:
        database = existing_database(settings)
    except OtherSchema as error:
        raise StorageUnavailable(f"{error}: is this mailbot's database, and of this version?") from None
    with closing(database):
        yield database


def _make(folder: Path) -> None:
    """Make the folder for this user alone; one that holds something is left alone."""
    from mailbot.domain.errors import ConfigurationError, Problem, StorageUnavailable

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            message = "is not empty: each backup needs a folder of its own"
            raise ConfigurationError([Problem(source=str(folder), message=message)])
    except OSError as error:
        raise StorageUnavailable(f"{folder} cannot be made: {error.strerror}") from error


def _copy_files(
    originals: FileBlobs, copies: FileBlobs, digests: list[str], advance: Callable[[int], None]
) -> tuple[int, list[str], list[str]]:
    """Copy file by file, each checked against its name as it is read and read again from the copy."""
    from mailbot.domain.errors import UnreadableMail

    size = 0
    missing: list[str] = []
    damaged: list[str] = []
    for digest in digests:
        try:
            content = originals.get(digest)
            copies.put(content)
            copies.get(digest)
            size += len(content)
        except UnreadableMail:
            (damaged if originals.path_of(digest).exists() else missing).append(digest)
        advance(1)
    return size, missing, damaged


def _copy_configuration(settings: Settings, folder: Path) -> None:
    from mailbot.domain.errors import StorageUnavailable

    try:
        for name, path in (("config", settings.config_dir), ("templates", settings.templates_dir)):
            if path.is_dir():
                shutil.copytree(path, folder / name)
    except OSError as error:
        raise StorageUnavailable(f"config or templates cannot be copied: {error}") from error


def _show(done: Backup) -> None:
    from mailbot.adapters.disk import readable_bytes

    say(
        f"{done.folder}: {done.mails} mails, {done.messages} messages, {done.letters} letters, "
        f"{done.files} files ({readable_bytes(done.bytes)}), all read again and checked"
    )
    for what, digests in (("missing", done.missing), ("damaged", done.damaged)):
        for digest in digests:
            complain(f"mailbot: {what}: {digest}")
    say("not copied: .env with MAILBOT_SECRET_KEY; without it the copy cannot be read. Restore: see --help")
