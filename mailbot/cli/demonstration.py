"""``mailbot demo``: customers, an agent and the real daemon, on servers of this machine's own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.output import Exit, complain


def demo(
    output: Annotated[
        Path | None, typer.Option("--output", help="Where the mails are written; a temporary folder by default.")
    ] = None,
) -> None:
    """Show the bot at work: real IMAP and SMTP on loopback, sample customers, an agent who answers by mail."""
    try:
        from mailbot.demo.play import play
    except ModuleNotFoundError as error:
        complain(f"mailbot: the demo needs the package {error.name}: install mailbot with its extra 'demo'")
        raise typer.Exit(Exit.WRONG) from None
    from rich.console import Console

    folder = output or Path(tempfile.mkdtemp(prefix="mailbot-demo-"))
    raise typer.Exit(play(Console(), folder))
