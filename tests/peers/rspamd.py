"""A private rspamd as Postfix's milter, and the private dnsmasq that it asks for SPF, DKIM and DMARC records.

It writes the `Authentication-Results` of mx.example.com.br and removes those that a mail brings along. It
never refuses a mail: forged ones arrive, marked as what they are, so that the bot's own judgement is tested.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import struct
import subprocess
from pathlib import Path

from tests.peers.process import LOOPBACK, Peer, Supervised

AUTHSERV_ID = "mx.example.com.br"
COMPANY_IP = "192.0.2.10"
"""From here SPF lets example.com.br send."""
CUSTOMER_IP = "203.0.113.10"
"""From here SPF lets cliente.example.com.br, cliente.example, sodexo.example and sem-dmarc.example send."""
STRANGER_IP = "198.51.100.66"
"""From here SPF lets nobody send."""
SELECTOR = "teste"
DKIM_DOMAINS = ("example.com.br", "cliente.example.com.br", "cliente.example", "outro.example")
"""Domains whose mail `Rspamd.sign` can sign."""

# Strict alignment for the company: with relaxed, a customer's subdomain could vouch for its staff.
_TEXTS = {
    "example.com.br": f"v=spf1 ip4:{COMPANY_IP} -all",
    "_dmarc.example.com.br": "v=DMARC1; p=reject; aspf=s; adkim=s",
    "cliente.example.com.br": f"v=spf1 ip4:{CUSTOMER_IP} -all",
    "_dmarc.cliente.example.com.br": "v=DMARC1; p=reject; aspf=s; adkim=s",
    "cliente.example": f"v=spf1 ip4:{CUSTOMER_IP} -all",
    "_dmarc.cliente.example": "v=DMARC1; p=quarantine",
    "sodexo.example": f"v=spf1 ip4:{CUSTOMER_IP} -all",
    "_dmarc.sodexo.example": "v=DMARC1; p=quarantine",
    "sem-dmarc.example": f"v=spf1 ip4:{CUSTOMER_IP} -all",
    "outro.example": f"v=spf1 ip4:{STRANGER_IP} -all",
}


_PUBLIC_SUFFIXES = "br\ncom.br\ncom\nexample\n"


class NameServer(Peer):
    """A running dnsmasq that knows the given TXT records and denies every other name."""

    name = "dnsmasq"

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self.port = self.ports.take()
        self._texts = texts

    def _configure(self) -> None:
        lines = [
            "no-resolv",
            "no-hosts",
            # Not "no-daemon": in that mode an idle TCP connection, as rspamd opens one, blocks all others.
            "keep-in-foreground",
            "log-facility=-",
            "bind-interfaces",
            f"listen-address={LOOPBACK}",
            f"port={self.port}",
            "user=root",
            "pid-file=",
            "local=/#/",
        ]
        for name, text in self._texts.items():
            # One string of a TXT record holds at most 255 bytes.
            parts = ",".join(f'"{text[start : start + 250]}"' for start in range(0, len(text), 250))
            lines.append(f"txt-record={name},{parts}")
        (self.folder / "dnsmasq.conf").write_text("\n".join(lines) + "\n", encoding="ascii")

    def _launch(self) -> Supervised:
        command = ["/usr/sbin/dnsmasq", f"--conf-file={self.folder}/dnsmasq.conf"]
        process = Supervised(command, folder=self.folder, log=self.log)
        process.wait_until_ready(self._is_ready, "dnsmasq")
        return process

    def _is_ready(self) -> bool:
        question = (
            struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + b"\x07example\x03com\x02br\x00" + struct.pack(">2H", 16, 1)
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.2)
            try:
                asker.sendto(question, (LOOPBACK, self.port))
                return b"v=spf1" in asker.recv(4096)
            except OSError:
                return False


_CONFIGURATION = """\
options {{
  pidfile = "{folder}/rspamd.pid";
  cache_file = "{folder}/data/symbols.cache";
  dynamic_conf = "{folder}/data/dynamic";
  history_file = "{folder}/data/history";
  stats_file = "{folder}/data/stats.ucl";
  hs_cache_dir = "{folder}/data";
  control_socket = "{folder}/data/control.sock mode=0600";
  tempdir = "{folder}/data";
  url_tld = "{folder}/suffixes";
  filters = "dkim";
  disable_hyperscan = true;
  max_message = 80Mb;
  local_addrs = [];
  dns {{
    nameserver = ["{loopback}:{dns_port}"];
    timeout = 5s;
    retransmits = 5;
  }}
}}
logging {{
  type = "console";
  level = "warning";
  color = false;
}}
# No languages, and public suffixes of our own: with all of them the start takes 7 s and 250 MB.
lang_detection {{
  languages = "{folder}/data";
}}
worker "rspamd_proxy" {{
  bind_socket = "{milter_socket} mode=0666";
  count = 2;
  milter = yes;
  timeout = 60s;
  upstream "local" {{
    default = yes;
    self_scan = yes;
  }}
}}
modules {{
  path = "/usr/share/rspamd/plugins/spf.lua";
  path = "/usr/share/rspamd/plugins/dmarc.lua";
  path = "/usr/share/rspamd/plugins/milter_headers.lua";
}}
actions {{
  reject = null;
  greylist = null;
  add_header = null;
}}
# Loopback and logged-in clients are checked like all others.
spf {{
  check_local = true;
  check_authed = false;
}}
dkim {{
  check_local = true;
  check_authed = false;
}}
dmarc {{
  check_local = true;
  check_authed = false;
}}
milter_headers {{
  skip_local = false;
  skip_authenticated = false;
  use = ["authentication-results"];
}}
"""


class Rspamd(Peer):
    """A running rspamd with its name server.

    Attributes: `milter`, its address for Postfix; `authserv_id` of the headers it writes.
    """

    name = "rspamd"
    authserv_id = AUTHSERV_ID

    def __init__(self) -> None:
        super().__init__()
        self._name_server: NameServer | None = None

    def _configure(self) -> None:
        key = self.folder / "dkim.pem"
        _openssl("genrsa", "-out", str(key), "2048")
        public = base64.b64encode(_openssl("rsa", "-in", str(key), "-pubout", "-outform", "DER")).decode("ascii")
        keys = {f"{SELECTOR}._domainkey.{domain}": f"v=DKIM1; k=rsa; p={public}" for domain in DKIM_DOMAINS}
        self._name_server = NameServer({**_TEXTS, **keys})
        self._name_server.__enter__()
        data = self.folder / "data"
        data.mkdir()
        text = _CONFIGURATION.format(
            folder=self.folder,
            loopback=LOOPBACK,
            dns_port=self._name_server.port,
            milter_socket=self._socket,
        )
        (self.folder / "suffixes").write_text(_PUBLIC_SUFFIXES, encoding="ascii")
        (self.folder / "rspamd.conf").write_text(text, encoding="utf-8")

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        if self._name_server is not None:
            self._name_server.__exit__(*details)

    def _launch(self) -> Supervised:
        command = ["/usr/bin/rspamd", "-f", "-i", "-c", str(self.folder / "rspamd.conf")]
        process = Supervised(command, folder=self.folder, log=self.log)
        process.wait_until_ready(self._is_ready, "rspamd")
        return process

    @property
    def _socket(self) -> Path:
        return self.folder / "milter.sock"

    @property
    def milter(self) -> str:
        """The address of the milter; over TCP each mail would cost 40 ms of delayed acknowledgements."""
        return f"unix:{self._socket}"

    def _is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def sign(self, raw: bytes, domain: str) -> bytes:
        """Return the mail, CRLF line ends, with a DKIM signature of one of `DKIM_DOMAINS` (RFC 6376)."""
        return sign_dkim(raw, domain, self.folder / "dkim.pem")


def sign_dkim(raw: bytes, domain: str, key: Path) -> bytes:
    """Sign the body and From, To, Subject, Date and Message-ID, each there at most once."""
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    chosen = [field for field in fields if _name(field) in {"from", "to", "subject", "date", "message-id"}]
    # "simple": as it is, one line end at the end.
    body_hash = base64.b64encode(hashlib.sha256(body.rstrip(b"\r\n") + b"\r\n").digest()).decode("ascii")
    names = ":".join(_name(field) for field in chosen)
    signature = (
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d={domain}; s={SELECTOR}; "
        f"h={names}; bh={body_hash}; b="
    ).encode("ascii")
    signed = b"".join(_relaxed(field) + b"\r\n" for field in chosen) + _relaxed(signature)
    value = base64.b64encode(_openssl("dgst", "-sha256", "-sign", str(key), stdin=signed))
    return signature + value + b"\r\n" + raw


def _name(field: bytes) -> str:
    return field.partition(b":")[0].strip().lower().decode("latin-1")


def _relaxed(field: bytes) -> bytes:
    """Canonicalise one header field: RFC 6376, 3.4.2."""
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip()


def _openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True).stdout
