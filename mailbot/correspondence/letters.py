"""Which letters a change calls for: ``plan_letters(TicketChange, LetterDesk) -> tuple[PlannedLetter, ...]``.

Letters are made from *all* events of a change, never one by one, so that nobody gets two letters for one
mail: at most one per recipient (ARCHITECTURE §5.1). What a letter says stands in its view model; words stand
in templates and catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from mailbot.catalogue.request_types import QueueHears, RequestType
from mailbot.catalogue.staff import AgentSpec
from mailbot.correspondence.context import RequesterTicketView
from mailbot.correspondence.own_ticket_letters import colleague_answered, late_warning
from mailbot.correspondence.planned import LetterDesk, PlannedLetter
from mailbot.correspondence.requester_letters import (
    QUESTIONS,
    agent_answer,
    contact_changed,
    contact_confirmation,
    decision,
    evidence_complete,
    evidence_requested,
    guidance,
    reminder,
    ticket_expired,
    ticket_opened,
    ticket_reclassified,
    ticket_withdrawn,
    which_ticket,
)
from mailbot.correspondence.sector_letters import sector_book, sector_replied
from mailbot.correspondence.staff_letters import (
    confirm_orders,
    delivery_failed,
    reply_refused,
    requester_acted,
    requester_replied,
    ticket_ready,
)
from mailbot.correspondence.transcripts import transcript
from mailbot.correspondence.view_parts import kind_of
from mailbot.domain.account_contacts import CONFIRMATION_KEY
from mailbot.domain.events import PUT_BACK_ABSENT, PUT_BACK_REVOKED, EventKind, LetterKind
from mailbot.domain.evidence import FieldOrigin
from mailbot.domain.mail import Address
from mailbot.domain.staff_words import Refusal
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange


def plan_letters(change: TicketChange, desk: LetterDesk) -> tuple[PlannedLetter, ...]:
    """All letters that the change calls for; the requester's comes first.

    At most one per person, except where a requester is the only agent whom the ticket could be told to.
    """
    if change.quiet:
        return ()
    letters = [*_to_requester(change, desk), *_to_staff(change, desk.for_staff)]
    by_person = {(letter.recipient.address, letter.audience): letter for letter in reversed(letters)}
    return (*tuple(by_person.values())[::-1], *_to_sector(change, desk))


def shows_papers(change: TicketChange, kind: RequestType) -> bool:
    """Whether agents will hear of it with the files before them."""
    if change.quiet:
        return False
    is_told = _is_ready(change, kind) or _needs_reading(change) or bool(_given_to(change))
    return is_told or change.refusal is Refusal.EXPIRED_HANDLE


def taken_back(change: TicketChange) -> tuple[LetterKind, ...]:
    """The letters to the requester that must not leave any more, whatever is told instead.

    Where the requester wrote before a decision left, it is taken back rather than told to be overtaken.
    """
    taken_back = change.happened(EventKind.REOPENED) or change.happened(EventKind.UNDONE)
    return _WITH_A_DECISION if taken_back else ()


def made_void(change: TicketChange) -> tuple[LetterKind, ...]:
    """The letters to the requester that have lost their point if they have not left: a person answered instead,
    straight from the shared mailbox."""
    ends_merged = change.happened(EventKind.MERGED) and change.after.merged_into is not None
    return QUESTIONS if change.already_sent or ends_merged else ()


_WITH_A_DECISION = (LetterKind.DECISION, LetterKind.AGENT_ANSWER)


# --- to the requester ------------------------------------------------------------------------------------------


def _to_requester(change: TicketChange, desk: LetterDesk) -> Iterable[PlannedLetter]:
    planned = _requester_letter(change, desk) if change.may_answer else None
    return [planned, *_copies(planned, change)] if planned else []


def _copies(planned: PlannedLetter, change: TicketChange) -> Iterable[PlannedLetter]:
    """The same letter, each with a handle of its own, to whom staff have added (THREATS 16)."""
    if change.before is None or planned.letter is LetterKind.WHICH_TICKET:
        return ()
    view = planned.view
    if isinstance(view, RequesterTicketView):
        view = replace(view, greeting_name="")
    return [
        replace(planned, recipient=Address(address=address), view=view, calendar="")
        for address in change.after.participants
    ]


def _requester_letter(change: TicketChange, desk: LetterDesk) -> PlannedLetter | None:
    if change.which:
        return which_ticket(change, desk)
    builder = next((build for kind, build in _LETTER_AFTER if change.happened(kind)), _about_evidence)
    return builder(change, desk)


def _opened(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    waiting = change.after.status is Status.AWAITING_REQUESTER
    if waiting and CONFIRMATION_KEY in change.after.missing:
        return contact_confirmation(change, desk)
    return evidence_requested(change, desk, first=True) if waiting else ticket_opened(change, desk)


def _work_order_known(change: TicketChange, desk: LetterDesk) -> PlannedLetter | None:
    """Of a sector's words the client hears the number of the service order (R001-17)."""
    return agent_answer(change, desk) if change.told else None


def _nothing(change: TicketChange, desk: LetterDesk) -> None:
    """That a sector is reminded is nothing to the client."""
    del change, desk


def _decided(change: TicketChange, desk: LetterDesk) -> PlannedLetter:
    judged = change.after.resolution in (Resolution.APPROVED, Resolution.DENIED)
    return decision(change, desk) if judged else agent_answer(change, desk)


def _about_evidence(change: TicketChange, desk: LetterDesk) -> PlannedLetter | None:
    waits = change.after.status is Status.AWAITING_REQUESTER
    if _became_complete(change):
        return evidence_complete(change, desk)
    if change.agent is not None:
        # What agents file is theirs to tell.
        return None
    if waits and (_brought_something(change) or change.happened(EventKind.REOPENED) or change.correction):
        confirms = CONFIRMATION_KEY in change.after.missing
        return contact_confirmation(change, desk) if confirms else evidence_requested(change, desk, first=False)
    return None


def _became_complete(change: TicketChange) -> bool:
    before = change.before
    if before is None or before.asked:
        # Whether what an agent asked for by its own name has come, only they can tell.
        return False
    return _waited(before) and change.after.status is Status.OPEN and not change.after.missing


def _waited(ticket: Ticket | None) -> bool:
    """Whether it was its requester's turn, so that no agent has it before them: they were asked for something,
    in vain until it expired, or told what to do instead."""
    if ticket is None:
        return False
    if ticket.is_guided:
        return True
    return ticket.status is Status.AWAITING_REQUESTER or ticket.resolution is Resolution.EXPIRED


def _brought_something(change: TicketChange) -> bool:
    """Papers or stated fields; the name that a mail program writes into the From line is nothing brought."""
    if change.happened(EventKind.EVIDENCE_CHANGED):
        return True
    known = change.before.fields if change.before is not None else ()
    return any(value not in known and value.origin is not FieldOrigin.HEADER for value in change.after.fields)


# What weighs most comes first: one letter tells the outcome of the whole change.
_LETTER_AFTER: tuple[tuple[EventKind, Callable[[TicketChange, LetterDesk], PlannedLetter | None]], ...] = (
    (EventKind.DECIDED, _decided),
    (EventKind.AGENT_ANSWERED, agent_answer),
    (EventKind.SECTOR_ANSWERED, _work_order_known),
    (EventKind.SECTOR_NUDGED, _nothing),
    (EventKind.GUIDED, guidance),
    (EventKind.EXPIRED, ticket_expired),
    (EventKind.WITHDRAWN, ticket_withdrawn),
    (EventKind.CONTACT_CHANGED, contact_changed),
    (EventKind.SOLVED, ticket_withdrawn),
    (EventKind.RECLASSIFIED, ticket_reclassified),
    (EventKind.REMINDED, reminder),
    (EventKind.OPENED, _opened),
)


_ACTS = (
    EventKind.WITHDRAWN,
    EventKind.SOLVED,
    EventKind.RATED,
    EventKind.RECLASSIFIED,
    EventKind.REQUESTER_ANSWERED,
)
"""What a requester does by a customer word, or answers to a visit or a question for approval."""


# --- to the sector -----------------------------------------------------------------------------------------------


def _to_sector(change: TicketChange, desk: LetterDesk) -> Iterable[PlannedLetter]:
    """A sector is no agent: what it gets is a book, and nothing else."""
    if not (change.happened(EventKind.BOOK_WRITTEN) or change.happened(EventKind.SECTOR_NUDGED)):
        return []
    book = sector_book(change, desk)
    return [book] if book is not None else []


# --- to staff --------------------------------------------------------------------------------------------------


def _to_staff(change: TicketChange, desk: LetterDesk) -> list[PlannedLetter]:
    beside = [requester_replied(change, desk, agent) for agent in _at_work_beside(change, desk)]
    return [*_about_the_ticket(change, desk), *beside]


def _at_work_beside(change: TicketChange, desk: LetterDesk) -> list[AgentSpec]:
    """Who works on the ticket that was opened beside a guided one that is open again: their work may be needless
    now, or wrong (a boleto that was paid after all is not to be cancelled)."""
    before = change.before
    ruling = before.ruling if before is not None and before.is_guided else None
    if ruling is None or not ruling.linked_ticket or not change.happened(EventKind.REOPENED):
        return []
    opened = desk.catalogue.request_types.get(ruling.opens)
    return [] if opened is None else desk.duty.present(desk.catalogue.staff.notified_for(opened.queue))


def _about_the_ticket(change: TicketChange, desk: LetterDesk) -> list[PlannedLetter]:
    if change.refused_agent is not None and change.refusal is not None:
        if change.transcript is not None:
            return [transcript(change.transcript, desk, change.refused_agent, change)]
        return [_refusal(change, desk, change.refused_agent, change.refusal)]
    return [*_echo(change, desk), *_notices(change, desk)]


def _refusal(change: TicketChange, desk: LetterDesk, agent: Address, refusal: Refusal) -> PlannedLetter:
    """Why an agent's mail did nothing, with what is needed to have it done: a code, or a fresh notice."""
    staff = desk.catalogue.staff
    known = staff.agent(staff.agent_key_for(agent.address) or "")
    if known is not None and refusal is Refusal.NEEDS_CODE:
        return confirm_orders(change, desk, known)
    if known is not None and refusal is Refusal.EXPIRED_HANDLE:
        return ticket_ready(change, desk, known)
    return reply_refused(change, desk, agent, refusal)


def _echo(change: TicketChange, desk: LetterDesk) -> list[PlannedLetter]:
    """What an agent's words did, to the registered address (THREATS 9)."""
    agent = change.agent or change.opened_by
    if change.transcript is None or agent is None:
        return []
    return [transcript(change.transcript, desk, agent, change)]


def _notices(change: TicketChange, desk: LetterDesk) -> list[PlannedLetter]:
    if change.happened(EventKind.DELIVERY_FAILED):
        return [delivery_failed(change, desk, agent) for agent in _who_hears_of_failure(change, desk)]
    late = next((kind for kind in (EventKind.LATE, EventKind.DUE_SOON) if change.happened(kind)), None)
    if late is not None:
        return [late_warning(change, desk, agent, late) for agent in _who_hears_of_lateness(change, desk, late)]
    act = next((kind for kind in _ACTS if change.happened(kind)), None)
    if act is not None:
        return _about_act(change, desk, act)
    return _about_work(change, desk)


def _about_work(change: TicketChange, desk: LetterDesk) -> list[PlannedLetter]:
    """Of a ticket that somebody should take up, was given, or should read on."""
    if _is_ready(change, kind_of(change, desk)) or _was_put_back(change):
        return [ticket_ready(change, desk, agent) for agent in _responsible(change.after, desk)]
    if assigned := _newly_assigned(change, desk):
        return [ticket_ready(change, desk, assigned)]
    return _about_message(change, desk)


def _about_message(change: TicketChange, desk: LetterDesk) -> list[PlannedLetter]:
    if change.happened(EventKind.SECTOR_ANSWERED):
        return [sector_replied(change, desk, agent) for agent in _responsible(change.after, desk)]
    if _needs_reading(change):
        return [requester_replied(change, desk, agent) for agent in _responsible(change.after, desk)]
    return _about_colleague(change, desk)


def _about_colleague(change: TicketChange, desk: LetterDesk) -> list[PlannedLetter]:
    """Whose ticket it is hears of another agent's answer: two of them may have answered at once."""
    before, by = change.before, change.agent
    if before is None or by is None or not change.happened(EventKind.AGENT_ANSWERED):
        return []
    staff = desk.catalogue.staff
    owner = staff.agent(staff.agent_key_for(before.assignee) or "") if before.assignee else None
    told = desk.duty.present([owner]) if owner is not None else []
    return [colleague_answered(change, desk, agent) for agent in told if agent.address != by.address]


def _was_put_back(change: TicketChange) -> bool:
    """Whether the one who had it is away or gone, so that others have to take it up."""
    reasons = (PUT_BACK_ABSENT, PUT_BACK_REVOKED)
    given_away = any(one.kind is EventKind.ASSIGNED and one.detail in reasons for one in change.events)
    return given_away and change.after.status is not Status.AWAITING_REQUESTER


def _who_hears_of_lateness(change: TicketChange, desk: LetterDesk, kind: EventKind) -> list[AgentSpec]:
    responsible = _responsible(change.after, desk)
    if kind is EventKind.DUE_SOON:
        return responsible
    above = desk.duty.present(desk.catalogue.staff.escalated_to(change.after.queue))
    return list(dict.fromkeys([*responsible, *above]))


def _newly_assigned(change: TicketChange, desk: LetterDesk) -> AgentSpec | None:
    """Who was made responsible by somebody else."""
    staff, given = desk.catalogue.staff, _given_to(change)
    return staff.agent(staff.agent_key_for(given) or "") if given else None


def _given_to(change: TicketChange) -> str:
    by = change.agent.address if change.agent else ""
    return next((one.new for one in change.events if one.kind is EventKind.ASSIGNED and one.new != by), "")


def _about_act(change: TicketChange, desk: LetterDesk, act: EventKind) -> list[PlannedLetter]:
    """Of another type hear those who get the ticket, and those who had it."""
    before = change.before
    if act is not EventKind.RECLASSIFIED or before is None:
        return [requester_acted(change, desk, agent, act) for agent in _responsible(change.after, desk)]
    is_ready = _is_ready(change, kind_of(change, desk))
    told = [ticket_ready(change, desk, agent) for agent in _responsible(change.after, desk) if is_ready]
    knew = _responsible(before, desk) if before.status is not Status.AWAITING_REQUESTER else []
    return [*told, *(requester_acted(change, desk, agent, act) for agent in knew)]


def _is_ready(change: TicketChange, kind: RequestType) -> bool:
    """The ticket has come into its queue: complete, for a person from the start, or of a type whose people hear of
    what is incomplete too."""
    before, after = change.before, change.after
    hears_at_once = kind.queue_hears is QueueHears.WHEN_OPENED
    was_there = before is not None and (hears_at_once or not _waited(before)) and before.queue == after.queue
    is_there = after.status in (Status.NEW, Status.OPEN) or (hears_at_once and _waited(after))
    return is_there and not was_there


def _needs_reading(change: TicketChange) -> bool:
    """A requester's message that somebody should see; one that only brings asked-for papers is not."""
    if change.contact is not None or not change.happened(EventKind.MESSAGE_RECEIVED):
        return False
    return change.after.status is not Status.AWAITING_REQUESTER or not _brought_something(change)


def _responsible(ticket: Ticket, desk: LetterDesk) -> list[AgentSpec]:
    """Who hears of a ticket: its assignee, else those whom its queue names, or who stands in for who is away. Of
    an agent's own request others hear, if there are any."""
    staff = desk.catalogue.staff
    assignee = staff.agent(staff.agent_key_for(ticket.assignee) or "") if ticket.assignee else None
    responsible = [assignee] if assignee else list(staff.notified_for(ticket.queue))
    in_queue = [agent for agent in staff.agents if agent.works_in(ticket.queue)]
    # Where nobody is here and nobody stands in, it waits for them in their own mailbox.
    notified = list(staff.notified_for(ticket.queue))
    for agents in (*(desk.duty.present(one) for one in (responsible, notified, in_queue)), responsible, in_queue):
        others = [agent for agent in agents if agent.address != ticket.requester.address]
        if others:
            return others
    # A queue that nobody works in any more (its last agent was revoked): its customers were told to wait.
    return responsible or in_queue or desk.duty.present(staff.agents) or list(staff.agents)


def _who_hears_of_failure(change: TicketChange, desk: LetterDesk) -> list[AgentSpec]:
    """The responsible agents, or the others of the queue where it was their own notice that came back."""
    queue = change.after.queue
    agents = _responsible(change.after, desk)
    others = [agent for agent in desk.catalogue.staff.agents if agent.works_in(queue) and agent not in agents]
    reached = [agent for agent in agents if agent.address != change.bounced_recipient]
    return reached or [agent for agent in others if agent.address != change.bounced_recipient]
