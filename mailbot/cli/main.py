"""The ``mailbot`` command: its groups, and nothing else."""

from __future__ import annotations

import typer

from mailbot.cli import explain, running

app = typer.Typer(
    name="mailbot",
    help="A shared mailbox in, tickets and answers out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _mailbot() -> None:
    """A shared mailbox in, tickets and answers out."""


app.command("run")(running.run)
app.command("explain")(explain.explain)


def main() -> None:
    """Run the command line."""
    app()
