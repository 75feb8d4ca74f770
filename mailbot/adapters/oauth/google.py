"""Tokens for Gmail, through Google's own library (extra ``google``): as a service account that acts for the
mailbox's user (domain-wide delegation), or with a refresh token that the user has consented to once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from mailbot.adapters.oauth.answers import granted, json_object, keep_newest
from mailbot.adapters.oauth.https import HttpAnswer, Https, place_of
from mailbot.adapters.oauth.refresh_token_file import RefreshTokenFile
from mailbot.adapters.oauth.renewing import Granted
from mailbot.domain.errors import CredentialsRefused, ServerAway
from mailbot.domain.logins import TokenLogin

TOKEN_URL = "https://oauth2.googleapis.com/token"
SCOPE = "https://mail.google.com/"
_SERVICE_ACCOUNT_KEYS = ("client_email", "private_key", "token_uri")


def service_account_info(text: str) -> dict[str, Any]:
    """The JSON key file of a service account, looked at. Raises ``ValueError`` where it is none."""
    info = json_object(text)
    missing = [key for key in _SERVICE_ACCOUNT_KEYS if not isinstance(info.get(key), str)]
    if info.get("type") != "service_account" or missing:
        raise ValueError("holds no JSON key of a service account, as the Google Cloud console gives it")
    if not str(info["token_uri"]).startswith("https://"):
        raise ValueError("names a token_uri that does not begin with https://")
    return info


class ServiceAccountGrant:
    """An assertion signed by the service account, with the mailbox's user as its subject (RFC 7523)."""

    def __init__(self, login: TokenLogin, https: Https) -> None:
        self._login = login
        self._http = _HttpForGoogle(https)
        self._info = service_account_info(login.secret)
        self._place = place_of(self._info["token_uri"])

    def ask(self) -> Granted:
        """See :meth:`mailbot.adapters.oauth.renewing.Grant.ask`."""
        from google.oauth2 import service_account

        try:
            credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                self._info, scopes=[self._login.scope or SCOPE], subject=self._login.username
            )
        except ValueError:
            message = f"{self._place}: not asked: the service account's private key cannot be read"
            raise CredentialsRefused(message) from None
        answer = self._http.refresh(credentials, self._place)
        return granted(self._place, self._login.credential, answer)

    def ends_at(self) -> datetime | None:
        """Not known: the key's end, if it has one, stands in the console only."""
        return None


class GoogleRefreshGrant:
    """A refresh token (RFC 6749 §6). Where the provider gives a new one, it is kept."""

    def __init__(self, login: TokenLogin, https: Https, file: RefreshTokenFile) -> None:
        self._login = login
        self._http = _HttpForGoogle(https)
        self._file = file
        self._url = login.authority or TOKEN_URL

    def ask(self) -> Granted:
        """See :meth:`mailbot.adapters.oauth.renewing.Grant.ask`."""
        from google.oauth2.credentials import Credentials

        place = place_of(self._url)
        with self._file.locked() as kept:
            credentials = Credentials(  # type: ignore[no-untyped-call]  # the library has few types
                token=None,
                refresh_token=kept.value,
                token_uri=self._url,
                client_id=self._login.client_id,
                client_secret=self._login.client_secret,
            )
            answer = self._http.refresh(credentials, place)
            given = granted(place, self._login.credential, answer)
            keep_newest(self._file, kept, answer)
        return given

    def ends_at(self) -> datetime | None:
        """The refresh token's end, where Google told it: a week for an app in testing."""
        return self._file.current().expires_at


class _HttpForGoogle:
    """What google-auth wants of an HTTP client, and what was answered to it."""

    def __init__(self, https: Https) -> None:
        self._https = https

    def refresh(self, credentials: Any, place: str) -> dict[str, Any]:
        """Let the library ask; return the answer, be it a refusal. Raises ``ServerAway``."""
        from google.auth.exceptions import GoogleAuthError

        last: list[HttpAnswer] = []

        def ask(
            url: str,
            method: str = "GET",
            body: bytes | None = None,
            headers: Mapping[str, str] | None = None,
            **_: object,
        ) -> _AnswerForGoogle:
            answer = self._https.ask(method, url, headers=headers, body=body)
            last.append(answer)
            return _AnswerForGoogle(answer)

        # What it says of a refusal is in the answer itself.
        with suppress(GoogleAuthError, ValueError, LookupError, TypeError, AttributeError):
            credentials.refresh(ask)
        if not last:
            raise ServerAway(f"{place}: was not asked: the credential cannot be used")
        return json_object(last[-1].text)


class _AnswerForGoogle:
    def __init__(self, answer: HttpAnswer) -> None:
        self.status = answer.status
        self.headers = dict(answer.headers)
        self.data = answer.body
