"""Metrics: what each event counts for, what is looked up, and that neither can do harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from mailbot.adapters import metrics as metrics_module
from mailbot.adapters.metrics import Metrics
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.figures import HouseFigures
from mailbot.domain.ledger import FolderMemory, MailOutcome
from mailbot.domain.troubles import Trouble, TroubleKey, trouble_words
from mailbot.flows.figures import read_figures
from tests.flows.house import TestHouse, mail
from tests.peers.process import Ports

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
FIGURES = HouseFigures(
    at=NOW,
    mails_waiting=3,
    oldest_mail_age_seconds=60.0,
    oldest_letter_age_seconds=None,
    quarantined=2,
    letters_held=1,
    letters_needing_person=4,
    folders=(
        FolderMemory(
            mailbox="default", folder="INBOX", uid_validity=1, first_uid=1, floor_at=None, last_collect_at=NOW
        ),
        FolderMemory(mailbox="default", folder="Junk", uid_validity=1, first_uid=1, floor_at=None),
    ),
    troubles=(
        Trouble(
            key=TroubleKey.parse("smtp:default"),
            since=NOW - timedelta(minutes=2),
            error=trouble_words("x", login_refused=True),
        ),
    ),
)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_module, "_ANSWER_SECONDS", 60.0)


Sample = tuple[str, frozenset[tuple[str, str]]]


def made(read: Callable[[], HouseFigures] = lambda: FIGURES, hanging: tuple[str, ...] = ()) -> Metrics:
    return Metrics(read_figures=read, hanging=lambda: hanging, disk_free_bytes=lambda: 7_000)


def scraped(metrics: Metrics) -> dict[Sample, float]:
    """What Prometheus gets, by its own parser, without what the process tells of itself."""
    from prometheus_client import generate_latest

    text = generate_latest(metrics._registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("mailbot_")
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return scraped(metrics).get((f"mailbot_{name}", frozenset(labels.items())))


def test_mails_are_counted_by_their_outcome_with_their_time() -> None:
    metrics = made()
    metrics.observe({"action": "collect.stored", "mailbox": "default", "count": 5, "level": "info"})
    metrics.observe({"action": "intake.ticket", "mail_id": 1, "seconds": 0.03, "level": "info"})
    metrics.observe({"action": "intake.attempt_failed", "mail_id": 2, "attempts": 1, "level": "error"})
    metrics.observe({"action": "intake.quarantined", "mail_id": 2, "attempts": 3, "level": "error"})
    metrics.observe({"action": "intake.lease_lost", "mail_id": 3, "level": "warning"})
    metrics.count_helped(MailOutcome.TICKET)
    metrics.count_helped(MailOutcome.PENDING)
    assert value(metrics, "mails_collected_total", mailbox="default") == 5
    assert value(metrics, "mails_processed_total", outcome="ticket") == 2
    assert value(metrics, "mails_processed_total", outcome="quarantined") == 1
    # So that a rate begins with the first of its kind.
    assert value(metrics, "mails_processed_total", outcome="bounce") == 0
    assert value(metrics, "mails_processed_total", outcome="lease_lost") is None
    assert value(metrics, "mail_attempts_failed_total") == 3
    assert value(metrics, "intake_seconds_count") == 1
    assert value(metrics, "intake_seconds_bucket", le="0.05") == 1
    assert value(metrics, "intake_seconds_bucket", le="0.025") == 0
    assert value(metrics, "log_events_total", action="intake.ticket", level="info") == 1


def test_letters_are_counted_by_their_result_and_servers_by_their_absence() -> None:
    metrics = made()
    letter = {"mailbox": "default", "letter": 1, "seconds": 0.2, "level": "info"}
    metrics.observe({**letter, "action": "delivery.sent", "outcome": "Delivered"})
    metrics.observe({**letter, "action": "delivery.retry", "outcome": "NotReached"})
    metrics.observe({"action": "delivery.not_recorded", "letter": 1, "level": "warning"})
    metrics.observe({"action": "collect.away", "mailbox": "default", "cause": "ServerAway"})
    metrics.observe({"action": "collect.away", "mailbox": "default", "cause": "StorageUnavailable"})
    metrics.observe({"action": "daemon.intake_put_off"})
    metrics.observe({"action": "delivery.storage_away"})
    assert value(metrics, "letters_attempted_total", mailbox="default", result="sent") == 1
    assert value(metrics, "letters_attempted_total", mailbox="default", result="retry") == 1
    assert value(metrics, "delivery_seconds_sum") == pytest.approx(0.4)
    assert value(metrics, "server_errors_total", service="smtp", mailbox="default") == 1
    assert value(metrics, "server_errors_total", service="imap", mailbox="default") == 1
    assert value(metrics, "server_errors_total", service="database", mailbox="") == 3


def test_how_the_house_stands_is_looked_up() -> None:
    metrics = made(hanging=("intake", "leases"))
    found = {
        name.removeprefix("mailbot_"): value for (name, labels), value in scraped(metrics).items() if not labels
    }
    expected = {
        "database_up": 1, "loops_hanging": 2, "disk_free_bytes": 7_000, "mails_waiting": 3,
        "oldest_mail_age_seconds": 60, "oldest_letter_age_seconds": 0, "mails_quarantined": 2, "letters_held": 1,
        "letters_needing_person": 4,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    collected = {"mailbox": "default", "folder": "INBOX"}
    assert value(metrics, "last_collect_timestamp_seconds", **collected) == NOW.timestamp()
    assert value(metrics, "last_collect_timestamp_seconds", mailbox="default", folder="Junk") is None
    assert value(metrics, "server_away_seconds", server="smtp:default", login_refused="true") == 120


def test_a_database_that_is_away_is_a_figure_too() -> None:
    def away() -> HouseFigures:
        raise StorageUnavailable("gone")

    metrics = made(away)
    metrics.observe({"action": "intake.ticket", "seconds": 0.1})
    assert value(metrics, "database_up") == 0
    assert value(metrics, "mails_waiting") is None
    assert value(metrics, "mails_processed_total", outcome="ticket") == 1


def test_the_database_is_asked_once_in_a_while_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_module, "_FIGURES_KEPT_SECONDS", 600.0)
    looks = []

    def read() -> HouseFigures:
        looks.append(1)
        return FIGURES

    metrics = made(read)
    assert not looks
    for _ in range(20):
        scraped(metrics)
    assert len(looks) == 1


def test_a_look_that_hangs_keeps_no_other_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_module, "_FIGURES_KEPT_SECONDS", 0.0)
    go_on, hangs = threading.Event(), threading.Event()

    def read() -> HouseFigures:
        hangs.set()
        assert go_on.wait(60)
        return FIGURES

    metrics = made(read)
    first = threading.Thread(target=scraped, args=(metrics,))
    first.start()
    assert hangs.wait(60)
    assert value(metrics, "disk_free_bytes") == 7_000
    go_on.set()
    first.join(60)
    assert value(metrics, "mails_waiting") == 3


def test_a_database_that_hangs_is_soon_no_database_that_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_module, "_FIGURES_KEPT_SECONDS", 0.0)
    moment = [1000.0]
    monkeypatch.setattr(metrics_module.time, "monotonic", lambda: moment[0])  # type: ignore[attr-defined]
    go_on, looks = threading.Event(), []
    go_on.set()

    def read() -> HouseFigures:
        looks.append(1)
        assert go_on.wait(60)
        return FIGURES

    metrics = made(read)
    assert value(metrics, "database_up") == 1
    monkeypatch.setattr(metrics_module, "_ANSWER_SECONDS", 0.05)
    go_on.clear()
    moment[0] += 59
    # For a minute what was seen last counts: a busy database is not away.
    assert value(metrics, "database_up") == 1
    moment[0] += 2
    assert value(metrics, "database_up") == value(metrics, "database_up") == 0
    assert value(metrics, "mails_waiting") is None
    assert len(looks) == 2
    go_on.set()
    monkeypatch.setattr(metrics_module, "_ANSWER_SECONDS", 60.0)
    assert value(metrics, "database_up") == 1


@pytest.mark.parametrize(
    "event", [{}, {"action": 7}, {"action": "intake.", "seconds": "0.5"}, {"action": "a.b.c"}]
)
def test_an_event_of_another_form_does_no_harm(event: dict[str, object]) -> None:
    metrics = made()
    metrics.observe(event)
    assert scraped(metrics)


def test_it_answers_over_http_and_only_where_it_was_told() -> None:
    ports = Ports()
    try:
        port = ports.take()
        metrics = made()
        metrics.serve("127.0.0.1", port)
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"mailbot_mails_waiting 3.0" in answer.read()
        with pytest.raises(OSError, match="in use"):
            made().serve("127.0.0.1", port)
    finally:
        ports.close()


def test_a_mails_way_through_a_house_tells_no_word_of_it(tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    with TestHouse(tmp_path, admin_address="administracao@example.com.br") as house:
        metrics = made(lambda: read_figures(house.app.storage, house.app.mailboxes.keys(), house.clock))
        with capture_logs() as events:
            house.receive(mail("qpalavra", subject="qassunto", sender="qmaria@example.com.br"))
            house.receive(
                mail("qpalavra", subject="qassunto", sender="qmaria@example.com.br"), suspect="junk_folder"
            )
        for event in events:
            metrics.observe({**event, "level": event["log_level"]})
        found = scraped(metrics)
        told = str(found)
    assert found["mailbot_mails_processed_total", frozenset({("outcome", "ticket")})] == 1
    assert found["mailbot_mails_quarantined", frozenset()] == 1
    assert [word for word in ("@", "qpalavra", "qassunto", "qmaria") if word in told] == []
