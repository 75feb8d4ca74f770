"""The words by which `doctor` tells an administrator what is missing, for the answers that providers give."""

from __future__ import annotations

import pytest

from mailbot.adapters.oauth.refusals import refusal
from mailbot.cli.login_advice import (
    advice_on_sender,
    advice_on_server,
    advice_on_token,
    missing_permissions,
)
from mailbot.domain.logins import LoginCredential, LoginProvider, TokenLogin

USER = "atendimento@example.com.br"


def login(provider: str, credential: str = "client_secret") -> TokenLogin:
    return TokenLogin(
        mailbox="default",
        provider=LoginProvider(provider),
        credential=LoginCredential(credential),
        username=USER,
        secret="s3gredo",
        client_id="11111111-aaaa",
    )


# What is said is quoted from documentation and from what people report.
TOKEN_ANSWERS = [
    (
        "microsoft",
        "client_secret",
        "invalid_client",
        "AADSTS7000222: The provided client secret keys for app '1' are expired. Visit the Azure portal.",
        ["Certificates & secrets", "New client secret", "THE_SECRET", "expires_on"],
    ),
    (
        "microsoft",
        "client_secret",
        "invalid_client",
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the client secret value.",
        ["Value", "not its Secret ID"],
    ),
    (
        "microsoft",
        "client_secret",
        "unauthorized_client",
        "AADSTS700016: Application with identifier '1' was not found in the directory 'Contoso'.",
        ["Application (client) ID", "Directory (tenant) ID"],
    ),
    (
        "microsoft",
        "client_secret",
        "invalid_request",
        "AADSTS90002: Tenant 'x' not found. Check to make sure you have the correct tenant ID.",
        ["Directory (tenant) ID"],
    ),
    (
        "microsoft",
        "certificate",
        "invalid_client",
        "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered.",
        ["upload its public part", "Certificates"],
    ),
    (
        "microsoft",
        "certificate",
        "invalid_client",
        "AADSTS700027: The certificate used to sign the client assertion is expired on application.",
        ["has expired", "new one"],
    ),
    (
        "microsoft",
        "certificate",
        "invalid_client",
        "AADSTS700024: Client assertion is not within its valid time range.",
        ["clock", "NTP"],
    ),
    (
        "microsoft",
        "client_secret",
        "unauthorized_client",
        "AADSTS7000112: Application '1' is disabled.",
        ["Enterprise applications", "IMAP.AccessAsApp", "SMTP.SendAsApp", "Grant admin consent"],
    ),
    (
        "microsoft",
        "client_secret",
        "access_denied",
        "AADSTS53003: Blocked by Conditional Access policies.",
        ["Conditional Access"],
    ),
    (
        "microsoft",
        "client_secret",
        "invalid_grant",
        "AADSTS999999: never seen",
        ["check client id and THE_SECRET"],
    ),
    (
        "google",
        "service_account",
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method.",
        ["domain-wide delegation", "https://mail.google.com/", "Client ID", "API controls"],
    ),
    ("google", "service_account", "invalid_grant", "Invalid email or User ID", [USER, "primary address"]),
    ("google", "service_account", "invalid_grant", "Invalid JWT Signature.", ["Keys", "Add key"]),
    ("google", "service_account", "invalid_grant", "Invalid grant: account not found", ["deleted"]),
    (
        "google",
        "service_account",
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
        ["NTP"],
    ),
    (
        "google",
        "refresh_token",
        "invalid_grant",
        "Token has been expired or revoked.",
        ["Testing", "7 days", "In production"],
    ),
    ("google", "refresh_token", "invalid_grant", "Bad Request", ["Testing", "7 days"]),
    ("google", "refresh_token", "invalid_grant", "reauth related error (invalid_rapt)", ["session control"]),
    ("google", "refresh_token", "invalid_client", "The OAuth client was not found.", ["client id and secret"]),
    ("generic", "refresh_token", "invalid_grant", "", ["consent again", "THE_SECRET"]),
    ("generic", "client_secret", "invalid_client", "", ["client_id and THE_SECRET"]),
]


@pytest.mark.parametrize(("provider", "credential", "error", "description", "words"), TOKEN_ANSWERS)
def test_a_refused_token_is_told_in_the_consoles_words(
    provider: str, credential: str, error: str, description: str, words: list[str]
) -> None:
    # As the adapter tells it, shortened and cleaned.
    said = str(refusal("authorization server x", LoginCredential(credential), error, description))
    advice = advice_on_token(said, login(provider, credential), secret_name="THE_SECRET")
    for word in words:
        assert word in advice
    assert "{" not in advice and "s3gredo" not in advice


SERVER_ANSWERS = [
    (
        "microsoft",
        "IMAP",
        "log-in refused: AUTHENTICATE failed.",
        [
            "IMAP.AccessAsApp",
            "Grant admin consent",
            "New-ServicePrincipal -AppId 11111111-aaaa",
            "Add-MailboxPermission",
        ],
    ),
    (
        "microsoft",
        "IMAP",
        "command refused: User is authenticated but not connected",
        [f"Add-MailboxPermission -Identity {USER}", "Enterprise applications, not App registrations"],
    ),
    (
        "microsoft",
        "SMTP",
        "log-in: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
        [f"Set-CASMailbox -Identity {USER} -SmtpClientAuthenticationDisabled $false", "Authenticated SMTP"],
    ),
    (
        "microsoft",
        "SMTP",
        "log-in: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        ["whole tenant", "Set-CASMailbox"],
    ),
    (
        "microsoft",
        "SMTP",
        "log-in: 535 5.7.3 Authentication unsuccessful [X.PROD.OUTLOOK.COM]",
        ["SMTP.SendAsApp", "Grant admin consent", "New-ServicePrincipal"],
    ),
    (
        "google",
        "IMAP",
        "log-in refused: [ALERT] Your account is not enabled for IMAP use. Please visit your account",
        ["IMAP is off", "Admin console"],
    ),
    (
        "google",
        "IMAP",
        "log-in refused: Invalid credentials (Failure) (status 400, scope https://mail.google.com/)",
        [USER, "https://mail.google.com/"],
    ),
    ("google", "SMTP", "log-in: 535 5.7.8 Username and Password not accepted.", [USER, "scope"]),
    ("generic", "IMAP", "log-in refused", ["audience"]),
]


@pytest.mark.parametrize(("provider", "protocol", "said", "words"), SERVER_ANSWERS)
def test_a_token_that_a_mail_server_refuses_is_told_with_the_permission_it_lacks(
    provider: str, protocol: str, said: str, words: list[str]
) -> None:
    advice = advice_on_server(said, login(provider), protocol=protocol)
    for word in words:
        assert word in advice
    assert "{" not in advice


def test_a_sender_that_is_not_allowed_is_told_with_the_command() -> None:
    said = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
    assert "Add-RecipientPermission" in (advice_on_sender(said, login("microsoft")) or "")
    assert advice_on_sender("550 5.1.1 no such user", login("microsoft")) is None
    assert advice_on_sender(said, login("google")) is None


def test_the_permissions_that_a_token_lacks_are_those_of_the_servers_in_use() -> None:
    both = frozenset({"imap", "smtp"})
    assert missing_permissions(frozenset({"IMAP.AccessAsApp"}), both) == ["SMTP.SendAsApp"]
    assert missing_permissions(frozenset({"IMAP.AccessAsApp"}), frozenset({"imap"})) == []
    assert missing_permissions(frozenset(), both) == ["IMAP.AccessAsApp", "SMTP.SendAsApp"]
    assert missing_permissions(None, both) == []
