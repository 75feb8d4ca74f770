"""From what the administrator says to a token provider: ``TokenLogin`` → ``RenewingTokens``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import assert_never

from mailbot.adapters.oauth.google import GoogleRefreshGrant, ServiceAccountGrant, service_account_info
from mailbot.adapters.oauth.https import Https
from mailbot.adapters.oauth.microsoft import MicrosoftGrant, certificate_end
from mailbot.adapters.oauth.refresh_token_file import RefreshTokenFile
from mailbot.adapters.oauth.renewing import Grant, RenewingTokens
from mailbot.adapters.oauth.rfc6749 import ClientCredentialsGrant, RefreshGrant
from mailbot.domain.logins import LoginCredential, LoginProvider, TokenLogin

_LIBRARIES = {LoginProvider.MICROSOFT: "msal", LoginProvider.GOOGLE: "google.auth"}


def missing_extra(provider: LoginProvider) -> str | None:
    """The extra with which mailbot has to be installed for this provider; ``None`` if nothing is missing."""
    library = _LIBRARIES.get(provider)
    if library is None:
        return None
    try:
        found = importlib.util.find_spec(library) is not None
    except ModuleNotFoundError:
        found = False
    return None if found else f"mailbot[{provider}]"


def check_secret(credential: LoginCredential, secret: str) -> None:
    """Raise ``ValueError``, which never quotes the secret, where it cannot be what it should be."""
    match credential:
        case LoginCredential.CERTIFICATE:
            certificate_end(secret)
        case LoginCredential.SERVICE_ACCOUNT:
            service_account_info(secret)
        case LoginCredential.CLIENT_SECRET | LoginCredential.REFRESH_TOKEN:
            if any(character.isspace() or not character.isprintable() for character in secret):
                raise ValueError("contains a space or a line break")
        case _:
            assert_never(credential)


def tokens_for(login: TokenLogin, *, folder: Path, https: Https | None = None) -> RenewingTokens:
    """The provider for one mailbox. ``folder`` is for refresh tokens; ``https`` may be given by tests.

    Asks nobody yet. Raises ``ValueError`` where the secret is not what :func:`check_secret` asks for.
    """
    return RenewingTokens(login, _grant(login, folder, https or Https()))


def _grant(login: TokenLogin, folder: Path, https: Https) -> Grant:
    if login.provider is LoginProvider.MICROSOFT:
        return MicrosoftGrant(login, https)
    if login.credential is LoginCredential.SERVICE_ACCOUNT:
        return ServiceAccountGrant(login, https)
    if login.credential is not LoginCredential.REFRESH_TOKEN:
        return ClientCredentialsGrant(login, https)
    file = RefreshTokenFile(folder / f"{login.mailbox}.json", login.secret)
    if login.provider is LoginProvider.GOOGLE:
        return GoogleRefreshGrant(login, https, file)
    return RefreshGrant(login, https, file)
