"""The peers themselves, end to end: what other tests and benchmarks take for granted about them."""

from __future__ import annotations

import email
import email.policy
import imaplib
import os
import re
import signal
import smtplib
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests import peers
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import (
    CATCH_ALL_DOMAIN,
    CATCH_ALL_MAILBOX,
    DEFERRED_DOMAIN,
    DISCARD_DOMAIN,
    MAX_MAIL_BYTES,
    Postfix,
)
from tests.peers.process import PATIENCE_SECONDS, PeerError, Ports, answers, wait_until
from tests.peers.rspamd import COMPANY_IP
from tests.peers.stack import MailStack

CUSTOMER = "maria@cliente.example.com.br"
FORGED_RESULTS = (
    b"Authentication-Results: mx.example.com.br; dmarc=pass header.from=example.com.br\r\n"
    b"authentication-results:MX.EXAMPLE.COM.BR (it is us) 1 ;dmarc=pass header.from=example.com.br\r\n"
    b"Authentication-Results:\r\n mx.example.com.br; auth=pass smtp.auth=chefe@example.com.br\r\n"
)


def _mail(sender: str, recipient: str, message_id: str = "<pergunta.1@example.com.br>") -> bytes:
    return (
        f"From: {sender}\r\nTo: {recipient}\r\nMessage-ID: {message_id}\r\nSubject: Troca de local\r\n"
        "Date: Mon, 23 Nov 2026 09:00:00 -0300\r\n\r\nSegue o pedido.\r\n"
    ).encode("ascii")


def _parse(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def _results(raw: bytes) -> list[str]:
    headers = _parse(raw).get_all("Authentication-Results", [])
    return [re.sub(r"\s+", " ", str(header)) for header in headers]


# --- Dovecot


def test_dovecot_keeps_an_appended_mail_byte_for_byte(dovecot: Dovecot) -> None:
    address = dovecot.new_user()
    raw = _mail("a@example.com.br", address)
    dovecot.append(address, raw)
    dovecot.append(address, raw, "Processados/Feito")
    assert dovecot.messages(address) == [raw]
    assert dovecot.messages(address, "Processados/Feito") == [raw]
    assert dovecot.messages(address, "Sem esta pasta") == []


def test_dovecot_offers_starttls_with_a_certificate_that_its_authority_vouches_for(dovecot: Dovecot) -> None:
    address = dovecot.new_user()
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=PATIENCE_SECONDS) as connection:
        connection.starttls(ssl.create_default_context(cafile=dovecot.ca_file))
        assert connection.login(address, dovecot.users[address])[0] == "OK"


def test_dovecot_is_not_trusted_without_its_authority(dovecot: Dovecot) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL(
            dovecot.host, dovecot.imaps_port, ssl_context=ssl.create_default_context(), timeout=PATIENCE_SECONDS
        )


def test_dovecot_refuses_a_wrong_password_and_takes_the_new_one_at_once(dovecot: Dovecot) -> None:
    address = dovecot.new_user()
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=PATIENCE_SECONDS) as connection:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            connection.login(address, "wrong")
        dovecot.add_user(address, "changed")
        assert connection.login(address, "changed")[0] == "OK"


def test_dovecot_offers_what_the_bot_may_use(dovecot: Dovecot) -> None:
    with dovecot.imap(dovecot.new_user()) as connection:
        capabilities = {"IDLE", "MOVE", "UIDPLUS", "CONDSTORE", "SPECIAL-USE", "NAMESPACE"}
        listed = connection.capability()[1][-1]
        assert capabilities <= set(listed.decode("ascii").split())
        connection.select()
        assert rb"\*" in connection.response("PERMANENTFLAGS")[1][0]


def test_dovecot_comes_back_at_its_ports_with_its_mail(dovecot: Dovecot) -> None:
    address = dovecot.new_user()
    dovecot.append(address, _mail("a@example.com.br", address))
    with dovecot.stopped():
        assert not answers(dovecot.imap_port)
    assert len(dovecot.messages(address)) == 1


# --- Postfix


def test_a_mail_through_the_mx_arrives_in_the_mailbox(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    raw = _mail(CUSTOMER, address)
    postfix.deliver(CUSTOMER, [address], raw)
    [arrived] = postfix.dovecot.wait_for_messages(address)
    assert arrived.endswith(raw)
    assert _parse(arrived)["Return-Path"] == f"<{CUSTOMER}>"


def test_a_plus_address_arrives_in_the_mailbox_before_the_plus(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    plus = address.replace("@", "+t.4kq9zr7w2m@")
    postfix.deliver(CUSTOMER, [plus], _mail(CUSTOMER, plus))
    [arrived] = postfix.dovecot.wait_for_messages(address)
    assert _parse(arrived)["Delivered-To"] == plus


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        ("ninguem@example.com.br", 550),
        (f"maria@{DEFERRED_DOMAIN}", 450),
        ("alguem@longe.example", 554),
    ],
)
def test_the_mx_refuses_what_it_must(postfix: Postfix, recipient: str, code: int) -> None:
    known = postfix.dovecot.new_user()
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        postfix.deliver(CUSTOMER, [known, recipient], _mail(CUSTOMER, known))
    assert {address: answer[0] for address, answer in refusal.value.recipients.items()} == {recipient: code}
    # The others get it all the same.
    assert len(postfix.dovecot.wait_for_messages(known)) == 1


def test_submission_takes_no_mail_without_a_password(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    with (
        smtplib.SMTP(postfix.host, postfix.submission_port, timeout=PATIENCE_SECONDS) as connection,
        pytest.raises(smtplib.SMTPRecipientsRefused),
    ):
        connection.sendmail(address, [address], _mail(address, address))


def test_submission_refuses_a_wrong_password(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    with smtplib.SMTP(postfix.host, postfix.submission_port, timeout=PATIENCE_SECONDS) as connection:
        with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
            connection.login(address, "wrong")
        assert refusal.value.smtp_code == 535


def test_submission_offers_starttls_and_tls_from_the_start(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    raw = _mail(address, address)
    postfix.submit(address, [address], raw)
    context = ssl.create_default_context(cafile=postfix.ca_file)
    port = postfix.submissions_port
    with smtplib.SMTP_SSL(postfix.host, port, context=context, timeout=PATIENCE_SECONDS) as connection:
        connection.login(address, postfix.dovecot.users[address])
        connection.sendmail(address, [address], raw)
    assert [mail.endswith(raw) for mail in postfix.dovecot.wait_for_messages(address, 2)] == [True, True]


def test_the_relay_replaces_the_message_id_and_nothing_else(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    raw = b"References: <carta.1@example.com.br>\r\n" + _mail(address, address)
    postfix.submit(address, [address], raw, relay=True)
    [arrived] = postfix.dovecot.wait_for_messages(address)
    parsed = _parse(arrived)
    assert b"pergunta.1" not in arrived
    assert re.fullmatch(r"<\S+@mx\.example\.com\.br>", parsed["Message-ID"])
    assert parsed["References"] == "<carta.1@example.com.br>"
    assert parsed.get_content() == _parse(raw).get_content()


def test_a_letter_to_a_domain_that_does_not_exist_comes_back_as_a_bounce(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    postfix.submit(address, ["alguem@longe.example"], _mail(address, "alguem@longe.example"))
    [bounce] = postfix.dovecot.wait_for_messages(address)
    parsed = _parse(bounce)
    assert parsed["Return-Path"] == "<>"
    assert parsed.get_content_type() == "multipart/report"
    assert b"Final-Recipient: rfc822; alguem@longe.example" in bounce


def test_every_address_of_the_catch_all_domain_lands_in_one_mailbox(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    raw = _mail(address, f"maria.silva@{CATCH_ALL_DOMAIN}", "<todos.1@example.com.br>")
    before = len(postfix.dovecot.messages(CATCH_ALL_MAILBOX))
    postfix.submit(address, [f"maria.silva@{CATCH_ALL_DOMAIN}", f"qualquer@{DISCARD_DOMAIN}"], raw)
    assert postfix.dovecot.wait_for_messages(CATCH_ALL_MAILBOX, before + 1)[-1].endswith(raw)


def test_postfix_takes_a_large_mail_and_refuses_a_larger_one(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    line = b"x" * 74 + b"\r\n"
    raw = _mail(address, address) + line * (MAX_MAIL_BYTES // 80)
    postfix.submit(address, [address], raw)
    assert len(postfix.dovecot.wait_for_messages(address)[0]) > len(raw)
    with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        postfix.submit(address, [address], raw + line * (MAX_MAIL_BYTES // 800))
    assert refusal.value.smtp_code == 552


def test_postfix_goes_away_and_comes_back_at_its_ports(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    with postfix.stopped(), pytest.raises(ConnectionRefusedError):
        postfix.submit(address, [address], _mail(address, address))
    postfix.submit(address, [address], _mail(address, address))
    assert len(postfix.dovecot.wait_for_messages(address)) == 1


def test_postfix_keeps_a_mail_for_a_mailbox_server_that_is_away(postfix: Postfix) -> None:
    address = postfix.dovecot.new_user()
    with postfix.dovecot.stopped():
        postfix.deliver(CUSTOMER, [address], _mail(CUSTOMER, address))
        deferred = re.compile(rf"to=<{re.escape(address)}>.* status=deferred")
        wait_until(lambda: bool(deferred.search(postfix.log.read_text("utf-8"))), "a deferred delivery")
        assert postfix.queue_length() >= 1
    assert len(postfix.dovecot.wait_for_messages(address)) == 1


# --- rspamd and the stack


def test_a_genuine_mail_gets_our_result_with_dmarc_pass(mail_stack: MailStack) -> None:
    address = mail_stack.dovecot.new_user()
    mail_stack.deliver_genuine(CUSTOMER, [address], _mail(CUSTOMER, address))
    [result] = _results(mail_stack.dovecot.wait_for_messages(address)[0])
    assert result.startswith("mx.example.com.br; ")
    assert "dmarc=pass (policy=reject) header.from=cliente.example.com.br" in result
    assert "spf=pass" in result


def test_a_forged_staff_mail_gets_dmarc_fail_and_its_own_results_are_removed(mail_stack: MailStack) -> None:
    address = mail_stack.dovecot.new_user()
    agent = mail_stack.dovecot.new_user("agente")
    mail_stack.deliver_forged(agent, [address], FORGED_RESULTS + _mail(agent, address))
    [result] = _results(mail_stack.dovecot.wait_for_messages(address)[0])
    assert "dmarc=fail" in result
    assert "pass" not in result


def test_a_customer_domain_does_not_vouch_for_staff(mail_stack: MailStack) -> None:
    address = mail_stack.dovecot.new_user()
    mail_stack.deliver_genuine(CUSTOMER, [address], _mail("chefe@example.com.br", address))
    [result] = _results(mail_stack.dovecot.wait_for_messages(address)[0])
    assert "spf=pass" in result
    assert "dmarc=fail" in result


def test_staff_mail_from_the_company_itself_gets_dmarc_pass(mail_stack: MailStack) -> None:
    address = mail_stack.dovecot.new_user()
    agent = mail_stack.dovecot.new_user("agente")
    mail_stack.postfix.deliver(agent, [address], _mail(agent, address), client_ip=COMPANY_IP)
    [result] = _results(mail_stack.dovecot.wait_for_messages(address)[0])
    assert "dmarc=pass (policy=reject) header.from=example.com.br" in result


def test_a_domain_without_policy_gets_dmarc_none(mail_stack: MailStack) -> None:
    address = mail_stack.dovecot.new_user()
    sender = "joao@sem-dmarc.example"
    mail_stack.deliver_genuine(sender, [address], _mail(sender, address))
    [result] = _results(mail_stack.dovecot.wait_for_messages(address)[0])
    assert "dmarc=none" in result


@pytest.mark.parametrize(
    ("signer", "tamper", "expected"),
    [
        ("cliente.example", lambda raw: raw, ["dkim=pass", "dmarc=pass"]),
        ("outro.example", lambda raw: raw, ["dkim=pass", "dmarc=fail"]),
        ("cliente.example", lambda raw: raw + b"E mais isto.\r\n", ["dkim=fail", "dmarc=fail"]),
    ],
    ids=["signed", "signed by another", "changed on the way"],
)
def test_a_signature_is_checked(
    mail_stack: MailStack, signer: str, tamper: Callable[[bytes], bytes], expected: list[str]
) -> None:
    address = mail_stack.dovecot.new_user()
    raw = tamper(mail_stack.rspamd.sign(_mail("joao@cliente.example", address), signer))
    mail_stack.deliver_forged("lista@outro.example", [address], raw)
    [result] = _results(mail_stack.dovecot.wait_for_messages(address)[0])
    assert [part for part in expected if part in result] == expected


def test_a_submitted_mail_names_who_logged_in(mail_stack: MailStack) -> None:
    address = mail_stack.dovecot.new_user()
    agent = mail_stack.dovecot.new_user("agente")
    mail_stack.postfix.submit(agent, [address], FORGED_RESULTS + _mail(agent, address))
    [result] = _results(mail_stack.dovecot.wait_for_messages(address)[0])
    assert result == f"mx.example.com.br; auth=pass smtp.auth={agent} smtp.mailfrom={agent}"


# --- How they are run


def test_two_stacks_run_side_by_side(dovecot: Dovecot) -> None:
    with Dovecot() as second:
        address = second.new_user()
        second.append(address, _mail("a@example.com.br", address))
        assert len(second.messages(address)) == 1
        assert {dovecot.imap_port, dovecot.lmtp_port}.isdisjoint({second.imap_port, second.lmtp_port})


def test_a_taken_port_is_not_given_twice() -> None:
    first, second = Ports(), Ports()
    try:
        taken = [ports.take() for ports in (first, second) for _ in range(50)]
    finally:
        first.close()
        second.close()
    assert len(set(taken)) == 100


def test_a_server_that_cannot_start_says_why(dovecot: Dovecot) -> None:
    broken = Dovecot()
    broken.imap_port = dovecot.imap_port
    with pytest.raises(PeerError, match="Address already in use"), broken:
        pass
    assert not broken.folder.exists()


@pytest.mark.rspamd
def test_everything_ends_when_the_process_that_started_it_is_killed() -> None:
    script = textwrap.dedent(
        """
        import sys, time
        from tests.peers.stack import MailStack
        with MailStack() as stack:
            stack.postfix.deliver("a@cliente.example", ["todos@example.com.br"], b"Subject: a\\r\\n\\r\\n")
            folders = [stack.dovecot.folder, stack.postfix.folder, stack.rspamd.folder]
            print(*folders, flush=True)
            time.sleep(600)
        """
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        folders = [Path(folder) for folder in process.stdout.readline().split()]
        assert len(folders) == 3
        assert _processes_naming(folders)
        os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not _processes_naming(folders), "the end of all servers")
    wait_until(lambda: not any(folder.exists() for folder in folders), "the folders' removal")


def _processes_naming(folders: list[Path]) -> list[str]:
    """Return the commands of processes that work in, or were given, one of the folders."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            text = command + str((process / "cwd").readlink())
        except OSError:
            continue
        if any(str(folder) in text for folder in folders):
            found.append(command)
    return found


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "shutil.which", lambda program, path=None: None if "postfix" in program or path else program
    )
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("sys.platform", "linux")
    assert peers.missing("dovecot") is None
    assert peers.missing("postfix") == "needs postfix: /usr/sbin/postfix not found"
    assert peers.missing("rspamd") == "needs postfix: /usr/sbin/postfix not found"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert peers.missing("dovecot") == "needs dovecot: it is started by root"
    monkeypatch.setattr("sys.platform", "darwin")
    assert peers.missing("dovecot") == "needs dovecot: it is started on Linux only"
    assert peers.missing("chromium") is None
    monkeypatch.delenv("MAILBOT_CORPORA", raising=False)
    assert peers.missing_corpora() == "needs corpora: MAILBOT_CORPORA is not set"


def test_chromium_draws_a_page(chromium: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><meta charset=utf-8><p>Ação concluída</p>", encoding="utf-8")
    picture = tmp_path / "page.png"
    command = [
        chromium,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=400,200",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    assert picture.read_bytes().startswith(b"\x89PNG")
