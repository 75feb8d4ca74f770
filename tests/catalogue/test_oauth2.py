"""Log-in by token as `mailboxes.yaml` states it: what is meant, and every mistake with its line."""

from __future__ import annotations

import re
import shutil
import textwrap
from datetime import date
from pathlib import Path

import pytest

from mailbot.catalogue.load import load_catalogue
from mailbot.catalogue.mailboxes import MailboxSpec, MailServerName, OAuth2Spec
from mailbot.domain.errors import ConfigurationError, Problem
from mailbot.domain.logins import LoginCredential, LoginProvider

SAMPLE = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "config"))


def state(folder: Path, block: str) -> int:
    """Add an ``oauth2`` block to the sample mailbox; returns the line on which it begins."""
    file = folder / "mailboxes.yaml"
    before, mark, rest = file.read_text(encoding="utf-8").partition("    max_wire_mb: 50\n")
    stated = textwrap.indent(textwrap.dedent(block).lstrip("\n"), "    ")
    file.write_text(f"{before}{mark}{stated}{rest}", encoding="utf-8")
    return before.count("\n") + 2


def mailbox_of(folder: Path) -> tuple[MailboxSpec, OAuth2Spec]:
    mailbox = load_catalogue(folder).mailboxes[0]
    assert mailbox.oauth2 is not None
    return mailbox, mailbox.oauth2


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(folder)
    return caught.value.problems


def test_without_it_passwords_are_used_and_no_variable_is_read() -> None:
    mailbox = load_catalogue(SAMPLE).mailboxes[0]
    assert mailbox.oauth2 is None
    assert not any("OAUTH2" in name for name in mailbox.environment_names)
    assert not mailbox.takes_token(MailServerName.IMAP)


def test_microsoft_is_asked_with_a_secret_for_both_servers(folder: Path) -> None:
    state(folder, "oauth2: {provider: microsoft, tenant_id: a-b, client_id: c, expires_on: 2027-11-23}\n")
    mailbox, oauth2 = mailbox_of(folder)
    assert (oauth2.provider, oauth2.credential_used) == (LoginProvider.MICROSOFT, LoginCredential.CLIENT_SECRET)
    assert oauth2.expires_on == date(2027, 11, 23)
    assert mailbox.takes_token(MailServerName.IMAP) and mailbox.takes_token(MailServerName.SMTP)
    assert mailbox.oauth2_variable("client_secret") == "MAILBOT_OAUTH2_CLIENT_SECRET"
    assert "MAILBOT_OAUTH2_CERTIFICATE" in mailbox.environment_names


def test_variables_may_have_names_of_their_own(folder: Path) -> None:
    state(
        folder,
        "oauth2: {provider: google, credential: refresh_token, refresh_token_env: TOKEN, servers: [imap]}\n",
    )
    mailbox, oauth2 = mailbox_of(folder)
    assert oauth2.credential_used is LoginCredential.REFRESH_TOKEN
    assert mailbox.oauth2_variable("refresh_token") == "TOKEN"
    assert not mailbox.takes_token(MailServerName.SMTP)


def test_every_block_of_the_sample_is_good_once_its_marks_are_taken_away(folder: Path) -> None:
    text = (SAMPLE / "mailboxes.yaml").read_text(encoding="utf-8")
    blocks = re.findall(r"^    # (oauth2:\n(?:    #   .*\n)+)", text, re.MULTILINE)
    found = []
    for number, block in enumerate(blocks):
        config = Path(shutil.copytree(SAMPLE, folder.parent / f"config{number}"))
        state(config, re.sub(r"^    # ", "", block, flags=re.MULTILINE))
        oauth2 = mailbox_of(config)[1]
        found.append((oauth2.provider, oauth2.credential_used))
    assert found == [
        (LoginProvider.MICROSOFT, LoginCredential.CLIENT_SECRET),
        (LoginProvider.GOOGLE, LoginCredential.SERVICE_ACCOUNT),
        (LoginProvider.GOOGLE, LoginCredential.REFRESH_TOKEN),
        (LoginProvider.GENERIC, LoginCredential.CLIENT_SECRET),
    ]


@pytest.mark.parametrize(
    ("block", "line", "key", "message"),
    [
        ("provider: microsof", 1, "provider", "not 'microsof' (did you mean 'microsoft'?)"),
        ("provider: google\ntenent_id: a", 2, "tenent_id", "unknown key (did you mean 'tenant_id'?)"),
        ("client_id: a", 0, "", "provider is missing"),
        ("provider: google\ncredential: certificate", 2, "credential", "takes service_account or refresh_token"),
        ("provider: microsoft\ncredential: refresh_token", 2, "credential", "takes client_secret or certificate"),
        ("provider: google\ntenant_id: a", 2, "tenant_id", "is for provider microsoft, not google"),
        ("provider: microsoft\nrefresh_token_env: A", 2, "refresh_token_env", "is for provider google or generic"),
        ("provider: generic", 1, "provider", "generic needs authority"),
        ("provider: generic\nauthority: http://login.example/", 2, "authority", "must begin with https://"),
        ("provider: generic\nauthority: login.example", 2, "authority", "should match pattern"),
        ("provider: generic\nauthority: https://user@x/", 2, "authority", "should match pattern"),
        ("provider: google\nservers: []", 2, "servers", "at least 1 item"),
        ("provider: google\nservers: [imap, pop]", 2, "servers[1]", "not 'pop'"),
        ("provider: google\nexpires_on: tomorrow", 2, "expires_on", "date"),
        ("provider: microsoft\ntenant_id: a/../b", 2, "tenant_id", "should match pattern"),
        ("provider: google\nclient_secret: x", 2, "client_secret", "did you mean 'client_secret_env'"),
    ],
)
def test_every_mistake_is_told_with_its_line_and_key(
    folder: Path, block: str, line: int, key: str, message: str
) -> None:
    first = state(folder, "oauth2:\n" + textwrap.indent(block, "  ") + "\n")
    (problem,) = problems_of(folder)
    assert (problem.source, problem.line) == ("mailboxes.yaml", first + line)
    assert problem.key == f"mailboxes[0].oauth2{'.' if key else ''}{key}"
    assert message in problem.message


@pytest.mark.parametrize("authority", ["http://127.0.0.1:8080/token", "http://localhost/token"])
def test_this_machine_may_be_asked_without_tls(folder: Path, authority: str) -> None:
    state(folder, f"oauth2: {{provider: generic, authority: '{authority}', client_id: a}}\n")
    assert mailbox_of(folder)[1].authority == authority
