"""Agents as administrators changed them, turns of queues, digests that were sent: within one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from mailbot.adapters.storage.columns import UtcDateTime
from mailbot.adapters.storage.compiled import CompiledStatement
from mailbot.adapters.storage.staff_tables import agents
from mailbot.domain.staffing import AgentRecord, AgentState, DigestKind

_A = agents.c
_ALL = CompiledStatement(select(agents).order_by(_A.key))
# Who asks whose turn it is holds the queue's row until the end of the transaction: two daemons never give two
# tickets to the same agent for want of knowing of each other.
_LAST_TURN = CompiledStatement(
    text(
        "INSERT INTO queue_turns (queue, agent) VALUES (:of_queue, '') "
        "ON CONFLICT (queue) DO UPDATE SET agent = queue_turns.agent RETURNING agent"
    )
)
_NOTE_TURN = CompiledStatement(text("UPDATE queue_turns SET agent = :now_agent WHERE queue = :of_queue"))
_NOTE_DIGEST = text(
    "INSERT INTO digests (kind, recipient, period, at) VALUES (:kind, :recipient, :period, :at) "
    "ON CONFLICT (kind, recipient, period) DO NOTHING"
).bindparams(bindparam("at", type_=UtcDateTime()))


class RosterStore:
    """Rows of ``agents``, ``queue_turns`` and ``digests``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # One transaction goes by one roster: whose turn it is, who is told and who signs ask for it each.
        self._records: list[AgentRecord] | None = None

    def records(self) -> list[AgentRecord]:
        """All that is said of agents here, as it was when this transaction asked first or as it has kept it."""
        if self._records is None:
            self._records = self._read()
        return list(self._records)

    def _read(self) -> list[AgentRecord]:
        return [
            AgentRecord(
                key=row["key"],
                address=row["address"],
                name=row["name"],
                queues=None if row["queues"] is None else tuple(row["queues"]),
                state=AgentState(row["state"]),
                absent_until=row["absent_until"],
                deputy=row["deputy"],
                away_since=row["away_since"],
                rerouted_at=row["rerouted_at"],
            )
            for row in _ALL.rows(self._connection, {})
        ]

    def keep(self, record: AgentRecord) -> None:
        """Write what is said of an agent, over what was said before."""
        self._records = None
        values: dict[str, Any] = {
            "address": record.address,
            "name": record.name,
            "queues": None if record.queues is None else list(record.queues),
            "state": record.state.value,
            "absent_until": record.absent_until,
            "deputy": record.deputy,
            "away_since": record.away_since,
            "rerouted_at": record.rerouted_at,
        }
        changed = self._connection.execute(update(agents).where(_A.key == record.key).values(**values))
        if changed.rowcount == 0:
            self._connection.execute(insert(agents).values(key=record.key, **values))

    def last_turn(self, queue: str) -> str:
        """Key of the agent who got the queue's last ticket, or nothing; nobody else may ask before the end of this
        transaction."""
        return str(_LAST_TURN.run(self._connection, {"of_queue": queue}).scalar_one())

    def note_turn(self, queue: str, agent: str) -> None:
        """The agent ``agent`` got a ticket of the queue; to be called after :meth:`last_turn`."""
        _NOTE_TURN.run(self._connection, {"of_queue": queue, "now_agent": agent})

    def begin_digest(self, kind: DigestKind, recipient: str, period: str, *, now: datetime) -> bool:
        """Whether nobody has written this digest yet; from now on somebody has."""
        values = {"kind": kind.value, "recipient": recipient, "period": period, "at": now}
        return self._connection.execute(_NOTE_DIGEST, values).rowcount == 1
