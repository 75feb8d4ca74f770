"""What daemon and helpers do before their first mail."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from mailbot.bootstrap import build_app
from mailbot.evidence import labels
from mailbot.evidence.fields import mail_text, read_labels
from mailbot.housework import warm_up
from mailbot.settings import load_settings
from tests.cli.command import sample_settings


def test_the_first_mail_with_a_label_finds_the_patterns_made(tmp_path: Path) -> None:
    labels._pattern_of.cache_clear()
    app = build_app(load_settings(sample_settings(tmp_path), dotenv=tmp_path / "no.env"))
    warm_up(app)
    made = labels._pattern_of.cache_info().misses
    words = mail_text("Local atual: Goiânia\nLocal desejado: Anápolis\nTelefone: (64) 99999-1234")
    types = app.catalogue.request_types.values()
    assert any(read_labels(kind, words, app.catalogue.units, today=date(2026, 11, 23)).values for kind in types)
    assert labels._pattern_of.cache_info().misses == made
    app.close()
