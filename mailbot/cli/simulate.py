"""``mailbot catalogue simulate`` and ``facts``: sample requests through a table of rules, before it is live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from mailbot.cli.listing import Json, print_table
from mailbot.cli.output import Exit, own_errors, print_json, say

if TYPE_CHECKING:
    from mailbot.catalogue.load import Catalogue
    from mailbot.catalogue.request_types import RequestType
    from mailbot.catalogue.simulation import Case, Simulation
    from mailbot.domain.evidence import EvidenceReport, Finding
    from mailbot.domain.guidance import Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What came of a case: the report with its ruling, and in what it is not as expected."""

    case: Case
    report: EvidenceReport
    ruling: Ruling
    differences: tuple[tuple[str, Any, Any], ...]


def simulate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="YAML files of sample requests.", dir_okay=False)
    ],
    json: Json = False,
) -> None:
    """Put sample requests through the rules of their type: what each comes to, and by which facts.

    Ends with 1 where something does not come out as its file expects it, with 2 for a mistake in a file.
    """
    with own_errors():
        from mailbot.catalogue.simulation import read_simulation
        from mailbot.cli.context import read_catalogue, read_settings

        catalogue = read_catalogue(read_settings())
        simulations = [(file, read_simulation(file, catalogue)) for file in files]
    done = [(file, _outcomes(simulation, catalogue)) for file, simulation in simulations]
    if json:
        print_json([_as_json(file, one) for file, outcomes in done for one in outcomes])
    else:
        for file, outcomes in done:
            _show(file, outcomes)
    differ = any(one.differences for _, outcomes in done for one in outcomes)
    raise typer.Exit(Exit.NEEDS_A_LOOK if differ else Exit.DONE)


def _outcomes(simulation: Simulation, catalogue: Catalogue) -> list[_Outcome]:
    kind = catalogue.type(simulation.request_type)
    today = simulation.today or datetime.now(ZoneInfo(catalogue.calendar.timezone)).date()
    return [_outcome(case, kind, catalogue, today) for case in simulation.cases]


def _outcome(case: Case, kind: RequestType, catalogue: Catalogue, today: date) -> _Outcome:
    from mailbot.catalogue.facts.values import Facts, FactSources, KnownFact
    from mailbot.catalogue.simulation import as_fact
    from mailbot.triage.rules import facts_of, rule_on, with_ruling

    report = _report(case, kind, catalogue, today)
    sources = FactSources(
        fields={value.key: value for value in report.fields},
        units=catalogue.units,
        today=today,
        documents=report.findings,
        requester=case.requester,
        clients=catalogue.clients,
    )
    known = dict(facts_of(kind, sources).known)
    for name, value in case.facts.items():
        stated = None if value is None else as_fact(kind.facts[name], value)
        known[name] = None if stated is None else KnownFact(value=stated)
    for name in case.unsure:
        fact = known[name]
        known[name] = None if fact is None else KnownFact(value=fact.value, certain=False)
    ruling = rule_on(kind, Facts(known=known), [value.key for value in report.fields if value.valid])
    # A type without rules is refused when the file is read, and the last row catches everything.
    assert ruling is not None
    return _Outcome(
        case=case,
        report=with_ruling(kind, report, ruling),
        ruling=ruling,
        differences=tuple(_differences(case, ruling)),
    )


def _report(case: Case, kind: RequestType, catalogue: Catalogue, today: date) -> EvidenceReport:
    """What the case states, checked as the same words in a mail are."""
    from mailbot.catalogue.limits import Limits
    from mailbot.domain.evidence import FieldOrigin
    from mailbot.evidence.assess import assess
    from mailbot.evidence.values import checked_value

    fields = tuple(
        checked_value(spec, _stated(case.fields[spec.key]), catalogue.units, FieldOrigin.LABEL, today=today)
        for spec in kind.fields
        if spec.key in case.fields
    )
    held = tuple(_accepted(key) for key in case.documents)
    return assess(kind, held=held, new_files=(), fields=fields, limits=Limits(), today=today)


def _stated(value: object) -> str:
    from mailbot.catalogue.field_specs import NO, YES

    if isinstance(value, bool):
        return YES if value else NO
    return str(value)


def _accepted(key: str) -> Finding:
    from mailbot.domain.evidence import DocumentKind, Finding, Verdict

    return Finding(
        digest=key,
        sha256=key,
        filename=f"{key}.pdf",
        media_type="application/pdf",
        size_bytes=1,
        kind=DocumentKind(key),
        confidence=1.0,
        verdict=Verdict.ACCEPTED,
        requirement=key,
    )


def _differences(case: Case, ruling: Ruling) -> list[tuple[str, Any, Any]]:
    """(what, expected, found) of everything that the case expects otherwise."""
    found = {
        "action": ruling.action,
        "guidance": ruling.guidance or None,
        "rule": ruling.row,
        "opens": ruling.opens or None,
        "asks": ruling.asks,
        "not_needed": ruling.not_needed,
    }
    expected = case.expect.model_dump(exclude_unset=True)
    return [(name, wanted, found[name]) for name, wanted in expected.items() if wanted != found[name]]


# --- shown ---------------------------------------------------------------------------------------------------


def _as_json(file: Path, one: _Outcome) -> dict[str, Any]:
    from mailbot.cli.explained import ruling_as_json

    return {
        "file": str(file),
        "case": one.case.name,
        **ruling_as_json(one.ruling),
        "opens": one.ruling.opens or None,
        "missing": list(one.report.missing),
        "as_expected": not one.differences,
        "differences": [{"what": what, "expected": wanted, "found": got} for what, wanted, got in one.differences],
    }


def _show(file: Path, outcomes: list[_Outcome]) -> None:
    say(f"{file}")
    rows = [
        (
            "differs" if one.differences else "ok",
            one.case.name,
            f"{one.ruling.row}",
            f"{one.ruling.action} {one.ruling.guidance}".strip(),
            ", ".join(one.report.missing) or "—",
            _facts(one.ruling),
        )
        for one in outcomes
    ]
    print_table(("", "case", "rule", "outcome", "asked for", "facts"), rows)
    for one in outcomes:
        for what, wanted, got in one.differences:
            say(f"{one.case.name}: {what} should be {_plain(wanted)}, and is {_plain(got)}")
    differing = sum(1 for one in outcomes if one.differences)
    say(
        f"{len(outcomes)} cases, {differing} not as expected"
        if differing
        else f"{len(outcomes)} of {len(outcomes)} as expected"
    )


def _facts(ruling: Ruling) -> str:
    told = [f"{one.name} {one.value}{'' if one.certain else ' (unsure)'}" for one in ruling.facts]
    known = {one.name for one in ruling.facts}
    return ", ".join([*told, *(f"{name} unknown" for name in ruling.doubts if name not in known)])


def _plain(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(str(one) for one in value) or "nothing"
    return "nothing" if value is None else str(value)


# --- facts ---------------------------------------------------------------------------------------------------


def facts(json: Json = False) -> None:
    """List the functions that ``facts:`` of a request type may name, with what each takes and gives."""
    with own_errors():
        from mailbot.catalogue.facts.functions import described_functions

        described = described_functions()
    if json:
        print_json(
            [{"from": one.name, "gives": one.gives, "takes": one.takes, "does": one.does} for one in described]
        )
        return
    print_table(
        ("from", "gives", "takes", "does"),
        [(one.name, one.gives, ", ".join(one.takes), one.does) for one in described],
    )
