"""``mailbot explain``: what would happen to these mails, and why."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli.context import set_up_logging
from mailbot.cli.output import Exit, complain, own_errors, print_json

if TYPE_CHECKING:
    from mailbot.bootstrap import App
    from mailbot.flows.explain import Explainer, Explanation
    from mailbot.flows.mailboxes import ServedMailbox

STDIN = "-"

Json = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout: one object a file, in order.")]


def explain(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Mails as .eml files; - reads one from stdin.")
    ],
    mailbox: Annotated[
        str, typer.Option(metavar="NAME", help="The mailbox that they came to; by default the one they name.")
    ] = "",
    json: Json = False,
) -> None:
    """What would happen to these mails, and why; nothing is stored or sent.

    No server, no database and no secret is needed. A file that cannot be read gets its explanation too and
    never stops the rest; the exit code is then 1.
    """
    set_up_logging()
    with own_errors():
        app = _offline_app()
        try:
            chosen = _chosen(app, mailbox)
            unreadable = _explain_all(app, files, chosen, json=json)
        finally:
            app.close()
    raise typer.Exit(Exit.NEEDS_A_LOOK if unreadable else Exit.DONE)


def _offline_app() -> App:
    """The application without servers; the shipped samples stand in where this folder has no configuration."""
    from dataclasses import replace

    from mailbot.bootstrap import build_offline_app
    from mailbot.cli.context import read_settings
    from mailbot.cli.share import shared
    from mailbot.settings import unknown_names

    settings = read_settings()
    if settings.get("MAILBOT_CONFIG_DIR") is None and not settings.config_dir.is_dir():
        complain("mailbot: no config/ here: the sample configuration is used")
        settings = replace(settings, config_dir=shared("config"))
    if settings.get("MAILBOT_TEMPLATES_DIR") is None and not settings.templates_dir.is_dir():
        settings = replace(settings, templates_dir=shared("templates"))
    app = build_offline_app(settings)
    names = [name for mailbox in app.catalogue.mailboxes for name in mailbox.environment_names]
    for sentence in unknown_names(settings, names):
        complain(f"mailbot: warning: {sentence}")
    return app


def _chosen(app: App, name: str) -> ServedMailbox | None:
    if name and name not in app.mailboxes:
        from mailbot.domain.errors import ConfigurationError, Problem

        known = ", ".join(app.mailboxes)
        raise ConfigurationError([Problem(source="--mailbox", message=f"no mailbox {name!r}, only {known}")])
    return app.mailboxes.get(name)


def _explain_all(app: App, files: Sequence[str], chosen: ServedMailbox | None, *, json: bool) -> int:
    """Explain one after the other; returns how many could not be read."""
    from mailbot.cli.explained import explanation_as_json
    from mailbot.flows.explain import Explainer

    explainer = Explainer(reader=app.reader, parts=app.examination, office=app.office, calendar=app.calendar)
    unreadable = 0
    for number, file in enumerate(files):
        started = time.perf_counter()
        explanation = _explain_one(app, explainer, file, chosen)
        elapsed_ms = round((time.perf_counter() - started) * 1000)
        unreadable += bool(explanation.unreadable)
        if json:
            print_json(explanation_as_json(file, explanation, elapsed_ms))
        else:
            _show(file, explanation, app, is_first=number == 0)
    return unreadable


def _explain_one(app: App, explainer: Explainer, file: str, chosen: ServedMailbox | None) -> Explanation:
    try:
        raw = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        from mailbot.flows.explain import Explanation

        # The operating system's words without the path: the argument stands beside them.
        return Explanation(unreadable=getattr(error, "strerror", None) or str(error), is_no_mail=True)
    return explainer.explain(raw, chosen or _addressed(app, raw))


def _addressed(app: App, raw: bytes) -> ServedMailbox:
    """The first configured mailbox whose address stands in the header, else ``default``."""
    head = raw[: 64 * 1024].split(b"\n\n", 1)[0].split(b"\r\n\r\n", 1)[0].lower()
    for mailbox in app.mailboxes.values():
        if mailbox.address.encode() in head:
            return mailbox
    return app.mailboxes.get("default") or next(iter(app.mailboxes.values()))


def _show(file: str, explanation: Explanation, app: App, *, is_first: bool) -> None:
    from mailbot.cli.explained_text import show_explanation

    show_explanation(file, explanation, app.catalogue, is_first=is_first)
