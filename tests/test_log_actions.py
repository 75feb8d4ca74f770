"""Every event of the log has an action of its own, and `docs/logs.md` says what it means and what to do."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mailbot.domain.events import EventKind, LetterStatus
from mailbot.domain.ledger import MailOutcome

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "mailbot"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}

# What an f-string in an action can come to. A pattern that is not here fails the test below.
FORMS = {
    "intake.{result.outcome}": [f"intake.{one}" for one in MailOutcome if one is not MailOutcome.PENDING],
    "delivery.{result.status}": [
        f"delivery.{one}"
        for one in (LetterStatus.SENT, LetterStatus.RETRY, LetterStatus.FAILED, LetterStatus.NEEDS_PERSON)
    ],
    "upkeep.{change.events[0].kind}": [
        f"upkeep.{one}"
        for one in (
            EventKind.REMINDED,
            EventKind.EXPIRED,
            EventKind.CLOSED,
            EventKind.STATUS_CHANGED,
            EventKind.DUE_SOON,
            EventKind.LATE,
            EventKind.ASSIGNED,
            EventKind.SECTOR_NUDGED,
        )
    ],
    **{
        f"{{self._holding.area}}.{event}": [f"{area}.{event}" for area in ("collect", "sent")]
        for event in ("away", "lease_lost", "not_owner", "trouble_not_noted", "back")
    },
    # Adapters that give the same ids with every warning; the names are those of the calls.
    "imap.{action}": [],
}
WRAPPERS = {"_warn": "imap."}


@dataclass(frozen=True)
class Event:
    """One call of a logger."""

    place: str
    text: str | None
    actions: tuple[str, ...]
    keys: tuple[str, ...]


def is_log_call(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=name), attr=level):
            return name.endswith("_log") and level in LEVELS
        # "log = _log.info if … else _log.warning" and then "log(…)".
        case ast.Name(id="log"):
            return True
    return False


def actions_in(value: ast.expr) -> list[str]:
    match value:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return [*actions_in(one), *actions_in(other)]
        case ast.JoinedStr():
            form = ast.unparse(value)[2:-1]
            return FORMS[form]
    raise AssertionError(f"an action that no reader can look up: {ast.unparse(value)}")


def events() -> Iterator[Event]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            place = f"{relative}:{node.lineno}"
            match node.func:
                case ast.Attribute(attr=name) if name in WRAPPERS and isinstance(node.args[0], ast.Constant):
                    action = WRAPPERS[name] + str(node.args[0].value)
                    yield Event(place, None, (action,), tuple(key.arg or "" for key in node.keywords))
                case _ if is_log_call(node):
                    yield event_of(node, place)


def event_of(call: ast.Call, place: str) -> Event:
    given = {keyword.arg or "**": keyword.value for keyword in call.keywords}
    assert "action" in given, f"{place}: an event without an action"
    texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return Event(place, texts[0] if texts else None, tuple(actions_in(given["action"])), tuple(given))


def documented() -> dict[str, list[str]]:
    """Action → the cells of its row."""
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", (ROOT / "docs" / "logs.md").read_text("utf-8"), re.MULTILINE)
    found = {action: [cell.strip() for cell in cells.split(" | ")] for action, cells in rows}
    assert len(found) == len(rows), "an action has two rows"
    return found


def test_every_event_has_an_action_that_the_document_explains_and_no_other_is_explained() -> None:
    used = {action for event in events() for action in event.actions}
    assert used == documented().keys()
    assert len(used) > 50


def test_every_row_says_what_it_means_and_what_to_do() -> None:
    assert [action for action, cells in documented().items() if len(cells) != 3 or not all(cells)] == []


def test_an_action_belongs_to_one_module_and_says_one_thing() -> None:
    modules, texts = defaultdict(set), defaultdict(set)
    for event in events():
        for action in event.actions:
            modules[action].add(event.place.partition(":")[0])
            if event.text is not None:
                texts[action].add(event.text)
    # A mail may be quarantined by two ways, which the log calls alike.
    texts["intake.quarantined"].discard("mail could not be processed")
    assert {action: found for action, found in modules.items() if len(found) > 1} == {}
    assert {action: found for action, found in texts.items() if len(found) > 1} == {}


def test_actions_are_two_words_with_a_dot() -> None:
    odd = [one for event in events() for one in event.actions if not re.fullmatch(r"[a-z]+\.[a-z_]+", one)]
    assert odd == []


def test_no_event_carries_what_only_people_say() -> None:
    words = {
        "subject",
        "text",
        "sender",
        "recipient",
        "address",
        "name",
        "body",
        "handle",
        "message_id",
        "reason_text",
    }
    found = [(event.place, key) for event in events() for key in event.keys if key in words]
    assert found == []


def test_nothing_logs_past_the_actions() -> None:
    """Python's own ``logging`` and ``print`` know neither actions nor what must not be said."""
    calls = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "logging"
        and node.func.attr in LEVELS
    ]
    assert calls == []
