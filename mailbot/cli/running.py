"""``mailbot run``: the daemon, or one round of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mailbot.cli.context import set_up_logging, wired_app
from mailbot.cli.listing import Json
from mailbot.cli.logs import unforeseen_errors
from mailbot.cli.output import Exit, own_errors, print_json, say


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Collect, process and deliver all that is pending, then exit.")
    ] = False,
    json: Json = False,
) -> None:
    """The daemon, until SIGTERM or SIGINT."""
    set_up_logging()
    with own_errors(), unforeseen_errors():
        app = wired_app()
        from mailbot.cli.helpers_of_run import fork_server_of
        from mailbot.daemon import Daemon
        from mailbot.mime.isolation import keep_large_memory_apart
        from mailbot.round import run_once

        set_up_logging(app.settings)
        # What is forked off inherits it: what a mail of some 100 kB took is then there for the next.
        keep_large_memory_apart()
        # Before anything else: what has threads and connections must not be forked.
        app.fork_server = fork_server_of(app, for_a_round=once)
        try:
            if app.metrics and not once:
                set_up_logging(app.settings, listener=app.metrics.observe)
            if not once:
                Daemon(app).run()
                return
            count = run_once(app)
        finally:
            app.close()
    if json:
        print_json(asdict(count))
    else:
        say(
            f"collected {count.collected}, processed {count.processed} ({count.duplicates} duplicates, "
            f"{count.quarantined} quarantined), tickets opened {count.tickets_opened}, letters sent "
            f"{count.letters_sent}, failed {count.letters_failed}, held {count.letters_held}"
        )
    needs_a_look = count.quarantined or count.letters_failed or count.helpers_broken
    raise typer.Exit(Exit.NEEDS_A_LOOK if needs_a_look else Exit.DONE)
