"""Every mail of this folder against what is expected of it: what it is, from whom, what becomes of it.

``NAME.expected.yaml`` beside ``NAME.eml`` holds any part of what ``mailbot explain --json`` says of the mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailbot.bootstrap import App, build_offline_app
from mailbot.cli.explained import explanation_as_json
from mailbot.flows.explain import Explainer
from mailbot.settings import load_settings
from tests.flows.house import AUTHSERV_ID, MAILBOX, NOON, REPOSITORY, StandingClock
from tests.mails.make import MAILS

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.eml"))


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    """What ``explain`` works with: no server, no database."""
    settings = {
        "MAILBOT_ADDRESS": MAILBOX,
        "MAILBOT_AUTHSERV_ID": AUTHSERV_ID,
        "MAILBOT_CONFIG_DIR": str(REPOSITORY / "config"),
        "MAILBOT_TEMPLATES_DIR": str(REPOSITORY / "templates"),
        "MAILBOT_SECRET_KEY": "a key that only the tests know, of 32 bytes",
    }
    opened = build_offline_app(load_settings(settings, dotenv=HERE / "no.env"))
    opened.clock = StandingClock(NOON)
    yield opened
    opened.close()


def explained(app: App, name: str) -> dict[str, Any]:
    explainer = Explainer(reader=app.reader, parts=app.examination, office=app.office, calendar=app.calendar)
    explanation = explainer.explain((HERE / f"{name}.eml").read_bytes(), app.mailboxes["default"])
    return explanation_as_json(f"{name}.eml", explanation, 0)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_understood_as_expected(app: App, name: str) -> None:
    expected = yaml.safe_load((HERE / f"{name}.expected.yaml").read_text(encoding="utf-8"))
    assert expected, "an expectation that says nothing"
    differences = list(_differences(expected, explained(app, name), ""))
    assert not differences, "\n".join(differences)


def test_every_mail_has_an_expectation_and_every_expectation_a_mail() -> None:
    expectations = {path.name.removesuffix(".expected.yaml") for path in HERE.glob("*.expected.yaml")}
    assert expectations == set(NAMES)
    assert len(NAMES) >= 40


def test_every_made_up_mail_lies_here() -> None:
    assert set(MAILS) <= set(NAMES)


def test_only_invented_addresses_stand_in_the_mails() -> None:
    for name in NAMES:
        # Quoted-printable breaks words at the ends of lines.
        raw = (HERE / f"{name}.eml").read_bytes().replace(b"=\r\n", b"")
        for address in re.findall(rb"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", raw):
            domain = address.decode().lower()
            assert domain.endswith(("example.com.br", "cliente.example")), f"{name}: {domain}"


# --- the comparison ---------------------------------------------------------------------------------------------


def _differences(expected: Any, found: Any, where: str) -> Iterator[str]:
    """Where ``found`` does not hold what ``expected`` says; keys that are not expected may be anything.

    ``says`` and ``never_says`` of a letter list what stands and what must not stand in its text and HTML.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key in ("says", "never_says"):
                yield from _said(value, found, where, wanted=key == "says")
            elif key not in found:
                yield f"{where}.{key}: there is no such thing"
            else:
                yield from _differences(value, found[key], f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{where}: expected {len(expected)}, found {len(found)}: {found}"
        for number, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from _differences(one, other, f"{where}[{number}]")
    elif expected != found:
        yield f"{where}: expected {expected!r}, found {found!r}"


def _said(words: list[str], letter: dict[str, Any], where: str, *, wanted: bool) -> Iterator[str]:
    for one in words:
        stands = one in letter["text"] or (not wanted and one in letter["html"] + letter["subject"])
        if stands is not wanted:
            yield f"{where}: {'does not say' if wanted else 'says'} {one!r}"
