"""The process is killed at every step of its work in the Sent folder."""

from __future__ import annotations

import imaplib
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path

import pytest

from mailbot.domain.events import SHARED_MAILBOX
from tests.kill.site import PASSWORD, PATIENCE_SECONDS, Embedded, Site
from tests.kill.stopping import SENT_STEPS

pytestmark = pytest.mark.kill


@contextmanager
def webmail(site: Site) -> Iterator[imaplib.IMAP4]:
    """The shared mailbox, as its people have it open."""
    assert isinstance(site.servers, Embedded)
    server = site.servers.servers
    with imaplib.IMAP4(server.host, server.imap_port, timeout=PATIENCE_SECONDS) as connection:
        connection.login(site.address, PASSWORD)
        yield connection


@pytest.fixture
def site_with_sent(site: Site) -> Site:
    """A site whose mailbox has a Sent folder, named in the configuration: the server does not say which it is."""
    entry = Path(site.settings["MAILBOT_CONFIG_DIR"]) / "mailboxes.yaml"
    text = entry.read_text(encoding="utf-8")
    assert "sent_folder: auto" in text
    entry.write_text(text.replace("sent_folder: auto", "sent_folder: Enviados"), encoding="utf-8")
    with webmail(site) as connection:
        connection.create("Enviados")
    return site


def person_answers(site: Site, customer: str, message_id: str) -> bytes:
    raw = (
        f"From: {site.address}\r\nTo: {customer}\r\nSubject: Re: =?utf-8?q?D=C3=BAvida?=\r\n"
        f"Message-ID: <webmail.{customer}>\r\nIn-Reply-To: <{message_id}>\r\n"
        f"Date: Fri, 20 Nov 2026 10:00:00 -0300\r\n\r\nDois dias.\r\n"
    ).encode()
    with webmail(site) as connection:
        connection.append("Enviados", r"(\Seen)", None, raw)
    return raw


@pytest.mark.parametrize("step", SENT_STEPS)
def test_killed_at_any_step_letters_are_saved_once_and_answers_taken_once(site_with_sent: Site, step: str) -> None:
    site = site_with_sent
    customer = site.servers.new_user("cliente")
    message_id = site.customer_writes(customer)
    raw = person_answers(site, customer, message_id)
    stopped = site.run("-m", "tests.kill.stopping", "--at", step, "--", "run", "--once")
    assert stopped == -signal.SIGKILL, site.log.read_text()
    site.round()
    site.round()
    lies_there = site.servers.messages(site.address, "Enviados")
    assert lies_there[0] == raw
    saved = Counter(str(BytesParser(policy=SMTP).parsebytes(one)["Message-ID"]) for one in lies_there[1:])
    assert saved == Counter(f"<{letter.message_id}>" for letter in site.letters() if letter.sent_at)
    assert saved
    [ticket] = site.tickets()
    with site.storage() as storage, storage.read() as work:
        direct = [one for one in work.tickets.events(ticket.number) if one.detail == SHARED_MAILBOX]
        written = [one.text for one in work.tickets.messages(ticket.number)]
    assert len(direct) == 1
    assert written == ["Qual o prazo?", "Dois dias."]
    # A letter that was saved twice would be one that left twice.
    assert all(len(contents) == 1 for contents in site.letters_to(customer).values())
