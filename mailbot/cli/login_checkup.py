"""What ``mailbot doctor`` tries of a log-in by token: is one given, what may it do, when does it end."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mailbot.cli.checkup import Finding, State
from mailbot.cli.login_advice import advice_on_sender, advice_on_server, advice_on_token, missing_permissions
from mailbot.domain.errors import CredentialsRefused, ServerAway, StorageUnavailable
from mailbot.domain.logins import LoginCredential, LoginProvider, TokenLogin

if TYPE_CHECKING:
    from mailbot.adapters.oauth.renewing import RenewingTokens
    from mailbot.connections import Connection

_SOON = timedelta(days=14)
# The trouble is with who gives the tokens, not with the mail server.
_NO_TOKEN = "authorization server"
# The log-in is good, the mailbox is not open to us (Exchange Online).
_NOT_OURS = "authenticated but not connected"


def check_login(connection: Connection) -> list[Finding]:
    """Ask for a token as the daemon does; nothing where a password is used."""
    tokens = connection.tokens
    if tokens is None:
        return []
    check = f"log-in {connection.mailbox.key}"
    return [*_token(check, connection, tokens), *_end(check, tokens)]


def server_advice(connection: Connection, protocol: str, error: ServerAway) -> str | None:
    """What to do about a mail server (``protocol`` is IMAP or SMTP) that does not let our token in.

    ``None`` where a password is used there, or the trouble is not of that kind.
    """
    from mailbot.catalogue.mailboxes import MailServerName

    tokens, said = connection.tokens_at(MailServerName(protocol.lower())), str(error)
    if tokens is None:
        return None
    if _NO_TOKEN in said:
        return f"see log-in {connection.mailbox.key}"
    if isinstance(error, CredentialsRefused) or _NOT_OURS in said:
        return advice_on_server(said, tokens.login, protocol=protocol)
    return None


def sending_advice(connection: Connection, response: str) -> str | None:
    """What to do about a server that lets our token in and does not take our address as sender."""
    from mailbot.catalogue.mailboxes import MailServerName

    tokens = connection.tokens_at(MailServerName.SMTP)
    return None if tokens is None else advice_on_sender(response, tokens.login)


def _token(check: str, connection: Connection, tokens: RenewingTokens) -> Iterator[Finding]:
    spec, login = connection.mailbox.spec, tokens.login
    secret_name = spec.oauth2_variable(login.credential)
    try:
        token = tokens.token()
    except StorageUnavailable as error:
        advice = "the newest refresh token is kept there: give the folder to the daemon's user, mode 0700"
        yield Finding(check=check, state=State.PROBLEM, message=str(error), advice=advice)
        return
    except CredentialsRefused as error:
        advice = advice_on_token(str(error), login, secret_name=secret_name)
        yield Finding(check=check, state=State.UNREACHABLE, message=str(error), advice=advice)
        return
    except ServerAway as error:
        advice = "check this machine's way to the provider (DNS, proxy, firewall); the daemon keeps trying"
        yield Finding(check=check, state=State.UNREACHABLE, message=str(error), advice=advice)
        return
    minutes = round((token.expires_at - token.obtained_at) / 60)
    yield Finding(
        check=check, state=State.OK, message=f"{login.provider} gives a token, good for {minutes} minutes"
    )
    yield from _permissions(check, login, token.value, frozenset(spec.oauth2.servers if spec.oauth2 else ()))


def _permissions(check: str, login: TokenLogin, token: str, servers: frozenset[str]) -> Iterator[Finding]:
    if login.provider is not LoginProvider.MICROSOFT:
        return
    missing = missing_permissions(_roles(token), servers)
    if missing:
        names = " and ".join(missing)
        yield Finding(
            check=check,
            state=State.PROBLEM,
            message=f"the token does not carry {names}",
            advice="Entra > App registrations > the app > API permissions > Add a permission > APIs my "
            f"organization uses > Office 365 Exchange Online > Application permissions: {names}; then Grant "
            "admin consent",
        )


def _roles(token: str) -> frozenset[str] | None:
    """The application permissions in a token of Microsoft's; ``None`` where it does not tell.

    Only to find out what is missing: what the token is worth, its server decides.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        roles = claims.get("roles", [])
        return frozenset(role for role in roles if isinstance(role, str))
    except (IndexError, ValueError, AttributeError, TypeError):
        return None


def _end(check: str, tokens: RenewingTokens) -> Iterator[Finding]:
    expiry = tokens.expiry()
    what = expiry.credential.replace("_", " ")
    if expiry.expires_at is None:
        if expiry.credential is LoginCredential.CLIENT_SECRET and tokens.login.provider is LoginProvider.MICROSOFT:
            message = f"when the {what} ends is not known, so nobody is warned before"
            advice = "set oauth2.expires_on in mailboxes.yaml (Entra > Certificates & secrets > Expires)"
            yield Finding(check=check, state=State.NOTE, message=message, advice=advice)
        return
    left = expiry.expires_at - datetime.now(UTC)
    day = expiry.expires_at.strftime("%Y-%m-%d")
    if left > _SOON:
        yield Finding(check=check, state=State.OK, message=f"the {what} is good until {day}")
        return
    said = "ended" if left <= timedelta() else f"ends in {max(1, left.days)} days,"
    message = f"the {what} {said} {'on ' if left <= timedelta() else ''}{day}"
    yield Finding(check=check, state=State.PROBLEM, message=message, advice="renew it with the provider")
