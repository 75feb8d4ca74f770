"""A template that never ends costs seconds of a processor; how long a machine takes for them does not count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import repeat

import pytest

from mailbot.correspondence import render
from mailbot.domain.errors import LetterError


@pytest.fixture(autouse=True)
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "_MAX_RENDER_SECONDS", 0.1)


def test_a_template_that_goes_on_for_ever_is_ended() -> None:
    with pytest.raises(LetterError, match="ran longer"):
        render._bounded(repeat(""))


def test_a_letter_is_written_however_long_the_machine_stood_still_meanwhile() -> None:
    """Three times, and its mail was quarantined."""

    def written() -> Iterator[str]:
        yield "Bom "
        time.sleep(0.3)
        yield "dia"

    assert render._bounded(written()) == "Bom dia"
