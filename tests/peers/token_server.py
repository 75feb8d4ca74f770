"""An authorization server on loopback, whose tokens the private Dovecot believes; its faults are switched on one
by one.

It speaks as much of RFC 6749, of Microsoft Entra's addresses and of Google's assertions as mailbot asks for, and
checks what it is shown: a secret, a signature, the refresh token that is good now.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import json
import secrets
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.peers.dovecot import TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_KEY
from tests.peers.process import Ports

TENANT = "3f1a6c1e-0000-4000-8000-000000000001"
CLIENT = "3f1a6c1e-0000-4000-8000-0000000000aa"
CLIENT_SECRET = "um~segredo+do/cliente"
FIRST_REFRESH_TOKEN = "1//primeiro-refresh-token"
# What Google's library writes into its assertions, whatever the token endpoint's address.
GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def private_key() -> rsa.RSAPrivateKey:
    """A fresh key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: rsa.RSAPrivateKey) -> str:
    """The key as PEM, without a pass phrase."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def certificate_of(key: rsa.RSAPrivateKey, *, days: float = 30, names: tuple[str, ...] = ()) -> x509.Certificate:
    """A self-signed certificate that ends in ``days``; with ``names`` one for a server on loopback."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailbot test")])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
    if names:
        addresses = [x509.DNSName(one) for one in names]
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        # The strict checks of Python 3.13 want all of these.
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
        builder = (
            builder.add_extension(x509.SubjectAlternativeName([*addresses, loopback]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(identifier, critical=False)
            .add_extension(usage, critical=True)
        )
    return builder.sign(key, hashes.SHA256())


def pem_pair(key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> str:
    """Key and certificate as one PEM text."""
    return pem_of(key) + certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


@dataclass
class Asked:
    """One request for a token."""

    path: str
    form: dict[str, str]
    authorization: str


@dataclass
class _State:
    asked: list[Asked] = field(default_factory=list)
    discoveries: int = 0


class TokenServer:
    """The server, as a context manager.

    What tests turn: ``subject`` (whom a token names), ``lifetime_seconds`` (as it is told), ``outlasts_seconds``
    (for how much longer it is good), ``claims`` (added to every token), ``rotates`` (each refresh token is good
    once), ``answer`` (a status and body instead of its duty), ``is_silent`` (takes the question and says nothing),
    ``drips`` (a byte now and then).
    """

    def __init__(self, folder: Path, *, tls: bool = True, port: int = 0) -> None:
        self._folder = folder
        self._tls = tls
        self.ca_file = folder / "token-server.pem"
        self.subject = ""
        self.lifetime_seconds: float = 3600
        self.outlasts_seconds: float = 0
        self.claims: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}
        self.rotates = False
        self.answer: tuple[int, Mapping[str, Any] | bytes] | None = None
        self.is_silent = False
        self.drips = False
        self.thinks_seconds = 0.0
        self.refresh_token = FIRST_REFRESH_TOKEN
        self.app_key: Any = None
        self.service_account_key: Any = None
        self.state = _State()
        self._lock = threading.Lock()
        self._ports = Ports()
        self._port = port
        self._server: ThreadingHTTPServer | None = None
        self._closing = threading.Event()

    # --- running ---

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._ports.close()

    def start(self) -> None:
        """Listen, on the same port as before: nobody else takes it meanwhile."""
        server = self
        self._closing.clear()
        self._port = self._port or self._ports.take()

        class Handler(_Handler):
            tokens = server

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        if self._tls:
            self._server.socket = self._context().wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be away."""
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _context(self) -> ssl.SSLContext:
        file = self._folder / "token-server.key"
        if not file.exists():
            key = private_key()
            certificate = certificate_of(key, names=("localhost",))
            self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
            file.write_text(pem_of(key), encoding="ascii")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, file)
        return context

    # --- for tests ---

    @property
    def authority(self) -> str:
        """What stands before the tenant."""
        return f"{'https' if self._tls else 'http'}://localhost:{self._port}"

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.authority}/token"

    @property
    def asked(self) -> list[Asked]:
        """Every request for a token so far."""
        return self.state.asked

    def signed(self, **claims: Any) -> str:
        """A token as it is given now, with ``claims`` in place of its own; ``None`` leaves one out."""
        now = time.time()
        content = {
            "iss": TOKEN_ISSUER,
            "aud": TOKEN_AUDIENCE,
            "sub": self.subject,
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + self.lifetime_seconds + self.outlasts_seconds),
            # So that no two are alike.
            "jti": secrets.token_hex(8),
            **self.claims,
            **claims,
        }
        given = {key: value for key, value in content.items() if value is not None}
        return jwt.encode(given, TOKEN_KEY, algorithm="HS256")

    # --- duty ---

    def reply(self, asked: Asked) -> tuple[int, Mapping[str, Any] | bytes]:
        """What to say to a request for a token."""
        with self._lock:
            self.state.asked.append(asked)
        time.sleep(self.thinks_seconds)
        if self.is_silent:
            self._closing.wait(30)
        with self._lock:
            try:
                return self.answer or self._duty(asked)
            except jwt.InvalidTokenError:
                return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}

    def _duty(self, asked: Asked) -> tuple[int, Mapping[str, Any]]:
        form = asked.form
        match form.get("grant_type"):
            case "client_credentials" if self._is_the_client(asked):
                return self._given()
            case "refresh_token" if form["refresh_token"] == self.refresh_token and self._is_the_client(asked):
                if not self.rotates:
                    return self._given()
                self.refresh_token = f"1//{secrets.token_hex(8)}"
                return self._given(refresh_token=self.refresh_token)
            case "refresh_token":
                return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                return self._for_assertion(form["assertion"])
        return 401, {
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret provided.",
        }

    def _given(self, **more: Any) -> tuple[int, Mapping[str, Any]]:
        answer = {
            "token_type": "Bearer",
            "access_token": self.signed(),
            "expires_in": int(self.lifetime_seconds),
            **self.extra,
        }
        return 200, answer | more

    def _is_the_client(self, asked: Asked) -> bool:
        form = asked.form
        if asked.authorization.startswith("Basic "):
            name, _, secret = base64.b64decode(asked.authorization[6:]).decode().partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, CLIENT_SECRET)
        if form.get("client_assertion_type") == _ASSERTION and self.app_key is not None:
            options: Any = {"verify_aud": False}
            claims = jwt.decode(form["client_assertion"], self.app_key, algorithms=["PS256"], options=options)
            return bool(claims["iss"] == claims["sub"] == CLIENT)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, CLIENT_SECRET)

    def _for_assertion(self, assertion: str) -> tuple[int, Mapping[str, Any]]:
        assert self.service_account_key is not None
        claims = jwt.decode(assertion, self.service_account_key, algorithms=["RS256"], audience=GOOGLE_AUDIENCE)
        if claims["scope"] != "https://mail.google.com/":
            return 400, {"error": "invalid_scope"}
        self.subject = claims["sub"]
        return self._given()


class _Handler(BaseHTTPRequestHandler):
    tokens: TokenServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        here = self.tokens
        here.state.discoveries += 1
        if TENANT not in self.path:
            self._say(400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."})
            return
        base = f"{here.authority}/{TENANT}"
        self._say(
            200,
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            },
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = Asked(
            path=self.path, form=dict(parse_qsl(body)), authorization=self.headers.get("Authorization", "")
        )
        self._say(*self.tokens.reply(asked))

    def _say(self, status: int, content: Mapping[str, Any] | bytes) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        head = f"HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        with contextlib.suppress(OSError):
            if self.tokens.drips:
                for byte in (head + "X-Slow: " + "y" * 1000).encode():
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.05)
            location = "Location: https://other.example/\r\n" if status in (301, 302, 307, 308) else ""
            self.wfile.write(f"{head}{location}Connection: close\r\n\r\n".encode() + body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
