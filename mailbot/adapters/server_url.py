"""Addresses of mail servers as the settings write them: a URL in, a :class:`ServerAddress` out.

What an error says never holds any part of the URL: a slip of the pen moves the password anywhere.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote

from mailbot.domain.mailbox import Security, ServerAddress, ServerKind

# Scheme: security and port where the URL has none (RFC 8314 §7.3, RFC 9051 §2.1, RFC 6409 §3.1).
_SCHEMES = {
    ServerKind.IMAP: {
        "imaps": (Security.TLS, 993),
        "imap+starttls": (Security.STARTTLS, 143),
        "imap": (Security.PLAIN, 143),
    },
    ServerKind.SMTP: {
        "smtps": (Security.TLS, 465),
        "smtp+starttls": (Security.STARTTLS, 587),
        "smtp": (Security.PLAIN, 25),
    },
}
_HOST_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def is_loopback_address(address: str) -> bool:
    """Whether an IP address in text form stays on this machine; false for anything that is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def names_loopback(host: str) -> bool:
    """Whether a host, by its name alone, is this machine (RFC 6761 §6.3 for the names).

    A name proves nothing about what it resolves to: who connects looks at the peer's address as well.
    """
    name = host.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost") or is_loopback_address(host)


def parse_server_url(
    url: str, *, kind: ServerKind, password: str | None = None, allow_plain: bool = False
) -> ServerAddress:
    """Take a server's URL apart: ``scheme://user:password@host:port/folder``.

    User and password end at the *last* ``@``; both, and the folder, may be percent-encoded. A ``password``
    given apart wins and is taken as it is. Without TLS only this machine may be named, unless
    ``allow_plain``. Raises ``ValueError`` with a message fit for the administrator's eyes.
    """
    url = url.strip()
    _refuse_control_characters("the URL", url)
    security, default_port, rest = _split_scheme(url, kind)
    credentials, has_credentials, place = rest.rpartition("@")
    location, _, path = place.partition("/")
    host, port = _split_host(location)
    username, own_password = _split_credentials(credentials) if has_credentials else (None, None)
    if password is not None:
        _refuse_control_characters("the password", password)
        own_password = password
    if security is Security.PLAIN and not allow_plain and not names_loopback(host):
        raise ValueError(f"{kind.value}:// without TLS is only for this machine; write {_safe_schemes(kind)}")
    return ServerAddress(
        security=security,
        host=host,
        port=port or default_port,
        username=username,
        password=own_password if username is not None else None,
        folder=_folder(path, kind),
        plain_allowed=allow_plain,
    )


def _split_scheme(url: str, kind: ServerKind) -> tuple[Security, int, str]:
    scheme, separator, rest = url.partition("://")
    known = _SCHEMES[kind]
    if not separator or scheme.lower() not in known:
        allowed = ", ".join(f"{name}://" for name in known)
        raise ValueError(f"the URL must begin with one of {allowed}")
    security, port = known[scheme.lower()]
    return security, port, rest


def _split_credentials(text: str) -> tuple[str | None, str | None]:
    username, has_password, password = text.partition(":")
    decoded = unquote(username), unquote(password)
    _refuse_control_characters("the user name", decoded[0])
    _refuse_control_characters("the password", decoded[1])
    if not username and has_password:
        raise ValueError("there is a password but no user name before it")
    return decoded[0] or None, decoded[1] if has_password else None


def _split_host(text: str) -> tuple[str, int | None]:
    """Host without brackets, and port if there is one."""
    if text.startswith("["):
        literal, closed, after = text[1:].partition("]")
        if not closed or not _is_ipv6(literal) or (after and not after.startswith(":")):
            raise ValueError("the IPv6 address in brackets is not valid")
        return literal, _port(after[1:]) if after else None
    host, has_port, port = text.partition(":")
    return _host_name(host), _port(port) if has_port else None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _host_name(host: str) -> str:
    if not host:
        raise ValueError("the URL names no host")
    try:
        # Internationalised names travel in their ASCII form (RFC 5890).
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("the host name is not valid") from None
    if len(name) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in name.removesuffix(".").split(".")):
        raise ValueError("the host name is not valid (is the @ before it missing?)")
    return name


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) < 65536):
        raise ValueError("the port must be a number from 1 to 65535 (is the @ before the host missing?)")
    return int(text)


def _folder(path: str, kind: ServerKind) -> str:
    folder = unquote(path)
    _refuse_control_characters("the folder", folder)
    if kind is ServerKind.SMTP and folder:
        raise ValueError("an SMTP server has no folder; nothing may follow the port")
    return folder or "INBOX"


def _refuse_control_characters(what: str, text: str) -> None:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError(f"{what} contains a line break or another control character")


def _safe_schemes(kind: ServerKind) -> str:
    return " or ".join(
        f"{name}://" for name, (security, _) in _SCHEMES[kind].items() if security != Security.PLAIN
    )
