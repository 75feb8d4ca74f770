"""A token that is kept and renewed in time: ``Grant`` (asks the provider) → ``TokenProvider``.

One renewal at a time among all threads of the process; who waited for one that failed is told the same and does
not knock again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from mailbot.adapters.oauth import AccessToken
from mailbot.domain.errors import ServerAway
from mailbot.domain.logins import LoginExpiry, TokenLogin

_log = structlog.get_logger("mailbot.oauth")

# Before its end, so that a provider which is away for a while is not noticed; never more than a quarter of it.
_RENEW_BEFORE_END_SECONDS = 300.0
_TRY_AGAIN_SECONDS = 30.0
# A token that the provider has only just given is not asked for again.
_JUST_GIVEN_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a provider gave."""

    access_token: str = field(repr=False)
    lifetime_seconds: float


class Grant(Protocol):
    """One way to ask one provider for a token."""

    def ask(self) -> Granted:
        """Ask now. Raises ``CredentialsRefused``, ``LoginExpired`` or ``ServerAway``."""
        ...

    def ends_at(self) -> datetime | None:
        """When the credential that is asked with ends, as far as it can be known without asking."""
        ...


class RenewingTokens:
    """The :class:`mailbot.adapters.oauth.TokenProvider` of one mailbox, shared by IMAP and SMTP."""

    def __init__(
        self, login: TokenLogin, grant: Grant, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.login = login
        self._grant = grant
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._attempts = 0
        self._failure: ServerAway | None = None

    def token(self) -> AccessToken:
        """See :meth:`mailbot.adapters.oauth.TokenProvider.token`."""
        token, attempts = self._token, self._attempts
        if token is not None and self._monotonic() < token.renew_at:
            return token
        with self._lock:
            if self._attempts != attempts and self._failure is not None and self._usable() is None:
                raise type(self._failure)(str(self._failure))
            return self._renewed()

    def replace(self, refused: AccessToken) -> AccessToken | None:
        """See :meth:`mailbot.adapters.oauth.TokenProvider.replace`."""
        with self._lock:
            token = self._token
            if token is not None and token.value == refused.value:
                if self._monotonic() - token.obtained_at < _JUST_GIVEN_SECONDS:
                    return None
                self._token = None
        token = self.token()
        return None if token.value == refused.value else token

    def expiry(self) -> LoginExpiry:
        """When what we log in with ends; asks nobody."""
        known = [end for end in (self.login.stated_end, self._grant.ends_at()) if end is not None]
        return LoginExpiry(
            mailbox=self.login.mailbox, credential=self.login.credential, expires_at=min(known, default=None)
        )

    def _usable(self) -> AccessToken | None:
        token = self._token
        return token if token is not None and self._monotonic() < token.expires_at else None

    def _renewed(self) -> AccessToken:
        now = self._monotonic()
        token = self._usable()
        if token is not None and now < token.renew_at:
            return token
        try:
            granted = self._grant.ask()
        except ServerAway as error:
            self._failure = error
            return self._kept_for_now(token, error)
        finally:
            # Not before: who comes while the question is out must know it for one that it waited for.
            self._attempts += 1
        self._failure = None
        lifetime = granted.lifetime_seconds
        self._token = AccessToken(
            value=granted.access_token,
            obtained_at=now,
            renew_at=now + lifetime - min(_RENEW_BEFORE_END_SECONDS, lifetime / 4),
            expires_at=now + lifetime,
        )
        _log.info(
            "token renewed", action="oauth.renewed", mailbox=self.login.mailbox, lifetime_seconds=round(lifetime)
        )
        return self._token

    def _kept_for_now(self, token: AccessToken | None, error: ServerAway) -> AccessToken:
        """A token that is still valid outlasts a provider that is away; raises ``error`` where there is none."""
        if token is None:
            raise error
        _log.warning("token not renewed", action="oauth.not_renewed", mailbox=self.login.mailbox, error=str(error))
        again_at = min(self._monotonic() + _TRY_AGAIN_SECONDS, token.expires_at)
        self._token = replace(token, renew_at=again_at)
        return self._token
