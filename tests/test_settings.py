"""Settings that are wrong are all named at once, each with what it should be, and no secret is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.domain.errors import ConfigurationError
from mailbot.settings import load_settings


def said_of(**settings: str) -> list[str]:
    environment = {f"MAILBOT_{name}": value for name, value in settings.items()}
    with pytest.raises(ConfigurationError) as raised:
        load_settings(environment, dotenv=Path("no.env"))
    return [str(problem) for problem in raised.value.problems]


def test_what_may_be_of_several_kinds_is_wrong_once() -> None:
    (said,) = said_of(COLLECT_SINCE="yesterday")
    expected = "should be now, all or a moment like 2026-11-23T08:00-03:00"
    assert said == f"settings: MAILBOT_COLLECT_SINCE: {expected}, not 'yesterday'"


def test_every_wrong_setting_is_named_with_its_value_but_for_secrets() -> None:
    said = said_of(SECRET_KEY="a short secret", QUIET_SECONDS="soon", NOW="later", METRICS_PORT="0")
    names = ["MAILBOT_SECRET_KEY", "MAILBOT_QUIET_SECONDS", "MAILBOT_NOW", "MAILBOT_METRICS_PORT"]
    assert [line.split(": ")[1] for line in said] == names
    assert said[0] == "settings: MAILBOT_SECRET_KEY: needs at least 32 bytes"
    assert said[1].endswith(", not 'soon'")
    assert "secret" not in "".join(said)
