"""Ties the stores to one transaction, so that a mail's whole outcome is committed at once or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from mailbot.adapters.storage.customer_store import CustomerStore
from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.errand_store import ErrandStore
from mailbot.adapters.storage.feedback_store import FeedbackStore
from mailbot.adapters.storage.house_store import HouseStore
from mailbot.adapters.storage.mail_store import MailStore
from mailbot.adapters.storage.notice_store import NoticeStore
from mailbot.adapters.storage.outbox_store import OutboxStore
from mailbot.adapters.storage.paper_store import PaperStore
from mailbot.adapters.storage.roster_store import RosterStore
from mailbot.adapters.storage.sent_store import SentStore
from mailbot.adapters.storage.ticket_store import TicketStore
from mailbot.adapters.storage.workload_store import WorkloadStore


class UnitOfWork:
    """The stores of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.mails = MailStore(connection)
        self.tickets = TicketStore(connection)
        self.outbox = OutboxStore(connection)
        self.notices = NoticeStore(connection)
        self.house = HouseStore(connection)
        self.sent = SentStore(connection)
        self.customers = CustomerStore(connection)
        self.papers = PaperStore(connection)
        self.feedback = FeedbackStore(connection)
        self.roster = RosterStore(connection)
        self.workload = WorkloadStore(connection)
        self.errands = ErrandStore(connection)


class SqlStorage:
    """The storage that flows see: ``with storage.write() as work`` commits at the end or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def writes_at_once(self) -> int:
        """How many writing transactions a process may well begin side by side; on SQLite one."""
        return self._database.writes_at_once

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """One writing transaction. Raises ``StorageUnavailable``."""
        with self._database.write() as connection:
            yield UnitOfWork(connection)

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """One reading transaction. Raises ``StorageUnavailable``."""
        with self._database.read() as connection:
            yield UnitOfWork(connection)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()
