"""Log-in by token (OAuth2): what an administrator says about it, and when what we log in with comes to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum


class LoginProvider(StrEnum):
    """Who gives the tokens."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"
    # Any authorization server that does as RFC 6749 says.
    GENERIC = "generic"


class LoginCredential(StrEnum):
    """What a token is asked for with. The first three are the program's own, the last is a person's consent."""

    CLIENT_SECRET = "client_secret"
    CERTIFICATE = "certificate"
    SERVICE_ACCOUNT = "service_account"
    REFRESH_TOKEN = "refresh_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogin:
    """How the tokens for one mailbox are asked for.

    ``username`` is whose mailbox it is. ``secret`` is the credential itself: the client secret, private key and
    certificate as PEM, the service account's JSON, or the refresh token; ``client_secret`` goes with a refresh
    token. ``authority`` is the provider's address, for Microsoft without the tenant. ``expires_on`` is what the
    administrator knows of the credential's end.
    """

    mailbox: str
    provider: LoginProvider
    credential: LoginCredential
    username: str
    secret: str = field(repr=False)
    client_secret: str = field(default="", repr=False)
    client_id: str = ""
    tenant_id: str = ""
    authority: str = ""
    scope: str = ""
    secret_in_header: bool = True
    expires_on: date | None = None

    @property
    def stated_end(self) -> datetime | None:
        """The day on which the credential ends, as stated; its noon, so that it is one day everywhere here."""
        return None if self.expires_on is None else datetime.combine(self.expires_on, time(12), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginExpiry:
    """What a mailbox logs in with, and when it ends as far as anybody knows."""

    mailbox: str
    credential: LoginCredential
    expires_at: datetime | None
