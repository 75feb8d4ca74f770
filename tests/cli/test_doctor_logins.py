"""`mailbot doctor` on mailboxes that log in by token: scripted mail servers, a private authorization server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.scripted_smtp import Say, ScriptedSmtp, Step
from tests.adapters.test_login_by_token import USER, TokenImap
from tests.cli.command import REPOSITORY, Ran, log_in_by_token, run_mailbot, sample_settings
from tests.peers.token_server import CLIENT, CLIENT_SECRET, TENANT, TokenServer

BOTH = ["IMAP.AccessAsApp", "SMTP.SendAsApp"]


@dataclass
class Site:
    """The servers, and the settings of a mailbox on them."""

    folder: Path
    tokens: TokenServer
    imap: TokenImap
    smtp_script: dict[Step, list[Say]] = field(default_factory=dict)
    stated: str = ""
    smtp_commands: list[str] = field(default_factory=list)

    def doctor(self, *options: str) -> Ran:
        config = self.folder / "config"
        shutil.copytree(REPOSITORY / "config", config)
        log_in_by_token(
            config,
            f"{{provider: microsoft, tenant_id: {TENANT}, client_id: {CLIENT}, "
            f"authority: '{self.tokens.authority}'{self.stated}}}",
        )
        (self.folder / "var").mkdir(mode=0o700, exist_ok=True)
        with ScriptedSmtp(self.smtp_script, extensions=["AUTH XOAUTH2"]) as smtp:
            settings = sample_settings(self.folder) | {
                "MAILBOT_ADDRESS": USER,
                "MAILBOT_IMAP_URL": f"imap://127.0.0.1:{self.imap.port}/INBOX",
                "MAILBOT_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}",
                "MAILBOT_CONFIG_DIR": str(config),
                "MAILBOT_OAUTH2_CLIENT_SECRET": CLIENT_SECRET,
                "SSL_CERT_FILE": str(self.tokens.ca_file),
            }
            ran = run_mailbot("doctor", "--json", *options, cwd=self.folder, settings=settings)
            self.smtp_commands = list(smtp.log.commands)
        for secret in (CLIENT_SECRET, "eyJ"):
            assert secret not in ran.stdout + ran.stderr
        return ran


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with TokenServer(tmp_path) as tokens, TokenImap() as imap:
        imap.takes_any = True
        tokens.subject = USER
        tokens.claims = {"roles": BOTH}
        yield Site(folder=tmp_path, tokens=tokens, imap=imap)


def found(ran: Ran, check: str) -> list[dict[str, Any]]:
    return [one for one in ran.json["findings"] if one["check"].startswith(check)]


def test_a_log_in_in_order_is_told_with_its_lifetime(site: Site) -> None:
    ran = site.doctor()
    first, end = found(ran, "log-in")
    assert (first["state"], first["message"]) == ("ok", "microsoft gives a token, good for 60 minutes")
    # A secret's end cannot be asked for.
    assert end["state"] == "note" and "expires_on" in end["advice"]
    assert [one["state"] for one in (*found(ran, "incoming"), *found(ran, "outgoing"))] == ["ok", "ok"]


def test_a_permission_that_the_token_lacks_is_named(site: Site) -> None:
    site.tokens.claims = {"roles": ["IMAP.AccessAsApp"]}
    site.stated = ", expires_on: 2099-01-01"
    ran = site.doctor()
    _, permission, end = found(ran, "log-in")
    assert (permission["state"], permission["message"]) == ("problem", "the token does not carry SMTP.SendAsApp")
    assert "Grant admin consent" in permission["advice"]
    assert end["message"] == "the client secret is good until 2099-01-01"
    assert ran.code == 1


def test_a_secret_near_its_end_is_a_problem(site: Site) -> None:
    site.stated = ", expires_on: 2020-01-01"
    assert found(site.doctor(), "log-in")[1]["message"] == "the client secret ended on 2020-01-01"


def test_a_provider_that_gives_no_token_is_told_in_its_own_words_once(site: Site) -> None:
    description = "AADSTS7000222: The provided client secret keys for app are expired. Trace ID: x"
    site.tokens.answer = (401, {"error": "invalid_client", "error_description": description})
    ran = site.doctor("--probe")
    first = found(ran, "log-in")[0]
    assert first["state"] == "unreachable"
    assert "AADSTS7000222" in first["message"] and "New client secret" in first["advice"]
    assert "MAILBOT_OAUTH2_CLIENT_SECRET" in first["advice"]
    for check in ("incoming", "outgoing"):
        assert found(ran, check)[0]["advice"] == "see log-in default"
    assert "not tried" in found(ran, "probe")[0]["message"]
    assert ran.code == 3


def test_a_provider_that_is_away_is_told(site: Site) -> None:
    site.tokens.stop()
    ran = site.doctor()
    first = found(ran, "log-in")[0]
    assert "Connection refused" in first["message"] and "proxy" in first["advice"]
    assert ran.code == 3


def test_mail_servers_that_refuse_the_token_are_told_with_what_is_missing(site: Site) -> None:
    site.imap.takes_any = False
    site.imap.refusal = "NO AUTHENTICATE failed."
    disabled = Say(
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox."
    )
    site.smtp_script = {Step.AUTH: [disabled] * 9}
    ran = site.doctor()
    assert found(ran, "log-in")[0]["state"] == "ok"
    (incoming,), (outgoing,) = found(ran, "incoming"), found(ran, "outgoing")
    assert "New-ServicePrincipal" in incoming["advice"] and "IMAP.AccessAsApp" in incoming["advice"]
    assert f"Set-CASMailbox -Identity {USER}" in outgoing["advice"]
    assert ran.code == 3


def test_a_mailbox_that_the_app_may_not_open_is_told(site: Site) -> None:
    site.imap.answers["SELECT"] = site.imap.answers["LIST"] = lambda session, tag, _: session.send(
        f"{tag} BAD User is authenticated but not connected.\r\n"
    )
    (incoming,) = found(site.doctor(), "incoming")
    assert "Add-MailboxPermission" in incoming["advice"]


def test_an_address_that_the_app_may_not_send_as_is_told(site: Site) -> None:
    site.smtp_script = {
        Step.MAIL: [Say("550 5.7.60 SMTP; Client does not have permissions to send as this sender")]
    }
    (outgoing,) = found(site.doctor(), "outgoing")
    assert outgoing["state"] == "problem" and "Add-RecipientPermission" in outgoing["advice"]


def test_it_probes_by_token(site: Site) -> None:
    site.doctor("--probe", "--wait", "1")
    # Once for the look at the way out, once for the probes, with one token.
    assert sum(command.startswith("AUTH XOAUTH2") for command in site.smtp_commands) == 2
    assert "DATA" in site.smtp_commands
    assert len(site.tokens.asked) == 1
