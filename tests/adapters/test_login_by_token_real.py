"""Log-in by token at real servers: Dovecot checks the tokens by their signature, Postfix asks Dovecot."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.imap import ImapSource
from mailbot.adapters.oauth import renewing
from mailbot.adapters.oauth.renewing import RenewingTokens
from mailbot.adapters.smtp import SmtpTransport
from mailbot.domain.errors import CredentialsRefused, ServerAway
from mailbot.domain.exchange import Delivered, NotReached, SendOutcome
from mailbot.domain.mailbox import Security, ServerAddress, Settle
from tests.adapters.oauth.logins import (
    generic_login,
    login_at,
    refresh_login,
    service_account_login,
    tokens_at,
)
from tests.adapters.test_smtp import an_envelope, nothing, with_transport
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.process import PATIENCE_SECONDS, wait_until
from tests.peers.token_server import TokenServer

MAIL = b"Subject: pedido\r\nFrom: ana@example.com.br\r\n\r\nbom dia\r\n"
# What a token may have wrong; a garbled one is no token at all.
WRONG: dict[str, dict[str, Any]] = {
    "expired": {"exp": 1_700_000_000},
    "wrong audience": {"aud": "https://graph.example.com.br"},
    "wrong issuer": {"iss": "https://login.example.org"},
    "not yet valid": {"nbf": 4_000_000_000},
    "of another user": {"sub": "outra@example.com.br"},
}
PROVIDERS = {
    "microsoft": login_at,
    "google service account": service_account_login,
    "generic": generic_login,
    "generic refresh token": refresh_login,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TokenServer]:
    with TokenServer(tmp_path) as made:
        # Whoever has little time shows it in time all the same, also on a busy machine.
        made.outlasts_seconds = 60
        yield made


@pytest.fixture
def user(dovecot: Dovecot, server: TokenServer) -> str:
    user = dovecot.new_user()
    server.subject = user
    return user


def source_on(
    dovecot: Dovecot, user: str, tokens: RenewingTokens, security: Security = Security.TLS
) -> ImapSource:
    port = dovecot.imaps_port if security is Security.TLS else dovecot.imap_port
    return ImapSource(
        mailbox="default",
        server=ServerAddress(security=security, host=dovecot.host, port=port, username=user),
        folder="INBOX",
        settle=Settle.MOVE,
        tokens=tokens,
        ssl_context=ssl.create_default_context(cafile=dovecot.ca_file),
    )


def smtp_on(postfix: Postfix, user: str) -> ServerAddress:
    return ServerAddress(
        security=Security.STARTTLS, host=postfix.host, port=postfix.submission_port, username=user
    )


def send(
    postfix: Postfix, user: str, tokens: RenewingTokens, *, recipient: str, letters: int = 1, pause: float = 0.0
) -> list[SendOutcome]:
    async def act(transport: SmtpTransport) -> list[SendOutcome]:
        outcomes = []
        for _ in range(letters):
            outcomes.append(await transport.send(an_envelope(sender=user, recipient=recipient), nothing))
            await asyncio.sleep(pause)
        return outcomes

    context = ssl.create_default_context(cafile=postfix.ca_file)
    return with_transport(smtp_on(postfix, user), act, tokens=tokens, ssl_context=context)


# --- Dovecot ---


@pytest.mark.parametrize("provider", PROVIDERS)
def test_on_dovecot_every_providers_token_opens_the_mailbox(
    dovecot: Dovecot, server: TokenServer, user: str, tmp_path: Path, provider: str
) -> None:
    dovecot.append(user, MAIL)
    tokens = tokens_at(server, PROVIDERS[provider](server, username=user), tmp_path)
    source = source_on(dovecot, user, tokens, Security.STARTTLS)
    source.open()
    assert [mail.raw for mail in source.fetch([entry.uid for entry in source.list_mails(1)])] == [MAIL]
    source.close()


@pytest.mark.parametrize("fault", [*WRONG, "garbage"])
def test_on_dovecot_a_token_that_is_not_good_is_refused_credentials(
    dovecot: Dovecot, server: TokenServer, user: str, tmp_path: Path, fault: str
) -> None:
    if fault == "garbage":
        server.answer = (200, {"access_token": "no-token-of-anybody", "expires_in": 3600})
    else:
        server.claims = WRONG[fault]
    source = source_on(dovecot, user, tokens_at(server, generic_login(server), tmp_path))
    with pytest.raises(
        CredentialsRefused, match=r"log-in refused: \[AUTHENTICATIONFAILED\].*\(status 401, scope mail\)"
    ):
        source.open()
    # One that was only just given is not asked for again.
    assert len(server.asked) == 1


def test_on_dovecot_a_kept_token_that_has_gone_bad_is_replaced(
    dovecot: Dovecot, server: TokenServer, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The provider says an hour, the mail server that it is over: clocks that differ, or a token revoked.
    monkeypatch.setattr(renewing, "_JUST_GIVEN_SECONDS", 0)
    server.claims = WRONG["expired"]
    tokens = tokens_at(server, generic_login(server), tmp_path)
    tokens.token()
    server.claims = {}
    source = source_on(dovecot, user, tokens)
    source.open()
    assert len(server.asked) == 2
    source.close()


def test_on_dovecot_a_token_that_ends_while_idle_waits_is_renewed_and_no_mail_is_lost(
    dovecot: Dovecot, server: TokenServer, user: str, tmp_path: Path
) -> None:
    server.lifetime_seconds = 4
    source = source_on(dovecot, user, tokens_at(server, generic_login(server), tmp_path))
    source.open()
    seen: list[str] = []
    sent = 0
    began = time.monotonic()
    # Beyond the lives of two tokens, with a mail in every wait.
    while len(server.asked) < 3:
        assert time.monotonic() - began < PATIENCE_SECONDS
        dovecot.append(user, MAIL)
        sent += 1
        source.wait(10)
        source.open()
        seen += [entry.uid for entry in source.list_mails(int(seen[-1]) + 1 if seen else 1)]
    assert seen == [str(number + 1) for number in range(sent)]
    source.close()


def test_on_dovecot_a_connection_outlasts_a_provider_that_is_down(
    dovecot: Dovecot, server: TokenServer, user: str, tmp_path: Path
) -> None:
    server.lifetime_seconds = 2
    tokens = tokens_at(server, generic_login(server), tmp_path)
    end = tokens.token().expires_at
    source = source_on(dovecot, user, tokens)
    source.open()
    server.stop()
    source.wait(10)
    dovecot.append(user, MAIL)
    source.open()
    assert len(source.list_mails(1)) == 1
    # A new connection waits for the provider: a server that is away, as any other.
    source.close()
    wait_until(lambda: time.monotonic() > end, "the token's end")
    with pytest.raises(ServerAway, match="authorization server localhost: Connection refused"):
        source.open()
    server.start()
    source.open()
    assert len(source.list_mails(1)) == 1
    source.close()


# --- Postfix ---


@pytest.mark.parametrize("provider", PROVIDERS)
def test_postfix_takes_letters_from_who_shows_a_token(
    dovecot: Dovecot, postfix: Postfix, server: TokenServer, user: str, tmp_path: Path, provider: str
) -> None:
    requester = dovecot.new_user()
    tokens = tokens_at(server, PROVIDERS[provider](server, username=user), tmp_path)
    (outcome,) = send(postfix, user, tokens, recipient=requester)
    assert isinstance(outcome, Delivered)
    dovecot.wait_for_messages(requester)
    assert f"sasl_method=XOAUTH2, sasl_username={user}" in postfix.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", [*WRONG, "garbage"])
def test_postfix_refuses_a_token_that_is_not_good(
    dovecot: Dovecot, postfix: Postfix, server: TokenServer, user: str, tmp_path: Path, fault: str
) -> None:
    if fault == "garbage":
        server.answer = (200, {"access_token": "no-token-of-anybody", "expires_in": 3600})
    else:
        server.claims = WRONG[fault]
    tokens = tokens_at(server, generic_login(server), tmp_path)
    (outcome,) = send(postfix, user, tokens, recipient=user)
    assert isinstance(outcome, NotReached) and outcome.credentials_refused
    assert outcome.reason.startswith("log-in: 535 5.7.8")
    assert dovecot.messages(user) == []


def test_postfix_gets_a_new_session_when_the_token_has_ended(
    dovecot: Dovecot, postfix: Postfix, server: TokenServer, user: str, tmp_path: Path
) -> None:
    server.lifetime_seconds = 2
    requester = dovecot.new_user()
    tokens = tokens_at(server, generic_login(server), tmp_path)
    outcomes = send(postfix, user, tokens, recipient=requester, letters=5, pause=0.8)
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert len(dovecot.wait_for_messages(requester, 5)) == 5
    assert len(server.asked) >= 2


def test_a_letter_waits_while_the_provider_is_down(
    dovecot: Dovecot, postfix: Postfix, server: TokenServer, user: str, tmp_path: Path
) -> None:
    tokens = tokens_at(server, generic_login(server), tmp_path)
    server.stop()
    (outcome,) = send(postfix, user, tokens, recipient=user)
    assert outcome == NotReached(reason="authorization server localhost: Connection refused")
    server.start()
    assert isinstance(send(postfix, user, tokens, recipient=user)[0], Delivered)
