"""A private Dovecot: IMAP, LMTP and SASL on loopback, users in a file that grows while it runs."""

from __future__ import annotations

import base64
import imaplib
import itertools
import shutil
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import (
    LOOPBACK,
    PATIENCE_SECONDS,
    Peer,
    Supervised,
    answers,
    make_certificate,
    wait_until,
)

_PASSWORD = "correct horse"

_CONFIGURATION = """\
protocols = imap lmtp
listen = {loopback}
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
mail_location = maildir:~/Maildir
mail_home = {folder}/mail/%u
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
mail_max_userip_connections = 200
default_vsz_limit = 1G
recipient_delimiter = +
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
# A refused password must not slow the next test down: no delay, and no penalty for the address it came from.
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
auth_mechanisms = plain login xoauth2 oauthbearer
# Tokens are checked by their signature, with no server asked.
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users/%u
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Junk {{
    auto = subscribe
    special_use = \\Junk
  }}
  mailbox Sent {{
    special_use = \\Sent
  }}
}}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 300
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service auth {{
  inet_listener auth {{
    port = {auth_port}
  }}
}}
"""


# A token's "sub" names the user; "iss" and "aud" must be these.
TOKEN_ISSUER = "https://login.example.com.br"
TOKEN_AUDIENCE = "https://mail.example.com.br"
TOKEN_KEY = b"a key that the test's authorization server shares with Dovecot"

_OAUTH2 = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/token-keys/
issuers = {issuer}
client_id = {audience}
username_attribute = sub
"""


class Dovecot(Peer):
    """A running Dovecot. Tokens that are signed with ``TOKEN_KEY`` (HS256) let their user in.

    Attributes: `host`; `imap_port` (plain and STARTTLS), `imaps_port`, `lmtp_port`, `auth_port` (the SASL
    protocol for Postfix); `ca_file`, the authority that signed its certificate for localhost; `certificate`
    and `key`, for a server that shares it; `users`, address to password.
    """

    name = "dovecot"

    def __init__(self) -> None:
        super().__init__()
        self.imap_port = self.ports.take()
        self.imaps_port = self.ports.take()
        self.lmtp_port = self.ports.take()
        self.auth_port = self.ports.take()
        self.users: dict[str, str] = {}
        self.ca_file = self.certificate = self.key = Path()
        self._numbers = itertools.count(1)
        self._listeners: list[Callable[[], None]] = []

    def _configure(self) -> None:
        self.ca_file, self.certificate, self.key = make_certificate(self.folder / "tls")
        mail = self.folder / "mail"
        mail.mkdir()
        shutil.chown(mail, "mail", "mail")
        (self.folder / "users").mkdir()
        text = _CONFIGURATION.format(
            loopback=LOOPBACK,
            folder=self.folder,
            certificate=self.certificate,
            key=self.key,
            imap_port=self.imap_port,
            imaps_port=self.imaps_port,
            lmtp_port=self.lmtp_port,
            auth_port=self.auth_port,
        )
        (self.folder / "dovecot.conf").write_text(text, encoding="utf-8")
        oauth2 = _OAUTH2.format(folder=self.folder, issuer=TOKEN_ISSUER, audience=TOKEN_AUDIENCE)
        (self.folder / "oauth2.conf").write_text(oauth2, encoding="utf-8")
        # Looked up as <authorized party>/<algorithm>/<key id>.
        key = self.folder / "token-keys" / "default" / "HS256" / "default"
        key.parent.mkdir(parents=True)
        key.write_bytes(base64.b64encode(TOKEN_KEY))

    def _launch(self) -> Supervised:
        command = ["/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
        process = Supervised(command, folder=self.folder, log=self.log)
        process.wait_until_ready(self._is_ready, "Dovecot")
        return process

    def _is_ready(self) -> bool:
        return (
            answers(self.imap_port, b"* OK")
            and answers(self.lmtp_port, b"220")
            and answers(self.auth_port, b"VERSION")
        )

    def on_users_changed(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener now, and after every change of the users; return what makes it be forgotten."""
        self._listeners.append(listener)
        listener()
        return lambda: self._listeners.remove(listener)

    def add_user(self, address: str, password: str = _PASSWORD) -> None:
        """Give the address a mailbox; usable at once. A known one gets the new password, within a second."""
        changed = self.users.get(address, password) != password
        self.users[address] = password
        self._write_user(address)
        if changed:
            # Dovecot looks at most once a second whether a file has changed.
            wait_until(lambda: self._can_log_in(address), "the new password")
        for listener in self._listeners:
            listener()

    def new_user(self, name: str = "caixa", domain: str = "example.com.br") -> str:
        """Make a user whose address no other test has; return the address."""
        address = f"{name}.{next(self._numbers)}@{domain}"
        self.add_user(address)
        return address

    def _can_log_in(self, address: str) -> bool:
        try:
            with self.imap(address):
                return True
        except imaplib.IMAP4.error:
            return False

    def _write_user(self, address: str) -> None:
        # One file per user: a new file is seen at once, a change of a known one is not.
        fresh = self.folder / "users.new"
        fresh.write_text(f"{address}:{{PLAIN}}{self.users[address]}::::::\n", encoding="utf-8")
        fresh.chmod(0o644)
        fresh.replace(self.folder / "users" / address)

    @contextmanager
    def imap(self, address: str) -> Iterator[imaplib.IMAP4_SSL]:
        """Log in as the address's user over TLS; yield the connection, with no folder selected."""
        context = ssl.create_default_context(cafile=self.ca_file)
        connecting = imaplib.IMAP4_SSL(self.host, self.imaps_port, ssl_context=context, timeout=PATIENCE_SECONDS)
        with connecting as connection:
            connection.login(address, self.users[address])
            yield connection

    def append(self, address: str, raw: bytes, folder: str = "INBOX") -> None:
        """Put one mail, CRLF line ends, into the user's folder by IMAP."""
        self.append_all(address, [raw], folder)

    def append_all(self, address: str, mails: Iterable[bytes], folder: str = "INBOX") -> None:
        """Put mails into the user's folder in order, over one connection; the folder is made if missing."""
        with self.imap(address) as connection:
            if folder != "INBOX":
                connection.create(f'"{folder}"')
            for raw in mails:
                status, data = connection.append(f'"{folder}"', "", "", raw)
                if status != "OK":
                    raise imaplib.IMAP4.error(repr(data))

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """Return the raw mails of the user's folder in order of arrival, flags untouched; none if missing."""
        with self.imap(address) as connection:
            status, _ = connection.select(f'"{folder}"', readonly=True)
            if status != "OK":
                return []
            _, data = connection.uid("FETCH", "1:*", "(BODY.PEEK[])")
            return [part[1] for part in data if isinstance(part, tuple)]

    def wait_for_messages(
        self, address: str, count: int = 1, *, folder: str = "INBOX", seconds: float = PATIENCE_SECONDS
    ) -> list[bytes]:
        """Return the mails as soon as there are `count`; raise PeerError when there are not in time."""
        found: list[bytes] = []

        def arrived() -> bool:
            found[:] = self.messages(address, folder)
            return len(found) >= count

        wait_until(arrived, f"{count} mails in {folder}", seconds=seconds)
        return found
