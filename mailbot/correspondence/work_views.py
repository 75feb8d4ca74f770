"""View models of letters about the work itself: warnings, the morning's list of agents, the week of managers."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailbot.correspondence.context import THEIRS, LetterView, LongText, StaffTicketView
from mailbot.correspondence.words import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class LateWarningView(StaffTicketView):
    """A promise comes near (``late`` false) or is broken. ``assignee`` is whose ticket it is, if anybody's."""

    late: bool
    answer_by: str
    assignee: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColleagueAnsweredView(StaffTicketView):
    """Somebody else of staff answered the requester on a ticket that is the agent's own."""

    colleague: str
    answered_at: str
    text: LongText = field(metadata=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRow:
    """A ticket in a list of work. ``late``: its promise is broken; ``due_today``: it ends today."""

    number: str
    title: str = field(metadata=THEIRS)
    requester: str = field(metadata=THEIRS)
    status_label: str
    answer_by: str = ""
    late: bool = False
    due_today: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkList:
    """Tickets of one kind; ``count`` is of all, ``left_out`` of those not listed."""

    count: str
    rows: tuple[WorkRow, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredRow:
    """A letter that did not reach its requester."""

    ticket_number: str
    what: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView(LetterView):
    """What an agent has to do this morning. ``stands_in_for`` names absent colleagues whose tickets are listed."""

    agent_name: str
    today: str
    late: WorkList
    due_today: WorkList
    own: WorkList
    unassigned: WorkList
    undelivered: tuple[UndeliveredRow, ...] = ()
    stands_in_for: str = ""
    nothing_to_do: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """A queue's week in figures, as they are printed."""

    name: str
    opened: str
    ended: str
    still_open: str
    late: str
    time_to_end: str = ""
    rating: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestManagersView(LetterView):
    """A week in figures, by queue; ``late`` are the tickets that are late now."""

    since: str
    until: str
    queues: tuple[QueueFigures, ...] = ()
    late: WorkList
