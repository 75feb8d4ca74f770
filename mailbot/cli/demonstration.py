"""``mailbot demo``: customers, an agent and the real daemon, on servers of this machine's own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.listing import Json
from mailbot.cli.output import Exit, complain, print_json


def demo(
    output: Annotated[
        Path | None, typer.Option("--output", help="Where the mails are written; a temporary folder by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the bot at work: real IMAP and SMTP on loopback, sample customers, an agent who answers by mail.

    With --json what there is to see goes to stderr.
    """
    try:
        from mailbot.demo.play import play
    except ModuleNotFoundError as error:
        complain(f"mailbot: the demo needs the package {error.name}: install mailbot with its extra 'demo'")
        raise typer.Exit(Exit.WRONG) from None
    from rich.console import Console

    folder = output or Path(tempfile.mkdtemp(prefix="mailbot-demo-"))
    code = play(Console(stderr=json), folder)
    if json:
        mails = sorted(str(path) for path in folder.glob("*.eml"))
        print_json({"folder": str(folder), "done": code == Exit.DONE, "mails": mails})
    raise typer.Exit(code)
