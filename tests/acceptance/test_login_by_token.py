"""The real daemon on Dovecot and Postfix with no password: tokens of some seconds, a provider that goes away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.handles import LOOP_MARK_HEADER
from tests.acceptance.desk import Desk, new_mail
from tests.cli.command import log_in_by_token
from tests.peers.process import wait_until
from tests.peers.stack import MailStack
from tests.peers.token_server import CLIENT, CLIENT_SECRET, FIRST_REFRESH_TOKEN, TokenServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TokenServer]:
    with TokenServer(tmp_path, tls=False) as made:
        made.lifetime_seconds = 6
        # A busy machine may need them longer.
        made.outlasts_seconds = 60
        made.rotates = True
        yield made


def by_token(desk: Desk, server: TokenServer) -> None:
    """Take the passwords away and state a refresh token instead."""
    server.subject = desk.mailbox
    for name in ("MAILBOT_IMAP_URL", "MAILBOT_SMTP_URL"):
        scheme, _, rest = desk.environment[name].partition("://")
        desk.environment[name] = f"{scheme}://{rest.rpartition('@')[2]}"
    desk.environment |= {
        "MAILBOT_OAUTH2_REFRESH_TOKEN": FIRST_REFRESH_TOKEN,
        "MAILBOT_OAUTH2_CLIENT_SECRET": CLIENT_SECRET,
    }
    log_in_by_token(
        desk.folder / "config",
        f"{{provider: generic, credential: refresh_token, client_id: {CLIENT}, authority: '{server.token_url}'}}",
    )


def test_mail_is_collected_and_answered_over_many_tokens_and_without_the_provider(
    mail_stack: MailStack, tmp_path: Path, server: TokenServer
) -> None:
    desk = Desk(mail_stack, tmp_path)
    by_token(desk, server)
    customers = [desk.customer(f"Cliente {number}") for number in range(4)]

    def asks(number: int) -> None:
        customer = customers[number]
        desk.receives(new_mail(customer, desk.mailbox, "Alteração de local", "Motivo: mudança"), customer)

    def is_answered(number: int) -> None:
        letter = desk.letter(customers[number], 1, f"answer {number}")
        assert letter[LOOP_MARK_HEADER]

    with desk.open_for_business():
        asks(0)
        is_answered(0)
        # The connections were opened with tokens that end now; each renewal spends a refresh token.
        known = len(server.asked)
        wait_until(lambda: len(server.asked) >= known + 2, "two more tokens")
        asks(1)
        is_answered(1)
        # With the provider away the connection to the mailbox goes on; the answer waits for a token.
        server.stop()
        asks(2)
        desk.settled(3)
        server.start()
        asks(3)
        is_answered(3)
        is_answered(2)
    used = [asked.form["refresh_token"] for asked in server.asked]
    assert len(used) == len(set(used))
    # The next process goes on with the newest.
    with desk.open_for_business():
        known = len(server.asked)
        wait_until(lambda: len(server.asked) > known, "a token after the restart")
    log = (tmp_path / "daemon.log").read_text(encoding="utf-8")
    for secret in (*used, CLIENT_SECRET, "eyJ", desk.mailbox):
        assert secret not in log
    assert "oauth.renewed" in log
    assert "daemon.loop_died" not in log
