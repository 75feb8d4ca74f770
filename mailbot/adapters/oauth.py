"""The seam for log-in by token (Microsoft 365, Google): who connects asks a provider each time."""

from __future__ import annotations

from typing import Protocol


class TokenProvider(Protocol):
    """Gets OAuth2 access tokens and keeps them as long as they are valid."""

    def token(self) -> str:
        """A bearer token that is valid now; may talk to the network.

        Raises :class:`mailbot.domain.errors.CredentialsRefused` if it is denied and ``ServerAway`` if its
        server cannot be reached.
        """
        ...
