"""Which buttons a notice has: ``(Ticket, RequestType) -> tuple[StaffAction, ...]``.

A button opens the agent's mail program with the words filled in; they count as any others do, with the same
authority, so a button that turns out impossible does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailbot.catalogue.field_specs import YES
from mailbot.catalogue.request_types import RequestType
from mailbot.correspondence.context import StaffAction
from mailbot.correspondence.words import phrase
from mailbot.domain.evidence import Verdict
from mailbot.domain.staff_words import StaffWord
from mailbot.domain.ticket import TRANSITIONS, Status, Ticket

_MOST_ITEMS = 4
_ASKS_THE_REQUESTER = "cliente"
_QUOTATION, _IN_WARRANTY = "quotation", "in_warranty"


def actions_for(ticket: Ticket, kind: RequestType) -> tuple[StaffAction, ...]:
    """What an agent would well do with the ticket as it stands; nothing where it is finished."""
    if ticket.is_finished:
        return ()
    return tuple(
        StaffAction(
            label=phrase(f"action.{word}"),
            words=f"#{word} {argument}".rstrip(),
            note=phrase(f"action_note.{word}"),
        )
        for word, argument in _sensible(ticket, kind)
    )


def merge_actions(duplicates: Iterable[Ticket]) -> tuple[StaffAction, ...]:
    """A button for each ticket that this one seems to be a duplicate of."""
    return tuple(
        StaffAction(
            label=phrase(f"action.{StaffWord.JUNTAR}", number=one.number),
            words=f"#{StaffWord.JUNTAR} {one.number}",
            note=phrase(f"action_note.{StaffWord.JUNTAR}"),
        )
        for one in duplicates
    )


def _sensible(ticket: Ticket, kind: RequestType) -> Iterator[tuple[StaffWord, str]]:
    follow = TRANSITIONS[ticket.status]
    if kind.documents:
        yield StaffWord.AUTORIZAR, ""
        yield StaffWord.NEGAR, ""
    else:
        yield StaffWord.RESOLVER, ""
    if kind.documents and (Status.AWAITING_REQUESTER in follow or ticket.status is Status.AWAITING_REQUESTER):
        yield StaffWord.PEDIR, ", ".join(_to_ask_for(ticket, kind))
    if ticket.status is not Status.AWAITING_APPROVAL and _costs_the_requester(ticket):
        yield StaffWord.APROVACAO, _ASKS_THE_REQUESTER
    if Status.ON_HOLD in follow:
        yield StaffWord.ESPERA, ""


def _costs_the_requester(ticket: Ticket) -> bool:
    """Whether the work comes with a quotation that no warranty pays (R001-14): then they approve it first."""
    said = {one.key: one.value for one in ticket.fields if one.valid}
    return said.get(_QUOTATION) == YES and said.get(_IN_WARRANTY) != YES


def _to_ask_for(ticket: Ticket, kind: RequestType) -> list[str]:
    """The papers that lack or do not serve; where all do, every one of the type, to choose from."""
    accepted = [one for one in ticket.documents if one.verdict is Verdict.ACCEPTED]
    serve = {one.requirement for one in accepted if not one.for_a_person}
    contradicted = {mismatch.key for mismatch in ticket.mismatches}
    labels = {str(spec.key): spec.label for spec in kind.documents}
    lacking = [label for key, label in labels.items() if key not in serve or key in contradicted]
    return (lacking or list(labels.values()))[:_MOST_ITEMS]
