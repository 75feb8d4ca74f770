"""The checks at the end of a soak are satisfied by what is right, and each sees what it is there to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.soak.check import (
    Check,
    Stored,
    decided_and_told_once,
    ends_were_asked_for,
    every_letter_left,
    first_mails_answered,
    in_order_of_collection,
    leases_given_back,
    letters_arrived_with_one_content,
    log_is_clean,
    log_lines,
    memory_is_flat,
    no_letter_planned_twice,
    nothing_in_quarantine,
    nothing_lost,
    one_ticket_a_conversation,
    saved_once,
)
from tests.soak.people import SentMail, Step
from tests.soak.troubles import Sample

CUSTOMER, AGENT = "cliente1@qualquer.example.com.br", "ana@qualquer.example.com.br"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICKET = "2026-000001"


def sent() -> list[SentMail]:
    return [
        SentMail(message_id="first", conversation=0, step=Step.FIRST, author=CUSTOMER),
        SentMail(message_id="documents", conversation=0, step=Step.DOCUMENTS, author=CUSTOMER),
        SentMail(message_id="decision", conversation=0, step=Step.DECISION, author=AGENT),
    ]


def mail(number: int, message_id: str, outcome: str, sender: str = CUSTOMER, **changes: Any) -> SimpleNamespace:
    values = {
        "id": number,
        "message_id": message_id,
        "outcome": outcome,
        "conversation_key": sender,
        "ticket_number": TICKET,
        "finished_at": NOON + timedelta(seconds=number),
        "attempts": 0,
        "deaths": 0,
        "reason": "",
        "owner": None,
    }
    return SimpleNamespace(**values | changes)


def letter(number: int, mail_id: int, **changes: Any) -> SimpleNamespace:
    values = {
        "id": number,
        "message_id": f"mb.{number}@example.com.br",
        "mail_id": mail_id,
        "ticket_number": TICKET,
        "letter": "decision",
        "audience": "requester",
        "recipient_address": CUSTOMER,
        "status": "sent",
        "hold_reason": "",
        "last_error": "",
        "owner": None,
    }
    return SimpleNamespace(**values | changes)


def event(mail_id: int, kind: str, new: str = "") -> SimpleNamespace:
    return SimpleNamespace(ticket_number=TICKET, mail_id=mail_id, kind=kind, new=new)


def stored(**changes: Any) -> Stored:
    """One conversation as it should be, the first mail having arrived twice."""
    values: dict[str, Any] = {
        "mails": [
            mail(1, "first", "ticket"),
            mail(2, "first", "duplicate", ticket_number=None),
            mail(3, "documents", "message"),
            mail(4, "decision", "message", AGENT),
        ],
        "tickets": [SimpleNamespace(number=TICKET)],
        "messages": [
            SimpleNamespace(ticket_number=TICKET, mail_id=number, role="requester") for number in (1, 3, 4)
        ],
        "events": [event(1, "opened"), event(3, "message_received"), event(4, "decided"),
                   event(4, "status_changed", "resolved")],
        "letters": [letter(1, 1), letter(2, 3), letter(3, 4)],
        "leases": [SimpleNamespace(name="collect", owner=None, lease_until=None)],
        "troubles": [],
    }  # fmt: skip
    return Stored(**values | changes)


def arrived(*, but: dict[str, dict[str, int]] | None = None) -> dict[str, dict[str, dict[str, int]]]:
    letters: dict[str, dict[str, int]] = {f"mb.{number}@example.com.br": {"digest": 1} for number in (1, 2, 3)}
    return {CUSTOMER: letters | (but or {})}


def copies(*numbers: int) -> list[bytes]:
    return [f"Message-ID: <mb.{number}@example.com.br>\r\n\r\n".encode() for number in numbers]


def conversation_check(at_the_end: Stored) -> Check:
    people: Any = SimpleNamespace(sent=sent())
    return one_ticket_a_conversation(people, at_the_end)


CHECKS: dict[str, Callable[[Stored], Check]] = {
    "lost": lambda one: nothing_lost(sent(), {"first": 1}, one),
    "tickets": conversation_check,
    "decided": lambda one: decided_and_told_once(sent(), one),
    "planned": no_letter_planned_twice,
    "answered": lambda one: first_mails_answered(sent(), one),
    "left": every_letter_left,
    "arrived": lambda one: letters_arrived_with_one_content(arrived(), one),
    "saved": lambda one: saved_once(copies(1, 2, 3), one),
    "order": in_order_of_collection,
    "quarantine": nothing_in_quarantine,
    "leases": leases_given_back,
}


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_right_satisfies(name: str) -> None:
    assert CHECKS[name](stored()).wrong == ()


def changed(what: str, at: int, **changes: Any) -> Stored:
    """A row of the right story, changed."""
    right = stored()
    rows = list(getattr(right, what))
    rows[at] = SimpleNamespace(**vars(rows[at]) | changes)
    return replace(right, **{what: rows})


def less(what: str, number: int) -> Stored:
    """A row of the right story, missing."""
    right = stored()
    return replace(right, **{what: [row for at, row in enumerate(getattr(right, what)) if at != number]})


def more(what: str, row: SimpleNamespace) -> Stored:
    """A row beyond the right story."""
    right = stored()
    return replace(right, **{what: [*getattr(right, what), row]})


@pytest.mark.parametrize(
    ("name", "at_the_end"),
    [
        ("lost", less("mails", 2)),
        ("lost", changed("mails", 2, outcome="pending")),
        ("lost", more("mails", mail(5, "documents", "message"))),
        ("lost", less("mails", 1)),
        ("lost", more("mails", mail(5, "nobody sent it", "discarded"))),
        ("tickets", more("tickets", SimpleNamespace(number="2026-000002"))),
        ("tickets", changed("tickets", 0, number="2026-000002")),
        ("tickets", changed("mails", 2, ticket_number="2026-000002")),
        ("decided", less("letters", 2)),
        ("decided", more("letters", letter(4, 4))),
        ("decided", less("events", 3)),
        ("decided", more("events", event(4, "decided"))),
        ("planned", more("letters", letter(4, 1))),
        ("planned", changed("letters", 1, message_id="mb.1@example.com.br")),
        ("answered", less("letters", 0)),
        ("left", changed("letters", 1, status="retry")),
        ("left", changed("letters", 1, status="needs_person")),
        ("left", changed("letters", 1, status="held")),
        ("left", changed("letters", 2, status="cancelled")),
        ("arrived", more("letters", letter(4, 9))),
        ("arrived", less("letters", 1)),
        ("saved", more("letters", letter(4, 9))),
        ("saved", less("letters", 1)),
        ("order", changed("mails", 2, finished_at=NOON)),
        ("order", more("events", event(1, "message_received"))),
        ("order", more("messages", SimpleNamespace(ticket_number=TICKET, mail_id=4, role="agent"))),
        ("quarantine", changed("mails", 2, outcome="quarantined")),
        ("quarantine", changed("mails", 2, attempts=1)),
        ("leases", changed("mails", 2, owner="dead")),
        ("leases", changed("letters", 2, owner="dead")),
        ("leases", changed("leases", 0, owner="dead", lease_until=datetime.max.replace(tzinfo=UTC))),
        ("leases", more("troubles", SimpleNamespace(server="imap:default", error="away"))),
    ],
)
def test_what_is_wrong_is_seen(name: str, at_the_end: Stored) -> None:
    assert CHECKS[name](at_the_end).wrong


def test_a_letter_whose_place_a_newer_one_took_is_not_missed() -> None:
    assert every_letter_left(changed("letters", 1, status="cancelled")).wrong == ()


@pytest.mark.parametrize("contents", [{"digest": 1, "another": 1}, {}])
def test_a_letter_with_two_contents_or_none_is_seen(contents: dict[str, int]) -> None:
    letters = arrived(but={"mb.2@example.com.br": contents})
    assert letters_arrived_with_one_content(letters, stored()).wrong


def test_the_same_letter_twice_is_counted_and_not_wrong() -> None:
    check = letters_arrived_with_one_content(arrived(but={"mb.2@example.com.br": {"digest": 2}}), stored())
    assert check.wrong == ()
    assert "1 came once more" in check.seen


def test_a_copy_that_lies_twice_in_the_sent_folder_is_seen() -> None:
    assert saved_once(copies(1, 2, 3, 3), stored()).wrong


def samples(*megabytes: float) -> list[Sample]:
    return [
        Sample(at_seconds=number * 100.0, age_seconds=30.0, daemon=0, own_mb=one, children_mb=50.0)
        for number, one in enumerate(megabytes)
    ]


def test_memory_that_grows_is_seen_and_what_goes_up_and_down_is_not() -> None:
    assert memory_is_flat(samples(80, 81, 82, 80, 90, 80, 83, 81, 82)).wrong == ()
    assert memory_is_flat(samples(80, 81, 82, 84, 86, 88, 90, 92, 94)).wrong


@pytest.mark.parametrize(
    ("ended", "codes", "is_wrong"),
    [
        ({}, [0, 0], False),
        ({3: 4}, [0, 0], False),
        ({1: 1}, [0, 0], True),
        ({-6: 1}, [0, 0], True),
        ({}, [0, 1], True),
    ],
)
def test_a_daemon_that_ends_by_itself_is_seen(ended: dict[int, int], codes: list[int], is_wrong: bool) -> None:
    assert bool(ends_were_asked_for(Counter(ended), codes).wrong) is is_wrong


@pytest.mark.parametrize(
    ("line", "is_wrong"),
    [
        ('{"action": "intake.ticket", "level": "info"}', False),
        ('{"action": "delivery.retry", "level": "warning"}', False),
        ('{"action": "intake.attempt_failed", "level": "error", "error": "KeyError in x"}', True),
        ("mailbot: the database does not take part now: connection failed", False),
        ("Traceback (most recent call last):", True),
        (f'{{"action": "delivery.retry", "level": "warning", "error": "{CUSTOMER} is unknown"}}', True),
    ],
)
def test_an_error_a_bare_line_or_an_address_in_the_log_is_seen(tmp_path: Path, line: str, is_wrong: bool) -> None:
    log = tmp_path / "mailbot.log"
    log.write_text(f"{line}\n", encoding="utf-8")
    assert bool(log_is_clean(list(log_lines(log))).wrong) is is_wrong
