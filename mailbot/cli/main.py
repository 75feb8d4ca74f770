"""The ``mailbot`` command: its groups, and nothing else."""

from __future__ import annotations

import os

import typer

from mailbot.cli import (
    backup,
    catalogue,
    customers,
    database,
    demonstration,
    doctor,
    documents,
    explain,
    founding,
    health,
    importing,
    knowledge,
    mails,
    outbox,
    running,
    staff,
    staff_orders,
    tickets,
)

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
app.command("import")(importing.import_)
app.add_typer(mails.app)
app.add_typer(outbox.app)
staff_orders.add_to(tickets.app)
app.add_typer(tickets.app)
app.add_typer(customers.app)
app.add_typer(staff.app)
app.command("demo")(demonstration.demo)
app.command("explain")(explain.explain)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(documents.app)
app.add_typer(knowledge.app, name="knowledge")
app.command("doctor")(doctor.doctor)
app.command("health")(health.health)
app.add_typer(database.app, name="db")
app.command("backup")(backup.backup)
app.command("init")(founding.init)


def main() -> None:
    """Run the command line."""
    # Whatever is written (database, mails, backups) is personal data: for this user alone.
    os.umask(0o077)
    app()
