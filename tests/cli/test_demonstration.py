"""`mailbot demo` from outside; what happens in it is for `tests/demo`."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mailbot.cli.main import app


@pytest.mark.parametrize("code", [0, 1])
def test_json_stands_alone_on_stdout_and_the_play_on_stderr(tmp_path: Path, code: int) -> None:
    def play(console: Console, folder: Path) -> int:
        console.print("a scene")
        (folder / "01-a-to-b.eml").write_bytes(b"Subject: x\n\nx")
        return code

    with patch("mailbot.demo.play.play", play):
        ran = CliRunner().invoke(app, ["demo", "--json", "--output", str(tmp_path)])
    assert ran.exit_code == code
    assert json.loads(ran.stdout) == {
        "folder": str(tmp_path),
        "done": code == 0,
        "mails": [str(tmp_path / "01-a-to-b.eml")],
    }
    assert "a scene" in ran.stderr
