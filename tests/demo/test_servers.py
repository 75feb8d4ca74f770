"""The embedded servers, over real sockets and with the clients that the daemon uses."""

from __future__ import annotations

import asyncio
import smtplib
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage

import aiosmtplib
import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from mailbot.demo.post_office import AUTHSERV_ID, domain_of_sender, stamp
from mailbot.demo.servers import EmbeddedServers

MAILBOX = "atendimento@example.com.br"
ANA = "ana@example.com.br"
CUSTOMER = "maria@cliente.example"
PASSWORD = "senha do teste"


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedServers]:
    with EmbeddedServers() as servers:
        yield servers


@pytest.fixture
def servers(running: EmbeddedServers) -> EmbeddedServers:
    """The servers with three empty accounts."""
    for address in (MAILBOX, ANA, CUSTOMER):
        running.add_account(address, PASSWORD)
    return running


def mail(*, sender: str = CUSTOMER, to: str = MAILBOX, subject: str = "oi", extra: str = "") -> bytes:
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n{extra}\r\nOlá.\r\n".encode()


def imap(servers: EmbeddedServers, address: str = MAILBOX) -> IMAPClient:
    client = IMAPClient(servers.host, servers.imap_port, ssl=False, timeout=60)
    client.login(address, PASSWORD)
    return client


def header_of(raw: bytes) -> str:
    return raw.partition(b"\r\n\r\n")[0].decode("latin-1")


def test_a_mail_from_outside_reaches_the_mailbox_over_imap(servers: EmbeddedServers) -> None:
    servers.deliver(mail(subject="de fora"), to=MAILBOX)
    with imap(servers) as client:
        assert client.select_folder("INBOX")[b"EXISTS"] == 1
        (uid,) = client.search("ALL")
        raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
    assert raw.endswith(b"Subject: de fora\r\n\r\nOl\xc3\xa1.\r\n")
    assert servers.messages(MAILBOX) == [raw]


def test_it_marks_a_mail_as_a_receiving_server_does(servers: EmbeddedServers) -> None:
    servers.deliver(mail(), to=MAILBOX, envelope_from="maria@cliente.example")
    header = header_of(servers.messages(MAILBOX)[0])
    assert header.startswith(
        "Return-Path: <maria@cliente.example>\r\nDelivered-To: atendimento@example.com.br\r\n"
    )
    assert f"Authentication-Results: {AUTHSERV_ID};\r\n\tdmarc=none\r\n" in header
    assert f"by {AUTHSERV_ID} with ESMTP\r\n" in header


@pytest.mark.parametrize("result", ["pass", "fail"])
def test_it_writes_the_dmarc_result_for_the_domain_of_the_sender(servers: EmbeddedServers, result: str) -> None:
    servers.deliver(mail(), to=MAILBOX, dmarc="pass" if result == "pass" else "fail")
    assert f"dmarc={result} header.from=cliente.example\r\n" in header_of(servers.messages(MAILBOX)[0])


def test_it_writes_who_logged_in_for_a_submitted_mail(servers: EmbeddedServers) -> None:
    servers.deliver(mail(sender=ANA), to=MAILBOX, authenticated_as=ANA)
    header = header_of(servers.messages(MAILBOX)[0])
    assert f"Authentication-Results: {AUTHSERV_ID};\r\n\tauth=pass smtp.auth={ANA}\r\n" in header
    assert "dmarc=" not in header


@pytest.mark.parametrize(
    "forged",
    [
        f"Authentication-Results: {AUTHSERV_ID}; auth=pass smtp.auth={ANA}\r\n",
        f"authentication-RESULTS : {AUTHSERV_ID.upper()}; dmarc=pass header.from=example.com.br\r\n",
        f"Authentication-Results:\r\n\t{AUTHSERV_ID} 1;\r\n\tdmarc=pass header.from=example.com.br\r\n",
        f'Authentication-Results: (x) "{AUTHSERV_ID}"; auth=pass smtp.auth={ANA}\r\n',
    ],
)
def test_it_removes_results_that_claim_to_be_ours(servers: EmbeddedServers, forged: str) -> None:
    servers.deliver(mail(sender=ANA, extra=forged + "X-Kept: yes\r\n"), to=MAILBOX, dmarc="fail")
    header = header_of(servers.messages(MAILBOX)[0])
    assert header.lower().count("authentication-results") == 1
    assert "=pass" not in header
    assert "X-Kept: yes" in header


def test_it_keeps_results_of_other_servers(servers: EmbeddedServers) -> None:
    extra = "Authentication-Results: mx.other.example; dmarc=pass\r\n"
    servers.deliver(mail(extra=extra), to=MAILBOX)
    assert "Authentication-Results: mx.other.example; dmarc=pass" in header_of(servers.messages(MAILBOX)[0])


def test_bytes_that_are_no_ascii_pass_unchanged() -> None:
    raw = "From: José <j@cliente.example>\r\nSubject: ALTERAÇÃO\r\n\r\nação\r\n".encode("latin-1")
    stamped = stamp(raw, recipient=MAILBOX, envelope_from="", client="x", protocol="ESMTP", results=["dmarc=none"])
    assert stamped.endswith(raw)
    assert domain_of_sender(stamped) == "cliente.example"


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"no colon", b"From: a@b.example", b"\n\nbody", b" folded: first\r\n\r\nx"]
)
def test_it_stamps_whatever_comes(raw: bytes) -> None:
    stamped = stamp(raw, recipient=MAILBOX, envelope_from="", client="x", protocol="ESMTP", results=["dmarc=none"])
    assert stamped.startswith(b"Return-Path: <>\r\n")
    assert raw.strip() in stamped


def test_mail_to_a_plus_address_reaches_the_account_and_keeps_its_tag(servers: EmbeddedServers) -> None:
    servers.deliver(mail(), to="atendimento+t.abc@example.com.br")
    assert "Delivered-To: atendimento+t.abc@example.com.br" in header_of(servers.messages(MAILBOX)[0])


@pytest.mark.parametrize("authenticated_as", [None, ANA])
@pytest.mark.parametrize(
    ("recipient", "code"), [("nobody@example.com.br", b"5.1.1"), ("someone@elsewhere.example", b"5.7.1")]
)
def test_it_refuses_unknown_users_and_never_relays(
    servers: EmbeddedServers, authenticated_as: str | None, recipient: str, code: bytes
) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        servers.deliver(mail(), to=recipient, authenticated_as=authenticated_as)
    status, text = refused.value.recipients[recipient]
    assert (status, text[:5]) == (550, code)


def test_the_submission_listener_wants_a_password(servers: EmbeddedServers) -> None:
    with smtplib.SMTP(servers.host, servers.smtp_port, local_hostname="x.example") as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail(ANA, [MAILBOX], mail(sender=ANA))
        assert refused.value.smtp_code == 530


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_it_knows_the_log_in_methods_of_mail_programs(servers: EmbeddedServers, mechanism: str) -> None:
    with smtplib.SMTP(servers.host, servers.smtp_port, local_hostname="x.example") as client:
        client.ehlo()
        assert mechanism in client.esmtp_features["auth"].split()
        client.user, client.password = ANA, PASSWORD
        method = client.auth_plain if mechanism == "PLAIN" else client.auth_login
        assert client.auth(mechanism, method)[0] == 235
    with (
        smtplib.SMTP(servers.host, servers.smtp_port, local_hostname="x.example") as client,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        client.login(ANA, "wrong")


def test_the_listener_for_mail_from_outside_offers_no_log_in(servers: EmbeddedServers) -> None:
    with smtplib.SMTP(servers.host, servers.mx_port, local_hostname="x.example") as client:
        client.ehlo()
        assert not client.has_extn("auth")


def test_aiosmtplib_sends_several_letters_over_one_connection(servers: EmbeddedServers) -> None:
    async def send() -> None:
        client = aiosmtplib.SMTP(hostname=servers.host, port=servers.smtp_port, start_tls=False)
        async with client:
            await client.login(MAILBOX, PASSWORD)
            for number in range(20):
                letter = EmailMessage()
                letter["From"], letter["To"], letter["Subject"] = MAILBOX, CUSTOMER, f"carta {number}"
                letter.set_content("Olá")
                await client.send_message(letter)

    asyncio.run(send())
    assert servers.wait_until(lambda: len(servers.messages(CUSTOMER)) == 20, 60)


def test_an_idling_client_is_woken(servers: EmbeddedServers) -> None:
    with imap(servers) as client:
        client.select_folder("INBOX")
        client.idle()
        servers.deliver(mail(), to=MAILBOX)
        assert (1, b"EXISTS") in client.idle_check(timeout=60)
        client.idle_done()
        client.noop()
        assert len(client.search("ALL")) == 1


def test_a_client_that_begins_to_idle_hears_of_what_came_since_its_last_command(servers: EmbeddedServers) -> None:
    with imap(servers) as client:
        client.select_folder("INBOX")
        servers.deliver(mail(), to=MAILBOX)
        client.idle()
        # Not by idle_check: it waits for the socket, and the line may have come together with the answer to IDLE.
        assert client._imap.readline() == b"* 1 EXISTS\r\n"
        client.idle_done()
        assert len(client.search("ALL")) == 1


def test_mails_can_be_moved_to_a_new_folder(servers: EmbeddedServers) -> None:
    servers.deliver(mail(), to=MAILBOX)
    with imap(servers) as client:
        client.select_folder("INBOX")
        client.create_folder("Processados")
        client.move(client.search("ALL"), "Processados")
    assert servers.messages(MAILBOX) == []
    assert len(servers.messages(MAILBOX, "Processados")) == 1
    assert servers.messages(MAILBOX, "Nowhere") == []


@pytest.mark.parametrize("folder", ["INBOX", "Processados"])
def test_keywords_stay(servers: EmbeddedServers, folder: str) -> None:
    with imap(servers) as client:
        if folder != "INBOX":
            client.create_folder(folder)
        client.append(folder, mail())
        assert b"\\*" in client.select_folder(folder)[b"PERMANENTFLAGS"]
        client.add_flags(client.search("ALL"), [b"$MailbotDone"])
    with imap(servers) as client:
        client.select_folder(folder)
        ((_, found),) = client.fetch(client.search("ALL"), ["FLAGS"]).items()
        assert b"$MailbotDone" in found[b"FLAGS"]


def test_a_wrong_imap_password_is_refused(servers: EmbeddedServers) -> None:
    client = IMAPClient(servers.host, servers.imap_port, ssl=False, timeout=60)
    with pytest.raises(LoginError):
        client.login(MAILBOX, "wrong")
    client.shutdown()


def test_it_takes_a_mail_of_twenty_megabytes(servers: EmbeddedServers) -> None:
    lines = (b"x" * 76 + b"\r\n") * (20 * 1024 * 1024 // 78)
    servers.deliver(mail() + lines, to=MAILBOX)
    with imap(servers) as client:
        client.select_folder("INBOX")
        (uid,) = client.search("ALL")
        assert client.fetch([uid], ["RFC822.SIZE"])[uid][b"RFC822.SIZE"] > len(lines)
        assert client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"].endswith(lines)


def test_waiting_ends_when_the_mail_comes(servers: EmbeddedServers) -> None:
    later = threading.Timer(0.1, lambda: servers.deliver(mail(subject="tarde"), to=MAILBOX))
    began = time.monotonic()
    later.start()
    assert servers.wait_until(lambda: any(b"tarde" in one for one in servers.messages(MAILBOX)), 90)
    later.join()
    assert time.monotonic() - began < 60


def test_waiting_in_vain_says_so(servers: EmbeddedServers) -> None:
    assert not servers.wait_until(lambda: bool(servers.messages(ANA)), 0.05)


def test_the_journal_tells_every_delivery_in_order(servers: EmbeddedServers) -> None:
    before = len(servers.deliveries())
    servers.deliver(mail(subject="um"), to=MAILBOX)
    servers.deliver(mail(subject="dois", sender=ANA), to=CUSTOMER, authenticated_as=ANA)
    first, second = servers.deliveries(after=before)
    assert (first.number, first.mailbox, first.authenticated_as) == (before + 1, MAILBOX, None)
    assert (second.number, second.mailbox, second.authenticated_as) == (before + 2, CUSTOMER, ANA)
    assert b"Subject: dois" in second.raw


def test_it_stops_at_once_with_clients_connected_and_leaves_nothing_behind() -> None:
    before = set(threading.enumerate())
    with EmbeddedServers() as servers:
        servers.add_account(MAILBOX, PASSWORD)
        idling = imap(servers)
        idling.select_folder("INBOX")
        idling.idle()
        waiting = smtplib.SMTP(servers.host, servers.smtp_port, local_hostname="x.example")
        began = time.monotonic()
    # Clients that are not cut off would be waited for until the background loop's own limit.
    assert time.monotonic() - began < 25
    idling.shutdown()
    waiting.close()
    assert set(threading.enumerate()) <= before
