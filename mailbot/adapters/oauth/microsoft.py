"""Tokens for Microsoft 365 by client credentials, through Microsoft's own library (extra ``microsoft``).

The app needs ``IMAP.AccessAsApp`` and ``SMTP.SendAsApp`` with an administrator's consent, a service principal in
Exchange, and access to the mailbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from mailbot.adapters.oauth.answers import granted
from mailbot.adapters.oauth.https import HttpAnswer, Https, place_of
from mailbot.adapters.oauth.renewing import Granted
from mailbot.domain.errors import CredentialsRefused, ServerAway
from mailbot.domain.logins import LoginCredential, TokenLogin

AUTHORITY = "https://login.microsoftonline.com"
SCOPE = "https://outlook.office365.com/.default"


class MicrosoftGrant:
    """Client credentials (RFC 6749 §4.4) with a secret, or an assertion signed by a certificate's key."""

    def __init__(self, login: TokenLogin, https: Https) -> None:
        self._login = login
        self._https = https
        self._authority = f"{(login.authority or AUTHORITY).rstrip('/')}/{login.tenant_id}"
        self._place = place_of(self._authority)
        self._certificate_end: datetime | None = None
        if login.credential is LoginCredential.CERTIFICATE:
            self._certificate_end = certificate_end(login.secret)

    def ask(self) -> Granted:
        """See :meth:`mailbot.adapters.oauth.renewing.Grant.ask`."""
        import msal

        try:
            # Made anew each time: its own cache would give a token back that a mail server has refused.
            client = msal.ConfidentialClientApplication(
                self._login.client_id,
                authority=self._authority,
                client_credential=self._credential(),
                http_client=_HttpForMsal(self._https),
                instance_discovery=False,
            )
            answer = client.acquire_token_for_client([self._login.scope or SCOPE])
        except ServerAway:
            raise
        except ValueError as error:
            # So it says that the tenant has no configuration.
            if "authority configuration" in str(error):
                raise CredentialsRefused(f"{self._place}: no token: the tenant is not known there") from None
            raise ServerAway(f"{self._place}: the answer is no token ({type(error).__name__})") from None
        except Exception as error:
            # The library trusts what it reads; its words may quote what was sent.
            raise ServerAway(f"{self._place}: the answer is no token ({type(error).__name__})") from None
        return granted(self._place, self._login.credential, answer if isinstance(answer, dict) else {})

    def ends_at(self) -> datetime | None:
        """The certificate's end; a secret's end stands in the portal only."""
        return self._certificate_end

    def _credential(self) -> str | dict[str, str]:
        if self._login.credential is LoginCredential.CERTIFICATE:
            # The thumbprint is calculated from the certificate.
            return {"private_key": self._login.secret, "public_certificate": self._login.secret}
        return self._login.secret


def certificate_end(pem: str) -> datetime:
    """Until when the certificate in ``pem`` is valid.

    Raises ``ValueError`` where ``pem`` holds no certificate, no unencrypted private key, or a key that is not
    the certificate's.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = pem.encode()
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        raise ValueError("holds no private key without a pass phrase, as PEM") from None
    try:
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError:
        raise ValueError("holds no certificate as PEM beside the private key") from None
    if certificate.public_key() != key.public_key():
        raise ValueError("holds a certificate that belongs to another private key")
    return certificate.not_valid_after_utc.astimezone(UTC)


class _HttpForMsal:
    """What msal wants of an HTTP client: the answers of :class:`Https` under its names."""

    def __init__(self, https: Https) -> None:
        self._https = https

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _AnswerForMsal:
        return _AnswerForMsal(self._https.ask("GET", _with_query(url, params), headers=headers))

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _AnswerForMsal:
        body = data if isinstance(data, str) else urlencode(data or {})
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return _AnswerForMsal(self._https.ask("POST", _with_query(url, params), headers=sent, body=body.encode()))

    def close(self) -> None:
        """Nothing is kept open."""


class _AnswerForMsal:
    def __init__(self, answer: HttpAnswer) -> None:
        self.status_code = answer.status
        self.text = answer.text
        self.headers = dict(answer.headers)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ServerAway(f"the authorization server answers {self.status_code}")


def _with_query(url: str, params: Mapping[str, Any] | None) -> str:
    return f"{url}?{urlencode(params)}" if params else url
