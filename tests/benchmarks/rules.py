"""``rules``: deciding by facts and a table, and loading 200 request types with tables of their own (issue 5)."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from mailbot.catalogue.facts.values import FactSources
from mailbot.catalogue.load import load_catalogue
from mailbot.domain.evidence import FieldValue
from mailbot.triage.rules import facts_of, rule_on
from tests.benchmarks.options import Options
from tests.benchmarks.report import Figure

_CONFIG = Path(__file__).parents[2] / "config"
_TYPE = "inspection_location_change"
_TYPES = 200
_DECISIONS = 50
_GOAL_MILLISECONDS = 5.0
_GOAL_SECONDS = 1.0


def rules(options: Options) -> Iterator[Figure]:
    """The longest reason that is kept, and as many copies of the largest request type."""
    runs = max(options.runs, 3)
    milliseconds = min(_seconds(_decide_often) for _ in range(runs)) / _DECISIONS * 1000
    yield Figure(
        benchmark="rules",
        what="one decision by facts and table",
        value=milliseconds,
        unit="ms",
        goal=f"under {_GOAL_MILLISECONDS:g} ms",
        met=milliseconds < _GOAL_MILLISECONDS,
        detail="a reason of 2000 characters",
    )
    with tempfile.TemporaryDirectory() as folder:
        config = _with_many_types(Path(folder) / "config")
        seconds = min(_seconds(lambda: load_catalogue(config)) for _ in range(runs))
    yield Figure(
        benchmark="rules",
        what=f"loading {_TYPES} request types",
        value=seconds,
        unit="s",
        goal=f"under {_GOAL_SECONDS:g} s",
        met=seconds < _GOAL_SECONDS,
        detail="each with a table of rules",
    )


def _decide_often() -> None:
    catalogue = _CATALOGUE
    kind = catalogue.type(_TYPE)
    reason = ("Mudei de cidade a trabalho e não consigo levar o carro até lá. " * 40)[:2000]
    stated = {"reason": reason, "origin_unit": "Rio Verde", "destination_unit": "Jataí"}
    fields = {key: FieldValue(key=key, value=value) for key, value in stated.items()}
    sources = FactSources(fields=fields, units=catalogue.units, today=date(2026, 11, 23))
    for _ in range(_DECISIONS):
        rule_on(kind, facts_of(kind, sources), fields)


_CATALOGUE = load_catalogue(_CONFIG)


def _with_many_types(config: Path) -> Path:
    shutil.copytree(_CONFIG, config)
    text = (config / "catalogue" / f"{_TYPE}.yaml").read_text("utf-8")
    text = re.sub(r"^aliases:\n(?:  - .*\n)+", "", text, count=1, flags=re.MULTILINE)
    for number in range(_TYPES):
        own = text.replace(f"key: {_TYPE}", f"key: type_{number}", 1)
        own = re.sub(r"^subject: .*$", f"subject: PEDIDO {number}", own, count=1, flags=re.MULTILINE)
        (config / "catalogue" / f"type_{number}.yaml").write_text(own, "utf-8")
    return config


def _seconds(what: Callable[[], object]) -> float:
    begun = time.perf_counter()
    what()
    return time.perf_counter() - begun
