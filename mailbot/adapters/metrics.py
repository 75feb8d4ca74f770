"""Prometheus metrics: counted from the events of the log, measured in the database when somebody asks.

The one module that knows prometheus_client (the extra ``metrics``). Labels are keys of ours (mailbox, outcome,
result, action), never anybody's words: what the log may not hold, the metrics cannot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

import mailbot
from mailbot.adapters.own_thread import OwnThread
from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.figures import HouseFigures
from mailbot.domain.ledger import MailOutcome

# Several Prometheus servers, or an eager one, cost one look into the database in so many seconds.
_FIGURES_KEPT_SECONDS = 5.0
# Prometheus waits ten seconds for a scrape, unless told otherwise.
_ANSWER_SECONDS = 5.0
# What was seen longer ago says nothing of now, above all not that the database takes part.
_FIGURES_COUNT_SECONDS = 60.0
_INTAKE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
_DELIVERY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)
_OUTCOMES = frozenset(MailOutcome) - {MailOutcome.PENDING}
_NOT_STORED = "StorageUnavailable"
# What says that a letter did not reach the server, or that nobody knows.
_SMTP_ERRORS = frozenset({"NotReached", "OutcomeUnknown"})


class Metrics:
    """The figures of one process, and of the database that all daemons share."""

    def __init__(
        self,
        *,
        read_figures: Callable[[], HouseFigures],
        hanging: Callable[[], Sequence[str]],
        disk_free_bytes: Callable[[], int],
    ) -> None:
        """``read_figures`` may raise ``StorageUnavailable``; ``hanging`` names loops that hang."""
        self._registry = CollectorRegistry()
        Info("mailbot", "The program.", registry=self._registry).info({"version": mailbot.__version__})
        self._collected = self._counter("mails_collected", "Mails taken into our keeping.", "mailbox")
        self._processed = self._counter("mails_processed", "Mails that intake has finished with.", "outcome")
        for outcome in sorted(_OUTCOMES):
            self._processed.labels(outcome)
        self._failed = Counter(
            "mailbot_mail_attempts_failed", "Attempts at a mail that failed.", registry=self._registry
        )
        self._letters = self._counter("letters_attempted", "Attempts to deliver a letter.", "mailbox", "result")
        self._errors = self._counter(
            "server_errors", "Times that a server did not take part.", "service", "mailbox"
        )
        self._events = self._counter("log_events", "Events of the log (docs/logs.md).", "action", "level")
        self._intake = Histogram(
            "mailbot_intake_seconds",
            "From taking a mail in hand to its commit.",
            buckets=_INTAKE_SECONDS,
            registry=self._registry,
        )
        self._delivery = Histogram(
            "mailbot_delivery_seconds",
            "From taking a letter in hand to the server's answer.",
            buckets=_DELIVERY_SECONDS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._registry.register(_Standing(read_figures, hanging, disk_free_bytes))

    def serve(self, host: str, port: int) -> None:
        """Answer scrapes on threads that end with the process. Raises ``OSError`` if the port is taken."""
        start_http_server(port, addr=host, registry=self._registry)

    def observe(self, event: Mapping[str, Any]) -> None:
        """Count an event of the log; never raises."""
        action, mailbox = str(event.get("action", "")), str(event.get("mailbox", ""))
        self._events.labels(action, str(event.get("level", ""))).inc()
        loop, _, what = action.partition(".")
        if loop == "intake":
            self._observe_intake(what, event)
        elif loop == "delivery" and "outcome" in event:
            self._letters.labels(mailbox, what).inc()
            self._delivery.observe(float(event.get("seconds", 0.0)))
            if event["outcome"] in _SMTP_ERRORS:
                self._errors.labels("smtp", mailbox).inc()
        elif action == "collect.stored":
            self._collected.labels(mailbox).inc(int(event.get("count", 0)))
        elif action in ("collect.away", "sent.away"):
            service = "database" if event.get("cause") == _NOT_STORED else "imap"
            self._errors.labels(service, mailbox if service == "imap" else "").inc()
        elif what == "storage_away" or what.endswith("_put_off"):
            self._errors.labels("database", "").inc()

    def count_helped(self, outcome: MailOutcome) -> None:
        """A helper's process, whose log is its own, has finished with a mail."""
        if outcome is MailOutcome.PENDING:
            self._failed.inc()
        else:
            self._processed.labels(outcome.value).inc()

    def _observe_intake(self, what: str, event: Mapping[str, Any]) -> None:
        if "attempts" in event:
            self._failed.inc()
        if what in _OUTCOMES:
            self._processed.labels(what).inc()
        if "seconds" in event:
            self._intake.observe(float(event["seconds"]))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"mailbot_{name}", text, labels, registry=self._registry)


class _Standing(Collector):
    """What is looked up when it is asked for. One look at a time: who comes meanwhile gets what was seen last."""

    def __init__(
        self,
        read_figures: Callable[[], HouseFigures],
        hanging: Callable[[], Sequence[str]],
        disk_free_bytes: Callable[[], int],
    ) -> None:
        self._read_figures = read_figures
        self._asked = OwnThread(self._look, name="figures")
        self._hanging = hanging
        self._disk_free_bytes = disk_free_bytes
        self._lock = threading.Lock()
        self._figures: HouseFigures | None = None
        self._looked_at = float("-inf")

    def describe(self) -> list[Metric]:
        """Nothing: at registration the database is not to be asked."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Called for every scrape."""
        figures = self._now()
        yield _gauge("database_up", "Whether the database takes part.", 0 if figures is None else 1)
        yield _gauge("loops_hanging", "Loops that are not heard of in their time.", len(self._hanging()))
        yield _gauge("disk_free_bytes", "Room for mails.", self._disk_free_bytes())
        if figures is not None:
            yield from _gauges(figures)

    def _now(self) -> HouseFigures | None:
        if self._lock.acquire(blocking=False):
            try:
                if self._age_seconds() > _FIGURES_KEPT_SECONDS:
                    self._asked.ask(_ANSWER_SECONDS)
            finally:
                self._lock.release()
        return self._figures if self._age_seconds() <= _FIGURES_COUNT_SECONDS else None

    def _age_seconds(self) -> float:
        return time.monotonic() - self._looked_at

    def _look(self) -> None:
        try:
            self._figures = self._read_figures()
        except StorageUnavailable:
            self._figures = None
        self._looked_at = time.monotonic()


def _gauges(figures: HouseFigures) -> Iterator[Metric]:
    for name, text, value in (
        ("mails_waiting", "Mails that wait for intake.", figures.mails_waiting),
        ("oldest_mail_age_seconds", "Age of the oldest such mail.", figures.oldest_mail_age_seconds or 0.0),
        (
            "oldest_letter_age_seconds",
            "Age of the oldest letter to leave.",
            figures.oldest_letter_age_seconds or 0.0,
        ),
        ("mails_quarantined", "Mails put aside for a person.", figures.quarantined),
        ("letters_held", "Letters that wait for the administrator.", figures.letters_held),
        (
            "letters_needing_person",
            "Letters of which nobody knows whether they left.",
            figures.letters_needing_person,
        ),
    ):
        yield _gauge(name, text, value)
    collected = GaugeMetricFamily(
        "mailbot_last_collect_timestamp_seconds",
        "When a folder was last looked into.",
        labels=["mailbox", "folder"],
    )
    for folder in figures.folders:
        if folder.last_collect_at is not None:
            collected.add_metric([folder.mailbox, folder.folder], folder.last_collect_at.timestamp())
    yield collected
    away = GaugeMetricFamily(
        "mailbot_server_away_seconds",
        "How long a server has been away, or held us to a limit.",
        labels=["server", "login_refused"],
    )
    for trouble in figures.troubles:
        labels = [str(trouble.key), str(trouble.is_login_refused).lower()]
        away.add_metric(labels, max(0.0, (figures.at - trouble.since).total_seconds()))
    yield away


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"mailbot_{name}", text, value=value)
