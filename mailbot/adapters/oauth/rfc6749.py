"""Tokens from any authorization server that does as RFC 6749 says: client credentials (§4.4) or a refresh token
(§6), the client known by its secret in the header or in the body (§2.3.1)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

from mailbot.adapters.oauth.answers import granted, json_object, keep_newest
from mailbot.adapters.oauth.https import Https, place_of
from mailbot.adapters.oauth.refresh_token_file import RefreshTokenFile
from mailbot.adapters.oauth.renewing import Granted
from mailbot.domain.logins import TokenLogin


class ClientCredentialsGrant:
    """The program's own identity."""

    def __init__(self, login: TokenLogin, https: Https) -> None:
        self._endpoint = _TokenEndpoint(login, https, client_secret=login.secret)
        self._login = login

    def ask(self) -> Granted:
        """See :meth:`mailbot.adapters.oauth.renewing.Grant.ask`."""
        answer = self._endpoint.ask({"grant_type": "client_credentials"})
        return granted(self._endpoint.place, self._login.credential, answer)

    def ends_at(self) -> datetime | None:
        """Nobody tells."""
        return None


class RefreshGrant:
    """A person's consent, given once. Where the provider gives a new refresh token, it is kept."""

    def __init__(self, login: TokenLogin, https: Https, file: RefreshTokenFile) -> None:
        self._endpoint = _TokenEndpoint(login, https, client_secret=login.client_secret)
        self._login = login
        self._file = file

    def ask(self) -> Granted:
        """See :meth:`mailbot.adapters.oauth.renewing.Grant.ask`."""
        with self._file.locked() as kept:
            answer = self._endpoint.ask({"grant_type": "refresh_token", "refresh_token": kept.value})
            given = granted(self._endpoint.place, self._login.credential, answer)
            keep_newest(self._file, kept, answer)
        return given

    def ends_at(self) -> datetime | None:
        """The refresh token's end, where the provider told it."""
        return self._file.current().expires_at


class _TokenEndpoint:
    def __init__(self, login: TokenLogin, https: Https, *, client_secret: str) -> None:
        self._login = login
        self._https = https
        self._client_secret = client_secret
        self.place = place_of(login.authority)

    def ask(self, form: Mapping[str, str]) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        fields = {**form, **({"scope": self._login.scope} if self._login.scope else {})}
        if self._client_secret and self._login.secret_in_header:
            pair = f"{quote_plus(self._login.client_id)}:{quote_plus(self._client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields["client_id"] = self._login.client_id
            fields |= {"client_secret": self._client_secret} if self._client_secret else {}
        answer = self._https.ask("POST", self._login.authority, headers=headers, body=urlencode(fields).encode())
        return json_object(answer.text)
