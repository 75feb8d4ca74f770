"""The whole demo: real servers, the real daemon as a process, every conversation to its end."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from mailbot.demo import cast, daemon_process, service_mails
from mailbot.demo.play import PARTS, play


def console(out: io.StringIO) -> Console:
    return Console(file=out, width=120, color_system=None)


def test_every_conversation_of_the_demo_comes_to_its_end(tmp_path: Path) -> None:
    out = io.StringIO()
    code = play(console(out), tmp_path / "mails")
    text = out.getvalue()
    assert code == 0, text
    assert [part[:3] for part, _ in PARTS] == ["000", "001", "002", "003", "004"]
    assert all(part in text and title in text for part, scenes in PARTS for title, _ in scenes)
    people = (cast.MARIA, cast.JOAO, cast.CAMILA, cast.ROBERTO, cast.SEBASTIAO, cast.HELENA)
    for customer in (*people, *service_mails.CLIENTS, service_mails.SECTOR):
        assert f"{cast.MAILBOX} -> {customer.addr_spec}" in text
    for machine in (cast.PAULO, cast.NEWSLETTER):
        assert f"{cast.MAILBOX} -> {machine.addr_spec}" not in text
    assert "resolved, approved" in text
    for telling in (
        "BOOK - Abertura de O.S.",
        "O número da sua O.S. é 12345.",
        "O cliente aceitou a visita",
        "SEUS CHAMADOS",
        "HISTÓRICO",
        "DEPARTAMENTO: Financeiro e Fiscal",
        "TALVEZ ISTO AJUDE",
        "O cliente avaliou o atendimento: 5 de 5",
    ):
        assert telling in text
    # Ana hears of the forgery before she decides herself.
    assert 0 < text.index("não foi aplicada") < text.index("#negar O boleto")
    assert "\x1b[" not in text
    assert (tmp_path / "mails" / "index.html").is_file()
    assert (
        len(list((tmp_path / "mails").glob("*.eml"))) == len(list((tmp_path / "mails").glob("[0-9]*.html"))) > 20
    )


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "import nowhere_to_be_found"])
def test_it_says_so_at_once_when_the_daemon_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(daemon_process, "_command", lambda *_arguments: [sys.executable, "-c", program])
    out = io.StringIO()
    assert play(console(out), tmp_path) == 1
    assert "The demo stopped: bruno@example.com.br should get a notice" in out.getvalue().replace("\n", " ")
    assert "the daemon has ended" in out.getvalue().replace("\n", " ")
    assert (tmp_path / "index.html").is_file()
