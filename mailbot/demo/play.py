"""The play: ``play(console, output_folder) -> exit code``. Customers and agents write, the real daemon answers.

Each scene sends mail over SMTP and waits until the letters that it expects lie in their recipients' mailboxes.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mailbot.demo import cast, service_mails
from mailbot.demo.cast import MAILBOX
from mailbot.demo.daemon_process import CommandFailed, DaemonProcess, config_of_play, settings_for
from mailbot.demo.inspections import INSPECTIONS
from mailbot.demo.servers import EmbeddedServers
from mailbot.demo.services import AGENCY, POST_SALES, PROPERTY, SERVICE_ORDERS
from mailbot.demo.show import Screen, write_mails
from mailbot.demo.stage import Scene, SceneFailed, Stage

ADMINISTRATOR = "admin@example.com.br"

_SETTLED_WITHIN_SECONDS = 60.0
_LOG_LINES_SHOWN = 15

# How the tickets stand at the end: requester, status, resolution.
_EXPECTED = {
    cast.MARIA.addr_spec: ("resolved", "approved"),
    cast.JOAO.addr_spec: ("resolved", "denied"),
    cast.CAMILA.addr_spec: ("open", None),
    cast.ROBERTO.addr_spec: ("awaiting_requester", None),
    cast.SEBASTIAO.addr_spec: ("awaiting_requester", None),
    cast.HELENA.addr_spec: ("resolved", "done"),
    service_mails.MARTA.addr_spec: ("on_hold", None),
    service_mails.LUCIA.addr_spec: ("visit_scheduled", None),
    service_mails.CARLOS.addr_spec: ("open", None),
    service_mails.BEATRIZ.addr_spec: ("resolved", "done"),
}
_NEVER_ANSWERED = (cast.PAULO, cast.NEWSLETTER)

PARTS: tuple[tuple[str, tuple[tuple[str, Scene], ...]], ...] = (
    ("000 - Another place for an inspection", INSPECTIONS),
    ("001 - Service orders of corporate clients", SERVICE_ORDERS),
    ("002 - Maintenance of a rented property", PROPERTY),
    ("003 - Post-sales of a developer", POST_SALES),
    ("004 - Tickets of an agency", AGENCY),
)
"""The five processes, each with its scenes."""


def play(console: Console, output_folder: Path) -> int:
    """Run the whole demo. Returns 0, or 1 if something expected did not come; writes all mails to the folder."""
    screen = Screen(console, MAILBOX)
    output_folder.mkdir(parents=True, exist_ok=True)
    log = output_folder / "daemon.log"
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mailbot-demo-") as temporary, EmbeddedServers() as servers:
        password = _open_accounts(servers)
        try:
            settings = settings_for(
                servers,
                address=MAILBOX,
                password=password,
                admin_address=ADMINISTRATOR,
                config_folder=config_of_play(Path(temporary)),
                data_folder=Path(temporary),
            )
            _introduce(screen, servers)
            with DaemonProcess(settings, folder=Path(temporary), log=log) as daemon:
                tickets = _perform(servers, daemon, screen)
        except (SceneFailed, CommandFailed) as failure:
            return _give_up(screen, failure, servers, output_folder)
        write_mails(servers.deliveries(), output_folder, MAILBOX)
    screen.tickets(tickets)
    screen.say("")
    screen.say(f"{time.monotonic() - began:.0f} s. Every mail lies as .eml and .html in {output_folder}")
    screen.say(f"Start with {output_folder / 'index.html'}; the daemon's log is {log.name} beside it.")
    return 0


def _open_accounts(servers: EmbeddedServers) -> str:
    """An account for everybody; returns the shared mailbox's password."""
    password = secrets.token_urlsafe(12)
    servers.add_account(MAILBOX, password)
    servers.add_account(ADMINISTRATOR, secrets.token_urlsafe(12))
    for person in (*cast.CUSTOMERS, *cast.STAFF, *service_mails.CLIENTS, service_mails.SECTOR):
        servers.add_account(person.addr_spec, secrets.token_urlsafe(12))
    return password


def _introduce(screen: Screen, servers: EmbeddedServers) -> None:
    screen.say(
        f"IMAP on {servers.host}:{servers.imap_port}, SMTP on port {servers.smtp_port}; nothing leaves here."
    )
    screen.say(f"`mailbot run` looks after {MAILBOX}. Its agents: {cast.ANA.addr_spec}, {cast.BRUNO.addr_spec}.")
    screen.say(
        "MAILBOT_UNDO_MINUTES=0 and MAILBOT_QUIET_SECONDS=0, so that nobody waits; the defaults are 5 and 60."
    )


def _perform(servers: EmbeddedServers, daemon: DaemonProcess, screen: Screen) -> Sequence[dict[str, Any]]:
    """All scenes, then the end of the daemon. Returns the list of tickets as the command tells it."""
    stage = Stage(servers, daemon, screen)
    for part, scenes in PARTS:
        screen.part(part)
        for title, scene in scenes:
            screen.heading(title)
            scene(stage)
    _wait_until_all_mail_is_settled(stage)
    code = daemon.stop()
    stage.show_news()
    if code != 0:
        raise SceneFailed(f"the daemon should end with 0 on SIGTERM; it ended with {code}")
    tickets: list[dict[str, Any]] = daemon.ask("tickets", "list")
    _check_the_end(stage, tickets)
    return tickets


def _give_up(screen: Screen, failure: Exception, servers: EmbeddedServers, output_folder: Path) -> int:
    write_mails(servers.deliveries(), output_folder, MAILBOX)
    screen.complain(f"The demo stopped: {failure}")
    log = output_folder / "daemon.log"
    if log.exists():
        screen.say(f"The end of the daemon's log, {log}:")
        screen.say("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES_SHOWN:]))
    return 1


# --- what must be true at the end --------------------------------------------------------------------------


def _wait_until_all_mail_is_settled(stage: Stage) -> None:
    def nothing_pends() -> bool:
        stage.show_news()
        return all(mail["outcome"] != "pending" for mail in stage.daemon.ask("mails", "list"))

    if not stage.servers.wait_until(nothing_pends, _SETTLED_WITHIN_SECONDS):
        raise SceneFailed("every mail should have an outcome; some are still pending")


def _check_the_end(stage: Stage, tickets: Sequence[dict[str, Any]]) -> None:
    for machine in _NEVER_ANSWERED:
        if any(one.mailbox == machine.addr_spec for one in stage.servers.deliveries()):
            raise SceneFailed(f"{machine.addr_spec} should get no answer")
    for address, expected in _EXPECTED.items():
        theirs = [ticket for ticket in tickets if ticket["requester"]["address"] == address]
        found = [(ticket["status"], ticket["resolution"]) for ticket in theirs]
        if found != [expected]:
            raise SceneFailed(f"{address} should have one ticket that ends as {expected}; there is {found}")
