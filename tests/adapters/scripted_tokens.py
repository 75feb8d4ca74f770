"""A token provider that does as a test says."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mailbot.adapters.oauth import AccessToken


class ScriptedTokens:
    """Gives the tokens by turns, each for ``lifetime_seconds``; the last one for ever. ``error`` is raised
    instead. ``first_is_new`` is for a provider that has only just been asked: it replaces nothing."""

    def __init__(self, *values: str, lifetime_seconds: float = 3600, first_is_new: bool = False) -> None:
        self._values: Sequence[str] = values or ("t0ken",)
        self.lifetime_seconds = lifetime_seconds
        self.first_is_new = first_is_new
        self.error: Exception | None = None
        self.refused: list[str] = []
        self.given = 0
        self._token: AccessToken | None = None

    def token(self) -> AccessToken:
        if self._token is None or time.monotonic() >= self._token.renew_at:
            if self.error is not None:
                raise self.error
            self._token = self._next()
        return self._token

    def replace(self, refused: AccessToken) -> AccessToken | None:
        self.refused.append(refused.value)
        if self.first_is_new:
            return None
        if self.error is not None:
            raise self.error
        self._token = self._next()
        return self._token

    def _next(self) -> AccessToken:
        value = self._values[min(self.given, len(self._values) - 1)]
        self.given += 1
        now = time.monotonic()
        end = now + self.lifetime_seconds
        return AccessToken(value=value, obtained_at=now, renew_at=end, expires_at=end)
