"""Two mailboxes and two daemons on PostgreSQL, killed meanwhile: a mail to both mailboxes is one ticket, in the
one that offers what it asks for (issue 5, point 9)."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from mailbot.domain.events import EventKind
from mailbot.domain.ledger import MailOutcome
from tests.kill.site import Embedded, Site
from tests.kill.test_two_daemons import daemon_on
from tests.peers.postgresql import PostgreSQL

pytestmark = [pytest.mark.kill, pytest.mark.postgresql]

TO_BOTH, TO_THE_WRONG_ONE = 14, 6
MAILBOXES = """\
mailboxes:
  - key: default
    name: Vistorias
    env_prefix: MAILBOT
    request_types: [inspection_location_change, boleto_cancellation, general]
    authentication: {profile: authserv_id, authserv_id_env: MAILBOT_AUTHSERV_ID}
  - key: agency
    name: Agência Aurora
    request_types: [general, contact_add]
    authentication: {profile: authserv_id, authserv_id_env: MAILBOT_AUTHSERV_ID}
"""


def test_with_two_daemons_that_are_killed_each_mail_is_one_ticket_where_it_is_offered(
    embedded: Embedded, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    site, agency = house_of_two(embedded, postgresql, tmp_path)
    chance = random.Random()
    customers = [embedded.new_user("cliente") for _ in range(TO_BOTH + TO_THE_WRONG_ONE)]
    daemons = [daemon_on(site), daemon_on(site)]
    try:
        site.wait(lambda: len(site.log_lines("daemon.started")) >= 2, "both daemons")
        for number, customer in enumerate(customers):
            to = [site.address, agency] if number < TO_BOTH else [agency]
            raw = request_of(customer, to)
            for mailbox in chance.sample(to, len(to)):
                embedded.deliver(raw, sender=customer, to=mailbox)
            if number % 5 == 4:
                replace_one(site, daemons, chance)
        copies = 2 * TO_BOTH + TO_THE_WRONG_ONE
        site.wait(lambda: len(site.mails()) == copies and site.all_is_done(), "all to be done")
    finally:
        for daemon in daemons:
            daemon.kill()
            daemon.wait()
    assert Counter(mail.outcome for mail in site.mails()) == {
        MailOutcome.TICKET: len(customers),
        MailOutcome.DUPLICATE: TO_BOTH,
    }
    tickets = {ticket.requester.address: ticket for ticket in site.tickets()}
    assert len(site.tickets()) == len(tickets) == len(customers)
    assert {ticket.mailbox for ticket in tickets.values()} == {"default"}
    assert {ticket.request_type for ticket in tickets.values()} == {"inspection_location_change"}
    for customer in customers:
        (contents,) = site.letters_to(customer).values()
        assert len(contents) == 1
    with site.storage() as storage, storage.read() as work:
        for customer in customers[TO_BOTH:]:
            kinds = [event.kind for event in work.tickets.events(tickets[customer].number)]
            assert kinds.count(EventKind.REROUTED) == 1


def house_of_two(embedded: Embedded, postgresql: PostgreSQL, folder: Path) -> tuple[Site, str]:
    """A site with a second mailbox, and that one's address."""
    site = Site(embedded, folder, database_url=postgresql.new_database())
    agency = embedded.new_user("agencia")
    (Path(site.settings["MAILBOT_CONFIG_DIR"]) / "mailboxes.yaml").write_text(MAILBOXES, encoding="utf-8")
    theirs = embedded.settings(agency)
    site.settings |= {
        "MAILBOT_AGENCY_ADDRESS": agency,
        "MAILBOT_AGENCY_IMAP_URL": theirs["MAILBOT_IMAP_URL"],
        "MAILBOT_AGENCY_SMTP_URL": theirs["MAILBOT_SMTP_URL"],
    }
    return site, agency


def request_of(customer: str, to: list[str]) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = customer, ", ".join(to), "ALTERAÇÃO DE LOCAL"
    mail["Message-ID"], mail["Date"] = f"<pedido.{customer}>", "Fri, 20 Nov 2026 09:00:00 -0300"
    mail.set_content("Motivo: mudei de cidade\nLocal atual: Rio Verde\nNovo local: Anápolis\n")
    return mail.as_bytes()


def replace_one(site: Site, daemons: list[subprocess.Popen[bytes]], chance: random.Random) -> None:
    """Kill -9 one of them, and start another in its place."""
    victim = chance.randrange(len(daemons))
    daemons[victim].kill()
    daemons[victim].wait()
    daemons[victim] = daemon_on(site)
