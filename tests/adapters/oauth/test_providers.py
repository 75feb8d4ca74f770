"""Tokens from every provider, through the vendors' own libraries, at a private authorization server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from structlog.testing import capture_logs

from mailbot.adapters.oauth.login import check_secret, tokens_for
from mailbot.adapters.oauth.microsoft import certificate_end
from mailbot.domain.errors import CredentialsRefused, LoginExpired, ServerAway
from mailbot.domain.logins import LoginCredential, LoginProvider, TokenLogin
from tests.adapters.oauth.logins import (
    USER,
    generic_login,
    login_at,
    refresh_login,
    service_account_login,
    tokens_at,
)
from tests.peers.dovecot import TOKEN_AUDIENCE, TOKEN_KEY
from tests.peers.token_server import (
    CLIENT,
    CLIENT_SECRET,
    FIRST_REFRESH_TOKEN,
    TENANT,
    TokenServer,
    certificate_of,
    pem_of,
    pem_pair,
    private_key,
)

KINDS: dict[str, Callable[[TokenServer], TokenLogin]] = {
    "microsoft": login_at,
    "google service account": service_account_login,
    "google refresh token": lambda server: refresh_login(server, LoginProvider.GOOGLE),
    "generic": generic_login,
    "generic refresh token": refresh_login,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TokenServer]:
    with TokenServer(tmp_path) as made:
        made.subject = USER
        yield made


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, TOKEN_KEY, algorithms=["HS256"], audience=TOKEN_AUDIENCE)
    return claims


@pytest.mark.parametrize("kind", KINDS)
def test_every_provider_gives_a_token_once_and_for_its_lifetime(
    server: TokenServer, tmp_path: Path, kind: str
) -> None:
    tokens = tokens_at(server, KINDS[kind](server), tmp_path)
    before = time.monotonic()
    token = tokens.token()
    assert claims_of(token.value)["sub"] == USER
    assert before + 3600 - 1 <= token.expires_at <= time.monotonic() + 3600
    assert token.expires_at - token.renew_at == pytest.approx(300, abs=2)
    assert tokens.token() is token
    assert len(server.asked) == 1


def test_microsoft_is_asked_by_client_credentials_for_exchange(server: TokenServer, tmp_path: Path) -> None:
    tokens_at(server, login_at(server), tmp_path).token()
    (asked,) = server.asked
    assert asked.path == f"/{TENANT}/oauth2/v2.0/token"
    assert asked.form["scope"] == "https://outlook.office365.com/.default"
    assert asked.form["client_id"] == CLIENT


def test_microsoft_is_asked_with_a_certificate(server: TokenServer, tmp_path: Path) -> None:
    key = private_key()
    certificate = certificate_of(key, days=20)
    server.app_key = key.public_key()
    login = login_at(server, credential=LoginCredential.CERTIFICATE, secret=pem_pair(key, certificate))
    tokens = tokens_at(server, login, tmp_path)
    assert claims_of(tokens.token().value)["sub"] == USER
    assert "client_secret" not in server.asked[0].form
    # The certificate tells its end by itself.
    assert tokens.expiry().expires_at == certificate.not_valid_after_utc
    server.app_key = private_key().public_key()
    with pytest.raises(CredentialsRefused, match="Invalid JWT Signature"):
        tokens_at(server, login, tmp_path).token()


def test_google_is_asked_for_the_mailboxs_own_user(server: TokenServer, tmp_path: Path) -> None:
    server.subject = "somebody else"
    login = service_account_login(server, username="outra@example.com.br")
    token = tokens_at(server, login, tmp_path).token()
    assert claims_of(token.value)["sub"] == "outra@example.com.br"


@pytest.mark.parametrize("in_header", [True, False])
def test_a_generic_server_is_shown_the_secret_where_it_wants_it(
    server: TokenServer, tmp_path: Path, in_header: bool
) -> None:
    login = generic_login(server, secret_in_header=in_header, scope="mail offline_access")
    tokens_at(server, login, tmp_path).token()
    (asked,) = server.asked
    assert asked.authorization.startswith("Basic ") is in_header
    assert ("client_secret" in asked.form) is not in_header
    assert asked.form["scope"] == "mail offline_access"


# --- refusals ---


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_secret_is_refused_credentials_and_is_never_told(
    server: TokenServer, tmp_path: Path, kind: str
) -> None:
    description = f"AADSTS7000215: Invalid client secret provided for {USER}. Trace ID: 1 Timestamp: 2"
    server.answer = (401, {"error": "invalid_client", "error_description": description})
    login = KINDS[kind](server)
    with capture_logs() as logs, pytest.raises(CredentialsRefused) as caught:
        tokens_at(server, login, tmp_path).token()
    said = str(caught.value)
    assert not isinstance(caught.value, LoginExpired)
    assert said.startswith(
        "authorization server localhost: no token: invalid_client: AADSTS7000215: Invalid client"
    )
    for secret in (CLIENT_SECRET, FIRST_REFRESH_TOKEN, login.secret):
        assert secret not in said + str(logs) + repr(login)
    assert USER not in said + str(logs)
    assert "Trace ID" not in said


@pytest.mark.parametrize(
    ("kind", "error", "description"),
    [
        ("microsoft", "invalid_client", "AADSTS7000222: The provided client secret keys for app '1' are expired."),
        (
            "microsoft",
            "invalid_client",
            "AADSTS700027: The certificate with identifier used is expired on application.",
        ),
        ("google refresh token", "invalid_grant", "Token has been expired or revoked."),
        ("google refresh token", "invalid_grant", "Bad Request"),
        ("generic refresh token", "invalid_grant", ""),
    ],
)
def test_what_has_come_to_its_end_is_told_from_what_was_always_wrong(
    server: TokenServer, tmp_path: Path, kind: str, error: str, description: str
) -> None:
    server.answer = (400, {"error": error, "error_description": description})
    with pytest.raises(LoginExpired):
        tokens_at(server, KINDS[kind](server), tmp_path).token()


@pytest.mark.parametrize(
    ("kind", "error", "description"),
    [
        ("microsoft", "unauthorized_client", "AADSTS700016: Application with identifier was not found."),
        ("microsoft", "invalid_client", "AADSTS700027: The certificate is not registered on application."),
        ("google service account", "unauthorized_client", "Client is unauthorized to retrieve access tokens."),
        ("google service account", "invalid_grant", "Invalid email or User ID"),
    ],
)
def test_a_mistake_in_the_set_up_is_no_end(
    server: TokenServer, tmp_path: Path, kind: str, error: str, description: str
) -> None:
    server.answer = (400, {"error": error, "error_description": description})
    with pytest.raises(CredentialsRefused) as caught:
        tokens_at(server, KINDS[kind](server), tmp_path).token()
    assert not isinstance(caught.value, LoginExpired)
    assert description.split(":")[0] in str(caught.value)


def test_an_unknown_tenant_is_refused_credentials(server: TokenServer, tmp_path: Path) -> None:
    login = login_at(server, tenant_id="nenhum.example.com.br")
    with pytest.raises(CredentialsRefused, match="the tenant is not known there"):
        tokens_at(server, login, tmp_path).token()


# --- a provider that is away, or talks nonsense ---


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "answer",
    [
        (503, b"<html>try later"),
        (429, {"error": "too_many_requests"}),
        (200, b"not JSON"),
        (200, {"access_token": 7}),
        (200, {"access_token": ""}),
        (400, {"error": ["x"]}),
        (200, b"[]"),
        (200, b"\xff" * 100),
        (200, {"access_token": "x", "padding": "x" * 2_000_000}),
        (307, b""),
        (400, {"error": "temporarily_unavailable"}),
        (400, {"error": "invalid_request", "error_description": "AADSTS90033: A transient error has occurred."}),
    ],
    ids=lambda answer: repr(answer)[:40],
)
def test_a_provider_that_is_out_of_order_is_a_server_that_is_away(
    server: TokenServer, tmp_path: Path, kind: str, answer: tuple[int, Any]
) -> None:
    server.answer = answer
    with pytest.raises(ServerAway) as caught:
        tokens_at(server, KINDS[kind](server), tmp_path).token()
    assert not isinstance(caught.value, CredentialsRefused)
    assert "authorization server localhost" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_is_not_there_is_a_server_that_is_away(
    server: TokenServer, tmp_path: Path, kind: str
) -> None:
    tokens = tokens_at(server, KINDS[kind](server), tmp_path)
    server.stop()
    with pytest.raises(ServerAway, match="Connection refused"):
        tokens.token()
    server.start()
    assert claims_of(tokens.token().value)["sub"] == USER


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["is_silent", "drips"])
def test_a_provider_that_keeps_us_waiting_is_given_up_in_time(
    server: TokenServer, tmp_path: Path, kind: str, fault: str
) -> None:
    tokens = tokens_at(server, KINDS[kind](server), tmp_path, limit_seconds=0.7)
    setattr(server, fault, True)
    began = time.monotonic()
    with pytest.raises(ServerAway, match="no answer in time"):
        tokens.token()
    # The server would go on for half a minute and more.
    assert time.monotonic() - began < 25


def test_a_provider_without_a_known_certificate_is_told_nothing(server: TokenServer, tmp_path: Path) -> None:
    with pytest.raises(ServerAway, match="certificate refused"):
        tokens_for(login_at(server), folder=tmp_path).token()
    assert server.asked == []


# --- what the settings hold ---


def test_a_certificates_end_is_read_and_a_wrong_one_is_told() -> None:
    key = private_key()
    end = certificate_end(pem_pair(key, certificate_of(key, days=10)))
    assert abs(end - datetime.now(UTC) - timedelta(days=10)) < timedelta(minutes=1)
    other = pem_pair(key, certificate_of(private_key()))
    for pem, complaint in (
        ("not PEM", "no private key"),
        (pem_of(key), "no certificate"),
        (other, "another private key"),
    ):
        with pytest.raises(ValueError, match=complaint):
            check_secret(LoginCredential.CERTIFICATE, pem)


@pytest.mark.parametrize("text", ["", "x", "{}", "[]", '{"type": "authorized_user", "client_email": "a"}'])
def test_what_is_no_key_of_a_service_account_is_told_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON key of a service account"):
        check_secret(LoginCredential.SERVICE_ACCOUNT, text)


def test_a_service_account_is_shown_to_nobody_without_tls(server: TokenServer) -> None:
    text = service_account_login(server).secret.replace("https://", "http://")
    with pytest.raises(ValueError, match="does not begin with https"):
        check_secret(LoginCredential.SERVICE_ACCOUNT, text)


def test_a_service_accounts_broken_key_is_refused_credentials(server: TokenServer, tmp_path: Path) -> None:
    login = service_account_login(server)
    broken = login.secret.replace("MII", "XXX")
    with pytest.raises(CredentialsRefused, match="private key cannot be read"):
        tokens_at(server, service_account_login(server, secret=broken), tmp_path).token()
    assert server.asked == []
