"""What ``mailbot run`` does before anything begins."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from mailbot.cli.running import run
from mailbot.round import RoundCount
from tests.flows.house import TestHouse


@pytest.mark.parametrize("once", [True, False])
def test_helpers_are_forked_off_after_it_is_said_how_memory_is_kept(
    once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    note = done.append

    def one_round(_: object) -> RoundCount:
        note("round")
        return RoundCount()

    with TestHouse(tmp_path) as house:
        monkeypatch.setattr("mailbot.cli.running.wired_app", lambda: house.app)
        monkeypatch.setattr("mailbot.cli.running.set_up_logging", lambda *_, **__: None)
        monkeypatch.setattr("mailbot.mime.isolation.keep_large_memory_apart", lambda: note("memory"))
        monkeypatch.setattr("mailbot.cli.helpers_of_run.fork_server_of", lambda *_, **__: note("helpers"))
        monkeypatch.setattr("mailbot.daemon.Daemon", lambda _: SimpleNamespace(run=lambda: note("daemon")))
        monkeypatch.setattr("mailbot.round.run_once", one_round)
        try:
            run(once=once)
        except typer.Exit as ending:
            assert ending.exit_code == 0
    assert done == ["memory", "helpers", "round" if once else "daemon"]
