"""What docs/operations.md and the alert rules name is there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from prometheus_client import generate_latest

from mailbot.cli.founding import _files
from tests.adapters.test_metrics import made

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
METRIC = re.compile(r"\bmailbot_[a-z_]+\b")


def exported() -> set[str]:
    """Names of what a process exports, with those of a histogram by its own."""
    metrics = made()
    metrics.observe({"action": "delivery.sent", "mailbox": "default", "outcome": "NotReached", "level": "info"})
    metrics.observe({"action": "collect.stored", "mailbox": "default", "count": 1})
    text = generate_latest(metrics._registry).decode()
    names = re.findall(r"^# TYPE (mailbot_\w+) (\w+)$", text, re.MULTILINE)
    return {name for name, _ in names if not name.endswith("_created")}


def test_every_metric_is_explained_and_no_other() -> None:
    table = OPERATIONS.partition("| metric |")[2].partition("\n\n")[0]
    assert set(METRIC.findall(table)) == exported()


def test_the_alert_rules_ask_for_metrics_that_there_are() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus-rules.yaml").read_text("utf-8"))
    [group] = rules["groups"]
    asked = {name for rule in group["rules"] for name in METRIC.findall(rule["expr"])}
    assert asked <= exported()
    assert len(asked) > 8
    assert all(rule["annotations"]["summary"] for rule in group["rules"])


def test_every_setting_that_it_names_is_one() -> None:
    named = set(re.findall(r"\bMAILBOT_[A-Z_]+\b", OPERATIONS))
    known = set(re.findall(r"\bMAILBOT_[A-Z_]+\b", (ROOT / ".env.example").read_text("utf-8")))
    # What the alert command is given.
    assert named - known == {"MAILBOT_ALERT_STATE", "MAILBOT_ALERT_SUBJECT"}


def test_what_it_says_init_writes_is_written(tmp_path: Path) -> None:
    written = {name.partition("/")[0] for name, _, _ in _files(tmp_path)}
    assert {"config", "templates", ".env", "mailbot.service"} == written
    assert (tmp_path / "var").is_dir()


def test_every_option_of_health_that_it_shows_is_there() -> None:
    health = (ROOT / "mailbot" / "cli" / "health.py").read_text("utf-8")
    for option in re.findall(r"`--(max-[a-z-]+) \d+`", OPERATIONS):
        assert option.replace("-", "_") + ": Annotated" in health
