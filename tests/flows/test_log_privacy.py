"""Whatever people write, whatever goes wrong with it: the log holds ids, and none of their words."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from structlog.typing import EventDict

from mailbot.cli.logs import without_words_of_errors
from mailbot.domain.events import Audience
from mailbot.flows.handle_mail import MailHandler
from mailbot.housework import tick
from tests.adapters.scripted_smtp import Close, Say, ScriptedSmtp, Step
from tests.flows.house import REQUEST, TestHouse, mail

ADMIN = "chefe.da.central@example.com.br"
# Long enough that nothing of ours holds them by chance.
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=9, max_size=14).map("q".__add__)
DIGITS = st.integers(10**10, 10**11 - 1).map(str)
REFUSALS = ("550 5.1.1 <{}>: no such user", "450 4.2.2 {} is over quota", "554 5.7.1 {} blocked")


@dataclass(frozen=True)
class Person:
    """Somebody who writes, and what nobody is to read in a log."""

    local: str
    domain: str
    name: str
    tax_id: str
    subject: str
    words: str
    filename: str

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain}.example"

    @property
    def secrets(self) -> set[str]:
        return {self.local, self.domain, self.name, self.tax_id, self.subject, self.words, self.filename}


PEOPLE = st.builds(
    Person, local=WORDS, domain=WORDS, name=WORDS, tax_id=DIGITS, subject=WORDS, words=WORDS, filename=WORDS
)


@pytest.fixture
def smtp() -> Iterator[ScriptedSmtp]:
    with ScriptedSmtp() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, smtp: ScriptedSmtp) -> Iterator[TestHouse]:
    url = f"smtp://central:qpasswordofours@127.0.0.1:{smtp.port}"
    with TestHouse(tmp_path, admin_address=ADMIN, smtp_url=url, max_letters_per_hour="100000") as opened:
        yield opened


def log_of(events: list[EventDict]) -> str:
    return "\n".join(json.dumps(event, ensure_ascii=False, default=str) for event in events)


def fail(words: str) -> Any:
    def raising(*_args: object, **_kwargs: object) -> Any:
        raise RuntimeError(f"cannot handle {words}")

    return raising


def write_and_answer(house: TestHouse, smtp: ScriptedSmtp, person: Person, refusal: str) -> None:
    """A request, its letters refused in words that name people, an agent's decision, a reply, a quarantine."""
    sender = f'"{person.name}" <{person.address}>'
    text = f"{REQUEST}CPF: {person.tax_id}\n{person.words}\n"
    files = [(f"{person.filename}.pdf", b"%PDF-1.4 " + person.words.encode())]
    house.receive(mail(text, subject=f"Alteração de local {person.subject}", sender=sender, files=files))
    smtp.then(Step.RCPT, Say(refusal.format(person.address)), Close())
    asyncio.run(house.app.delivery().deliver_all())
    asyncio.run(house.app.delivery().deliver_all())
    notice = house.letters(Audience.STAFF)[-1]
    house.agent_reply(notice, f"#negar {person.words} {person.tax_id}")
    letter = [one for one in house.letters(Audience.REQUESTER) if one.recipient.address == person.address][-1]
    house.requester_reply(letter, f"{person.words} {person.tax_id}")
    house.receive(mail(text, subject=person.subject, sender=sender), suspect="junk_folder")
    for target in ("handle", "_understand"):
        house.collect(mail(text, subject=person.subject, sender=sender))
        with mock.patch.object(MailHandler, target, fail(f"{person.address} {person.words}")):
            house.app.intake.process_next(early=True)
            house.app.intake.stop()
        house.process()
    with mock.patch.object(house.app.upkeep, "tick", fail(person.address)), contextlib.suppress(RuntimeError):
        tick(house.app)
    house.clock.advance(timedelta(days=3))
    tick(house.app)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(person=PEOPLE, refusal=st.sampled_from(REFUSALS))
def test_nothing_that_people_say_or_are_called_gets_into_the_log(
    house: TestHouse, smtp: ScriptedSmtp, person: Person, refusal: str
) -> None:
    with capture_logs(processors=[without_words_of_errors]) as events:
        write_and_answer(house, smtp, person, refusal)
    told = log_of(events)
    handles = {letter.handle for letter in house.letters()} | {letter.message_id for letter in house.letters()}
    ours = {"qpasswordofours", house.environment["MAILBOT_SECRET_KEY"], ADMIN, "atendimento@example.com.br"}
    found = {secret for secret in person.secrets | handles | ours if secret and secret in told}
    assert found == set()
    assert "@" not in told
    # It was a run worth looking at.
    actions = {event["action"] for event in events}
    assert actions >= {"intake.ticket", "intake.quarantined", "intake.attempt_failed"}
    assert actions & {"delivery.retry", "delivery.failed"}


def test_an_error_of_the_database_tells_no_values(house: TestHouse) -> None:
    house.receive(mail("Qual o prazo?", sender="qmariaqsouza@cliente.example"))
    with capture_logs(processors=[without_words_of_errors]) as events:
        house.collect(mail("Qual o prazo?", subject="qsubjectq", sender="qmariaqsouza@cliente.example"))
        with house.app.storage.read() as work:
            ticket = work.tickets.browse()[0]
        from mailbot.guarded_threads import guarded_thread

        def twice() -> None:
            with house.app.storage.write() as work:
                work.tickets.add(ticket)

        died: list[Exception] = []
        guarded_thread("intake", twice, died.append).join(60)
    assert "qmariaqsouza" in str(died[0])
    [event] = events
    assert (event["action"], event["error"]) == ("daemon.loop_died", "IntegrityError")
    assert "qmariaqsouza" not in log_of(events)
