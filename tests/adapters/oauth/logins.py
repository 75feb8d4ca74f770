"""Log-ins at the private authorization server, for tests."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

from mailbot.adapters.oauth.https import Https
from mailbot.adapters.oauth.login import tokens_for
from mailbot.adapters.oauth.renewing import RenewingTokens
from mailbot.domain.logins import LoginCredential, LoginProvider, TokenLogin
from tests.peers.process import PATIENCE_SECONDS
from tests.peers.token_server import (
    CLIENT,
    CLIENT_SECRET,
    FIRST_REFRESH_TOKEN,
    TENANT,
    TokenServer,
    pem_of,
    private_key,
)

USER = "atendimento@example.com.br"


def login_at(server: TokenServer, **changes: Any) -> TokenLogin:
    """A Microsoft log-in with a client secret, unless changed."""
    facts: dict[str, Any] = {
        "mailbox": "default",
        "provider": LoginProvider.MICROSOFT,
        "credential": LoginCredential.CLIENT_SECRET,
        "username": USER,
        "secret": CLIENT_SECRET,
        "client_id": CLIENT,
        "tenant_id": TENANT,
        "authority": server.authority,
    }
    return TokenLogin(**(facts | changes))


def generic_login(server: TokenServer, **changes: Any) -> TokenLogin:
    """Client credentials of RFC 6749."""
    facts: dict[str, Any] = {"provider": LoginProvider.GENERIC, "authority": server.token_url}
    return login_at(server, **(facts | changes))


def refresh_login(
    server: TokenServer, provider: LoginProvider = LoginProvider.GENERIC, **changes: Any
) -> TokenLogin:
    """A refresh token."""
    facts: dict[str, Any] = {
        "provider": provider,
        "credential": LoginCredential.REFRESH_TOKEN,
        "secret": FIRST_REFRESH_TOKEN,
        "client_secret": CLIENT_SECRET,
        "authority": server.token_url,
    }
    return login_at(server, **(facts | changes))


def service_account_login(server: TokenServer, **changes: Any) -> TokenLogin:
    """A Google service account whose key the server knows."""
    key = private_key()
    server.service_account_key = key.public_key()
    info = {
        "type": "service_account",
        "client_email": "mailbot@projeto.iam.gserviceaccount.example",
        "private_key_id": "k1",
        "private_key": pem_of(key),
        "token_uri": server.token_url,
    }
    facts: dict[str, Any] = {
        "provider": LoginProvider.GOOGLE,
        "credential": LoginCredential.SERVICE_ACCOUNT,
        "secret": json.dumps(info),
        "authority": "",
    }
    return login_at(server, **(facts | changes))


def https_to(server: TokenServer, limit_seconds: float = PATIENCE_SECONDS) -> Https:
    """A client that trusts the server."""
    tls = server.authority.startswith("https")
    context = ssl.create_default_context(cafile=server.ca_file) if tls else None
    return Https(limit_seconds=limit_seconds, context=context)


def tokens_at(
    server: TokenServer, login: TokenLogin, folder: Path, *, limit_seconds: float = PATIENCE_SECONDS
) -> RenewingTokens:
    """The provider, as the composition root makes it."""
    return tokens_for(login, folder=folder, https=https_to(server, limit_seconds))
