"""Explaining a mail where reading it goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.bootstrap import App, build_offline_app
from mailbot.cli.explained import explanation_as_json
from mailbot.domain.errors import MailTooLarge, UnreadableMail
from mailbot.domain.events import LetterKind
from mailbot.domain.ledger import TOO_LARGE
from mailbot.domain.mail import Discarded, InboundMail
from mailbot.flows.explain import Explainer, Explanation
from mailbot.mime.parse import parse_mail
from mailbot.settings import load_settings
from tests.flows.house import REPOSITORY, mail


@pytest.fixture
def app() -> Iterator[App]:
    """An application without servers, database and secret."""
    settings = {
        "MAILBOT_CONFIG_DIR": str(REPOSITORY / "config"),
        "MAILBOT_TEMPLATES_DIR": str(REPOSITORY / "templates"),
    }
    made = build_offline_app(load_settings(settings, dotenv=Path("no.env")))
    yield made
    made.close()


class BrokenReader:
    """Fails on every mail that has a body."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, raw: bytes) -> InboundMail:
        """Only a header can be read."""
        if raw.endswith(b"\r\n\r\n"):
            return parse_mail(raw)
        raise self._error


def explain_with(app: App, error: Exception, raw: bytes) -> Explanation:
    explainer = Explainer(
        reader=BrokenReader(error),
        parts=app.examination,
        office=app.office,
        calendar=app.calendar,
    )
    return explainer.explain(raw, app.mailboxes["default"])


def test_an_unreadable_mail_keeps_the_reason(app: App) -> None:
    found = explain_with(app, UnreadableMail("nested too deeply"), mail("Oi"))
    assert (found.unreadable, found.mail, found.letters) == ("nested too deeply", None, ())


def test_an_error_nobody_foresaw_is_told_as_intake_would(app: App) -> None:
    found = explain_with(app, ZeroDivisionError("by zero"), mail("Oi"))
    assert found.unreadable == "ZeroDivisionError: by zero"


def test_a_mail_that_is_too_large_is_told_by_its_header(app: App) -> None:
    found = explain_with(app, MailTooLarge("too large"), mail("Oi", sender="maria@example.com.br"))
    assert found.found is not None and found.mail is not None
    assert found.found.screening == Discarded(reason=TOO_LARGE)
    assert found.mail.sender.address == "maria@example.com.br"
    assert found.ticket is None


def test_a_mail_beyond_the_mailboxes_limit_is_not_even_read(app: App) -> None:
    spec = app.mailboxes["default"].spec
    raw = mail("Oi") + b"x" * (spec.max_wire_bytes + 1)
    found = explain_with(app, AssertionError("was read"), raw)
    assert found.found is not None
    assert found.found.screening == Discarded(reason=TOO_LARGE)


def test_the_refusal_of_a_mail_that_is_too_large_is_shown(app: App) -> None:
    spec = app.mailboxes["default"].spec
    raw = mail("Oi", sender="maria@example.com.br") + b"x" * (spec.max_wire_bytes + 1)
    found = explain_with(app, AssertionError("was read"), raw)
    (letter,) = found.letters
    assert (letter.letter, letter.recipient.address) == (LetterKind.MAIL_REFUSED, "maria@example.com.br")
    shown = explanation_as_json("a.eml", found, 1)
    assert (shown["decision"]["kind"], shown["decision"]["reasons"]) == ("discard", [TOO_LARGE])
    assert [one["letter"] for one in shown["letters"]] == ["mail_refused"]


def test_a_machine_is_not_told_that_its_mail_is_too_large(app: App) -> None:
    raw = mail("Oi", headers=[("Auto-Submitted", "auto-generated")])
    found = explain_with(app, MailTooLarge("too large"), raw)
    assert found.found is not None
    assert (found.found.screening, found.letters) == (Discarded(reason=TOO_LARGE), ())
