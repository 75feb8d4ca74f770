"""All orders of a mail, or none: ``plan_orders(DirectiveBlock, Ticket, OrderDesk) -> OrderPlan``. Pure.

Every order is tried on the ticket as the orders before it would leave it. One that is unknown, contradicts
another or is not possible undoes them all, and the transcript says of each line what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from mailbot.catalogue.folding import fold
from mailbot.domain.events import EventKind
from mailbot.domain.orders import LineState, OrderPlan, Transcript, TranscriptLine
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import Status, Ticket
from mailbot.triage.directives import Directive, DirectiveBlock
from mailbot.triage.orders import asking, filing, moving
from mailbot.triage.orders.desk import Order, OrderDesk, Problem, Progress, problem

MOST_ORDERS = 20

TEXT_NOT_SENT = "text_not_sent"
"""Remark beside words that only ask the bot: what stands below them went to nobody."""

_W = StaffWord
ORDERS: Final[Mapping[StaffWord, Order]] = MappingProxyType(
    {
        _W.TIPO: filing.retype,
        _W.FILA: filing.put_in_queue,
        _W.ATRIBUIR: filing.assign,
        _W.PRIORIDADE: filing.prioritise,
        _W.CLIENTE: filing.name_customer,
        _W.CAMPO: filing.state,
        _W.OS: filing.number_order,
        _W.COPIAR: filing.copy_to,
        _W.DISPENSAR: filing.waive,
        _W.PEDIR: asking.ask_for,
        _W.NOTA: asking.keep_inside,
        _W.RESPONDER: asking.answer,
        _W.HISTORICO: asking.nothing_else,
        _W.ABERTOS: asking.nothing_else,
        _W.AJUDA: asking.nothing_else,
        _W.ORIGINAIS: asking.send_originals,
        _W.DOCUMENTOS: asking.send_pages,
        _W.REABRIR: moving.reopen,
        _W.ESPERA: moving.moving_to(Status.ON_HOLD),
        _W.APROVACAO: moving.await_approval,
        _W.AGENDAR: moving.schedule,
        _W.STATUS: moving.label,
        _W.AUTORIZAR: moving.authorise,
        _W.NEGAR: moving.deny,
        _W.RESOLVER: moving.resolve,
        _W.JUNTAR: filing.merge,
        _W.FECHAR: moving.close,
        _W.DESFAZER: moving.undo,
    }
)
"""What each word does, in the order in which they are done, whatever the order in which they are typed."""

MOVERS = frozenset(
    {
        _W.AUTORIZAR,
        _W.NEGAR,
        _W.RESOLVER,
        _W.PEDIR,
        _W.ESPERA,
        _W.APROVACAO,
        _W.AGENDAR,
        _W.STATUS,
        _W.REABRIR,
        _W.FECHAR,
        _W.JUNTAR,
        _W.DESFAZER,
    }
)
"""Words that decide on the status: one a mail."""

ASKS_BACK = frozenset({_W.AJUDA, _W.HISTORICO, _W.ABERTOS, _W.ORIGINAIS, _W.DOCUMENTOS})
"""Words that only ask the bot for something: no word beside them is meant for the requester."""

_MORE_THAN_ONCE = frozenset({_W.PEDIR, _W.DISPENSAR, _W.CAMPO, _W.COPIAR, _W.NOTA, *ASKS_BACK})
_TELLS_THE_REQUESTER = frozenset(
    {_W.AUTORIZAR, _W.NEGAR, _W.RESOLVER, _W.PEDIR, _W.AGENDAR, _W.RESPONDER, _W.OS, _W.TIPO}
)
_ECHOED_NOT = frozenset({_W.NOTA, _W.RESPONDER})

_REFUSALS = {
    "reason_missing": Refusal.REASON_MISSING,
    "already_decided": Refusal.ALREADY_DECIDED,
    "contradiction": Refusal.TWO_DECISIONS,
    "twice": Refusal.TWO_DECISIONS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """An order and what came of it."""

    directive: Directive
    problem: Problem | None
    said: tuple[tuple[str, str], ...] = ()
    aside: str = ""

    @property
    def done(self) -> str:
        """The code of the sentence that says what was done."""
        return f"done.{self.directive.word}{self.aside and f'.{self.aside}'}"


def plan_orders(block: DirectiveBlock, ticket: Ticket, desk: OrderDesk) -> OrderPlan:
    """Work out a mail's orders on its ticket."""
    if block.lines > MOST_ORDERS:
        return _too_long(block, ticket, desk)
    progress, tried = _try_all(block, ticket, desk)
    refused = next((one for one in tried if one.problem is not None), None)
    if block.unknown or refused is not None:
        return _refused(block, ticket, desk, tried, refused)
    return _planned(desk, progress, tried)


def _try_all(block: DirectiveBlock, ticket: Ticket, desk: OrderDesk) -> tuple[Progress, list[_Tried]]:
    progress = Progress(ticket=ticket)
    rank = {word: number for number, word in enumerate(ORDERS)}
    found: dict[int, _Tried] = {}
    for at, directive in sorted(enumerate(block.directives), key=lambda one: rank.get(one[1].word, 0)):
        outcome = _against_the_others(directive, block) or _try(directive, progress, desk)
        if isinstance(outcome, Progress):
            progress = outcome
            found[at] = _Tried(directive=directive, problem=None, said=outcome.said, aside=outcome.aside)
        else:
            found[at] = _Tried(directive=directive, problem=outcome)
    return progress, [found[at] for at in sorted(found)]


def _try(directive: Directive, progress: Progress, desk: OrderDesk) -> Progress | Problem:
    if directive.word is _W.ABRIR:
        # Done apart from every ticket, before anything comes here.
        return problem("alone")
    return ORDERS[directive.word](directive.argument, progress, desk)


def _against_the_others(directive: Directive, block: DirectiveBlock) -> Problem | None:
    """Why an order does not go with the others, whatever the ticket."""
    word = directive.word
    others = [one.word for one in block.directives if one is not directive]
    if word in others and word not in _MORE_THAN_ONCE:
        return problem("twice")
    if word in MOVERS and (other := next((one for one in others if one in MOVERS and one is not word), None)):
        return problem("contradiction", other=f"#{other}")
    if word is _W.NOTA:
        other = next((one for one in others if one in _TELLS_THE_REQUESTER), None)
        return problem("contradiction", other=f"#{other}") if other else None
    if word is _W.DESFAZER and others:
        return problem("contradiction", other=f"#{others[0]}")
    return None


# --- done ------------------------------------------------------------------------------------------------------


def _planned(desk: OrderDesk, progress: Progress, tried: list[_Tried]) -> OrderPlan:
    words = [one.directive.word for one in tried]
    only_asks_back = bool(words) and set(words) <= ASKS_BACK
    decides = any(one.kind is EventKind.DECIDED for one in progress.effects)
    transcript = Transcript(
        applied=True,
        lines=tuple(
            TranscriptLine(typed=one.directive.typed, state=LineState.DONE, code=one.done, values=one.said)
            for one in tried
        ),
        possible=tuple(possible_words(progress.ticket, desk)),
        remarks=(TEXT_NOT_SENT,) if only_asks_back and desk.says_more else (),
        undo_until=desk.now + desk.undo_time if decides and desk.undo_time else None,
        manual=_W.AJUDA in words,
        history=_W.HISTORICO in words,
        tickets=desk.own if _W.ABERTOS in words else None,
        files=progress.files,
        papers=progress.papers,
    )
    # In the order in which they were typed, like the text below them.
    texts = _texts(tried, progress)
    return OrderPlan(
        after=progress.ticket,
        effects=progress.effects,
        told=progress.told,
        asks=progress.asks,
        text="\n\n".join(texts),
        is_note=_W.NOTA in words or _W.DESFAZER in words,
        is_answer=_W.RESPONDER in words or decides,
        only_asks_back=only_asks_back,
        invites=progress.invites,
        into=progress.into,
        transcript=transcript if set(words) - _ECHOED_NOT else None,
    )


def _texts(tried: list[_Tried], progress: Progress) -> list[str]:
    kept = list(progress.texts)
    ordered = [text for one in tried if (text := one.directive.argument.strip()) in kept]
    return ordered if len(ordered) == len(kept) else kept


# --- not done --------------------------------------------------------------------------------------------------


def _refused(
    block: DirectiveBlock, ticket: Ticket, desk: OrderDesk, tried: list[_Tried], refused: _Tried | None
) -> OrderPlan:
    lines = [*(_line_of(one) for one in tried), *_unknown_lines(block)]
    if block.unknown:
        refusal, word = Refusal.UNKNOWN_WORD, block.unknown[0]
    else:
        assert refused is not None and refused.problem is not None
        refusal = _REFUSALS.get(refused.problem.code, Refusal.WORD_NOT_POSSIBLE)
        word = f"#{refused.directive.word}"
    return _nothing_done(ticket, desk, tuple(lines), refusal, word)


def _too_long(block: DirectiveBlock, ticket: Ticket, desk: OrderDesk) -> OrderPlan:
    values = (("count", str(block.lines)), ("most", str(MOST_ORDERS)))
    line = TranscriptLine(
        typed=_first_typed(block), state=LineState.REFUSED, code="problem.too_many_lines", values=values
    )
    return _nothing_done(ticket, desk, (line,), Refusal.TOO_MANY_WORDS, "")


def _first_typed(block: DirectiveBlock) -> str:
    return block.directives[0].typed if block.directives else block.unknown[0]


def _nothing_done(
    ticket: Ticket, desk: OrderDesk, lines: tuple[TranscriptLine, ...], refusal: Refusal, word: str
) -> OrderPlan:
    possible = tuple(possible_words(ticket, desk))
    transcript = Transcript(applied=False, lines=lines, possible=possible)
    return OrderPlan(after=ticket, transcript=transcript, refusal=refusal, refused_word=word)


def _line_of(tried: _Tried) -> TranscriptLine:
    directive = tried.directive
    if tried.problem is None:
        return TranscriptLine(typed=directive.typed, state=LineState.NOT_DONE, code=f"manual.{directive.word}")
    values = (("word", f"#{directive.word}"), *tried.problem.values)
    code = f"problem.{tried.problem.code}"
    return TranscriptLine(typed=directive.typed, state=LineState.REFUSED, code=code, values=values)


def _unknown_lines(block: DirectiveBlock) -> Iterator[TranscriptLine]:
    names = [word.value for word in StaffWord]
    for typed in block.unknown:
        meant = get_close_matches(fold(typed).strip("#*_:.,;! "), names, n=1, cutoff=0.7)
        values = (("word", typed), ("meant", f"#{meant[0]}" if meant else ""))
        yield TranscriptLine(typed=typed, state=LineState.REFUSED, code="problem.unknown_word", values=values)


# --- what is possible --------------------------------------------------------------------------------------------


def possible_words(ticket: Ticket, desk: OrderDesk) -> Iterator[StaffWord]:
    """The words that would do something on the ticket as it stands, in the order of the manual."""
    return (word for word in StaffWord if _is_possible(word, ticket, desk))


_ALWAYS = frozenset(
    {_W.NOTA, _W.RESPONDER, _W.HISTORICO, _W.ABERTOS, _W.ABRIR, _W.AJUDA, _W.ORIGINAIS, _W.DOCUMENTOS}
)
_KEPT = frozenset({_W.ATRIBUIR, _W.FILA, _W.COPIAR, _W.OS, _W.PRIORIDADE, _W.CAMPO, _W.CLIENTE})
_RESOLVED = frozenset({_W.REABRIR, _W.FECHAR, _W.DESFAZER})


def _is_possible(word: StaffWord, ticket: Ticket, desk: OrderDesk) -> bool:
    kind = desk.kind_of(ticket)
    says_no = {
        _W.PRIORIDADE: kind.priority == "automatic",
        _W.CAMPO: not kind.fields,
        _W.CLIENTE: not ticket.customer.candidates,
        _W.ESPERA: ticket.status is Status.ON_HOLD,
        _W.APROVACAO: ticket.status is Status.AWAITING_APPROVAL,
        _W.DISPENSAR: not (ticket.missing or ticket.mismatches),
        _W.DESFAZER: not _still_waits(ticket, desk),
    }
    return _fits_the_status(word, ticket) and not says_no.get(word, False)


def _fits_the_status(word: StaffWord, ticket: Ticket) -> bool:
    if word in _ALWAYS:
        return True
    if word in _KEPT:
        return ticket.status is not Status.CLOSED
    return ticket.status is Status.RESOLVED if word in _RESOLVED else not ticket.is_finished


def _still_waits(ticket: Ticket, desk: OrderDesk) -> bool:
    if ticket.resolved_at == desk.now:
        return True
    return desk.undoable is not None and desk.undoable.unsent
