"""Who of the house is there: what the database says of agents over ``staff.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class AgentState(StrEnum):
    """What the database says of an agent's place on the roster."""

    AS_CONFIGURED = "as_configured"
    ADDED = "added"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord:
    """What an administrator or an agent's own mail said of an agent, over what ``staff.yaml`` says.

    ``queues`` is ``None`` for all; it and the name count only of an agent who was ``added``. ``deputy`` is another
    agent's key. ``away_since`` is when an answer of the agent's mailbox said that nobody reads it; ``rerouted_at``
    when their tickets were given to others for it.
    """

    key: str
    address: str
    name: str = ""
    queues: tuple[str, ...] | None = None
    state: AgentState = AgentState.AS_CONFIGURED
    absent_until: datetime | None = None
    deputy: str = ""
    away_since: datetime | None = None
    rerouted_at: datetime | None = None

    def is_absent(self, now: datetime) -> bool:
        """Whether an administrator said that they are away now."""
        return self.absent_until is not None and now < self.absent_until

    def has_been_away_for(self, hours: int, now: datetime) -> bool:
        """Whether their mailbox has told of an absence for so long."""
        return self.away_since is not None and now - self.away_since >= timedelta(hours=hours)


class DigestKind(StrEnum):
    """The letters that leave once a day or week."""

    AGENT = "agent"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCount:
    """What came to pass with the tickets of a queue in a stretch of time, and how it stands at its end.

    ``expired`` are those of the ended that their requester never answered (R000-12). ``hours_to_end`` is the mean
    time from opening to the end, of those that ended; ``rating`` the mean of the ratings given, ``None`` where
    there are none.
    """

    queue: str
    opened: int = 0
    ended: int = 0
    expired: int = 0
    still_open: int = 0
    late: int = 0
    hours_to_end: float | None = None
    ratings: int = 0
    rating: float | None = None
