"""A private Postfix: submission for the bot and staff, an MX for mail from outside, a relay that rewrites.

All mail for the domains below goes to Dovecot by LMTP; mail for any other domain is accepted from those who
may submit, and comes back as a real bounce.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.peers.dovecot import Dovecot
from tests.peers.process import LOOPBACK, PATIENCE_SECONDS, Peer, Supervised, answers

HOSTNAME = "mx.example.com.br"
DOMAINS = ("example.com.br", "cliente.example.com.br", "cliente.example", "sodexo.example", "sem-dmarc.example")
"""Domains whose mailboxes are Dovecot's users; an unknown address is refused with 550."""
CATCH_ALL_DOMAIN = "qualquer.example.com.br"
"""Every address here exists; its mail lands in `CATCH_ALL_MAILBOX`."""
CATCH_ALL_MAILBOX = "todos@example.com.br"
DISCARD_DOMAIN = "descarte.example.com.br"
"""Every address here is accepted and the mail dropped: for benchmarks of sending."""
DEFERRED_DOMAIN = "adiado.example.com.br"
"""Every address here is refused with 450, for now."""
MAX_MAIL_BYTES = 60 * 1024 * 1024

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemon_directory}
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
syslog_name = postfix
inet_interfaces = {loopback}
inet_protocols = ipv4
smtp_dns_support_level = disabled
myhostname = {hostname}
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
recipient_delimiter = +
message_size_limit = {max_mail_bytes}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
biff = no
append_dot_mydomain = no
smtpd_banner = $myhostname ESMTP
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_session_cache_database =
smtpd_authorized_xclient_hosts = {loopback}
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:{loopback}:{auth_port}
smtpd_sasl_auth_enable = no
smtpd_relay_restrictions =
smtpd_recipient_restrictions =
    check_recipient_access inline:{{ {{ {deferred_domain} = 450 4.2.0 Try again later }} }},
    reject_unauth_destination
# The client's text must reach the mailbox as it is.
local_header_rewrite_clients =
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = $default_database_type:{folder}/mailboxes
virtual_alias_domains = {catch_all_domain}
virtual_alias_maps = inline:{{ {{ @{catch_all_domain} = {catch_all_mailbox} }} }}
virtual_transport = lmtp:inet:{loopback}:{lmtp_port}
relay_domains = {discard_domain} {deferred_domain}
transport_maps = inline:{{ {{ {discard_domain} = discard: }} }}
# Dovecot refuses what it does not know, and a real bounce follows.
default_transport = lmtp:inet:{loopback}:{lmtp_port}
# No brakes: these are for strangers, and cost a benchmark a second a mail.
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_soft_error_limit = 1000
smtpd_junk_command_limit = 1000
# A server that is back is tried again at once.
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
transport_retry_time = 1s
lmtp_connect_timeout = 5s
{milter}
"""

_MILTER = """\
smtpd_milters = {milter}
milter_default_action = tempfail
milter_protocol = 6
"""

_MASTER = """\
{smtp_port}       inet  n - n - -     smtpd
{submission_port} inet  n - n - -     smtpd {submission}
{submissions_port} inet n - n - -     smtpd {submission} -o smtpd_tls_wrappermode=yes
{relay_port}      inet  n - n - -     smtpd {submission} -o cleanup_service_name=rewriting
cleanup    unix  n - n - 0     cleanup
# Drops the sender's Message-ID and, as such relays do, sets one of its own.
rewriting  unix  n - n - 0     cleanup -o header_checks=regexp:{folder}/drop_message_id
    -o always_add_missing_headers=yes
pickup     unix  n - n 60 1    pickup
qmgr       unix  n - n 300 1   qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - -     trivial-rewrite
bounce     unix  - - n - 0     bounce
defer      unix  - - n - 0     bounce
trace      unix  - - n - 0     bounce
verify     unix  - - n - 1     verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - -     proxymap
proxywrite unix  - - n - 1     proxymap
smtp       unix  - - n - -     smtp
relay      unix  - - n - -     smtp
showq      unix  n - n - -     showq
error      unix  - - n - -     error
retry      unix  - - n - -     error
discard    unix  - - n - -     discard
lmtp       unix  - - n - -     lmtp
anvil      unix  - - n - 1     anvil
scache     unix  - - n - 1     scache
postlog    unix-dgram n - n - 1 postlogd
"""

_SUBMISSION = "-o smtpd_sasl_auth_enable=yes -o smtpd_recipient_restrictions=$submission_rules"
_SUBMISSION_RULES = """\
submission_rules =
    check_recipient_access inline:{{ {{ {deferred_domain} = 450 4.2.0 Try again later }} }},
    permit_sasl_authenticated, reject
"""


class Postfix(Peer):
    """A running Postfix that delivers to the given Dovecot and knows its users.

    Attributes: `host`; `submission_port` (password mandatory, STARTTLS offered), `submissions_port` (the same
    within TLS), `relay_port` (as submission, but every Message-ID is replaced), `smtp_port` (the MX: no
    password, only for our own domains, XCLIENT allowed); `ca_file`. Every mail is checked by the milter if
    one is given, as Postfix writes addresses: `unix:/path` or `inet:host:port`.
    """

    name = "postfix"

    def __init__(self, dovecot: Dovecot, *, milter: str | None = None) -> None:
        super().__init__()
        self.dovecot = dovecot
        self.milter = milter
        self.submission_port = self.ports.take()
        self.submissions_port = self.ports.take()
        self.relay_port = self.ports.take()
        self.smtp_port = self.ports.take()
        self.ca_file = dovecot.ca_file
        self._forget: Callable[[], None] = lambda: None

    def _configure(self) -> None:
        for name in ("spool", "data", "etc"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        daemon_directory = _postconf_default("daemon_directory")
        main = (_MAIN + _SUBMISSION_RULES).format(
            folder=self.folder,
            loopback=LOOPBACK,
            daemon_directory=daemon_directory,
            hostname=HOSTNAME,
            max_mail_bytes=MAX_MAIL_BYTES,
            certificate=self.dovecot.certificate,
            key=self.dovecot.key,
            auth_port=self.dovecot.auth_port,
            lmtp_port=self.dovecot.lmtp_port,
            domains=" ".join(DOMAINS),
            catch_all_domain=CATCH_ALL_DOMAIN,
            catch_all_mailbox=CATCH_ALL_MAILBOX,
            discard_domain=DISCARD_DOMAIN,
            deferred_domain=DEFERRED_DOMAIN,
            milter=_MILTER.format(milter=self.milter) if self.milter else "",
        )
        master = _MASTER.format(
            folder=self.folder,
            submission=_SUBMISSION,
            smtp_port=f"{LOOPBACK}:{self.smtp_port}",
            submission_port=f"{LOOPBACK}:{self.submission_port}",
            submissions_port=f"{LOOPBACK}:{self.submissions_port}",
            relay_port=f"{LOOPBACK}:{self.relay_port}",
        )
        _write_old(self.folder / "etc" / "main.cf", main)
        _write_old(self.folder / "etc" / "master.cf", master)
        (self.folder / "drop_message_id").write_text("/^Message-ID:/ IGNORE\n", encoding="utf-8")
        if CATCH_ALL_MAILBOX not in self.dovecot.users:
            self.dovecot.add_user(CATCH_ALL_MAILBOX)
        self._forget = self.dovecot.on_users_changed(self._write_mailboxes)

    def __exit__(self, *details: object) -> None:
        self._forget()
        super().__exit__(*details)

    def _write_mailboxes(self) -> None:
        table = self.folder / "mailboxes.new"
        _write_old(table, "".join(f"{address} ok\n" for address in self.dovecot.users))
        subprocess.run(["/usr/sbin/postmap", "-c", str(self.folder / "etc"), str(table)], check=True)
        for built in self.folder.glob("mailboxes.new.*"):
            # smtpd looks before each connection whether the file it has open is still there under this name.
            built.replace(self.folder / f"mailboxes{built.suffix}")

    def _launch(self) -> Supervised:
        command = ["/usr/sbin/postfix", "-c", str(self.folder / "etc"), "start-fg"]
        process = Supervised(command, folder=self.folder, log=self.log)
        process.wait_until_ready(self._is_ready, "Postfix")
        return process

    def _is_ready(self) -> bool:
        return answers(self.smtp_port, b"220") and answers(self.submission_port, b"220")

    def queue_length(self) -> int:
        """Return how many mails are in the queue."""
        spool = self.folder / "spool"
        folders = ("maildrop", "incoming", "active", "deferred")
        return sum(path.is_file() for folder in folders for path in (spool / folder).rglob("*"))

    @contextlib.contextmanager
    def submission(self, address: str, *, relay: bool = False) -> Iterator[smtplib.SMTP]:
        """Log in as the address's user over STARTTLS; yield the connection."""
        context = ssl.create_default_context(cafile=self.ca_file)
        port = self.relay_port if relay else self.submission_port
        with smtplib.SMTP(self.host, port, local_hostname="localhost", timeout=PATIENCE_SECONDS) as connection:
            connection.starttls(context=context)
            connection.login(address, self.dovecot.users[address])
            yield connection

    def submit(self, address: str, recipients: Sequence[str], raw: bytes, *, relay: bool = False) -> None:
        """Send a mail as the address's user, through the rewriting relay if asked."""
        with self.submission(address, relay=relay) as connection:
            _send(connection, address, recipients, raw)

    def deliver(self, sender: str, recipients: Sequence[str], raw: bytes, *, client_ip: str | None = None) -> None:
        """Hand a mail from outside to the MX, as if from the client's IP address (default: loopback).

        Raises smtplib.SMTPRecipientsRefused and the like when it is refused, be it for one recipient only.
        """
        with smtplib.SMTP(
            self.host, self.smtp_port, local_hostname="localhost", timeout=PATIENCE_SECONDS
        ) as connection:
            if client_ip is not None:
                connection.ehlo()
                connection.docmd("XCLIENT", f"ADDR={client_ip} NAME=[UNAVAILABLE]")
                connection.ehlo("mail.cliente.example")
            _send(connection, sender, recipients, raw)


def _send(connection: smtplib.SMTP, sender: str, recipients: Sequence[str], raw: bytes) -> None:
    refused = connection.sendmail(sender, list(recipients), raw)
    if refused:
        raise smtplib.SMTPRecipientsRefused(refused)


def _write_old(path: Path, text: str) -> None:
    """Write a file that looks old: Postfix waits a second when one that it reads was changed just now."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, (0, 0))


def _postconf_default(name: str) -> str:
    command = ["/usr/sbin/postconf", "-d", "-h", name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
