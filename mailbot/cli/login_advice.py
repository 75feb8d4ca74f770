"""What to do about a refused log-in by token, in the words of who administers that provider.

(what the provider or the mail server said, how we log in) → one sentence or two. The names are those of the Entra
and Google consoles and of Exchange Online PowerShell; which answers they belong to is from the providers'
documentation and from what people report, not from trials with real tenants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.domain.logins import LoginCredential, LoginProvider, TokenLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    said: re.Pattern[str]
    advice: str


def _word(said: str, advice: str) -> _Word:
    return _Word(said=re.compile(said, re.IGNORECASE), advice=advice)


_EXCHANGE_ACCESS = (
    "in Exchange Online PowerShell: New-ServicePrincipal -AppId {client} -ObjectId "
    "OBJECT_ID_OF_THE_ENTERPRISE_APP "
    "(Entra > Enterprise applications, not App registrations), then Add-MailboxPermission -Identity "
    "{user} -User "
    "OBJECT_ID_OF_THE_ENTERPRISE_APP -AccessRights FullAccess; it takes some minutes, up to an hour, to count"
)

_MICROSOFT_TOKEN = (
    _word(
        "AADSTS7000222",
        "the client secret has expired: Entra > App registrations > the app > Certificates & secrets > "
        "New client "
        "secret; its Value goes to {secret}, its end to expires_on in mailboxes.yaml",
    ),
    _word(
        "AADSTS7000215",
        "the client secret is wrong: {secret} must hold the secret's Value, which is shown once, not "
        "its Secret ID",
    ),
    _word("AADSTS7000218", "the app is a public client: register it as a confidential one, with a secret"),
    _word(
        r"AADSTS700027\b.*expired",
        "the certificate has expired: make a new one, upload its public part under Certificates & "
        "secrets of the "
        "app, put key and certificate into {secret}",
    ),
    _word(
        "AADSTS700027",
        "the app does not know this certificate: upload its public part (Entra > App registrations > the app > "
        "Certificates & secrets > Certificates), the one that stands in {secret}",
    ),
    _word("AADSTS700024", "this machine's clock differs from the provider's: set it by NTP"),
    _word(
        "AADSTS700016",
        "no such app in this tenant: compare Application (client) ID and Directory (tenant) ID with the app's "
        "Overview in Entra > App registrations",
    ),
    _word(
        "AADSTS90002|AADSTS90023|AADSTS900023|tenant is not known",
        "no such tenant: take the Directory (tenant) ID from the app's Overview in Entra > App registrations",
    ),
    _word(
        "AADSTS(?:500011|70011|1002012)",
        "the scope is wrong: leave scope unset in mailboxes.yaml (https://outlook.office365.com/.default)",
    ),
    _word(
        "AADSTS(?:65001|7000112|7000113|7000114|501051)",
        "the app may not act here: Entra > Enterprise applications > the app: enabled for sign-in; App "
        "registrations "
        "> the app > API permissions > Office 365 Exchange Online: IMAP.AccessAsApp and SMTP.SendAsApp as "
        "application permissions, then Grant admin consent",
    ),
    _word("AADSTS530", "a Conditional Access policy for workload identities blocks the app: Entra > Protection"),
)

_MICROSOFT_SERVER = (
    _word(
        "SmtpClientAuthentication is disabled for the Mailbox",
        "SMTP AUTH is off for this mailbox: Set-CASMailbox -Identity {user} "
        "-SmtpClientAuthenticationDisabled $false "
        "(Microsoft 365 admin center > Users > Mail > Manage email apps > Authenticated SMTP)",
    ),
    _word(
        "SmtpClientAuthentication is disabled for the Tenant",
        "SMTP AUTH is off for the whole tenant: allow it for this mailbox, Set-CASMailbox -Identity {user} "
        "-SmtpClientAuthenticationDisabled $false; security defaults and authentication policies can "
        "forbid it too",
    ),
    _word("authenticated but not connected", "the app may not open this mailbox: " + _EXCHANGE_ACCESS),
    _word("basic authentication", "this server takes no passwords any more: set oauth2 in mailboxes.yaml"),
    _word(
        r"^SMTP\b|5\.7\.3\b|5\.7\.139|5\.7\.57",
        "the token was given and SMTP refuses it: the app needs SMTP.SendAsApp (API permissions > "
        "Office 365 Exchange "
        "Online > Application permissions) with Grant admin consent; the address must be a mailbox's own; and "
        + _EXCHANGE_ACCESS,
    ),
    _word(
        "",
        "the token was given and IMAP refuses it: the app needs IMAP.AccessAsApp (API permissions > "
        "Office 365 Exchange "
        "Online > Application permissions) with Grant admin consent; IMAP must be on for the mailbox "
        "(Set-CASMailbox "
        "-ImapEnabled $true); and " + _EXCHANGE_ACCESS,
    ),
)

_MICROSOFT_SENDER = (
    _word(
        r"SendAsDenied|5\.7\.60|5\.2\.252|not allowed to send as",
        "the app may log in but not send as this address: Add-RecipientPermission -Identity {user} -Trustee "
        "OBJECT_ID_OF_THE_ENTERPRISE_APP -AccessRights SendAs",
    ),
)

_GOOGLE_TOKEN = (
    _word(
        "unauthorized_client|access_denied|not authorized for any of the scopes",
        "no domain-wide delegation: Google Admin console > Security > Access and data control > API controls > "
        "Manage domain-wide delegation > Add new: the service account's numeric Client ID, scope "
        "https://mail.google.com/; it takes some minutes, up to a day, to count",
    ),
    _word(
        "Invalid email|User ID|not_a_valid_email|invalid_subject",
        "Google Workspace knows no user {user}: the user name in the URLs must be a user's primary "
        "address, not a "
        "group's or an alias",
    ),
    _word(
        "Invalid JWT Signature|Invalid signature",
        "the service account's key was deleted or replaced: Google Cloud console > IAM > Service "
        "accounts > Keys > "
        "Add key, its JSON into {secret}",
    ),
    _word("account not found", "the service account was deleted: make another one, and its delegation"),
    _word("reasonable timeframe|iat and exp", "this machine's clock differs from Google's: set it by NTP"),
    _word(
        "invalid_rapt|reauth",
        "Google wants the user to log in again (Admin console > Security > Google Cloud session "
        "control): exempt the "
        "app there, or use a service account",
    ),
    _word(
        "invalid_grant",
        "the refresh token has ended: it was revoked, unused for six months, or the app's publishing status is "
        "Testing, where it lasts 7 days. Google Auth Platform > Audience > Publish app (In production), "
        "then let the "
        "mailbox's user consent again and put the new token into {secret}",
    ),
    _word(
        "invalid_client|deleted_client|disabled_client",
        "Google does not know this client: compare client id and secret with Google Cloud console > Clients",
    ),
    _word("invalid_scope", "leave scope unset in mailboxes.yaml (https://mail.google.com/)"),
    _word(
        "admin_policy_enforced|org_internal|restricted_client",
        "an administrator's policy blocks the app: Admin console > Security > API controls > Manage app "
        "access: "
        "trust this client",
    ),
    _word("private key cannot be read", "put the JSON key of the service account, unchanged, into {secret}"),
)

_GOOGLE_SERVER = (
    _word(
        "not enabled for IMAP|IMAP (?:access )?is disabled|enable your account for IMAP",
        "IMAP is off: Admin console > Apps > Google Workspace > Gmail > End user access > POP and IMAP "
        "access; and in "
        "the mailbox's own settings > Forwarding and POP/IMAP",
    ),
    _word("web ?login required", "Google asks this user to log in by browser once, then try again"),
    _word(
        "",
        "the token was given and Gmail refuses it: the token must be for this very user ({user}) and the scope "
        "https://mail.google.com/ in the delegation or consent (a narrower one, such as gmail.readonly, "
        "does not do)",
    ),
)

_GENERIC_TOKEN = (
    _word("invalid_client", "compare client_id and {secret} with what the authorization server has"),
    _word("invalid_grant", "the refresh token has ended: consent again and put the new one into {secret}"),
    _word("invalid_scope", "the authorization server does not know this scope"),
    _word("unauthorized_client|unsupported_grant_type", "the client is not allowed this kind of grant there"),
)

_GENERIC_SERVER = (
    _word(
        "",
        "the token was given and the mail server refuses it: does it trust this authorization server, "
        "the token's "
        "audience and scope, and does the token name this user?",
    ),
)

_WORDS = {
    LoginProvider.MICROSOFT: (_MICROSOFT_TOKEN, _MICROSOFT_SERVER),
    LoginProvider.GOOGLE: (_GOOGLE_TOKEN, _GOOGLE_SERVER),
    LoginProvider.GENERIC: (_GENERIC_TOKEN, _GENERIC_SERVER),
}


def advice_on_token(said: str, login: TokenLogin, *, secret_name: str) -> str:
    """What to do where the provider gave no token. ``secret_name`` is the variable of the credential."""
    words, _ = _WORDS[login.provider]
    return _advice(words, said, login, secret_name) or _in_general(login, secret_name)


def advice_on_server(said: str, login: TokenLogin, *, protocol: str) -> str:
    """What to do where a mail server (``protocol`` is IMAP or SMTP) does not take the token."""
    _, words = _WORDS[login.provider]
    return _advice(words, f"{protocol} {said}", login, "")


def advice_on_sender(said: str, login: TokenLogin) -> str | None:
    """What to do where the submission server refuses our own address as sender, if it is about permissions."""
    words = _MICROSOFT_SENDER if login.provider is LoginProvider.MICROSOFT else ()
    return _advice(words, said, login, "") or None


def missing_permissions(roles: frozenset[str] | None, servers: frozenset[str]) -> list[str]:
    """Which of Exchange Online's application permissions a token of Microsoft's lacks, of those that our
    ``servers`` (``imap``, ``smtp``) need; none where the token does not tell its ``roles``."""
    needed = {"imap": "IMAP.AccessAsApp", "smtp": "SMTP.SendAsApp"}
    if roles is None:
        return []
    return [needed[server] for server in sorted(servers) if needed[server] not in roles]


def _advice(words: tuple[_Word, ...], said: str, login: TokenLogin, secret_name: str) -> str:
    found = next((word.advice for word in words if word.said.search(said)), "")
    # Not str.format: a client id may hold anything.
    for place, value in (
        ("{client}", login.client_id or "APPLICATION_ID"),
        ("{user}", login.username),
        ("{secret}", secret_name),
    ):
        found = found.replace(place, value)
    return found


def _in_general(login: TokenLogin, secret_name: str) -> str:
    if login.credential is LoginCredential.SERVICE_ACCOUNT:
        return f"check the service account in {secret_name} and its delegation"
    return f"check client id and {secret_name} with the provider"
