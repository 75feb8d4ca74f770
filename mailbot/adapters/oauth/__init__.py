"""The seam for log-in by token (Microsoft 365, Google): who connects asks a provider each time.

``login.py`` makes the provider that the settings name: ``renewing.py`` keeps a token as long as it is valid and
asks ``microsoft.py``, ``google.py`` or ``rfc6749.py`` for the next one, over ``https.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A bearer token (RFC 6750) with its moments on the monotonic clock, in seconds.

    From ``renew_at`` on a new one should be asked for; after ``expires_at`` no server takes it. A connection that
    was opened with it should be opened anew at ``renew_at``: neither IMAP nor SMTP can log in a second time.
    """

    value: str = field(repr=False)
    obtained_at: float
    renew_at: float
    expires_at: float


class TokenProvider(Protocol):
    """Gets OAuth2 access tokens and keeps them as long as they are valid. May be used by many threads."""

    def token(self) -> AccessToken:
        """A bearer token that is valid now; may talk to the network, within a time limit.

        Raises :class:`mailbot.domain.errors.CredentialsRefused` (``LoginExpired`` where a person has to renew
        something) if it is denied and ``ServerAway`` if its server cannot be reached.
        """
        ...

    def replace(self, refused: AccessToken) -> AccessToken | None:
        """Another token in place of one that a mail server did not take (revoked, or the clocks differ).

        ``None`` where the refused one was only just given: the mistake lies elsewhere, and asking again would
        change nothing. Raises as :meth:`token` does.
        """
        ...
