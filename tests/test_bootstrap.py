"""What wiring everything up does, and what it leaves for an explicit step."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.bootstrap import build_app
from mailbot.domain.errors import StorageUnavailable
from mailbot.settings import load_settings
from tests.cli.command import sample_settings
from tests.flows.house import TestHouse


def test_no_database_is_made_or_changed_before_it_is_opened(tmp_path: Path) -> None:
    app = build_app(load_settings(sample_settings(tmp_path), dotenv=tmp_path / "no.env"))
    with pytest.raises(StorageUnavailable, match="not open yet"), app.storage.read():
        pass
    assert not (tmp_path / "var").exists()

    app.open_storage()
    app.open_storage()

    with app.storage.read() as work:
        assert work.tickets.browse() == []
    app.close()


def test_an_application_that_opened_nothing_closes_quietly(tmp_path: Path) -> None:
    build_app(load_settings(sample_settings(tmp_path), dotenv=tmp_path / "no.env")).close()


def test_an_app_whose_database_is_open_is_not_made_a_helpers(tmp_path: Path) -> None:
    with TestHouse(tmp_path) as house, pytest.raises(AssertionError):
        house.app.become_helper()
