"""``mailbot doctor``: tries everything that a start needs, and says what is wrong and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.listing import Json
from mailbot.cli.output import Exit, complain, is_terminal, print_json, say, visible

if TYPE_CHECKING:
    from mailbot.bootstrap import App
    from mailbot.catalogue.load import Catalogue
    from mailbot.cli.checkup import Finding
    from mailbot.cli.server_checkup import AuthservIds
    from mailbot.connections import Connection
    from mailbot.settings import Settings

_LONGEST_CHECK = 22


@dataclass(slots=True, kw_only=True)
class _Options:
    """What was asked for."""

    probe: bool
    wait_seconds: float


@dataclass(slots=True, kw_only=True)
class _Report:
    """Everything found so far; shown as it comes unless it ends as JSON."""

    json: bool
    findings: list[Finding] = field(default_factory=list)
    authserv: list[AuthservIds] = field(default_factory=list)

    def add(self, *findings: Finding) -> None:
        for finding in findings:
            self.findings.append(finding)
            if not self.json:
                _show(finding)


def doctor(
    probe: Annotated[
        bool, typer.Option("--probe", help="Also send mails from each mailbox to itself and wait for them.")
    ] = False,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=1, help="How long --probe waits for arrival.")
    ] = 60,
    json: Json = False,
) -> None:
    """Try settings, catalogue, templates, files, disk, database, mailboxes, submission servers and clock.

    Nothing is changed and, without --probe, no mail is sent. Shows under which authserv-ids the newest mails
    carry Authentication-Results, and proposes one for MAILBOT_AUTHSERV_ID; with the profile microsoft365
    through which Exchange servers they came, and proposes received_by.

    With --probe each mailbox mails itself: plainly, at a plus-address, and with forged
    Authentication-Results or stamps of Exchange. These mails leave whatever MAILBOT_SEND says, and the
    daemon discards them. The alert command is run with a word of trial.

    Ends with 0 if all is well, 1 if something needs a look, 2 if mailbot would not start, 3 if a server or the
    database cannot be reached.
    """
    from mailbot.cli.context import set_up_logging

    set_up_logging()
    report = _Report(json=json)
    _examine(report, _Options(probe=probe, wait_seconds=wait))
    if json:
        print_json(_as_json(report))
    raise typer.Exit(_exit_code(report))


def _examine(report: _Report, options: _Options) -> None:
    from mailbot.cli import checkup, database_checkup
    from mailbot.domain.errors import ConfigurationError
    from mailbot.settings import load_settings

    try:
        settings = load_settings()
    except ConfigurationError as error:
        report.add(*checkup.wrong("settings", error))
        return
    catalogue = _catalogue(report, settings)
    report.add(*checkup.check_settings(settings, catalogue))
    report.add(*checkup.check_templates_folder(settings))
    report.add(*checkup.check_files(settings))
    report.add(checkup.check_disk(settings))
    report.add(*checkup.check_alert_command(settings))
    report.add(checkup.check_database(settings))
    report.add(*database_checkup.check_server_and_files(settings))
    report.add(*checkup.check_readers())
    if catalogue is not None:
        report.add(*checkup.check_types_in_use(settings, catalogue))
        report.add(*checkup.check_queues(settings, catalogue))
    app = _app(report, settings, catalogue) if catalogue is not None else None
    if app is None:
        return
    try:
        if options.probe and settings.alert_command:
            report.add(checkup.try_alert_command(app.alert_command()))
        for connection in app.connections.values():
            _examine_mailbox(report, app, connection, options)
    finally:
        app.close()


def _catalogue(report: _Report, settings: Settings) -> Catalogue | None:
    from mailbot.catalogue.load import load_catalogue
    from mailbot.cli.checkup import Finding, State, wrong
    from mailbot.domain.errors import ConfigurationError

    try:
        catalogue = load_catalogue(settings.config_dir)
    except ConfigurationError as error:
        report.add(*wrong("catalogue", error))
        return None
    message = f"{len(catalogue.request_types)} request types in {settings.config_dir}"
    report.add(Finding(check="catalogue", state=State.OK, message=message))
    return catalogue


def _app(report: _Report, settings: Settings, catalogue: Catalogue) -> App | None:
    from mailbot.bootstrap import build_app
    from mailbot.cli.checkup import wrong
    from mailbot.cli.server_checkup import check_switched_off
    from mailbot.domain.errors import ConfigurationError

    report.add(*check_switched_off(settings, catalogue))
    try:
        return build_app(settings, catalogue=catalogue)
    except ConfigurationError as error:
        report.add(*wrong("settings", error))
        return None


def _examine_mailbox(report: _Report, app: App, connection: Connection, options: _Options) -> None:
    from mailbot.cli import server_checkup
    from mailbot.cli.checkup import Finding, State
    from mailbot.cli.login_checkup import check_login

    login = check_login(connection)
    incoming = server_checkup.check_incoming(app, connection)
    outgoing = server_checkup.check_outgoing(connection)
    report.add(*login, *incoming.findings)
    if not any(one.state is State.UNREACHABLE for one in incoming.findings):
        report.add(*server_checkup.check_sent_folder(app, connection))
    report.add(*outgoing)
    report.add(*server_checkup.check_provider(connection))
    mails = server_checkup.newest_headers(app, connection, incoming.newest)
    ids = server_checkup.authserv_ids(connection, mails)
    report.authserv.append(ids)
    stated = connection.mailbox.spec.authentication
    if stated.profile == "microsoft365":
        report.add(server_checkup.check_exchange(connection.mailbox.key, stated.received_by, mails))
    else:
        report.add(server_checkup.check_authserv_id(ids))
    report.add(server_checkup.check_clock([mail.received_at for mail in incoming.newest]))
    if not options.probe:
        return
    key = connection.mailbox.key
    away = any(one.state is State.UNREACHABLE for one in (*incoming.findings, *outgoing))
    if away or app.settings.secret_key is None:
        report.add(Finding(check=f"probe {key}", state=State.NOTE, message="not tried, see above"))
        return
    from mailbot.cli.probe import probe_mailbox

    complain(f"mailbot: probing {key}, at most {options.wait_seconds:g} s …")
    authserv_id = ids.configured or ids.proposed or ""
    report.add(*probe_mailbox(app, connection, authserv_id, options.wait_seconds))


def _exit_code(report: _Report) -> Exit:
    from mailbot.cli.checkup import State

    states = {finding.state for finding in report.findings}
    for state, code in (
        (State.WRONG, Exit.WRONG),
        (State.UNREACHABLE, Exit.UNREACHABLE),
        (State.PROBLEM, Exit.NEEDS_A_LOOK),
    ):
        if state in states:
            return code
    return Exit.DONE


def _as_json(report: _Report) -> dict[str, Any]:
    return {
        "findings": [asdict(finding) for finding in report.findings],
        "authserv_ids": [
            {
                "mailbox": ids.mailbox,
                "configured": ids.configured or None,
                "proposed": ids.proposed,
                "mails": ids.mails,
                "seen": [{"id": one, "mails": count} for one, count in ids.counts],
            }
            for ids in report.authserv
        ],
    }


_STYLES = {"ok": "green", "note": "cyan", "problem": "yellow", "unreachable": "bold red", "wrong": "bold red"}


def _show(finding: Finding) -> None:
    """One line, and one for the advice; coloured on a terminal."""
    check, message, advice = finding.check, visible(finding.message), visible(finding.advice)
    if not is_terminal():
        say(f"{finding.state:<12} {check:<{_LONGEST_CHECK}} {message}")
        if advice:
            say(f"{'':<12} {'':<{_LONGEST_CHECK}} → {advice}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 1))
    line.add_column(width=11)
    line.add_column(width=_LONGEST_CHECK)
    line.add_column(overflow="fold")
    line.add_row(Text(finding.state, style=_STYLES[finding.state]), check, Text(message))
    if advice:
        line.add_row("", "", Text(f"→ {advice}", style="italic"))
    Console(highlight=False).print(line)
