"""What ``mailbot doctor`` looks at in the database: a server's settings, whether the files it names are here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mailbot.cli.checkup import Finding, State
from mailbot.domain.errors import ConfigurationError, StorageUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailbot.adapters.storage.engine import Database
    from mailbot.settings import Settings

NEWEST_MAILS = 50
# A lease lasts a minute: a clock that is this far off takes a tenth of it away.
_CLOCK_SLACK = timedelta(seconds=6)


def check_server_and_files(settings: Settings) -> Iterator[Finding]:
    """Nothing where there is no database yet, or none that can be read: that is told elsewhere."""
    from mailbot.cli.database import NoDatabaseYet, OtherSchema, existing_database

    try:
        database = existing_database(settings)
    except (NoDatabaseYet, OtherSchema, StorageUnavailable, ConfigurationError):
        return
    try:
        with _closing(database), database.read() as connection:
            if not database.is_sqlite:
                yield from check_server(connection, settings)
            yield from check_stored_files(connection, settings)
    except StorageUnavailable as error:
        yield Finding(check="database", state=State.UNREACHABLE, message=str(error))


@contextmanager
def _closing(database: Database) -> Iterator[None]:
    try:
        yield
    finally:
        database.close()


def check_server(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Whether a commit lasts, the way to the server is closed, and its clock is ours."""
    from sqlalchemy import text

    for name in ("fsync", "synchronous_commit"):
        if connection.scalar(text(f"SHOW {name}")) == "off":
            yield Finding(
                check="database",
                state=State.PROBLEM,
                message=f"{name} is off: what was committed is lost if the server dies",
                advice=f"in postgresql.conf: {name} = on",
            )
    yield from _check_way(connection, settings)
    asked_at = datetime.now(UTC)
    server_now: datetime = connection.scalar(text("SELECT clock_timestamp()")) or asked_at
    yield from check_server_clock(server_now, asked_at, datetime.now(UTC))


def check_server_clock(server_now: datetime, asked_at: datetime, answered_at: datetime) -> Iterator[Finding]:
    """Several daemons divide their work by leases, and each goes by its own clock. An answer that takes long is no
    wrong clock: the server looked at its own at some moment between question and answer."""
    off = max(asked_at - server_now, server_now - answered_at)
    if off > _CLOCK_SLACK:
        yield Finding(
            check="clock",
            state=State.PROBLEM,
            message=f"this machine's clock and the database server's are {off.total_seconds():.0f} s apart",
            advice="keep both in time (NTP): daemons on several machines take work from each other by the clock",
        )


def _check_way(connection: Connection, settings: Settings) -> Iterator[Finding]:
    from mailbot.adapters.server_url import names_loopback

    driver = connection.connection.driver_connection
    if driver is None:
        return
    host = driver.info.host
    if host.startswith("/") or names_loopback(host) or driver.pgconn.ssl_in_use or settings.allow_plain:
        return
    yield Finding(
        check="database",
        state=State.PROBLEM,
        message=f"the way to {host} is open: mails and tickets can be read on it",
        advice="add ?sslmode=verify-full&sslrootcert=FILE to MAILBOT_DATABASE_URL",
    )


def check_stored_files(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Whether the newest mails, whichever daemon collected them, lie in this MAILBOT_DATA_DIR."""
    from sqlalchemy import select

    from mailbot.adapters.blobs import FileBlobs
    from mailbot.adapters.storage.tables import inbound_mails

    blobs = FileBlobs(settings.data_dir / "files", settings.secret_key or b"")
    newest = select(inbound_mails.c.raw_digest).order_by(inbound_mails.c.id.desc()).limit(NEWEST_MAILS)
    digests = list(connection.scalars(newest))
    missing = sum(not blobs.path_of(digest).exists() for digest in digests)
    if missing:
        yield Finding(
            check="stored files",
            state=State.PROBLEM,
            message=f"{missing} of the newest {len(digests)} mails do not lie in {settings.data_dir}",
            advice="all daemons on one database need one MAILBOT_DATA_DIR, on a disk that all of them share",
        )
    elif digests:
        message = f"the newest {len(digests)} mails lie in {settings.data_dir}"
        yield Finding(check="stored files", state=State.OK, message=message)
