"""Explaining a mail where reading it goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.bootstrap import App, build_offline_app
from mailbot.domain.errors import MailTooLarge, UnreadableMail
from mailbot.domain.mail import Discarded, InboundMail
from mailbot.flows.explain import TOO_LARGE, Explainer, Explanation
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
        reader=BrokenReader(error), examiner=app.examiner, office=app.office, calendar=app.calendar
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
