"""``writers``: four processes write to one SQLite file, and none of them is ever told that it is locked."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.events import AuthorRole, EventKind, TicketEvent, TicketMessage, Visibility
from mailbot.domain.mail import Address
from mailbot.domain.ticket import Status, Ticket
from tests.benchmarks.household import environment, scratch
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure

_WRITERS = 4


def writers(options: Options) -> Iterator[Figure]:
    """As long as ``--seconds`` says: each commit a ticket with its message and event."""
    with scratch() as folder:
        database = Database(f"sqlite:///{folder / 'mailbot.db'}")
        upgrade(database)
        database.close()
        arguments = [
            sys.executable,
            "-m",
            "tests.benchmarks.writers",
            str(folder / "mailbot.db"),
            str(options.seconds),
        ]
        processes = [
            subprocess.Popen(arguments, cwd=folder, env=environment({}), stdout=subprocess.PIPE)
            for _ in range(_WRITERS)
        ]
        said = [json.loads(process.communicate()[0]) for process in processes]
    failures = sum(one["failures"] for one in said)
    commits = sum(one["commits"] for one in said)
    slowest = max(one["slowest_seconds"] for one in said)
    yield Figure(
        benchmark="writers",
        what=f"times “database is locked”, {_WRITERS} writers for {options.seconds:g} s",
        value=failures,
        goal="0",
        met=failures == 0,
        detail=f"{commits / options.seconds:.0f} commits/s together, the slowest took {slowest:.2f} s",
    )


def _write(path: Path, seconds: float) -> dict[str, float]:
    storage = SqlStorage(Database(f"sqlite:///{path}"))
    end = time.monotonic() + seconds
    commits = failures = 0
    slowest = 0.0
    while time.monotonic() < end:
        started = time.monotonic()
        try:
            _write_ticket(storage)
            commits += 1
        except StorageUnavailable:
            failures += 1
        slowest = max(slowest, time.monotonic() - started)
    return {"commits": commits, "failures": failures, "slowest_seconds": slowest}


def _write_ticket(storage: SqlStorage) -> None:
    now = datetime.now(UTC)
    someone = Address(address="alguem@example.com.br", name="Alguém")
    with storage.write() as work:
        number = work.tickets.next_number(now.year)
        work.tickets.add(
            Ticket(
                number=number,
                mailbox="default",
                request_type="general",
                requester=someone,
                subject="Vistoria",
                title="Vistoria",
                status=Status.OPEN,
                opened_at=now,
                updated_at=now,
            )
        )
        work.tickets.add_message(
            number,
            TicketMessage(
                at=now,
                author=someone,
                role=AuthorRole.REQUESTER,
                visibility=Visibility.PUBLIC,
                text="Preciso de ajuda com a vistoria. " * 20,
                message_id=f"<{number}@example.com.br>",
            ),
        )
        work.tickets.add_events(number, [TicketEvent(at=now, actor="bot", kind=EventKind.OPENED, new=number)])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_write(Path(sys.argv[1]), float(sys.argv[2]))) + "\n")
