"""The whole receiving and sending side: Dovecot, Postfix, and rspamd with its name server, wired together."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.rspamd import CUSTOMER_IP, STRANGER_IP, Rspamd


class MailStack:
    """Running servers, as a context manager.

    Attributes: `dovecot`, `postfix`, `rspamd`; `host`; `ca_file`, to be trusted (SSL_CERT_FILE for a daemon);
    `authserv_id` of the Authentication-Results that are ours.
    """

    def __init__(self) -> None:
        self.dovecot = Dovecot()
        self.rspamd = Rspamd()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opening:
            opening.enter_context(self.dovecot)
            opening.enter_context(self.rspamd)
            self.postfix = opening.enter_context(Postfix(self.dovecot, milter=self.rspamd.milter))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def host(self) -> str:
        """The name under which all servers are reached and which their certificate bears."""
        return self.dovecot.host

    @property
    def ca_file(self) -> Path:
        """The authority that signed the servers' certificate."""
        return self.dovecot.ca_file

    @property
    def authserv_id(self) -> str:
        """The authserv-id of the receiving server."""
        return self.rspamd.authserv_id

    def deliver_genuine(self, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        """Hand in a mail from a server that may send for the sender's domain: dmarc=pass if From agrees.

        The sender's domain is cliente.example.com.br, cliente.example or sodexo.example.
        """
        self.postfix.deliver(sender, recipients, raw, client_ip=CUSTOMER_IP)

    def deliver_forged(self, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        """Hand in a mail from a server that may send for nobody: dmarc=fail if From's domain has a policy."""
        self.postfix.deliver(sender, recipients, raw, client_ip=STRANGER_IP)
