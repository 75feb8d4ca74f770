"""What a request type's table says of a request: ``(RequestType, FactSources) -> Ruling``. Pure.

The first row that applies wins. A row that cannot be answered, because a fact in it is not known, stops the
search: what it needs is asked for or, where that would not help, a person decides; the rows behind it never get
to speak as if it had not applied. ``reply`` is for certain facts only: otherwise it becomes a suggestion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mailbot.catalogue.facts.values import Fact, Facts, FactScalar, FactSources
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.request_types import RequestType
from mailbot.catalogue.rules import Comparison, Rule
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.guidance import FactUsed, Ruling, RulingAction
from mailbot.domain.mail import Accepted, ThreadMatch
from mailbot.domain.ticket import Status, Ticket


def facts_of(request_type: RequestType, sources: FactSources) -> Facts:
    """All facts of the request type."""
    return Facts(known={name: spec.compute(sources) for name, spec in request_type.facts.items()})


def rule_on(request_type: RequestType, facts: Facts, stated: Iterable[str] = ()) -> Ruling | None:
    """What the table says; ``None`` for a type without one.

    ``stated`` are the fields that hold a valid value: for a fact that needs no other ones nobody can be asked.
    """
    passed: list[str] = []
    doubts: list[str] = []
    for number, rule in enumerate(request_type.rules, start=1):
        answers = {name: _answer(comparison, facts[name]) for name, comparison in rule.when.items()}
        passed.extend(name for name in rule.when if name not in passed)
        holds = _all_hold(answers.values())
        if holds is None:
            return _unanswered(request_type, rule, number, answers, _used(facts, passed), set(stated))
        doubts.extend(name for name in _doubted(rule, facts, answers) if name not in doubts)
        if holds:
            return _applied(rule, number, _used(facts, passed), tuple(doubts))
    return None


def _doubted(rule: Rule, facts: Facts, answers: Mapping[str, bool | None]) -> list[str]:
    """The facts on which the row's answer rests and which are not certain: all of them where it holds, else
    those that deny it, unless one that is certain denies it too."""
    holds = all(answers.values())
    decisive = [name for name, answer in answers.items() if answer is holds]
    uncertain = [name for name in decisive if not _is_certain(rule.when[name], facts[name])]
    return uncertain if holds or len(uncertain) == len(decisive) else []


def _is_certain(comparison: Comparison, fact: Fact) -> bool:
    if fact is None or all(operator == "known" for operator, _ in comparison.asked):
        # Only `known` has an answer for an unknown fact.
        return True
    return fact.certain


def _applied(rule: Rule, number: int, used: tuple[FactUsed, ...], doubts: tuple[str, ...]) -> Ruling:
    then = rule.then
    action = RulingAction.SUGGEST if doubts and then.action is RulingAction.REPLY else then.action
    return Ruling(
        action=action,
        row=number,
        guidance=then.guidance or "",
        note=then.note,
        facts=used,
        doubts=doubts,
        asks=then.also_ask,
        not_needed=then.not_needed,
        opens=then.opens or "" if action is RulingAction.REPLY else "",
    )


def _unanswered(
    request_type: RequestType,
    rule: Rule,
    number: int,
    answers: Mapping[str, bool | None],
    used: tuple[FactUsed, ...],
    stated: set[str],
) -> Ruling:
    unknown = tuple(name for name, answer in answers.items() if answer is None)
    needed = dict.fromkeys(key for name in unknown for key in request_type.facts[name].needs)
    asks = tuple(key for key in needed if key not in stated)
    return Ruling(
        action=RulingAction.ASK if asks else RulingAction.PERSON,
        row=number,
        facts=used,
        doubts=unknown,
        asks=asks,
        asks_first=rule.ask_first and bool(asks),
    )


def _used(facts: Facts, names: Sequence[str]) -> tuple[FactUsed, ...]:
    known = ((name, facts[name]) for name in names)
    return tuple(
        FactUsed(name=name, value=plain(fact.value), certain=fact.certain)
        for name, fact in known
        if fact is not None
    )


def plain(value: FactScalar) -> str:
    """A fact's value in plain characters: ``85.4``, ``true``, the text itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value


# --- three values --------------------------------------------------------------------------------------------


def _all_hold(answers: Iterable[bool | None]) -> bool | None:
    """True if all are, false if one is, else unknown."""
    known = list(answers)
    if False in known:
        return False
    return None if None in known else True


def _answer(comparison: Comparison, fact: Fact) -> bool | None:
    return _all_hold(_holds(operator, wanted, fact) for operator, wanted in comparison.asked)


def _holds(operator: str, wanted: Any, fact: Fact) -> bool | None:
    if operator == "known":
        return (fact is not None) is wanted
    if fact is None:
        return None
    value = fact.value
    match operator:
        case "eq" | "is":
            return _same(value, wanted)
        case "ne":
            return not _same(value, wanted)
        case "in":
            return any(_same(value, one) for one in wanted)
        case _:
            return _compares(operator, value, wanted)


def _same(value: FactScalar, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, Decimal):
        return value == Decimal(str(wanted))
    return value == wanted or fold_words(value) == _folded(str(wanted))


@lru_cache(maxsize=1024)
def _folded(wanted: str) -> str:
    """Memory of the catalogue's own words; never called with a sender's text."""
    return fold_words(wanted)


def _compares(operator: str, value: FactScalar, wanted: float) -> bool | None:
    if not isinstance(value, Decimal):
        return None
    limit = Decimal(str(wanted))
    return {"lt": value < limit, "le": value <= limit, "gt": value > limit, "ge": value >= limit}[operator]


# --- what a ruling does to what is asked ---------------------------------------------------------------------


def may_answer_by_itself(ticket: Ticket | None, screening: Accepted, thread: ThreadMatch) -> bool:
    """Whether a ruling's reply may go out: somebody reads it, it is clear which ticket it is about, and no agent
    has the ticket in hand or in the queue, or has stated something for the requester."""
    if not screening.may_answer or screening.automatic_reply or thread.candidates or thread.from_another_address:
        return False
    if ticket is None:
        return True
    waits = ticket.status in (Status.NEW, Status.AWAITING_REQUESTER)
    return waits and ticket.assignee is None and not ticket.holds_words_of_agents


def as_suggestion(ruling: Ruling) -> Ruling:
    """The same for an agent to confirm: somebody is at work on the request, or must not be answered."""
    if not ruling.replies:
        return ruling
    return replace(ruling, action=RulingAction.SUGGEST, opens="")


def with_ruling(request_type: RequestType, report: EvidenceReport, ruling: Ruling | None) -> EvidenceReport:
    """``report`` with its ruling, without what that does without, and with what it needs in the catalogue's
    order."""
    if ruling is None:
        return report
    report = replace(report, ruling=ruling)
    if ruling.replies:
        return replace(report, missing=(), mismatches=())
    stated = {value.key for value in report.fields if value.valid or value.for_a_person}
    wanted = {key for key in ruling.asks if key not in stated and key not in ruling.not_needed}
    if ruling.asks_first:
        return replace(report, missing=_in_order(request_type, wanted), mismatches=())
    missing = {key for key in report.missing if key not in ruling.not_needed} | wanted
    return replace(
        report,
        missing=_in_order(request_type, missing),
        mismatches=tuple(one for one in report.mismatches if one.key not in ruling.not_needed),
    )


def _in_order(request_type: RequestType, keys: set[str]) -> tuple[str, ...]:
    order = [*(str(document.key) for document in request_type.documents), *(f.key for f in request_type.fields)]
    return tuple(key for key in order if key in keys)


def figures(ruling: Ruling) -> str:
    """The facts of a ruling in one line, for the log of events: ``motive=other distance_km=85.462``."""
    return " ".join(f"{one.name}={one.value}" for one in ruling.facts)
